"""What subscriptions open, right now: for tokens, for pages, and for whoever decides. It writes nothing."""

import msgspec

from api.catalogue import outside
from api.catalogue.inputs import check_id
from api.catalogue.models import Publication, ServiceRecord, Subscription
from api.catalogue.offers import Offer, OfferedOperation, Subscriber, reach
from api.core.problem_types_platform import NOT_FOUND
from api.core.problems import Refusal, Text

decode_offer = msgspec.json.Decoder(Offer).decode


async def owner_of(service: str) -> str:
    """The id of the organisation that owns a service name, "" for an unknown name."""
    record = await ServiceRecord.get_or_none(name=service)
    return record.organisation_id if record else ""


async def subscriber_of(organisation_id: str, owner: str) -> Subscriber:
    """What decides about a subscriber, of the organisation that owns the app."""
    organisation = await outside.ask().organisation(organisation_id)
    return Subscriber(organisation.kind if organisation else "", organisation_id == owner)


async def get_subscription(subscription_id: str) -> Subscription:
    """One subscription. Errors: not-found."""
    what = Text("这个订阅", "such subscription")
    row = await Subscription.get_or_none(id=check_id(subscription_id, what))
    if row is None:
        raise Refusal(NOT_FOUND, what=what)
    return row


async def subscriptions_of(app_id: str) -> list[Subscription]:
    """All subscriptions of an app, ended ones included, oldest first."""
    return await Subscription.filter(app_id=app_id).order_by("requested_at", "id")


async def subscribers_of(version_id: str) -> list[Subscription]:
    """Active, pending and suspended subscriptions to a version, of all apps."""
    return await Subscription.filter(
        version_id=version_id, status__in=["active", "pending", "suspended"]
    ).order_by("requested_at", "id")


async def opened(row: Subscription) -> tuple[OfferedOperation, ...]:
    """The operations that an active subscription opens now: reached, and not above the level granted."""
    if row.status != "active":
        return ()
    publication = await Publication.get_or_none(
        id=f"{row.version_id}/{row.environment}", state="published"
    ).only("id", "service", "offer")
    if publication is None:
        return ()
    subscriber = await subscriber_of(row.organisation_id, await owner_of(publication.service))
    reached = reach(decode_offer(publication.offer), subscriber, row.purpose)
    return tuple(one for one in reached if one.level.value <= row.level)


async def granted_scopes(app_id: str) -> frozenset[str]:
    """The scopes that the app may have in a token: of all operations opened to it, aliases included.

    Platform scopes are not among them; identity grants those.
    """
    granted: set[str] = set()
    for row in await Subscription.filter(app_id=app_id, status="active"):
        granted |= await _granted_by(row)
    return frozenset(granted)


async def _granted_by(row: Subscription) -> set[str]:
    scopes = {scope for operation in await opened(row) for scope in operation.scopes}
    publication = await Publication.get_or_none(id=f"{row.version_id}/{row.environment}").only("id", "offer")
    if publication is not None and scopes:
        aliases = decode_offer(publication.offer).aliases
        scopes |= {alias for scope in tuple(scopes) for alias in aliases.get(scope, ())}
    return scopes


async def scopes_of(version_id: str, environment: str = "sandbox") -> frozenset[str]:
    """Every scope that some operation of a published version asks for, aliases included."""
    publication = await Publication.get_or_none(id=f"{version_id}/{environment}", state="published").only(
        "id", "offer"
    )
    if publication is None:
        return frozenset()
    offer = decode_offer(publication.offer)
    own = {scope for operation in offer.operations for scope in operation.scopes}
    return frozenset(own | {alias for scope in own for alias in offer.aliases.get(scope, ())})
