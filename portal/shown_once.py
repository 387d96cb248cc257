"""A secret on its one way to the page that shows it: sealed in a cookie of that page, gone when it was shown.

So a reload neither repeats the deed nor shows the secret again, and no server process has to remember it.
"""

from typing import Any

from cryptography.exceptions import InvalidTag
from litestar import Request
from litestar.datastructures import Cookie

from api.core.crypto import Vault
from portal.cookies import cookie

COOKIE = "kaimen_once"
_SECONDS = 120
_CONTEXT = "portal:shown-once:"


def _vault(request: Request[Any, Any, Any]) -> Vault:
    found: Vault = request.app.state.portal.vault
    return found


def put(request: Request[Any, Any, Any], page: str, secret: str) -> Cookie:
    """The cookie that carries a secret to the page `page`, and to no other."""
    sealed = _vault(request).seal(secret.encode(), _CONTEXT + page)
    return cookie(COOKIE, sealed.replace("$", "."), seconds=_SECONDS, path=page, same_site="strict")


def take(request: Request[Any, Any, Any], page: str) -> tuple[str, Cookie | None]:
    """The secret that waits for this page ("" for none), and the cookie that removes it."""
    sent = request.cookies.get(COOKIE, "")
    if not sent:
        return "", None
    spent = cookie(COOKIE, "", seconds=0, path=page, same_site="strict")
    try:
        return _vault(request).open(sent.replace(".", "$"), _CONTEXT + page).decode(), spent
    except (InvalidTag, ValueError):
        return "", spent
