"""/authorize/{id}: a citizen signs in, reads what an app asks for, and agrees or refuses.

Nothing is agreed to by default and nothing is lost by refusing: both buttons are of one size, sensitive data and
passing on are ticked one by one. The request is bound to this browser, is decided once, and ends after ten minutes.
"""

from typing import Any

from litestar import Response, Router, get, post
from litestar.params import FromPath

from api.core.problem_types_consent import CONSENT_TEXT_CHANGED
from api.core.problems import Problem, Refusal
from api.identity.consents import service as consents
from api.identity.consents.service import DetailsError
from api.identity.models import App, Organisation
from api.identity.oauth.authorization import PendingRequest
from portal import deciding
from portal.citizen_frame import citizen_page
from portal.citizens import SignedIn, citizen_of
from portal.deciding import Matter, Undecided
from portal.frame import redirect
from portal.language import language_of, prefer
from portal.pages.citizen_sign_in import sign_in_page
from portal.pages.mandates import name_of
from portal.view import AnyRequest, Page, Words

_DESCRIBED = ("openid", "profile", "offline_access")
Answer = Page | Response[None]


async def _over(request: AnyRequest) -> Page:
    citizen = await citizen_of(request)
    return citizen_page(request, "authorize_over.html", citizen=citizen, status=404, why="gone")


@get("/authorize/{request_id:str}")
async def show_request(request: AnyRequest, request_id: FromPath[str]) -> Answer:
    """What is asked, or first who the citizen is, or whose data it is about."""
    pending = await deciding.find_request(request, request_id)
    if pending is None:
        return await _over(request)
    prefer(request, pending.locale)
    return await _page(request, pending)


async def _page(request: AnyRequest, pending: PendingRequest, **shown: Any) -> Answer:
    """The page of the stage that the request has reached."""
    app = await App.get(id=pending.app_id)
    citizen = await citizen_of(request)
    if citizen is None or deciding.needs_sign_in(pending, citizen):
        return await sign_in_page(
            request, asking=app.name, refuse=f"/authorize/{pending.id}", goes_to=pending.asked.redirect_uri,
            assurance=deciding.assurance_of(pending), hint=pending.asked.login_hint, is_fresh=True,
        )  # fmt: skip
    try:
        details = await deciding.details_of(app, pending)
    except DetailsError as error:
        return redirect(await deciding.refuse(request, pending, error.error, error.reason))
    if not details:
        return await _plain_page(request, pending, app, citizen)
    try:
        matter = await deciding.matter_of(
            app, details, citizen, language_of(request), **_chosen(request, shown)
        )
    except Refusal as problem:
        return await _whose_page(request, pending, app, citizen, Undecided(), problem=problem)
    if isinstance(matter, Undecided):
        return await _whose_page(request, pending, app, citizen, matter)
    return await _consent_page(request, pending, app, citizen, matter, **shown)


def _chosen(request: AnyRequest, shown: dict[str, Any]) -> dict[str, str]:
    """Whose data, as chosen before: in the address of a page, in the form of a decision."""
    query = request.query_params
    return {
        "child_id": _word(shown.get("child_id") or query.get("child", ""), 80),
        "organisation": _word(shown.get("chosen") or query.get("organisation", ""), 40),
    }


def _word(value: Any, longest: int) -> str:
    """An identifier as sent; what none can be is passed over, so that no look-up meets it."""
    text = str(value)
    return text if len(text) <= longest and text.isascii() and text.isprintable() else ""


async def _plain_page(request: AnyRequest, pending: PendingRequest, app: App, citizen: SignedIn) -> Page:
    words = Words(language_of(request))
    scopes = [
        (one, words(f"authorize.scope_{one}" if one in _DESCRIBED else "authorize.scope_other"))
        for one in pending.asked.scope.split()
    ]
    return citizen_page(
        request, "authorize_plain.html", citizen=citizen, goes_to=pending.asked.redirect_uri, app=app,
        owner=words.named(await Organisation.get(id=app.organisation_id)), scopes=scopes,
    )  # fmt: skip


