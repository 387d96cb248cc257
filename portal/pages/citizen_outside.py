"""Citizens who sign in through an outside provider: on the live plane, where no persona is picked."""

from urllib.parse import urlencode

from litestar import Response, Router, get
from litestar.params import FromPath

from api.core import clock
from api.core import problem_types_platform as platform_types
from api.core.problems import Refusal
from api.identity.outside.citizens import CITIZENS, providers_for, start, subject_of
from api.identity.outside.running import party_of
from portal import citizens
from portal.frame import redirect
from portal.language import language_of
from portal.next_page import safe_next
from portal.outside import arrive, depart
from portal.view import AnyRequest, settings_of

_WAY = {"slowapi": "30/minute; 300/hour"}


def _check_live(request: AnyRequest) -> None:
    if settings_of(request).environment != "live":
        raise Refusal(platform_types.PAGE_NOT_FOUND)


async def provider_buttons(next_: str, assurance: str) -> list[dict[str, str]]:
    """The providers that citizens may sign in with: address, name_zh, name_en of each."""
    return [
        {
            "address": f"/consents/outside/{row.slug}?{urlencode({'next': next_, 'assurance': assurance})}",
            "name_zh": row.name_zh,
            "name_en": row.name_en,
        }
        for row in await providers_for(CITIZENS)
    ]


@get("/consents/outside/{slug:str}", opt=_WAY)
async def leave(request: AnyRequest, slug: FromPath[str]) -> Response[None]:
    """Off to the provider; `assurance` asks for at least that level."""
    _check_live(request)
    go_on = safe_next(str(request.query_params.get("next", ""))[:500])
    assurance = str(request.query_params.get("assurance", ""))
    departure = await start(party_of(request), slug, go_on, assurance=assurance, locale=language_of(request))
    return depart(departure)


@get("/consents/outside/{slug:str}/callback", opt=_WAY)
async def come_back(request: AnyRequest, slug: FromPath[str]) -> Response[None]:
    """Back from the provider, as a citizen of the live plane."""
    _check_live(request)
    provider, identity, spent = await arrive(request, CITIZENS, slug, frozenset({CITIZENS}))
    subject = subject_of(provider, identity)
    said = identity.claims.get("auth_time")
    now = int(clock.unix_seconds())
    is_recent = isinstance(said, int) and now - citizens.LIFE_SECONDS // 2 < said <= now
    at = said if isinstance(said, int) and is_recent else 0
    return redirect(
        safe_next(identity.flow.next) or "/consents", citizens.remember(request, subject, at), spent
    )


router = Router("/", route_handlers=[leave, come_back])
