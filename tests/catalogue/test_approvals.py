"""Four eyes: over all pairs of roles there is no way to one's own approval, and of racers one decides."""

import asyncio
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.catalogue import approvals, subscribing
from api.catalogue.models import Approval, Subscription
from api.catalogue.permissions import can_decide, requester_of
from api.core.caller import ANONYMOUS, OPERATOR, Caller, CallerKind
from api.core.models import JournalEntry, OutboxMail
from api.core.problems import Problem, Refusal
from api.core.store import Stores
from tests.catalogue.conftest import World, offer, operation

ROLES = ("owner", "developer", "publisher", "approver", "viewer")


# --- the rule itself ----------------------------------------------------------------------------
organisations = st.dictionaries(
    st.sampled_from(["dept", "company", "other", "mine"]),
    st.frozensets(st.sampled_from(ROLES), min_size=1),
    max_size=4,
)
people = st.builds(
    lambda who, held, admin: Caller(kind=CallerKind.PERSON, has_mfa=True, id=who, organisations=held, is_administrator=admin),
    st.sampled_from(["p_1", "p_2", "p_3"]), organisations, st.booleans(),
)  # fmt: skip
machines = st.builds(
    lambda owner: Caller(kind=CallerKind.APP, id="a_1", organisations={owner: frozenset()}),
    st.sampled_from(["dept", "company"]),
)
callers = st.one_of(people, machines, st.just(OPERATOR), st.just(ANONYMOUS))


@settings(max_examples=600)
@given(
    callers,
    callers,
    st.sampled_from(["subscription", "app-live", "publish-live"]),
    st.sampled_from(["dept", "company"]),
)
def test_no_path_to_ones_own_approval(requester: Caller, decider: Caller, kind: str, app_owner: str) -> None:
    barred = (
        sorted({*requester.organisations, app_owner})
        if kind != "publish-live"
        else sorted(requester.organisations)
    )
    approval = Approval(
        id="ap_1", kind=kind, subject="s_1", organisation_id="dept", requested_by=requester_of(requester),
        requester_organisations=barred, payload={}, status="pending",
    )  # fmt: skip
    if not can_decide(
        decider, approval, frozenset(decider.organisations), frozenset(requester.organisations)
    ):
        return
    assert requester_of(decider) != requester_of(requester)
    assert decider.kind in {CallerKind.PERSON, CallerKind.OPERATOR}
    if kind == "publish-live":
        assert decider.kind == CallerKind.PERSON
        assert decider.has_role("dept", "owner", "approver")
        return
    if decider.kind == CallerKind.PERSON:
        assert not set(decider.organisations) & set(barred)
        assert decider.has_role("dept", "owner", "approver") or (
            decider.is_administrator and "dept" in barred
        )


def test_someone_who_joined_the_requester_later_is_barred_too() -> None:
    approval = Approval(id="ap_1", kind="subscription", subject="s_1", organisation_id="dept", requested_by="p_1",
                        requester_organisations=["company"], payload={}, status="pending")  # fmt: skip
    decider = Caller(
        kind=CallerKind.PERSON, has_mfa=True, id="p_2", organisations={"dept": frozenset({"approver"})}
    )
    assert can_decide(decider, approval, frozenset({"dept"}), frozenset({"company"}))
    assert not can_decide(decider, approval, frozenset({"dept", "company"}), frozenset({"company"}))
    assert not can_decide(decider, approval, frozenset({"dept", "club"}), frozenset({"company", "club"}))


# --- on the databases ---------------------------------------------------------------------------
async def test_every_pair_of_roles_on_real_data(stores: Stores, world: World) -> None:
    """Requesters and deciders in every role, of the department, the company, both or neither: 12 × 14 pairs."""
    department, company, other = (world.organisation(kind) for kind in ("department", "company", "company"))
    version_id = await offer(department, operation("b", "L2"))
    requesters = {"operator": "operator"}
    for role in ROLES:
        requesters[f"company {role}"] = world.person(**{company: role})
        requesters[f"both {role}"] = world.person(**{company: f"developer {role}", department: role})
    deciders = {"operator": "operator", "administrator": world.person(administrator=True)}
    for role in ROLES:
        deciders[f"department {role}"] = world.person(**{department: role})
        deciders[f"other {role}"] = world.person(**{other: role})
    deciders["both"] = world.person(**{department: "approver owner", company: "viewer"})
    tried = 0
    for (who, requester), (by, decider) in product(requesters.items(), {**deciders, **requesters}.items()):
        app = world.app(company, "live")
        caller = world.caller(requester)
        try:
            row = await subscribing.subscribe(
                caller, app_id=app, organisation_id=company, environment="live", version_id=version_id
            )
        except Refusal:
            assert requester != "operator"
            assert not caller.has_role(company, "owner", "developer")
            continue
        approval = await Approval.get(subject=row.id)
        try:
            await approvals.decide(world.caller(decider), approval.id, approve=True)
        except Refusal:
            assert (await Subscription.get(id=row.id)).status == "pending"
            allowed = False
        else:
            assert (await Subscription.get(id=row.id)).status == "active"
            allowed = True
        if who.startswith(
            "both"
        ):  # the whole department is barred: an unconnected administrator, or the operator
            expected = by in {"administrator", "operator"}
        else:
            expected = by in {"department owner", "department approver", "operator"} and requester != decider
        assert allowed == expected, (who, by)
        tried += 1
    assert tried >= 150


