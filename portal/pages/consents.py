"""/consents: what a citizen agreed to, who used it, the way out of it; whom they speak for, and mandates they gave."""

from datetime import datetime
from typing import Any

from litestar import Response, Router, get, post
from litestar.params import FromPath
from msgspec import Struct

from api.core import store
from api.core.problems import Text
from api.gateway.models import AccessEvidence
from api.identity.consents import published
from api.identity.consents import service as consents
from api.identity.consents.service import ConsentText
from api.identity.consents.subjects import Subject
from api.identity.installation import current
from api.identity.models import App, Grant
from portal import flash
from portal.citizen_frame import citizen_page
from portal.citizens import SignedIn, citizen_of
from portal.frame import redirect
from portal.language import language_of
from portal.pages.citizen_sign_in import sign_in_page
from portal.pages.mandates import given_mandates, show_mandate
from portal.view import AnyRequest, Page, Words

MOST_USES = 50


class Shown(Struct, frozen=True):
    """A consent as a list shows it. `state` is active, withdrawn or expired; `ended` when it was."""

    id: str
    app: str
    services: str
    whose: str  # "" for one's own data
    by: str  # who decided, where that was somebody else
    given: datetime
    until: datetime | None
    state: str
    ended: datetime | None


# --- lists -------------------------------------------------------------------------------------
@get("/consents")
async def show_consents(request: AnyRequest) -> Page:
    """Everything at one place, for who is signed in."""
    citizen = await citizen_of(request)
    if citizen is None:
        return await sign_in_page(request)
    words = Words(language_of(request))
    rows = await consents.grants_of(citizen.subject)
    shown = [await _shown(row, citizen, words) for row in rows]
    held = [await show_mandate(row, words) for row in await consents.mandates_of(citizen.subject)]
    return citizen_page(
        request, "consents.html", citizen=citizen, active=[one for one in shown if one.state == "active"],
        past=[one for one in shown if one.state != "active"], held=held,
        given=await given_mandates(citizen.subject, held, words),
    )  # fmt: skip


async def _shown(row: Grant, citizen: SignedIn, words: Words) -> Shown:
    text = consents.text_of(row)
    is_over = not consents.is_in_force(row)
    state = "withdrawn" if row.withdrawn_at else "expired" if is_over else "active"
    return Shown(
        id=row.id,
        app=text.app if text else await _app_name(row),
        services=_services(text, words) if text else await _grounds(row, words),
        whose=await _whose(row, text, citizen.subject, words),
        by=await _by(row, citizen.subject, words),
        given=row.created_at,
        until=row.expires_at,
        state=state,
        ended=row.withdrawn_at or (row.expires_at if is_over else None),
    )


async def _app_name(row: Grant) -> str:
    app = await App.get_or_none(id=row.app_id)
    return app.name if app else row.client_id


def _services(text: ConsentText, words: Words) -> str:
    return str(words("consent.then")).join(
        f"{words.said(kind.department)} · {words.said(kind.title)}{words('form.colon')}{words.said(kind.purpose)}"
        for kind in text.kinds
    )


async def _grounds(row: Grant, words: Words) -> str:
    """The operations that rest on another ground than consent."""
    titles = [
        await _title(str(one["service"]), str(one["operation"]), row.environment, words)
        for one in row.details
    ]
    return str(words("consent.then")).join(dict.fromkeys(titles))


async def _by(row: Grant, subject: Subject, words: Words) -> str:
    """Who decided: the guardian, or who spoke; "" for who looks at it."""
    decider = row.guardian_id or row.subject_id
    if decider == subject.id:
        return ""
    found = await current().subjects.find(decider)
    return words.pick(found.name, found.english_name) if found else decider


async def _title(key: str, operation_id: str, environment: str, words: Words) -> str:
    """What an operation is called now; its id where it is published no more."""
    service = await published.service(key, environment)
    operation = service.service.operation(operation_id) if service else None
    return (
        words.texts(operation.texts, "title", operation.summary or operation.id)
        if operation
        else operation_id
    )


def _ground(row: Grant, words: Words) -> str:
    """That ground in words, with the law where there is one."""
    laws = [
        words("consents.by_law", law=one["law"], article=one.get("article", ""))
        for one in row.details
        if one.get("law")
    ]
    named = str(words(f"consents.basis_{row.basis}"))
    return f"{named} · {laws[0]}" if laws else named


