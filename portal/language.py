"""Which language a page is in: `?lang=`, then the cookie, then what an app asked for (ui_locales), then Accept-Language.

Chinese where nothing is said.
"""

from litestar import Request
from litestar.datastructures import Cookie

from api.core.problems import preferred_language
from portal.cookies import cookie

COOKIE = "kaimen_language"
LANGUAGES = ("zh", "en")
_YEAR_SECONDS = 365 * 86400


def language_of(request: Request) -> str:  # type: ignore[type-arg]  # any user, auth and state
    """`zh` or `en`. A word that is no language of ours is passed over."""
    for said in (request.query_params.get("lang", ""), request.cookies.get(COOKIE, "")):
        if said in LANGUAGES:
            return str(said)
    preferred = request.scope.get("state", {}).get("preferred_language", "")
    if preferred in LANGUAGES:
        return str(preferred)
    accepted = request.headers.get("accept-language", "").strip()
    return preferred_language(accepted) if accepted not in {"", "*"} else "zh"


def prefer(request: Request, language: str) -> None:  # type: ignore[type-arg]  # as above
    """Show this language to who has chosen none here; "" changes nothing."""
    request.scope.setdefault("state", {})["preferred_language"] = language


def language_cookie(request: Request) -> Cookie | None:  # type: ignore[type-arg]  # as above
    """The cookie that remembers a choice made by `?lang=`; None where none was made."""
    chosen = request.query_params.get("lang", "")
    if chosen not in LANGUAGES or request.cookies.get(COOKIE) == chosen:
        return None
    return cookie(COOKIE, str(chosen), seconds=_YEAR_SECONDS)