@pytest.mark.parametrize("approve", [True, False])
async def test_of_eight_racers_one_decides(stores: Stores, world: World, approve: bool) -> None:
    department, company = world.organisation("department"), world.organisation("company")
    version_id = await offer(department, operation("b", "L2"))
    developer = world.person(**{company: "developer"})
    row = await subscribing.subscribe(
        world.caller(developer), app_id=world.app(company, "live"), organisation_id=company, environment="live",
        version_id=version_id,
    )  # fmt: skip
    approval = await Approval.get(subject=row.id)
    racers = [world.person(**{department: "approver"}) for _ in range(8)]

    async def race(number: int, who: str) -> str:
        try:
            verdict = approve if number % 2 else not approve
            done = await approvals.decide(world.caller(who), approval.id, approve=verdict, reason="because")
        except Problem as problem:
            return problem.rule
        return done.status

    outcomes = await asyncio.gather(*(race(number, who) for number, who in enumerate(racers)))
    assert sorted(outcomes).count("approval-decided") == 7
    (outcome,) = set(outcomes) - {"approval-decided"}
    decided = await Approval.get(id=approval.id)
    assert decided.status == outcome
    status = {"approved": "active", "rejected": "rejected"}[outcome]
    assert (await Subscription.get(id=row.id)).status == status
    assert await JournalEntry.filter(subject=f"approval/{approval.id}").count() == 1
    assert await OutboxMail.filter(recipient=f"{developer}@example.test").count() == 1


async def test_lists_show_what_concerns_one(stores: Stores, world: World) -> None:
    department, company, other = (world.organisation(kind) for kind in ("department", "company", "company"))
    version_id = await offer(department, operation("b", "L2"))
    developer, colleague = world.person(**{company: "developer"}), world.person(**{company: "viewer"})
    approver, stranger = world.person(**{department: "approver"}), world.person(**{other: "owner"})
    row = await subscribing.subscribe(
        world.caller(developer), app_id=world.app(company, "live"), organisation_id=company, environment="live",
        version_id=version_id,
    )  # fmt: skip
    seen = {
        who: [(one.may_decide, one.is_mine) for one in await approvals.approvals_for(world.caller(who)) if one.approval.subject == row.id]
        for who in (developer, colleague, approver, stranger)
    }  # fmt: skip
    assert seen == {
        developer: [(False, True)],
        colleague: [(False, False)],
        approver: [(True, False)],
        stranger: [],
    }
    approval = await Approval.get(subject=row.id)
    with pytest.raises(Refusal) as refused:
        await approvals.view(world.caller(stranger), approval.id)
    assert refused.value.kind.slug == "not-found"
    with pytest.raises(Refusal) as refused:
        await approvals.approvals_for(ANONYMOUS)
    assert refused.value.kind.slug == "not-signed-in"


async def test_comments_go_to_the_other_side(stores: Stores, world: World) -> None:
    department, company = world.organisation("department"), world.organisation("company")
    version_id = await offer(department, operation("b", "L2"))
    developer, approver = world.person(**{company: "developer"}), world.person(**{department: "approver"})
    row = await subscribing.subscribe(
        world.caller(developer), app_id=world.app(company, "live"), organisation_id=company, environment="live",
        version_id=version_id,
    )  # fmt: skip
    approval = await Approval.get(subject=row.id)
    await approvals.comment(world.caller(approver), approval.id, "用途是什么? What for?")
    await approvals.comment(world.caller(developer), approval.id, "授信 Credit.")
    shown = await approvals.view(world.caller(approver), approval.id)
    assert [(one.author, one.text) for one in shown.comments] == [
        (approver, "用途是什么? What for?"), (developer, "授信 Credit."),
    ]  # fmt: skip
    assert await OutboxMail.filter(recipient=f"{developer}@example.test").count() == 1
    assert await OutboxMail.filter(recipient=f"{approver}@example.test").count() == 2
    with pytest.raises(Refusal):
        await approvals.comment(world.caller(developer), approval.id, " ")


async def test_mails_are_in_the_readers_language(stores: Stores, world: World) -> None:
    department, company = world.organisation("department"), world.organisation("company")
    version_id = await offer(department, operation("b", "L2"))
    for _ in range(6):
        world.person(**{department: "approver"})
    developer = world.person(**{company: "developer"})
    await subscribing.subscribe(
        world.caller(developer), app_id=world.app(company, "live"), organisation_id=company, environment="live",
        version_id=version_id,
    )  # fmt: skip
    locales = {one.email: one.locale for one in await world.contacts(department, frozenset({"approver"}))}
    mails = await OutboxMail.filter(recipient__in=list(locales))
    assert len(mails) == 6
    for mail in mails:
        assert mail.subject.startswith("待审批" if locales[mail.recipient] == "zh" else "To decide")
        assert version_id in mail.body
