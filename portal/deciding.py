"""What an authorization request is about, once somebody is signed in: whose data, and the text to decide by.

The authorization server (api.identity.oauth) has checked the request; consents (api.identity.consents) make the
text and the grant. Here they meet the citizen who sits at the browser. It draws nothing.
"""

import secrets
import time

from litestar.datastructures import Cookie
from msgspec import Struct

from api.core import clock
from api.core.problem_types_consent import GUARDIAN_REQUIRED
from api.core.problems import Refusal
from api.identity.consents import published
from api.identity.consents import service as consents
from api.identity.consents.service import ConsentText, Detail
from api.identity.consents.subjects import ASSURANCES, Subject
from api.identity.installation import current
from api.identity.models import App, Grant, Mandate
from api.identity.oauth.authorization import COOKIE, REQUEST_SECONDS, PendingRequest
from api.identity.oauth.deciding import is_browser
from api.identity.oauth.routes import COOKIE_SECONDS
from api.identity.oauth.service import AuthorizationService
from portal.citizens import SignedIn
from portal.cookies import cookie
from portal.view import AnyRequest

SIGN_IN_AGAIN = frozenset({"login", "select_account"})


class TooLate(Exception):  # noqa: N818 - it says what is the matter
    """The request was decided, or expired, while this decision was under way."""


class Matter(Struct, frozen=True):
    """A decision that is ready: `subject` is whose data it is (or who speaks for `organisation`), `guardian` who decides."""

    details: list[Detail]
    subject: Subject
    guardian: Subject | None
    organisation: str
    text: ConsentText


class Undecided(Struct, frozen=True):
    """It is not clear yet whose data: the organisations to choose from, or the guardians who have to sign in."""

    organisations: tuple[Mandate, ...] = ()
    guardians: tuple[Subject, ...] = ()
    child: Subject | None = None


def server_of(request: AnyRequest) -> AuthorizationService:
    """The authorization server of this process's plane."""
    found: AuthorizationService = request.app.state.oauth
    return found


def browser_of(request: AnyRequest) -> str:
    """What ties a request to the browser that came with it."""
    return str(request.cookies.get(COOKIE, ""))


async def find_request(request: AnyRequest, request_id: str) -> PendingRequest | None:
    """The request that waits in this browser; None for one that is over, unknown or another browser's."""
    try:
        return await server_of(request).open_request(request_id[:200], browser_of(request))
    except Refusal:
        return None


def needs_sign_in(pending: PendingRequest, citizen: SignedIn | None) -> bool:
    """Whether somebody has to prove who they are now: nobody did, not lately enough, or not surely enough.

    Source: OpenID Connect Core §3.1.2.1 (prompt, max_age), RFC 9470 (acr_values).
    """
    if citizen is None:
        return True
    began = pending.expires_at.timestamp() - REQUEST_SECONDS
    if SIGN_IN_AGAIN & set(pending.asked.prompt.split()) and citizen.at < began:
        return True
    if 0 <= pending.asked.max_age < time.time() - citizen.at and citizen.at < began:
        return True
    wanted = assurance_of(pending)
    return bool(wanted) and _rank(citizen.subject.assurance) < _rank(wanted)


def assurance_of(pending: PendingRequest) -> str:
    """The least of the assurance levels that the app would be content with, "" where it names none."""
    named = [one for one in pending.asked.acr_values.split() if one in ASSURANCES]
    return min(named, key=_rank, default="")


def _rank(assurance: str) -> int:
    return ASSURANCES.index(assurance) if assurance in ASSURANCES else -1


async def details_of(app: App, pending: PendingRequest) -> list[Detail]:
    """What needs consent; [] for a plain sign-in."""
    return await consents.read_details(app, pending.asked.details, pending.asked.scope)


async def matter_of(
    app: App,
    details: list[Detail],
    citizen: SignedIn,
    locale: str,
    *,
    child_id: str = "",
    organisation: str = "",
) -> Matter | Undecided:
    """The text that this citizen decides by, or what is still to be chosen.

    Raises mandate-refused, guardian-required (of a child that is not theirs), consent-not-ready.
    """
    subject, guardian = citizen.subject, None
    if child_id:
        wards = {one.id: one for one in await current().subjects.wards_of(citizen.subject)}
        if child_id not in wards:
            raise Refusal(GUARDIAN_REQUIRED, rule="not-a-guardian")
        subject, guardian = wards[child_id], citizen.subject
    elif subject.is_child_on(clock.now().date()):
        guardians = await current().subjects.guardians_of(subject)
        return Undecided(guardians=tuple(guardians), child=subject)
    is_open = not organisation and not any(one.organisation for one in details)
    if is_open and not child_id and await is_about_organisation(details):
        able = await consents.organisations_for(subject, details)
        if len(able) != 1:
            return Undecided(organisations=tuple(able))
    text = await consents.offer(app, subject, details, locale, guardian=guardian, organisation=organisation)
    return Matter(details, subject, guardian, organisation, text)


async def is_about_organisation(details: list[Detail]) -> bool:
    """Whether somebody has to speak for an organisation."""
    for one in details:
        service = await published.service(one.service, current().settings.environment)
        operations = service.operations if service is not None else {}
        if any(operations[id_].subject == "organisation" for id_ in one.operations if id_ in operations):
            return True
    return False


async def give(
    app: App, matter: Matter, pending: PendingRequest, locale: str, shown: str, ticked: list[str]
) -> Grant:
    """The grant, by the text that was shown; raises what api.identity.consents.service.give raises."""
    return await consents.give(
        app, matter.subject, matter.details, locale, shown_hash=shown, accepted=ticked,
        scope=pending.asked.scope, guardian=matter.guardian, organisation=matter.organisation,
    )  # fmt: skip


async def refuse(
    request: AnyRequest, pending: PendingRequest, error: str = "access_denied", why: str = ""
) -> str:
    """The address to send the browser to. Raises TooLate."""
    try:
        return await server_of(request).refuse(
            pending.id, error, browser=browser_of(request), description=why
        )
    except Refusal:
        raise TooLate from None


async def complete(
    request: AnyRequest, pending: PendingRequest, citizen: SignedIn, subject: Subject, grant: Grant | None
) -> str:
    """The address to send the browser to. Raises TooLate; a grant that reaches no app is ended again."""
    try:
        return await server_of(request).complete(
            pending.id, subject, grant, browser=browser_of(request), auth_time=citizen.auth_time,
            acr=citizen.subject.assurance,
        )  # fmt: skip
    except Refusal:
        if grant is not None:
            await consents.end_grant(grant, f"citizen:{citizen.subject.id}")
        raise TooLate from None


async def claim_device(request: AnyRequest, typed: str) -> tuple[str, Cookie]:
    """The page on which the device's request is decided, and the cookie that ties it to this browser.

    Raises NOT_FOUND for a code that no waiting device shows.
    """
    server = server_of(request)
    sent = browser_of(request)
    browser = sent if is_browser(sent) else secrets.token_urlsafe(32)
    request_id = await server.provider.claim_device(typed, browser)
    return f"/authorize/{request_id}", cookie(COOKIE, browser, seconds=COOKIE_SECONDS)
