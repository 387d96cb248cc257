"""Mandates of citizens: whom they speak for, giving a mandate to somebody else, and revoking it."""

from datetime import datetime, timedelta
from typing import Any

from litestar import Response, Router, get, post
from litestar.params import FromPath
from msgspec import Struct

from api.catalogue.models import Publication
from api.core import clock
from api.core import problem_types_platform as platform_types
from api.core.problems import Refusal, Text
from api.identity.consents import published
from api.identity.consents import service as consents
from api.identity.consents.delegation import DELEGATED
from api.identity.consents.mandate_rows import LEADS, is_running
from api.identity.consents.subjects import Subject
from api.identity.installation import current
from api.identity.models import Mandate
from portal import flash, personas
from portal.citizen_frame import citizen_page
from portal.citizens import SignedIn, citizen_of
from portal.forms import Field, Filled, Form
from portal.frame import redirect
from portal.language import language_of
from portal.pages.citizen_sign_in import sign_in_page
from portal.view import BEIJING, AnyRequest, Page, Words, settings_of

NEW_MANDATE = Form(
    Field("to", maximum=80),
    Field("role", maximum=24, pattern="|".join(DELEGATED)),
    Field("scope", maximum=100),
    Field("until", maximum=10, pattern=r"\d{4}-\d\d-\d\d", hint_key="form.date"),
)


class ShownMandate(Struct, frozen=True):
    """A mandate as a list shows it; `person` where it is somebody else's."""

    id: str
    organisation: str
    code: str
    role: str
    source: str
    scope: str
    until: datetime | None
    person: str = ""
    may_delegate: bool = False


async def name_of(row: Mandate, words: Words) -> str:
    """The organisation's name in the page's language, as its register has it now."""
    registered = await current().register.organisation(row.organisation)
    english = registered.english_name if registered else ""
    return words.pick(row.organisation_name, english) or row.organisation


async def show_mandate(row: Mandate, words: Words, person: str = "") -> ShownMandate:
    is_all = "*" in row.scope.split()
    return ShownMandate(
        row.id, await name_of(row, words), row.organisation, row.role, row.source,
        str(words("mandates.everything")) if is_all else row.scope, row.until, person,
        may_delegate=row.role == LEADS,
    )  # fmt: skip


async def given_mandates(subject: Subject, held: list[ShownMandate], words: Words) -> list[ShownMandate]:
    """Running mandates that others hold by delegation for organisations that this subject leads."""
    given = []
    for code in dict.fromkeys(one.code for one in held if one.may_delegate):
        for row in await consents.mandates_for(subject, code):
            if row.source == "delegation" and is_running(row, clock.now()):
                person = await current().subjects.find(row.subject_id)
                name = words.pick(person.name, person.english_name) if person else row.subject_id
                given.append(await show_mandate(row, words, name))
    return given


async def _led(citizen: SignedIn, mandate_id: str) -> Mandate:
    """The citizen's own mandate under which they delegate. Raises NOT_FOUND."""
    for row in await consents.mandates_of(citizen.subject):
        if row.id == mandate_id and row.role == LEADS:
            return row
    raise Refusal(platform_types.NOT_FOUND, what=Text("可以转授的代表身份", "mandate to delegate under"))


@get("/consents/mandates/new")
async def show_new_mandate(request: AnyRequest) -> Page:
    """Whom, as what, how far, until when."""
    citizen = await citizen_of(request)
    if citizen is None:
        return await sign_in_page(request)
    under = await _led(citizen, str(request.query_params.get("under", "")))
    form = NEW_MANDATE.blank({"until": _in_days(90)})
    return await _mandate_page(request, citizen, under, form, str(request.query_params.get("q", ""))[:40])