async def _whose_page(
    request: AnyRequest, pending: PendingRequest, app: App, citizen: SignedIn, open_: Undecided,
    problem: Problem | None = None,
) -> Page:  # fmt: skip
    goes_to = pending.asked.redirect_uri
    if open_.child is not None:
        return await sign_in_page(
            request, asking=app.name, refuse=f"/authorize/{pending.id}", goes_to=goes_to, people=open_.guardians,
            guardian_of=open_.child, back=f"/authorize/{pending.id}?child={open_.child.id}",
        )  # fmt: skip
    words = Words(language_of(request))
    options = [
        {
            "value": one.organisation,
            "name": await name_of(one, words),
            "hint": words(f"mandates.role_{one.role}"),
        }
        for one in open_.organisations
    ]
    return citizen_page(
        request, "authorize_whose.html", citizen=citizen, status=problem.status if problem else 200, goes_to=goes_to,
        app=app, options=options, problem=problem,
    )  # fmt: skip


async def _consent_page(
    request: AnyRequest, pending: PendingRequest, app: App, citizen: SignedIn, matter: Matter, *,
    status: int = 200, problem: Problem | None = None, ticked: list[str] | None = None, **_: Any,
) -> Page:  # fmt: skip
    words = Words(language_of(request))
    child = matter.subject if matter.guardian else None
    whose = words("authorize.yours")
    if matter.text.organisation:
        whose = words("authorize.of", organisation=words.said(matter.text.organisation_name))
    elif child is not None:
        whose = words("authorize.of_child", name=words.pick(child.name, child.english_name))
    return citizen_page(
        request, "authorize.html", citizen=citizen, status=status, goes_to=pending.asked.redirect_uri, app=app,
        heading=words("authorize.title", app=app.name, whose=whose), text=matter.text, child=child,
        organisation=matter.organisation, problem=problem, ticked=ticked or [],
    )  # fmt: skip


# --- deciding ----------------------------------------------------------------------------------
@post("/authorize/{request_id:str}", opt={"slowapi": "60/minute"})
async def decide(request: AnyRequest, request_id: FromPath[str]) -> Answer:
    """Agree or refuse; either way the browser goes back to the app with the answer."""
    pending = await deciding.find_request(request, request_id)
    if pending is None:
        return await _over(request)
    sent = await request.form()
    try:
        if str(sent.get("decision", "")) != "agree":
            return redirect(await deciding.refuse(request, pending))
        return await _agree(request, pending, sent)
    except deciding.TooLate:
        return await _over(request)


async def _agree(request: AnyRequest, pending: PendingRequest, sent: Any) -> Answer:
    citizen = await citizen_of(request)
    if citizen is None or deciding.needs_sign_in(pending, citizen):
        return redirect(f"/authorize/{pending.id}")  # the half hour is over: sign in, then read again
    app = await App.get(id=pending.app_id)
    details = await deciding.details_of(app, pending)
    if not details:
        await consents.record_ground(app, citizen.subject, pending.asked.scope)
        return redirect(await deciding.complete(request, pending, citizen, citizen.subject, None))
    kept = {"child_id": str(sent.get("child", "")), "chosen": str(sent.get("organisation", ""))}
    ticked = [str(one)[:200] for one in sent.getall("choice", [])][:200]
    shown = str(sent.get("text_hash", ""))[:200]
    language = language_of(request)
    try:
        matter = await deciding.matter_of(app, details, citizen, language, **_chosen(request, kept))
        if isinstance(matter, Undecided):
            return await _page(request, pending, **kept)
        grant = await deciding.give(app, matter, pending, language, shown, ticked)
    except Refusal as problem:
        # a text that changed is read anew, nothing ticked; any other refusal leaves the choices as they were
        again = [] if problem.kind is CONSENT_TEXT_CHANGED else ticked
        return await _page(request, pending, status=problem.status, problem=problem, ticked=again, **kept)
    return redirect(await deciding.complete(request, pending, citizen, matter.subject, grant))


router = Router("/", route_handlers=[show_request, decide])
