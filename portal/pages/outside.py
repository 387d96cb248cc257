"""Staff who sign in through an outside provider, and linking such an account to one's own."""

from litestar import Response, Router, get, post
from litestar.params import FromPath

from api.core.dependencies import CurrentCaller
from api.identity import access
from api.identity.outside import providers, staff
from api.identity.outside.citizens import LINK, STAFF, provider_for
from api.identity.outside.running import party_of
from api.identity.security.service import check_fresh
from portal import flash
from portal.frame import check_signed_in, redirect
from portal.language import language_of
from portal.next_page import safe_next
from portal.outside import arrive, depart
from portal.view import AnyRequest, is_person, settings_of

SECURITY = "/account/security"
_WAY = {"slowapi": "30/minute; 300/hour"}


def _callback(request: AnyRequest, slug: str) -> str:
    return f"{settings_of(request).sandbox_url.rstrip('/')}/sign-in/outside/{slug}/callback"


@get("/sign-in/outside/{slug:str}", opt=_WAY)
async def start(request: AnyRequest, caller: CurrentCaller, slug: FromPath[str]) -> Response[None]:
    """Off to the provider; somebody who is signed in links the account there instead."""
    provider = await provider_for(STAFF, slug)
    purpose, who = STAFF, ""
    if is_person(caller):
        await check_fresh(caller)
        purpose, who = LINK, caller.id
    departure = await party_of(request).depart(
        provider, purpose, _callback(request, slug), go_on=safe_next(str(request.query_params.get("next", ""))[:500]),
        who=who, locale=language_of(request),
    )  # fmt: skip
    return depart(departure)


@get("/sign-in/outside/{slug:str}/callback", opt=_WAY)
async def callback(request: AnyRequest, caller: CurrentCaller, slug: FromPath[str]) -> Response[None]:
    """Back from the provider: a session, or a link."""
    provider, identity, spent = await arrive(request, STAFF, slug, frozenset({STAFF, LINK}))
    if identity.flow.purpose == LINK:
        check_signed_in(caller)
        await staff.link(caller, provider, identity)
        return redirect(SECURITY, spent, flash.put("outside.linked"))
    value, _ = await staff.sign_in(provider, identity, request.headers.get("user-agent", ""))
    go_on = safe_next(identity.flow.next) or "/apps"
    return redirect(go_on, access.session_cookie(value), spent)


@post("/account/security/outside/{account_id:str}/unlink")
async def unlink(caller: CurrentCaller, account_id: FromPath[str]) -> Response[None]:
    """Take an outside account away from oneself."""
    check_signed_in(caller)
    await providers.unlink(caller, account_id)
    return redirect(SECURITY, flash.put("outside.unlinked", kind="info"))


router = Router("/", route_handlers=[start, callback, unlink])
