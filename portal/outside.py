"""What pages need to send somebody to an outside provider and to take them back: cookies, callbacks, buttons."""

from litestar import Response
from litestar.datastructures import Cookie

from api.identity.outside.citizens import provider_for
from api.identity.outside.models import OutsideProvider
from api.identity.outside.relying_party import FLOW_SECONDS, Departure, Identity, cookie_of
from api.identity.outside.running import party_of
from portal.cookies import cookie
from portal.frame import redirect
from portal.view import AnyRequest


def depart(departure: Departure) -> Response[None]:
    """Off to the provider; the cookie comes back with the browser (lax: it is a navigation from another site)."""
    return redirect(
        departure.address, cookie(departure.cookie_name, departure.cookie_value, seconds=FLOW_SECONDS)
    )


def flow_of(request: AnyRequest) -> tuple[dict[str, str], str, Cookie]:
    """What came back: the provider's answer, the sealed sign-in that belongs to it, and the cookie that removes that."""
    query = {name: str(value)[:4000] for name, value in request.query_params.items()}
    name = cookie_of(query.get("state", ""))
    return query, request.cookies.get(name, ""), cookie(name, "", seconds=0)


async def arrive(
    request: AnyRequest, audience: str, slug: str, purposes: frozenset[str]
) -> tuple[OutsideProvider, Identity, Cookie]:
    """Who came back from the provider. Raises not-found, outside-sign-in-failed, outside-provider-away."""
    provider = await provider_for(audience, slug)
    query, sealed, spent = flow_of(request)
    return provider, await party_of(request).arrive(provider, query, sealed, purposes), spent
