"""Forms that only our own pages can send: the session's token, or for nobody signed in a cookie's twin.

api.identity.access checks the token of a session. This module gives pages the token to put into their forms,
and checks the forms that people fill in before they are signed in.
"""

import hmac
import secrets
from typing import Any

from litestar import Request
from litestar.datastructures import Cookie

from api.core import problem_types_platform as platform_types
from api.core.problems import Refusal
from api.identity import access
from portal.cookies import cookie

FORM_COOKIE = "kaimen_form"


def session_token(request: Request[Any, Any, Any]) -> str:
    """The form token of the session that the request carries, "" where there is none."""
    return str(request.scope.get("state", {}).get("csrf", ""))


def token_for(request: Request[Any, Any, Any]) -> tuple[str, Cookie | None]:
    """What a form's hidden field `csrf` holds, and the cookie to set where its twin is not there yet."""
    if token := session_token(request):
        return token, None
    sent = request.cookies.get(FORM_COOKIE, "")
    if 20 <= len(sent) <= 64:
        return str(sent), None
    fresh = secrets.token_urlsafe(24)
    return fresh, cookie(FORM_COOKIE, fresh, seconds=None)


async def check_form(request: Request[Any, Any, Any]) -> None:
    """Before every page: who calls is found out, and a form comes from our own pages, whoever sends it.

    Raises CSRF_FAILED. Source: OWASP CSRF prevention (double submit); api.identity.access looks at the Origin.
    """
    await access.provide_caller(request)  # for a session it compares the token of the form, too
    if request.method in access.SAFE_METHODS or session_token(request):
        return
    sent = str((await request.form()).get(access.CSRF_FIELD, ""))
    twin = str(request.cookies.get(FORM_COOKIE, ""))
    if not twin or not hmac.compare_digest(sent.encode(), twin.encode()):
        raise Refusal(platform_types.CSRF_FAILED)
