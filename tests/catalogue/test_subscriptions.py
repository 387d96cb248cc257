"""Subscriptions on both databases: who gets what at once, what waits, and every way back."""

import asyncio

import pytest

from api.catalogue import approvals, rights, subscribing
from api.catalogue.models import Approval, Publication, Subscription
from api.core.models import ControlChange, JournalEntry, OutboxEvent, OutboxMail
from api.core.problems import Refusal
from api.core.store import Stores
from tests.catalogue.conftest import World, offer, operation


class Scene:
    """A department with a service, a company with a sandbox and a live app, and people in both."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.department = world.organisation("department", "tax-office")
        self.company = world.organisation("company", "bank")
        self.approver = world.person(**{self.department: "approver"})
        self.developer = world.person(**{self.company: "developer"})
        self.apps = {name: world.app(self.company, name) for name in ("sandbox", "live")}

    async def subscribe(
        self, version_id: str, environment: str, purpose: str = "", who: str = ""
    ) -> Subscription:
        return await subscribing.subscribe(
            self.world.caller(who or self.developer), app_id=self.apps[environment], organisation_id=self.company,
            environment=environment, version_id=version_id, purpose=purpose,
        )  # fmt: skip

    async def approval_of(self, row: Subscription) -> Approval:
        return await Approval.get(kind="subscription", subject=row.id, status="pending")

    async def decide(self, row: Subscription, approve: bool = True, who: str = "") -> Approval:
        approval = await self.approval_of(row)
        return await approvals.decide(
            self.world.caller(who or self.approver),
            approval.id,
            approve=approve,
            reason="" if approve else "no",
        )


@pytest.fixture
def scene(stores: Stores, world: World) -> Scene:
    # organisations keep their slugs; each test has a world of its own
    return Scene(world)


@pytest.mark.parametrize(
    ("environment", "level", "status"),
    [("sandbox", "L1", "active"), ("sandbox", "L2", "active"), ("sandbox", "L3", "active"),
     ("live", "L1", "active"), ("live", "L2", "pending"), ("live", "L3", "pending")],
)  # fmt: skip
async def test_level_and_environment_decide(scene: Scene, environment: str, level: str, status: str) -> None:
    purpose = "credit" if level == "L3" else ""
    version_id = await offer(
        scene.department, operation("a"), operation("b", level, purposes=(purpose,) if purpose else ())
    )
    row = await scene.subscribe(version_id, environment, purpose)
    assert row.status == status
    assert await Approval.filter(subject=row.id).count() == (status == "pending")
    granted = await rights.granted_scopes(scene.apps[environment])
    assert granted == ({"thing:a:read", "thing:b:read"} if status == "active" else set())


async def test_the_highest_reached_level_decides_not_what_stays_closed(scene: Scene) -> None:
    version_id = await offer(
        scene.department, operation("open"), operation("secret", "L3", purposes=("credit",)), operation("top", "L4"),
        operation("inner", "L2", audience="department"),
    )  # fmt: skip
    assert (await scene.subscribe(version_id, "live")).status == "active"
    assert (await scene.subscribe(version_id, "live", "credit")).status == "pending"
    assert await rights.granted_scopes(scene.apps["live"]) == {"thing:open:read"}


@pytest.mark.parametrize(
    ("operations", "purpose", "rule"),
    [
        ([operation(level="L4")], "", "classification"),
        ([operation(audience="department")], "", "audience"),
        ([operation(purposes=("credit",))], "", "purpose"),
        ([operation(purposes=("credit",))], "marketing", "purpose"),
        ([operation()], "marketing", "purpose"),
    ],
)
@pytest.mark.parametrize("environment", ["sandbox", "live"])
async def test_refusals_say_why(
    scene: Scene, operations: list, purpose: str, rule: str, environment: str
) -> None:
    version_id = await offer(scene.department, *operations)
    with pytest.raises(Refusal) as refused:
        await scene.subscribe(version_id, environment, purpose)
    assert (refused.value.kind.slug, refused.value.rule) == ("subscription-refused", rule)
    assert refused.value.facts["following"].zh
    assert not await Subscription.exists(version_id=version_id)


async def test_not_published_there_names_where_it_is(scene: Scene) -> None:
    version_id = await offer(scene.department, operation(), environments=("sandbox",))
    with pytest.raises(Refusal) as refused:
        await scene.subscribe(version_id, "live")
    assert refused.value.rule == "not-published"
    assert "sandbox" in refused.value.facts["following"].en
    with pytest.raises(Refusal) as refused:
        await scene.subscribe("nothing@v9", "live")
    assert "/platform/v1/services" in refused.value.facts["following"].en


async def test_not_shared_with_other_departments(scene: Scene, world: World) -> None:
    version_id = await offer(scene.department, operation(share="none"))
    police = world.organisation("department")
    officer, app = world.person(**{police: "developer"}), world.app(police)
    with pytest.raises(Refusal) as refused:
        await subscribing.subscribe(world.caller(officer), app_id=app, organisation_id=police,
                                    environment="sandbox", version_id=version_id)  # fmt: skip
    assert refused.value.rule == "share"
    assert (await scene.subscribe(version_id, "sandbox")).status == "active"  # sharing is among departments


async def test_conditional_sharing_waits_even_at_l1(scene: Scene, world: World) -> None:
    version_id = await offer(scene.department, operation(share="conditional", open="conditional"))
    police = world.organisation("department")
    officer, app = world.person(**{police: "developer"}), world.app(police, "live")
    row = await subscribing.subscribe(world.caller(officer), app_id=app, organisation_id=police,
                                      environment="live", version_id=version_id)  # fmt: skip
    assert row.status == "pending"


async def test_deprecated_takes_no_new_live_subscription(scene: Scene) -> None:
    version_id = await offer(scene.department, operation(), status="deprecated")
    with pytest.raises(Refusal) as refused:
        await scene.subscribe(version_id, "live")
    assert refused.value.rule == "deprecated"
    assert (await scene.subscribe(version_id, "sandbox")).status == "active"


async def test_approved_opens_and_tells_everyone(scene: Scene) -> None:
    version_id = await offer(scene.department, operation("b", "L2"))
    before = await OutboxMail.all().count()
    row = await scene.subscribe(version_id, "live")
    told = await OutboxMail.filter(recipient=f"{scene.approver}@example.test")
    assert len(told) == 1
    assert told[0].link.startswith("http://sandbox.example.test/approvals/ap_")
    approval = await scene.decide(row)
    assert await OutboxMail.filter(recipient=f"{scene.developer}@example.test").count() == 1
    assert await OutboxMail.all().count() == before + 2
    row = await rights.get_subscription(row.id)
    assert (row.status, row.level, row.decided_by) == ("active", "L2", scene.approver)
    assert await ControlChange.filter(kind="subscription", key=scene.apps["live"]).count() == 2
    assert [event.type for event in await OutboxEvent.filter(subject=f"subscription/{row.id}").order_by("at")] == [
        "gov.kaimen.subscription.requested", "gov.kaimen.subscription.activated",
    ]  # fmt: skip
    entry = await JournalEntry.get(action="approval:approve", subject=f"approval/{approval.id}")
    assert scene.approver in entry.actor


async def test_rejected_needs_a_reason_and_may_be_asked_again(scene: Scene) -> None:
    version_id = await offer(scene.department, operation("b", "L2"))
    row = await scene.subscribe(version_id, "live")
    approval = await scene.approval_of(row)
    with pytest.raises(Refusal) as refused:
        await approvals.decide(scene.world.caller(scene.approver), approval.id, approve=False, reason=" ")
    assert refused.value.errors[0]["pointer"] == "/reason"
    await scene.decide(row, approve=False)
    assert (await rights.get_subscription(row.id)).status == "rejected"
    again = await scene.subscribe(version_id, "live")
    assert (again.id, again.status) == (row.id, "pending")
    await scene.decide(again)
    assert (await rights.get_subscription(row.id)).status == "active"


async def test_unsubscribing_withdraws_the_request(scene: Scene) -> None:
    version_id = await offer(scene.department, operation("b", "L2"))
    row = await scene.subscribe(version_id, "live")
    approval = await scene.approval_of(row)
    ended = await subscribing.unsubscribe(scene.world.caller(scene.developer), row.id)
    assert ended.status == "cancelled"
    assert (await Approval.get(id=approval.id)).status == "cancelled"
    with pytest.raises(Refusal) as refused:
        await approvals.decide(scene.world.caller(scene.approver), approval.id, approve=True)
    assert refused.value.rule == "approval-decided"
    assert (await subscribing.unsubscribe(scene.world.caller(scene.developer), row.id)).status == "cancelled"
    assert (await scene.subscribe(version_id, "live")).status == "pending"


async def test_withdrawing_the_request_cancels_the_subscription(scene: Scene) -> None:
    version_id = await offer(scene.department, operation("b", "L2"))
    row = await scene.subscribe(version_id, "live")
    approval = await scene.approval_of(row)
    with pytest.raises(Refusal):
        await approvals.cancel(scene.world.caller(scene.approver), approval.id)
    await approvals.cancel(scene.world.caller(scene.developer), approval.id)
    assert (await rights.get_subscription(row.id)).status == "cancelled"


async def test_repeating_changes_nothing(scene: Scene) -> None:
    version_id = await offer(scene.department, operation("b", "L2"))
    for environment in ("sandbox", "live"):
        first = await scene.subscribe(version_id, environment)
        entries = await JournalEntry.all().count()
        assert (await scene.subscribe(version_id, environment)).id == first.id
        assert await JournalEntry.all().count() == entries


async def test_eight_racers_get_one_subscription(scene: Scene) -> None:
    version_id = await offer(scene.department, operation("b", "L2"))
    rows = await asyncio.gather(*(scene.subscribe(version_id, "live") for _ in range(8)))
    assert len({row.id for row in rows}) == 1
    assert await Approval.filter(subject=rows[0].id).count() == 1
    assert await JournalEntry.filter(subject=f"app/{scene.apps['live']}").count() == 1


async def test_suspending_closes_and_resuming_opens(scene: Scene) -> None:
    version_id = await offer(scene.department, operation("b"))
    row = await scene.subscribe(version_id, "live")
    approver, developer = scene.world.caller(scene.approver), scene.world.caller(scene.developer)
    with pytest.raises(Refusal):
        await subscribing.suspend_subscription(developer, row.id, reason="x")
    await subscribing.suspend_subscription(approver, row.id, reason="滥用 abuse")
    assert await rights.granted_scopes(scene.apps["live"]) == frozenset()
    with pytest.raises(Refusal):  # leaving and coming back is no way round
        await subscribing.unsubscribe(developer, row.id)
    with pytest.raises(Refusal):
        await scene.subscribe(version_id, "live")
    await subscribing.resume_subscription(approver, row.id)
    assert await rights.granted_scopes(scene.apps["live"]) == {"thing:b:read"}


async def test_resuming_is_no_second_door(scene: Scene) -> None:
    version_id = await offer(scene.department, operation("b", "L2"))
    row = await scene.subscribe(version_id, "live")
    with pytest.raises(Refusal):
        await subscribing.resume_subscription(scene.world.caller(scene.approver), row.id)
    assert (await rights.get_subscription(row.id)).status == "pending"
    await scene.decide(row)
    await subscribing.suspend_subscription(scene.world.caller(scene.approver), row.id, reason="x")
    both = scene.world.person(**{scene.department: "approver", scene.company: "viewer"})
    with pytest.raises(Refusal) as refused:
        await subscribing.resume_subscription(scene.world.caller(both), row.id)
    assert refused.value.kind.slug == "own-request"


async def test_a_higher_level_takes_another_decision(scene: Scene) -> None:
    """A release that adds sensitive operations opens them to nobody who was not granted that level."""
    version_id = await offer(scene.department, operation("a"))
    row = await scene.subscribe(version_id, "live")
    assert (row.status, row.level) == ("active", "L1")
    richer = await offer(scene.department, operation("a"), operation("b", "L2"))
    await Publication.filter(id=f"{version_id}/live").update(
        offer=(await Publication.get(id=f"{richer}/live")).offer
    )
    assert await rights.granted_scopes(scene.apps["live"]) == {"thing:a:read"}
    asked = await scene.subscribe(version_id, "live")
    assert (asked.status, asked.level) == ("active", "L1")
    assert (await scene.subscribe(version_id, "live")).id == row.id  # asked once
    await scene.decide(row, approve=False)
    assert (await rights.get_subscription(row.id)).status == "active"  # a no leaves what it had
    await scene.subscribe(version_id, "live")
    await scene.decide(row)
    assert await rights.granted_scopes(scene.apps["live"]) == {"thing:a:read", "thing:b:read"}


async def test_only_the_apps_developers_subscribe_it(scene: Scene, world: World) -> None:
    version_id = await offer(scene.department, operation())
    viewer = world.person(**{scene.company: "viewer"})
    for who in (viewer, scene.approver, "anonymous"):
        with pytest.raises(Refusal):
            await scene.subscribe(version_id, "sandbox", who=who)
    with pytest.raises(Refusal) as refused:  # an app of somebody else
        await subscribing.subscribe(world.caller(scene.developer), app_id=world.app(scene.department), organisation_id=scene.company,
                                    environment="sandbox", version_id=version_id)  # fmt: skip
    assert refused.value.kind.slug == "not-found"
    machine = world.caller(scene.apps["sandbox"], "platform:subscriptions:write")
    row = await subscribing.subscribe(machine, app_id=scene.apps["sandbox"], organisation_id=scene.company,
                                      environment="sandbox", version_id=version_id)  # fmt: skip
    assert row.requested_by == f"app:{scene.apps['sandbox']}"


def test_entries() -> None:
    assert subscribing.parse_entry(" company@v1 ") == subscribing.SubscriptionEntry("company@v1")
    entry = subscribing.parse_entry("company@v1:bank-credit")
    assert (entry.version_id, entry.purpose, entry.text) == (
        "company@v1",
        "bank-credit",
        "company@v1:bank-credit",
    )
