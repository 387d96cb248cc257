"""Who is calling the platform API or the portal: session cookie, personal token, or access token.

`provide_caller` is the one dependency `caller` of every handler. It fails closed: a bearer credential that is
wrong is refused, a cookie that opens nothing is nobody. A request that could change something and comes with
the cookie needs the session's CSRF token; one that a browser sent from another site is refused whoever it is.
"""

import hmac
from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.config.app import AppConfig
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.di import Provide
from litestar.enums import RequestEncodingType
from litestar.handlers import BaseRouteHandler
from litestar.plugins import InitPlugin

from api.core.caller import ANONYMOUS, Caller
from api.core.problem_types_platform import CSRF_FAILED, NOT_SIGNED_IN
from api.core.problems import Refusal
from api.identity.housekeeping import keeping_house
from api.identity.installation import Installation, configure, current
from api.identity.models import Session
from api.identity.outside.running import outside_sign_in
from api.identity.people.personal_tokens import PREFIX as PERSONAL_TOKEN
from api.identity.people.personal_tokens import caller_of_personal_token
from api.identity.people.sessions import caller_of, find_session
from api.settings import Settings

SESSION_COOKIE = "kaimen_session"  # its plain name; `cookie_name` says which one is in use
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = (RequestEncodingType.URL_ENCODED.value, RequestEncodingType.MULTI_PART.value)


class IdentityPlugin(InitPlugin):
    """Puts identity into a Litestar application: its configuration, the dependency `caller`, housekeeping."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        configure(self._installation)
        app_config.dependencies.setdefault("caller", Provide(provide_caller))
        app_config.lifespan = [*app_config.lifespan, lambda _: keeping_house(), outside_sign_in]
        return app_config


def cookie_name(settings: Settings) -> str:
    """`__Host-` where the public address is https: the browser then takes the cookie from this host alone."""
    return f"__Host-{SESSION_COOKIE}" if settings.sandbox_url.startswith("https://") else SESSION_COOKIE


def session_cookie(value: str) -> Cookie:
    """The cookie of a session; with the value "" the one that removes it."""
    settings = current().settings
    return Cookie(
        key=cookie_name(settings),
        value=value,
        path="/",
        httponly=True,
        secure=settings.sandbox_url.startswith("https://"),
        samesite="lax",
        max_age=settings.session_hours * 3600 if value else 0,
    )


async def provide_caller(request: Request[Any, Any, Any]) -> Caller:
    """The caller of this request, ANONYMOUS where it carries nothing. For a session, the state gets `csrf` too.

    Raises not-signed-in (a bad personal token), token-* (a bad access token), csrf-failed. The local command line
    puts the operator into the scope of its own, in-process requests; no header can.
    """
    state = request.scope.setdefault("state", {})
    known = state.get("caller")
    if isinstance(known, Caller):
        return known
    caller = await _caller(request)
    state["caller"] = caller
    return caller


async def _caller(request: Request[Any, Any, Any]) -> Caller:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if credential:
        return await _caller_of_token(request, scheme.lower(), credential.strip())
    is_unsafe = request.method not in SAFE_METHODS
    if is_unsafe:
        check_same_origin(request)
    session = await session_of(request)
    caller = None if session is None else await caller_of(session)
    if session is None or caller is None:
        return ANONYMOUS
    if is_unsafe:
        await _check_csrf(request, session)
    request.scope["state"]["csrf"] = session.csrf  # what pages put into their forms
    return caller


async def session_of(request: Request[Any, Any, Any]) -> Session | None:
    """The live session of the request's cookie, or None."""
    return await find_session(cookie_value(request))


def cookie_value(request: Request[Any, Any, Any]) -> str:
    """The session cookie as it was sent, "" where there is none."""
    return request.cookies.get(cookie_name(current().settings), "")


async def _caller_of_token(request: Request[Any, Any, Any], scheme: str, credential: str) -> Caller:
    is_personal = credential.startswith(f"{PERSONAL_TOKEN}_")
    if scheme != "bearer" and (is_personal or scheme != "dpop"):
        raise Refusal(NOT_SIGNED_IN, rule="bearer-only")
    if is_personal:
        caller = await caller_of_personal_token(credential)
        if caller is None:
            raise Refusal(NOT_SIGNED_IN, rule="personal-token-invalid")
        return caller
    app = await current().platform_caller(credential, request)
    if app is None:
        raise Refusal(NOT_SIGNED_IN, rule="bearer-unknown")
    return app


def same_origin_guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """`check_same_origin` as a guard, for handlers that take no caller."""
    check_same_origin(connection)


def check_same_origin(request: ASGIConnection[Any, Any, Any, Any]) -> None:
    """Refuses (csrf-failed) what a browser sent from another site. A client that is no browser sends neither header.

    Source: Fetch Metadata, and the Origin header of RFC 6454 §7; both are out of a page's reach.
    """
    site = request.headers.get("sec-fetch-site", "same-origin")
    if site not in {"same-origin", "none"}:
        raise Refusal(CSRF_FAILED, rule="other-site")
    origin = request.headers.get("origin")
    if origin is None:
        return
    try:
        parts = urlsplit(origin)
    except ValueError:
        raise Refusal(CSRF_FAILED, rule="other-origin") from None
    public = urlsplit(current().settings.issuer)
    is_public = (parts.scheme, parts.netloc) == (public.scheme, public.netloc)
    is_host = bool(parts.netloc) and parts.netloc == request.headers.get("host", "")
    if not (is_public or is_host):
        raise Refusal(CSRF_FAILED, rule="other-origin")


async def _check_csrf(request: Request[Any, Any, Any], session: Session) -> None:
    presented = request.headers.get(CSRF_HEADER, "")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not presented and media_type in _FORMS:
        value = (await request.form()).get(CSRF_FIELD, "")
        presented = value if isinstance(value, str) else ""
    if not hmac.compare_digest(presented.encode(), session.csrf.encode()):
        raise Refusal(CSRF_FAILED, rule="csrf-token")
