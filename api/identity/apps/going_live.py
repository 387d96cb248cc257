"""Going live: a checklist, then the linked live app with a credential of its own.

Some items the platform answers itself (a successful sandbox call, a verified contact, the services published
live), the others somebody answers and answers for. The answers are kept with the live app. The same services are
asked for at once: L1 is active at once, L2 and above await the owning department (catalogue.subscribing).
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct
from tortoise.expressions import Q

from api.catalogue.models import Publication, Subscription
from api.catalogue.subscribing import SubscriptionEntry
from api.core import audit, clock, ids
from api.core.caller import Caller
from api.core.problem_types_platform import CHECKLIST_OPEN, CONFLICT
from api.core.problems import Refusal, Text
from api.identity.apps.registration import NewApp, make_app
from api.identity.apps.rows import check_has_no_live_app, get_app
from api.identity.inputs import is_clean
from api.identity.installation import current
from api.identity.models import App, Membership, Organisation, Person
from api.identity.organisations.service import OPERATOR_SLUG
from api.identity.people.addresses import normalise_address
from api.identity.permissions import APP_EDITORS, check_can_go_live
from api.identity.policies import check_can_act_on_app

TERMS = "2026-01"  # the edition of the terms of use that is accepted
CALL_DAYS = 30


class ChecklistItem(Struct, frozen=True):
    """One item. `kind` is automatic or answer; `note` says what is missing, or what was found."""

    id: str
    kind: str
    title: Text
    note: Text
    is_done: bool


class Checklist(Struct, frozen=True):
    """All items of a sandbox app, and the live app if it went live already."""

    app_id: str
    items: tuple[ChecklistItem, ...]
    live_app_id: str = ""

    @property
    def is_complete(self) -> bool:
        return all(item.is_done for item in self.items)

    def item(self, identifier: str) -> ChecklistItem:
        """The item of this id."""
        return next(item for item in self.items if item.id == identifier)


async def checklist_of(app: App, answers: Mapping[str, Any] | None = None) -> Checklist:
    """The checklist of a sandbox app with these answers (None: those of its live app, if there is one).

    Answers: `privacy_notice_url` (https), `purpose` (20 to 2000 characters), `security_contact` (e-mail),
    `retention` (10 to 2000 characters), `terms_accepted` (true).
    """
    live = await App.filter(sandbox_app_id=app.id).exclude(status="deleted").first()
    given = answers if answers is not None else (live.checklist.get("answers", {}) if live else {})
    items = (
        await _call_item(app),
        await _contact_item(app),
        await _services_item(app),
        *_answer_items(given),
    )
    return Checklist(app_id=app.id, items=items, live_app_id=live.id if live else "")


async def _call_item(app: App) -> ChecklistItem:
    since = clock.now() - timedelta(days=CALL_DAYS)
    calls = await current().sandbox_calls.successful_calls(app.id, since)
    note = (
        Text(f"最近 {CALL_DAYS} 天有 {calls} 次成功调用。", f"{calls} successful calls in the last {CALL_DAYS} days.")
        if calls
        else Text(f"最近 {CALL_DAYS} 天没有成功调用;先在沙箱调用一次。",
                  f"No successful call in the last {CALL_DAYS} days; make one in the sandbox first.")
    )  # fmt: skip
    return ChecklistItem(
        "sandbox-call",
        "automatic",
        Text("沙箱中调用成功", "A successful call in the sandbox"),
        note,
        calls > 0,
    )


async def _contact_item(app: App) -> ChecklistItem:
    organisation = await Organisation.get(id=app.organisation_id)
    rows = await Membership.filter(organisation_id=organisation.id, role__in=list(APP_EDITORS))
    people = await Person.filter(
        id__in=[row.person_id for row in rows], email_verified_at__isnull=False, disabled_at=None
    ).count()
    is_done = people > 0 or organisation.slug == OPERATOR_SLUG  # the operator answers for its own apps
    note = (
        Text("组织有已验证邮箱的联系人。", "The organisation has a contact whose e-mail is verified.")
        if is_done
        else Text(
            "组织的所有者或开发者中,须有人验证了邮箱。",
            "An owner or developer with a verified e-mail is needed.",
        )
    )
    return ChecklistItem(
        "contact-verified", "automatic", Text("联系人邮箱已验证", "A verified contact"), note, is_done
    )


async def wanted_services(app: App) -> list[Subscription]:
    """The subscriptions that going live asks for again: those of the sandbox app that are active or pending."""
    return await Subscription.filter(Q(app_id=app.id), Q(status="active") | Q(status="pending")).order_by(
        "requested_at", "id"
    )


async def _services_item(app: App) -> ChecklistItem:
    wanted = {row.version_id for row in await wanted_services(app)}
    rows = await Publication.filter(
        version_id__in=list(wanted) or [""], environment="live", state="published"
    ).only("id", "version_id")
    missing = ", ".join(sorted(wanted - {row.version_id for row in rows}))
    if not wanted:
        note = Text("应用没有订阅任何服务。", "The app is subscribed to no service.")
    elif missing:
        note = Text(f"尚未在正式环境发布:{missing};取消订阅,或等待部门发布。",
                    f"Not published live yet: {missing}. Unsubscribe, or wait for the department.")  # fmt: skip
    else:
        note = Text(
            f"均已在正式环境发布:{', '.join(sorted(wanted))}。",
            f"All are published live: {', '.join(sorted(wanted))}.",
        )
    title = Text("订阅的服务已在正式环境发布", "The services are published live")
    return ChecklistItem("services-live", "automatic", title, note, bool(wanted) and not missing)


def _answer_items(answers: Mapping[str, Any]) -> tuple[ChecklistItem, ...]:
    def item(identifier: str, title: Text, note: Text, is_done: bool) -> ChecklistItem:
        return ChecklistItem(identifier, "answer", title, note, is_done)

    return (
        item("privacy_notice_url", Text("隐私说明的网址", "Address of the privacy notice"),
             Text("公众可访问的 https 网址。", "An https address that everybody can open."),
             _is_https(answers.get("privacy_notice_url"))),
        item("purpose", Text("用途说明", "What the data are used for"),
             Text("20 至 2000 个字符。", "20 to 2000 characters."), _is_text(answers.get("purpose"), 20)),
        item("security_contact", Text("安全联系人邮箱", "E-mail for security reports"),
             Text("有人值守的邮箱。", "A mailbox that somebody reads."), _is_address(answers.get("security_contact"))),
        item("retention", Text("数据留存说明", "How long data are kept"),
             Text("10 至 2000 个字符:留存多久、为何、如何删除。",
                  "10 to 2000 characters: how long, why, and how they are deleted."),
             _is_text(answers.get("retention"), 10)),
        item("terms_accepted", Text("接受使用条款", "The terms of use are accepted"),
             Text(f"条款版本 {TERMS}。", f"Edition {TERMS}."), answers.get("terms_accepted") is True),
    )  # fmt: skip


def _is_https(value: object) -> bool:
    if not isinstance(value, str) or len(value) > 500 or not is_clean(value) or " " in value:
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme == "https" and "." in (parts.hostname or "") and not parts.username


def _is_text(value: object, minimum: int) -> bool:
    return isinstance(value, str) and minimum <= len(value.strip()) <= 2000 and is_clean(value, lines=True)


def _is_address(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(normalise_address(value))
    except ValueError:
        return False


async def go_live(caller: Caller, sandbox_app_id: str, answers: Mapping[str, Any]) -> NewApp:
    """Make the linked live app: its own client id and secret (shown this once), the same services asked for.

    Raises not-found, permission-denied, checklist-open (each open item in errors), conflict (not a sandbox app, not
    active, live already), and what a subscription is refused for. On a refusal nothing is left behind.
    """
    app = await get_app(caller, sandbox_app_id)
    check_can_go_live(caller, app.organisation_id)
    if app.environment != "sandbox":
        raise Refusal(
            CONFLICT,
            rule="app-environment",
            reason=Text("应用已是正式应用。", "It is a live app."),
            following=Text("从沙箱应用上线。", "Go live from a sandbox app."),
        )
    check_can_act_on_app("go-live", app.status)
    await check_has_no_live_app(app.id)  # to say so first; it counts inside the write
    checklist = await checklist_of(app, answers)
    missing = [item for item in checklist.items if not item.is_done]
    if missing:
        errors = tuple({"pointer": f"/{item.id}", "message": item.note} for item in missing)
        raise Refusal(CHECKLIST_OPEN, errors=errors, count=len(errors))
    app_id = ids.random_id("a")
    async with audit.write(
        caller.actor, "app:go-live", f"app/{app_id}", sandbox_app=app.id, terms=TERMS
    ) as entry:
        await check_has_no_live_app(app.id)
        owner = await Organisation.get(id=app.organisation_id)
        wanted = [SubscriptionEntry(row.version_id, row.purpose).text for row in await wanted_services(app)]
        kept = {"answers": {item.id: answers[item.id] for item in checklist.items if item.kind == "answer"},
                "terms": TERMS, "by": caller.actor, "at": clock.to_text(clock.now())}  # fmt: skip
        made = await make_app(
            caller, entry, owner, app_id=app_id, name=app.name, description=app.description, environment="live",
            subscriptions=wanted, plan=app.plan, sandbox_app_id=app.id, checklist=kept,
            contact=app.contact or answers["security_contact"], retention=answers["retention"],
        )  # fmt: skip
        entry.changed("app", app.id)
    return made