async def _mandate_page(
    request: AnyRequest, citizen: SignedIn, under: Mandate, form: Filled, sought: str, status: int = 200
) -> Page:
    words = Words(language_of(request))
    people = (await personas.rows_of(request, words, sought))[0] if sought else []
    return citizen_page(
        request, "mandate_new.html", citizen=citizen, status=status, under=under, organisation=await name_of(under, words), form=form, sought=sought,
        people=[one for one in people if one.id != citizen.subject.id], example=_in_days(180),
        roles=[(one, words(f"mandates.role_{one}")) for one in DELEGATED], scopes=await _scopes(request, words),
    )  # fmt: skip


def _in_days(days: int) -> str:
    return (clock.now() + timedelta(days=days)).astimezone(BEIJING).date().isoformat()


async def _scopes(request: AnyRequest, words: Words) -> list[tuple[str, Any]]:
    """Everything, or what one service of the catalogue has."""
    choices: list[tuple[str, Any]] = [("*", words("mandate.scope_all"))]
    environment = settings_of(request).environment
    rows = Publication.filter(environment=environment, state="published").order_by("version_id")
    for version_id in await rows.values_list("version_id", flat=True):
        service = await published.service(str(version_id), environment)
        if service is not None and any(one.subject == "organisation" for one in service.operations.values()):
            title = words.said(service.title)
            choices.append((f"{service.service.name}:*", words("mandate.scope_service", service=title)))
    return choices


@post("/consents/mandates", opt={"slowapi": "30/minute"})
async def make_mandate(request: AnyRequest) -> Page | Response[None]:
    """Gives the mandate; what is wrong with it stands at its field."""
    citizen = await citizen_of(request)
    if citizen is None:
        return redirect("/consents")
    sent = await request.form()
    under = await _led(citizen, str(sent.get("under", ""))[:80])
    form = await NEW_MANDATE.read(request)
    to = await current().subjects.find(form.value("to")) if form.value("to") else None
    if form.value("to") and to is None:
        form.fault("to", "citizen.wrong_person")
    until = _read_day(form)
    if form.is_valid and to is not None and until is not None:
        try:
            await consents.delegate(
                citizen.subject, under.organisation, to, role=form.value("role"), scope=form.value("scope"), until=until
            )  # fmt: skip
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect("/consents#mandates", flash.put("mandate.done"))
    return await _mandate_page(request, citizen, under, form, str(sent.get("q", ""))[:40], form.status)


def _read_day(form: Filled) -> datetime | None:
    """The end of the day in China; None with the fault noted."""
    try:
        return (
            datetime.fromisoformat(f"{form.value('until')}T23:59:59+08:00") if form.value("until") else None
        )
    except ValueError:
        form.fault("until", "form.date")
        return None


@get("/consents/mandates/{mandate_id:str}/revoke")
async def ask_revocation(request: AnyRequest, mandate_id: FromPath[str]) -> Page:
    """What revoking does, before it is done."""
    citizen = await citizen_of(request)
    if citizen is None:
        return await sign_in_page(request)
    words = Words(language_of(request))
    held = [await show_mandate(row, words) for row in await consents.mandates_of(citizen.subject)]
    own = [one for one in held if one.source == "delegation"]  # one may give it back, too
    for one in own + await given_mandates(citizen.subject, held, words):
        if one.id == mandate_id:
            name = one.person or words.pick(citizen.subject.name, citizen.subject.english_name)
            return citizen_page(request, "mandate_revoke.html", citizen=citizen, one=one, person=name)
    raise Refusal(platform_types.NOT_FOUND, what=Text("委托", "mandate"))


@post("/consents/mandates/{mandate_id:str}/revoke", opt={"slowapi": "30/minute"})
async def revoke(request: AnyRequest, mandate_id: FromPath[str]) -> Response[None]:
    """Revoked, with the consents that rest on it."""
    citizen = await citizen_of(request)
    if citizen is None:
        return redirect("/consents")
    await consents.revoke_mandate(citizen.subject, mandate_id)
    return redirect("/consents#mandates", flash.put("mandates.revoked"))


router = Router("/", route_handlers=[show_new_mandate, make_mandate, ask_revocation, revoke])