async def _whose(row: Grant, text: ConsentText | None, subject: Subject, words: Words) -> str:
    if row.organisation:
        return (words.said(text.organisation_name) if text else "") or row.organisation
    if row.subject_id == subject.id:
        return ""
    child = await current().subjects.find(row.subject_id)
    return words.pick(child.name, child.english_name) if child else row.subject_id


# --- one consent -------------------------------------------------------------------------------
@get("/consents/{grant_id:str}")
async def show_consent(request: AnyRequest, grant_id: FromPath[str]) -> Page:
    """The text as it was shown, what was decided, and every use."""
    citizen = await citizen_of(request)
    if citizen is None:
        return await sign_in_page(request)
    words = Words(language_of(request))
    row = await consents.find_grant(citizen.subject, grant_id)
    text = consents.text_of(row)
    decided = _decided(row, text) if text else set()
    refused = [words.said(one.title) for one in text.choices if one.id not in decided] if text else []
    agreed = _agreed(row, text, words) if text else []
    return citizen_page(
        request, "consent.html", citizen=citizen, one=await _shown(row, citizen, words), grant=row, text=text, ground="" if text else _ground(row, words),
        decided=decided, agreed=agreed, refused=refused, uses=await _uses(row, words), most_uses=MOST_USES,
    )  # fmt: skip


def _agreed(row: Grant, text: ConsentText, words: Words) -> list[Text | str]:
    """What the fields are called that were granted."""
    granted = {(one.service, name) for one in consents.read_granted(row.details) for name in one.fields}
    return [
        words.said(field.label)
        for kind in text.kinds
        for field in kind.fields
        if (kind.service, field.name) in granted
    ]


def _decided(row: Grant, text: ConsentText) -> set[str]:
    """Which of the choices were agreed to, from what was granted."""
    agreed = set()
    granted = {f"{one.service}:{one.purpose}": one for one in consents.read_granted(row.details)}
    for choice in text.choices:
        detail = next((one for key, one in granted.items() if choice.id.startswith(f"{key}:")), None)
        if detail is None:
            continue
        if choice.kind == "pass-on":
            is_agreed = any(one.name == choice.title.zh.partition("：")[2] for one in detail.pass_on_to)
        else:
            is_agreed = bool(choice.fields) and set(choice.fields) <= set(detail.fields)
        if is_agreed:
            agreed.add(choice.id)
    return agreed


async def _uses(row: Grant, words: Words) -> list[dict[str, Any]]:
    """The latest accesses under this consent, from the access evidence."""
    found = AccessEvidence.filter(app_id=row.app_id, grant=row.id).using_db(store.plane(row.environment))
    uses = []
    for one in await found.order_by("-sequence").limit(MOST_USES):
        what = await _title(one.service, one.operation, row.environment, words)
        uses.append({"at": one.at, "what": what, "purpose": one.purpose, "request_id": one.request_id})
    return uses


@get("/consents/{grant_id:str}/withdraw")
async def ask_withdrawal(request: AnyRequest, grant_id: FromPath[str]) -> Page | Response[None]:
    """What withdrawing does, before it is done."""
    citizen = await citizen_of(request)
    if citizen is None:
        return await sign_in_page(request)
    row = await consents.find_grant(citizen.subject, grant_id)
    one = await _shown(row, citizen, Words(language_of(request)))
    if one.state != "active" or consents.text_of(row) is None:
        return redirect(f"/consents/{row.id}")
    return citizen_page(request, "consent_withdraw.html", citizen=citizen, one=one)


@post("/consents/{grant_id:str}/withdraw", opt={"slowapi": "60/minute"})
async def withdraw(request: AnyRequest, grant_id: FromPath[str]) -> Page | Response[None]:
    """Withdrawn, everywhere within a second."""
    citizen = await citizen_of(request)
    if citizen is None:
        return redirect(f"/consents/{grant_id}")
    row = await consents.withdraw(citizen.subject, grant_id)
    text = consents.text_of(row)
    return redirect(
        "/consents", flash.put("consent.withdrawn", app=text.app if text else await _app_name(row))
    )


router = Router("/", route_handlers=[show_consents, show_consent, ask_withdrawal, withdraw])
