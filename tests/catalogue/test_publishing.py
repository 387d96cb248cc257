"""Publishing: the sandbox at once, live by a second person; what is published is frozen and breaks nobody."""

import asyncio
import copy
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from api.catalogue import approvals, drafts, impact, lifecycle, onboarding, publishing, subscribing
from api.catalogue.models import Approval, Publication, PublicationRelease, VersionRecord
from api.catalogue.offers import Offer
from api.catalogue.outside import FieldUser
from api.catalogue.policies import NOTICE_DAYS
from api.contract import build
from api.contract.diff import BREAKING, Change
from api.contract.model import Status
from api.core import clock
from api.core.models import ControlChange, JournalEntry, OutboxMail
from api.core.problems import Problem, Refusal
from api.core.store import Stores
from tests.catalogue import documents
from tests.catalogue.conftest import World, unique

UPSTREAM = "https://upstream.library.example/v1"


class Office:
    """A department with a publisher, an approver and a service of its own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.department = world.organisation("department")
        self.publisher = world.person(**{self.department: "publisher"})
        self.approver = world.person(**{self.department: "approver"})
        self.name = unique("library")
        self.version_id = f"{self.name}@v1"

    def caller(self, who: str = "") -> Any:
        return self.world.caller(who or self.publisher)

    async def take(self, document: dict[str, Any] | None = None) -> str:
        report = await onboarding.import_contract(
            self.caller(),
            organisation_id=self.department,
            loaded=documents.load(document or documents.own(self.name)),
        )
        return report.version_id

    async def publish(
        self, environment: str = "sandbox", upstream: str | None = None, who: str = "", **options: Any
    ) -> Publication:
        return await publishing.publish(self.caller(who), self.version_id, environment, upstream, **options)

    def exercise(self) -> None:
        self.world.evidence = {"getItem": "called", "searchItems": "scenario"}

    async def go_live(self) -> Publication:
        """All the way: sandbox, checklist, request by the operator, decision by the approver."""
        await self.publish()
        self.exercise()
        waiting = await self.publish("live", UPSTREAM, who="operator")
        await approvals.decide(self.caller(self.approver), waiting.approval_id, approve=True)
        return await Publication.get(id=f"{self.version_id}/live")

    async def subscriber(self, environment: str) -> str:
        company = self.world.organisation("company")
        developer, app = self.world.person(**{company: "developer"}), self.world.app(company, environment)
        await subscribing.subscribe(self.world.caller(developer), app_id=app, organisation_id=company,
                                    environment=environment, version_id=self.version_id)  # fmt: skip
        return developer


@pytest.fixture
def office(stores: Stores, world: World) -> Office:
    return Office(world)


def breaking(name: str) -> dict[str, Any]:
    """An edition that takes the query parameter `q` away."""
    document = documents.own(name, "1.1.0")
    document["paths"]["/items"]["get"]["parameters"].pop(0)
    return document


# --- sandbox ------------------------------------------------------------------------------------
async def test_the_sandbox_serves_at_once(office: Office) -> None:
    await office.take()
    row = await office.publish()
    assert (row.state, row.environment, row.upstream, row.approval_id) == ("published", "sandbox", "", "")
    service = build.service_of(msgspec.json.decode(row.document))
    assert (service.key, service.digest) == (office.version_id, row.digest)
    assert [one.id for one in msgspec.json.decode(row.offer, type=Offer).operations] == [
        "getItem",
        "searchItems",
    ]
    assert await ControlChange.filter(kind="publication", key=row.id).count() == 1
    assert [one.id for one in await publishing.published("sandbox") if one.service == office.name] == [row.id]


async def test_publishing_again_changes_nothing(office: Office) -> None:
    await office.take()
    await office.publish()
    entries = await JournalEntry.all().count()
    await office.publish()
    await office.publish(upstream="")
    assert await JournalEntry.all().count() == entries


async def test_a_later_import_changes_nothing_that_is_published(office: Office) -> None:
    await office.take()
    before = await office.publish()
    newer = documents.own(office.name, "1.1.0")
    newer["paths"]["/items"]["get"]["summary"] = "Find"
    await office.take(newer)
    after = await Publication.get(id=before.id)
    assert (after.document, after.digest, after.release) == (before.document, before.digest, "1.0.0")
    published = await office.publish()
    assert published.release == "1.1.0"
    assert len(await publishing.releases_of(before.id)) == 2


async def test_refused_and_unknown_cannot_be_published(office: Office) -> None:
    await office.take(
        {
            "openapi": "3.1.0",
            "info": {"title": office.name, "version": "1", "x-name": office.name},
            "paths": {},
        }
    )
    with pytest.raises(Refusal) as refused:
        await office.publish()
    assert refused.value.rule == "publish-verdict"
    with pytest.raises(Refusal) as refused:
        await publishing.publish(office.caller(), "nothing@v1", "sandbox")
    assert refused.value.kind.slug == "not-found"


@pytest.mark.parametrize(
    ("environment", "upstream"),
    [("sandbox", "ftp://x.example"), ("sandbox", "http://user:pw@x.example"), ("sandbox", "file:///etc/passwd"),
     ("live", "city:market"), ("sandbox", "city:../x"), ("sandbox", "http://x.example/?a=b"), ("sandbox", "gopher"),
     ("sandbox", "https://x.example/a b")],
)  # fmt: skip
async def test_upstreams_have_one_of_the_known_forms(office: Office, environment: str, upstream: str) -> None:
    await office.take()
    with pytest.raises(Refusal) as refused:
        await office.publish(environment, upstream, who="operator")
    assert refused.value.errors[0]["pointer"] == "/upstream"


async def test_upstreams_are_set_by_operators_only(office: Office, world: World) -> None:
    await office.take()
    with pytest.raises(Refusal) as refused:
        await office.publish(upstream=UPSTREAM)
    assert refused.value.kind.slug == "permission-denied"
    assert (await office.publish(upstream="city:market", who="operator")).upstream == "city:market"
    assert (await office.publish(upstream=UPSTREAM, who="operator")).upstream == UPSTREAM
    assert (await office.publish()).upstream == UPSTREAM  # a publisher keeps what is set
    with pytest.raises(Refusal):
        await office.publish(upstream=publishing.SYNTHETIC)
    assert (await office.publish(upstream=publishing.SYNTHETIC, who="operator")).upstream == ""


async def test_only_the_departments_publishers_publish(office: Office, world: World) -> None:
    await office.take()
    company = world.organisation("company")
    machine = world.caller(world.app(office.department), "platform:contracts:write")
    for who in (
        office.approver,
        world.person(**{company: "owner"}),
        world.person(administrator=True),
        "anonymous",
    ):
        with pytest.raises(Refusal):
            await office.publish(who=who)
    assert (await publishing.publish(machine, office.version_id, "sandbox")).state == "published"
    with pytest.raises(Refusal):  # a machine asks for nothing that its owner could then approve alone
        await publishing.publish(machine, office.version_id, "live")


# --- breaking changes ---------------------------------------------------------------------------
async def test_a_breaking_change_is_refused_with_the_apps_that_it_hits(office: Office) -> None:
    await office.take()
    await office.publish()
    users = [
        FieldUser("a_one", "2027-01-02T00:00:00.000Z", 7),
        FieldUser("a_two", "2027-01-01T00:00:00.000Z", 1),
    ]
    office.world.users[("searchItems", "query:q")] = users
    await office.take(breaking(office.name))
    with pytest.raises(Refusal) as refused:
        await office.publish()
    facts = refused.value.facts
    assert (refused.value.kind.slug, facts["count"], facts["apps"]) == ("breaking-change", 1, 2)
    assert facts["changes"][0]["change"]["field"] == "query:q"
    assert [user["app_id"] for user in facts["changes"][0]["apps"]] == ["a_one", "a_two"]
    assert (await Publication.get(id=f"{office.version_id}/sandbox")).release == "1.0.0"
    forced = await office.publish(force_reason="沙箱试验 trial")
    assert forced.release == "1.1.0"
    (release, _) = await publishing.releases_of(forced.id)
    assert release.force_reason == "沙箱试验 trial"
    assert msgspec.json.decode(release.changes)[0]["severity"] == "breaking"


async def test_live_takes_no_force(office: Office) -> None:
    await office.take()
    await office.go_live()
    await office.take(breaking(office.name))
    await office.publish(force_reason="trial")
    with pytest.raises(Refusal) as refused:
        await office.publish("live", force_reason="trial", who="operator")
    assert refused.value.kind.slug == "breaking-change"


async def test_a_new_major_version_breaks_nobody(office: Office) -> None:
    await office.take()
    await office.publish()
    document = breaking(office.name)
    document["info"]["version"] = "2.0.0"
    version_id = await office.take(document)
    assert version_id == f"{office.name}@v2"
    assert (await publishing.publish(office.caller(), version_id, "sandbox")).state == "published"


async def test_the_preview_is_the_ground_truth(office: Office) -> None:
    """Every breaking change names exactly the apps that used what it touches; the others name nobody."""
    await office.take()
    await office.publish()
    office.world.users = {
        ("searchItems", "query:q"): [FieldUser("a_q", "2027-01-01T00:00:00.000Z")],
        ("searchItems", ""): [FieldUser("a_s", "2027-01-01T00:00:00.000Z")],
        ("getItem", "response"): [FieldUser("a_r", "2027-01-01T00:00:00.000Z")],
        ("getItem", ""): [FieldUser("a_g", "2027-01-01T00:00:00.000Z")],
    }
    new = breaking(office.name)
    del new["components"]["schemas"]["Item"]["properties"]["name"]
    new["components"]["schemas"]["Item"]["required"] = ["code"]
    new["paths"]["/items"]["get"]["parameters"].append(
        {
            "name": "shelf",
            "in": "query",
            "required": True,
            "description": "架 Shelf",
            "schema": {"type": "string"},
        }
    )
    new["paths"]["/new"] = {
        "get": {**copy.deepcopy(new["paths"]["/items"]["get"]), "operationId": "getNew", "x-resource": "new"}
    }
    found = await impact.preview(office.version_id, documents.load(new))
    told = {
        (one.change.operation, one.change.rule, one.change.field): [user.app_id for user in one.apps]
        for one in found
        if one.is_breaking
    }
    assert told[("searchItems", "parameter-removed", "query:q")] == ["a_q"]
    assert told[("searchItems", "parameter-required", "query:shelf")] == ["a_s"]
    response = [
        apps
        for (operation, _, field), apps in told.items()
        if operation == "getItem" and field.startswith("response")
    ]
    assert response
    assert all(apps == ["a_r"] for apps in response)
    assert all(not one.apps for one in found if not one.is_breaking)
    assert await VersionRecord.get(id=office.version_id)  # nothing was stored by looking
    assert (await VersionRecord.get(id=office.version_id)).release == "1.0.0"


@pytest.mark.parametrize(
    ("kind", "field", "asked"),
    [("removed", "query:q", "query:q"), ("required", "query:q", ""), ("removed", "path:id", ""), ("removed", "", ""),
     ("narrowed", "response:200:/a/b", "response"), ("removed", "body:", ""), ("removed", "body:/a/*/b", "body:/a/*/b"),
     ("removed", "body:/a/b/c/d/e/f", "body:/a/b/c/d"), ("removed", "header:x-a", "header:x-a")],
)  # fmt: skip
def test_fields_are_asked_for_as_the_request_log_names_them(kind: str, field: str, asked: str) -> None:
    assert impact.field_in_log(Change(kind, BREAKING, "op", "", field, {}, "rule")) == asked


async def test_the_preview_of_what_is_not_published(office: Office) -> None:
    await office.take()
    with pytest.raises(Refusal) as refused:
        await impact.preview(office.version_id)
    assert refused.value.kind.slug == "not-found"
    await office.publish()
    with pytest.raises(Refusal) as refused:
        await impact.preview(office.version_id, documents.load({"openapi": "3.1.0", "info": {}, "paths": {}}))
    assert refused.value.kind.slug == "contract-refused"
    assert await impact.preview(office.version_id) == []


async def test_subscribers_are_told_of_a_release(office: Office) -> None:
    await office.take()
    await office.publish()
    developer = await office.subscriber("sandbox")
    newer = documents.own(office.name, "1.1.0")
    newer["paths"]["/items"]["get"]["parameters"].append(
        {"name": "shelf", "in": "query", "description": "架 Shelf", "schema": {"type": "string"}}
    )
    await office.take(newer)
    await office.publish()
    mail = await OutboxMail.get(recipient=f"{developer}@example.test")
    assert office.version_id in mail.subject
    assert mail.link == f"http://sandbox.example.test/services/{office.version_id}"


# --- live ---------------------------------------------------------------------------------------
async def test_the_checklist_names_what_is_open(office: Office) -> None:
    document = documents.own(office.name)
    del document["info"]["x-owner"], document["info"]["x-service"]
    await office.take(document)
    items = {item.id: item.is_done for item in await publishing.checklist_of(office.version_id)}
    assert items == {
        "contract": True,
        "sandbox": False,
        "exercised": False,
        "upstream": False,
        "contact": False,
        "support": False,
        "promise": False,
    }
    with pytest.raises(Refusal) as refused:
        await office.publish("live", UPSTREAM, who="operator")
    assert refused.value.kind.slug == "publish-refused"
    open_items = [item["id"] for item in refused.value.facts["checklist"] if not item["is_done"]]
    assert open_items == ["sandbox", "exercised", "contact", "support", "promise"]
    assert not await Approval.exists(subject=f"{office.version_id}/live")


async def test_each_item_is_evidence(office: Office) -> None:
    await office.take()
    await office.publish()
    office.world.evidence = {"getItem": "called"}
    exercised = next(
        item for item in await publishing.checklist_of(office.version_id, UPSTREAM) if item.id == "exercised"
    )
    assert not exercised.is_done
    assert "searchItems" in exercised.following.en
    office.exercise()
    assert all(item.is_done for item in await publishing.checklist_of(office.version_id, UPSTREAM))
    office.world.unhealthy[UPSTREAM] = "connection refused"
    upstream = next(
        item for item in await publishing.checklist_of(office.version_id, UPSTREAM) if item.id == "upstream"
    )
    assert "connection refused" in upstream.following.en
    # another edition than the one in the sandbox is not what was tried
    newer = documents.own(office.name, "1.0.1")
    newer["info"]["description"] = "Other words."
    await office.take(newer)
    sandbox = next(item for item in await publishing.checklist_of(office.version_id) if item.id == "sandbox")
    assert not sandbox.is_done


async def test_live_waits_for_a_second_person(office: Office, world: World) -> None:
    await office.take()
    await office.publish()
    office.exercise()
    waiting = await office.publish("live", UPSTREAM, who="operator")
    assert (waiting.state, bool(waiting.approval_id)) == ("pending", True)
    assert await publishing.published("live") == [] or all(
        one.service != office.name for one in await publishing.published("live")
    )
    told = await OutboxMail.filter(recipient=f"{office.approver}@example.test")
    assert len(told) == 1
    outsider = world.person(**{world.organisation("department"): "approver"})
    for who in ("operator", outsider, office.publisher, world.person(administrator=True), "anonymous"):
        with pytest.raises(Refusal):
            await approvals.decide(office.caller(who), waiting.approval_id, approve=True)
    await approvals.decide(office.caller(office.approver), waiting.approval_id, approve=True)
    row = await Publication.get(id=f"{office.version_id}/live")
    assert (row.state, row.approval_id, row.upstream) == ("published", "", UPSTREAM)
    assert row.published_at is not None


async def test_the_requester_does_not_approve_himself(office: Office, world: World) -> None:
    """An owner of the department may ask and may decide, but not both."""
    await office.take()
    await office.publish()
    office.exercise()
    await office.publish("live", UPSTREAM, who="operator")
    approval = await Approval.get(subject=f"{office.version_id}/live")
    await approvals.cancel(office.caller(office.publisher), approval.id)
    assert not await Publication.exists(id=f"{office.version_id}/live")
    owner, second = (world.person(administrator=True, **{office.department: "owner"}) for _ in range(2))
    waiting = await office.publish("live", UPSTREAM, who=owner)
    with pytest.raises(Refusal) as refused:
        await approvals.decide(office.caller(owner), waiting.approval_id, approve=True)
    assert refused.value.kind.slug == "own-request"
    await approvals.decide(office.caller(second), waiting.approval_id, approve=True)
    assert (await Publication.get(id=f"{office.version_id}/live")).published_by == owner


async def test_rejected_leaves_what_is_served(office: Office) -> None:
    await office.take()
    before = await office.go_live()
    newer = documents.own(office.name, "1.1.0")
    newer["info"]["description"] = "Other words."
    await office.take(newer)
    await office.publish()
    waiting = await office.publish("live", who="operator")
    assert (waiting.state, waiting.release) == (
        "published",
        "1.0.0",
    )  # the old one goes on while the new one waits
    with pytest.raises(Refusal) as refused:
        await office.publish("live", who="operator")
    assert refused.value.rule == "approval-pending"
    await approvals.decide(office.caller(office.approver), waiting.approval_id, approve=False, reason="no")
    after = await Publication.get(id=before.id)
    assert (after.document, after.approval_id) == (before.document, "")
    waiting = await office.publish("live", who="operator")
    await approvals.decide(office.caller(office.approver), waiting.approval_id, approve=True)
    assert (await Publication.get(id=before.id)).release == "1.1.0"


async def test_what_was_approved_is_what_goes_live(office: Office) -> None:
    """An import between request and decision changes nothing of what the second person approves."""
    await office.take()
    await office.publish()
    office.exercise()
    waiting = await office.publish("live", UPSTREAM, who="operator")
    later = documents.own(office.name, "1.9.0")
    later["info"]["description"] = "Slipped in."
    await office.take(later)
    await approvals.decide(office.caller(office.approver), waiting.approval_id, approve=True)
    row = await Publication.get(id=f"{office.version_id}/live")
    assert row.release == "1.0.0"
    assert "Slipped in." not in row.document


async def test_of_eight_approvers_one_publishes(office: Office, world: World) -> None:
    await office.take()
    await office.publish()
    office.exercise()
    waiting = await office.publish("live", UPSTREAM, who="operator")
    racers = [world.person(**{office.department: "approver"}) for _ in range(8)]

    async def race(who: str) -> str:
        try:
            return (await approvals.decide(world.caller(who), waiting.approval_id, approve=True)).status
        except Problem as problem:
            return problem.rule

    outcomes = await asyncio.gather(*map(race, racers))
    assert sorted(outcomes) == ["approval-decided"] * 7 + ["approved"]
    assert len(await publishing.releases_of(f"{office.version_id}/live")) == 1


async def test_of_eight_requests_one_waits(office: Office) -> None:
    await office.take()
    await office.publish()
    office.exercise()

    async def race() -> str:
        try:
            return (await office.publish("live", UPSTREAM, who="operator")).state
        except Problem as problem:
            return problem.rule

    outcomes = await asyncio.gather(*(race() for _ in range(8)))
    assert sorted(outcomes) == ["approval-pending"] * 7 + ["pending"]
    assert await PublicationRelease.filter(publication_id=f"{office.version_id}/live").count() == 1


# --- status and retirement ----------------------------------------------------------------------
async def test_status_is_stamped_into_what_is_published(office: Office) -> None:
    await office.take()
    before = await office.publish()
    await lifecycle.set_status(office.caller(), office.version_id, Status.STABLE)
    after = await Publication.get(id=before.id)
    assert msgspec.json.decode(after.document)["info"]["x-status"] == "stable"
    assert after.digest != before.digest
    assert after.contract_digest == before.contract_digest
    with pytest.raises(Refusal) as refused:
        await lifecycle.set_status(office.caller(), office.version_id, Status.BETA)
    assert refused.value.rule == "status-transition"
    assert (await office.publish()).digest == after.digest  # the document still says beta: no way back


async def test_a_document_moves_the_status_forward_at_publish(office: Office) -> None:
    await office.take()
    await office.publish()
    document = documents.own(office.name, "1.0.1")
    document["info"]["x-status"] = "stable"
    await office.take(document)
    assert (await VersionRecord.get(id=office.version_id)).status == "beta"
    row = await office.publish()
    assert (await VersionRecord.get(id=office.version_id)).status == "stable"
    assert msgspec.json.decode(row.document)["info"]["x-status"] == "stable"


async def test_retiring_gives_notice_and_is_undone(office: Office) -> None:
    await office.take()
    await office.go_live()
    developer = await office.subscriber("live")
    made = await lifecycle.retire(office.caller(), office.version_id, successor=f"{office.name}@v2")
    end = clock.now().date() + timedelta(days=NOTICE_DAYS)
    assert (made.state, made.sunset, made.environments, made.told) == (
        "retiring",
        end.isoformat(),
        ("live", "sandbox"),
        1,
    )
    assert (
        end.isoformat()
        in (await OutboxMail.filter(recipient=f"{developer}@example.test").order_by("-at").first()).subject
    )
    for environment in ("sandbox", "live"):
        row = await Publication.get(id=f"{office.version_id}/{environment}")
        info = msgspec.json.decode(row.document)["info"]
        assert (row.state, info["x-status"]) == ("published", "deprecated")
        assert info["x-deprecation"] == {
            "at": clock.now().date().isoformat(),
            "sunset": end.isoformat(),
            "successor": f"{office.name}@v2",
        }
        service = build.service_of(msgspec.json.decode(row.document))
        assert service.deprecation is not None
        assert service.deprecation.sunset == end.isoformat()
    assert await lifecycle.retire_due() == []
    with pytest.raises(Refusal) as refused:  # the announced sunset is a promise
        await lifecycle.retire(office.caller(), office.version_id, sunset=end - timedelta(days=1))
    assert refused.value.rule in {"sunset-notice", "sunset-earlier"}
    await lifecycle.retire(office.caller(), office.version_id, sunset=end + timedelta(days=30))
    back = await lifecycle.unretire(office.caller(), office.version_id)
    assert (back.status, back.deprecation) == ("beta", {})
    row = await Publication.get(id=f"{office.version_id}/live")
    assert "x-deprecation" not in msgspec.json.decode(row.document)["info"]


async def test_at_the_sunset_it_is_over(office: Office) -> None:
    await office.take()
    await office.go_live()
    await lifecycle.retire(office.caller(), office.version_id)
    past = (clock.now().date() - timedelta(days=1)).isoformat()
    row = await VersionRecord.get(id=office.version_id)
    await VersionRecord.filter(id=row.id).update(deprecation={**row.deprecation, "sunset": past})
    assert office.version_id in await lifecycle.retire_due()
    assert await lifecycle.retire_due() == []
    assert (await VersionRecord.get(id=office.version_id)).status == "retired"
    states = {row.environment: row.state for row in await publishing.publications_of(office.version_id)}
    assert states == {"sandbox": "retired", "live": "retired"}
    for attempt in (office.publish(), office.take(documents.own(office.name, "1.5.0"))):
        with pytest.raises(Refusal):
            await attempt
    with pytest.raises(Refusal) as refused:
        await lifecycle.unretire(office.caller(), office.version_id)
    assert refused.value.rule == "unretire"


async def test_a_reason_retires_at_once(office: Office) -> None:
    await office.take()
    await office.publish()
    made = await lifecycle.retire(office.caller(), office.version_id, reason="数据泄露 leak")
    assert made.state == "retired"
    assert (await VersionRecord.get(id=office.version_id)).status == "retired"


async def test_taking_out_of_one_environment_takes_a_reason(office: Office) -> None:
    await office.take()
    await office.go_live()
    with pytest.raises(Refusal) as refused:
        await lifecycle.retire(office.caller(), office.version_id, "live")
    assert refused.value.rule == "retire-whole-version"
    with pytest.raises(Refusal):
        await lifecycle.withdraw(office.caller(), office.version_id, "live", reason=" ")
    made = await lifecycle.retire(office.caller(), office.version_id, "live", reason="错误数据 wrong data")
    assert (made.state, made.environments) == ("retired", ("live",))
    assert (await Publication.get(id=f"{office.version_id}/live")).state == "retired"
    assert (await Publication.get(id=f"{office.version_id}/sandbox")).state == "published"
    waiting = await office.publish("live", who="operator")  # it may come back, by the same way
    assert waiting.approval_id
    await approvals.decide(office.caller(office.approver), waiting.approval_id, approve=True)
    assert (await Publication.get(id=f"{office.version_id}/live")).state == "published"


async def test_withdrawing_ends_the_request_too(office: Office) -> None:
    await office.take()
    await office.publish()
    office.exercise()
    waiting = await office.publish("live", UPSTREAM, who="operator")
    await lifecycle.retire(office.caller(), office.version_id, reason="zu früh")
    assert (await Approval.get(id=waiting.approval_id)).status == "cancelled"
    with pytest.raises(Refusal):
        await approvals.decide(office.caller(office.approver), waiting.approval_id, approve=True)


async def test_dates_in_the_past_are_refused(office: Office) -> None:
    await office.take()
    await office.publish()
    with pytest.raises(Refusal) as refused:
        await lifecycle.retire(office.caller(), office.version_id, sunset=date(2020, 1, 1), reason="x")
    assert refused.value.rule == "sunset-past"


async def test_an_overlay_completes_the_checklist_of_a_foreign_document(office: Office) -> None:
    """Journey 3: what a real document does not say, its owner adds in the overlay."""
    office.name = unique("permit")
    report = await onboarding.import_contract(
        office.caller(),
        organisation_id=office.department,
        loaded=documents.load(documents.foreign()),
        name=office.name,
    )
    office.version_id = report.version_id
    overlay = {**report.overlay, "actions": [*report.overlay["actions"], {"target": "$.info", "update": {
        "x-owner": {"name": "Desk", "email": "desk@permits.example"},
        "x-service": {"availability": 0.99, "p95_ms": 500, "support": "https://permits.example/help"}}}]}  # fmt: skip
    await drafts.edit_overlay(office.caller(), office.version_id, overlay)
    await office.publish()
    service = build.service_of(msgspec.json.decode((await VersionRecord.get(id=office.version_id)).document))
    office.world.evidence = {one.id: "called" for one in service.operations}
    items = await publishing.checklist_of(office.version_id, UPSTREAM)
    assert [item.id for item in items if not item.is_done] == []
