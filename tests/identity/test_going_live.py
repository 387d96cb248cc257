"""From a sandbox app to its live twin: the checklist, the answers, the linked app, nothing in between."""

import pytest

from api.catalogue.models import Approval, Publication, Subscription
from api.contract.model import Level
from api.core.caller import OPERATOR
from api.core.models import JournalEntry
from api.identity.apps import service as apps
from api.identity.models import App, AppSecret
from tests.identity.conftest import Browser, Platform
from tests.identity.offers import publish

ANSWERS = {
    "privacy_notice_url": "https://company.example/privacy",
    "purpose": "向客户展示其企业登记信息,不作他用。仅供演示。",
    "security_contact": "security@company.example",
    "retention": "保留三十天,之后自动删除。",
    "terms_accepted": True,
}


@pytest.fixture(scope="module")
async def services(platform: Platform) -> None:
    await publish("open@v1", Level.L1)
    await publish("tax@v1", Level.L2, purposes=("bank-credit",))
    await publish("sandboxed@v1", Level.L1, "sandbox")


async def ready(platform: Platform, owner: Browser, *subscribe: str) -> str:
    """A sandbox app that called successfully; its id."""
    answer = await owner.post("/apps", {"name": "演示", "subscribe": list(subscribe)})
    assert answer.status_code == 201, answer.text
    platform.calls.by_app[answer.json()["app_id"]] = 3
    return answer.json()["app_id"]


async def test_a_live_twin_with_its_own_credential(platform: Platform, services: None) -> None:
    owner = await platform.person()
    app_id = await ready(platform, owner, "open@v1", "tax@v1:bank-credit")
    checklist = (await owner.get(f"/apps/{app_id}/checklist")).json()
    assert not checklist["is_complete"]
    assert {one["id"] for one in checklist["items"] if one["kind"] == "automatic" and one["is_done"]} == {
        "sandbox-call", "contact-verified", "services-live",
    }  # fmt: skip
    answer = await owner.post(f"/apps/{app_id}/go-live", ANSWERS)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["environment"] == "live"
    assert made["client_id"].startswith("kl_")
    assert made["client_secret"].startswith("kls_")
    assert made["subscriptions"] == ["open@v1"]  # L1 at once
    assert made["pending"] == ["tax@v1:bank-credit"]  # L2 awaits its department
    live = await App.get(id=made["app_id"])
    assert (live.sandbox_app_id, live.environment, live.status) == (app_id, "live", "active")
    assert live.checklist["answers"] == ANSWERS
    assert live.checklist["by"] == f"person:{owner.person_id}"
    waiting = await Subscription.get(app_id=live.id, version_id="tax@v1")
    approval = await Approval.get(subject=waiting.id)
    assert (approval.status, approval.requested_by) == ("pending", owner.person_id)
    assert (await App.get(id=app_id)).environment == "sandbox"  # for life
    after = (await owner.get(f"/apps/{app_id}/checklist")).json()
    assert (after["is_complete"], after["live_app_id"]) == (True, live.id)
    entry = await JournalEntry.get(subject=f"app/{live.id}")
    assert entry.action == "app:go-live"
    assert "company.example" not in entry.detail

    again = await owner.post(f"/apps/{app_id}/go-live", ANSWERS)
    assert (again.status_code, again.json()["rule"]) == (409, "live-app-exists")
    onward = await owner.post(f"/apps/{live.id}/go-live", ANSWERS)
    assert (onward.status_code, onward.json()["rule"]) == (409, "app-environment")
    # deleted, it can be made anew; the old one then stays deleted
    await owner.send("DELETE", f"/apps/{live.id}")
    second = await owner.post(f"/apps/{app_id}/go-live", ANSWERS)
    assert second.status_code == 201
    restored = await owner.post(f"/apps/{live.id}/restore")
    assert (restored.status_code, restored.json()["rule"]) == (409, "live-app-exists")


@pytest.mark.parametrize(
    ("change", "item"),
    [
        ({"privacy_notice_url": "http://company.example/privacy"}, "privacy_notice_url"),
        ({"privacy_notice_url": "https://intranet"}, "privacy_notice_url"),
        ({"privacy_notice_url": "https://["}, "privacy_notice_url"),
        ({"privacy_notice_url": "javascript:alert(1)"}, "privacy_notice_url"),
        ({"purpose": "太短"}, "purpose"),
        ({"security_contact": "nobody"}, "security_contact"),
        ({"retention": ""}, "retention"),
        ({"terms_accepted": False}, "terms_accepted"),
    ],
)
async def test_an_open_item_is_named(platform: Platform, services: None, change: dict, item: str) -> None:
    owner = await platform.person()
    app_id = await ready(platform, owner, "open@v1")
    answer = await owner.post(f"/apps/{app_id}/go-live", ANSWERS | change)
    assert answer.status_code == 409
    problem = answer.json()
    assert problem["type"].endswith("/problems/checklist-open/")
    assert [error["pointer"] for error in problem["errors"]] == [f"/{item}"]
    assert not await App.filter(sandbox_app_id=app_id).exists()


async def test_the_platform_looks_itself(platform: Platform, services: None) -> None:
    owner = await platform.person()
    app_id = await ready(platform, owner, "open@v1", "sandboxed@v1")
    platform.calls.by_app[app_id] = 0
    answer = await owner.post(f"/apps/{app_id}/go-live", ANSWERS)
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/sandbox-call", "/services-live"}
    assert "sandboxed@v1" in answer.text
    bare = await ready(platform, owner)
    answer = await owner.post(f"/apps/{bare}/go-live", ANSWERS)
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/services-live"}


async def test_a_refusal_on_the_way_leaves_nothing_behind(platform: Platform, services: None) -> None:
    """The service is retired between the checklist and the write: as late as it can be."""
    await publish("late@v1", Level.L1)
    owner = await platform.person()
    app_id = await ready(platform, owner, "open@v1", "late@v1")
    counts = await App.all().count(), await AppSecret.all().count(), await Subscription.all().count()
    await Publication.filter(id="late@v1/live").update(state="retired")
    assert (await owner.post(f"/apps/{app_id}/go-live", ANSWERS)).status_code == 409
    assert counts == (
        await App.all().count(),
        await AppSecret.all().count(),
        await Subscription.all().count(),
    )


async def test_a_suspended_app_does_not_go_live(platform: Platform, services: None) -> None:
    owner = await platform.person()
    app_id = await ready(platform, owner, "open@v1")
    await owner.post(f"/apps/{app_id}/suspend")
    answer = await owner.post(f"/apps/{app_id}/go-live", ANSWERS)
    assert (answer.status_code, answer.json()["rule"]) == (409, "app-status")


async def test_the_operator_goes_live_too(platform: Platform, services: None) -> None:
    made = await apps.create_app(OPERATOR, name="命令行", subscribe=["open@v1"])
    platform.calls.by_app[made.app.id] = 1
    live = await apps.go_live(OPERATOR, made.app.id, ANSWERS)
    assert live.app.environment == "live"
    assert live.subscriptions[0].status == "active"
