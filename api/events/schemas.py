"""What the routes of events take and answer. Times are RFC 3339 in UTC."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from api.core import clock
from api.core.problems import Text
from api.events.endpoints.models import Endpoint, SigningKey
from api.events.endpoints.service import NewKeys
from api.events.envelope import text_of
from api.events.feed import FeedPage
from api.events.log import DeliveryDetail
from api.events.models import Attempt
from api.events.signing import PUBLIC_PREFIX
from api.events.types import EventType

Url = Annotated[
    str,
    Meta(max_length=500, description="Where events are posted to.", examples=["https://app.example/kaimen-events"]),
]  # fmt: skip
Types = Annotated[
    list[Annotated[str, Meta(max_length=128)]],
    Meta(max_length=100, description="Event types; none: all that the app may know of.", examples=[["post.order.delivered"]]),
]  # fmt: skip
Concurrency = Annotated[int, Meta(ge=1, le=50, description="Deliveries at once.")]
Description = Annotated[str, Meta(max_length=200)]


class NewEndpointRequest(Struct, frozen=True):
    url: Url
    types: Types = []
    description: Description = ""
    concurrency: Concurrency = 5


class EndpointUpdate(Struct, frozen=True):
    """What stays away is left as it is."""

    url: Url | None = None
    types: Types | None = None
    description: Description | None = None
    concurrency: Concurrency | None = None


class EndpointItem(Struct, frozen=True):
    """`state` is unverified (no event yet), active or disabled; `reason` of the last: owner, gone or failing."""

    endpoint_id: str
    app_id: str
    environment: str
    url: str
    types: list[str]
    description: str
    concurrency: int
    state: str
    reason: str
    created_at: str
    verified_at: str | None
    disabled_at: str | None


class KeyItem(Struct, frozen=True):
    """A pair of keys that signs now; `expires_at` is set while it gives way to a newer one."""

    key_id: str
    public_key: Annotated[str, Meta(description="`whpk_` and base64, for `v1a` signatures (Ed25519).")]
    created_at: str
    expires_at: str | None


class EndpointDetail(EndpointItem, frozen=True):
    keys: list[KeyItem]


class CreatedEndpoint(EndpointItem, frozen=True):
    """`secret` is shown this once."""

    secret: Annotated[str, Meta(description="`whsec_` and base64, for `v1` signatures (HMAC-SHA256).")]
    public_key: str


class EndpointList(Struct, frozen=True):
    items: list[EndpointItem]


class KeyRotation(Struct, frozen=True):
    overlap_hours: Annotated[
        int, Meta(ge=0, le=168, description="How long the present keys sign beside.")
    ] = 24


class TypeItem(Struct, frozen=True):
    """`is_for_everybody`: events that concern nobody in particular go to every subscriber."""

    type: str
    service: str
    title: Text
    description: Text
    level: str
    is_for_everybody: bool


class TypeList(Struct, frozen=True):
    items: list[TypeItem]


class EventPage(Struct, frozen=True):
    """CloudEvents 1.0 in the order of the feed. `cursor` is where the next fetch begins."""

    events: list[dict[str, Any]]
    cursor: str
    acknowledged: str
    has_more: bool


class Acknowledgement(Struct, frozen=True):
    cursor: Annotated[str, Meta(pattern="^[0-9]{1,18}$", description="`cursor` of a fetch.")]


class Acknowledged(Struct, frozen=True):
    acknowledged: str


class DeliveryItem(Struct, frozen=True):
    """`state` is waiting, delivered or failed (`reason`: exhausted, gone, endpoint-disabled, endpoint-deleted, app-stopped).

    `is_gap`: a later event of the same subject has gone past it, or it was given up.
    """

    delivery_id: str
    endpoint_id: str
    event_id: str
    type: str
    service: str
    subject: str
    sequence: int
    state: str
    reason: str
    attempts: int
    last_status: int
    latency_ms: int | None
    is_gap: bool
    created_at: str
    next_at: str | None
    finished_at: str | None


class DeliveryList(Struct, frozen=True):
    items: list[DeliveryItem]
    next: str | None


class AttemptItem(Struct, frozen=True):
    """`status` 0: no answer, `error` says why. `snippet` is the beginning of the answer."""

    at: str
    status: int
    latency_ms: int
    error: str
    snippet: str


class DeliveryView(DeliveryItem, frozen=True):
    attempt_log: list[AttemptItem]
    event: dict[str, Any]


class ReplayRequest(Struct, frozen=True):
    """Either `failed`, or `since` with or without `until`."""

    failed: bool = False
    since: Annotated[str, Meta(max_length=40, description="RFC 3339.")] = ""
    until: Annotated[str, Meta(max_length=40, description="RFC 3339; now when left out.")] = ""


class Replayed(Struct, frozen=True):
    """How many events are on their way again."""

    replayed: int


class NewEventRequest(Struct, frozen=True):
    """`app_id` stays empty for an event that every subscriber may know of."""

    type: Annotated[str, Meta(max_length=128, description="A name of the contract's `webhooks`.", examples=["post.order.delivered"])]  # fmt: skip
    subject: Annotated[str, Meta(min_length=1, max_length=200, description="What it is about; its events keep their order.")]  # fmt: skip
    data: Annotated[dict[str, Any], Meta(description="As the contract says, at most 64 KiB.")]
    environment: Annotated[str, Meta(pattern="^(sandbox|live)$")] = "sandbox"
    app_id: Annotated[str, Meta(max_length=64)] = ""
    id: Annotated[
        str, Meta(max_length=200, description="Your own id of the event: told again, it changes nothing.")
    ] = ""


class ToldEvent(Struct, frozen=True):
    """`is_new` false: it had been told before."""

    event_id: str
    is_new: bool


def endpoint_item(row: Endpoint) -> EndpointItem:
    return EndpointItem(**_fields(row))


def endpoint_detail(row: Endpoint, keys: list[SigningKey]) -> EndpointDetail:
    return EndpointDetail(**_fields(row), keys=[_key_item(key) for key in keys])


def created_endpoint(made: NewKeys) -> CreatedEndpoint:
    return CreatedEndpoint(
        **_fields(made.endpoint), secret=made.secret, public_key=PUBLIC_PREFIX + made.public_key
    )


def _fields(row: Endpoint) -> dict[str, Any]:
    return {
        "endpoint_id": row.id, "app_id": row.app_id, "environment": row.environment, "url": row.url,
        "types": list(row.types), "description": row.description, "concurrency": row.concurrency, "state": row.state,
        "reason": row.reason, "created_at": clock.to_text(row.created_at),
        "verified_at": clock.to_text(row.verified_at) if row.verified_at else None,
        "disabled_at": clock.to_text(row.disabled_at) if row.disabled_at else None,
    }  # fmt: skip


def _key_item(row: SigningKey) -> KeyItem:
    expires_at = clock.to_text(row.expires_at) if row.expires_at else None
    return KeyItem(row.id, PUBLIC_PREFIX + row.public_key, clock.to_text(row.created_at), expires_at)


def type_item(one: EventType) -> TypeItem:
    return TypeItem(one.name, one.service, one.title, one.description, one.level.value, one.is_for_everybody)


def event_page(page: FeedPage) -> EventPage:
    return EventPage(page.events, page.cursor, page.acknowledged, page.has_more)


def delivery_item(row: dict[str, Any]) -> DeliveryItem:
    return DeliveryItem(**_delivery_fields(row))


def delivery_view(found: DeliveryDetail) -> DeliveryView:
    attempts = [_attempt_item(one) for one in found.attempts]
    event = {**found.event, "data": msgspec.json.decode(found.event["data"])}
    return DeliveryView(**_delivery_fields(found.delivery), attempt_log=attempts, event=event)


def _delivery_fields(row: dict[str, Any]) -> dict[str, Any]:
    latency = row["latency_ms"]
    return {
        "delivery_id": row["delivery_id"], "endpoint_id": row["endpoint_id"], "event_id": row["id"],
        "type": row["type"], "service": row["source"], "subject": row["subject"], "sequence": int(row["sequence"]),
        "state": row["state"], "reason": row["reason"], "attempts": int(row["attempts"]),
        "last_status": int(row["last_status"]), "latency_ms": None if latency is None else int(latency),
        "is_gap": bool(row["overtaken_at"]) or row["state"] == "failed",
        "created_at": text_of(int(row["created_at"])),
        "next_at": text_of(int(row["next_at"])) if row["state"] == "waiting" else None,
        "finished_at": text_of(int(row["finished_at"])),
    }  # fmt: skip


def _attempt_item(row: Attempt) -> AttemptItem:
    return AttemptItem(text_of(row.at) or "", row.status, row.latency_ms, row.error, row.snippet)
