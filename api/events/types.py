"""Which events an app may know of: the `webhooks` of the contracts that it is subscribed to.

An event that happened in an app's own matter (its sandbox, its order) goes to that app. One that concerns
nobody in particular goes to all subscribers, and only where the contract lets everybody know: of level L1 or
L2, and on no consent. What a subscription does not reach in level, its events do not either.
"""

from collections import OrderedDict
from typing import Any

import msgspec
from msgspec import Struct

from api.catalogue.models import Publication, Subscription
from api.contract.model import Basis, Json, JsonObject, Level
from api.core.problems import Text

_MOST_CACHED = 256
_PUBLIC_LEVELS = frozenset({Level.L1, Level.L2})
_CONSENTED = frozenset({Basis.CONSENT, Basis.SEPARATE_CONSENT})


class EventType(Struct, frozen=True):
    """A webhook of a contract."""

    service: str  # post@v1
    name: str  # post.order.delivered
    title: Text
    description: Text
    level: Level
    is_for_everybody: bool
    schema: Json = None  # of `data`; None: anything
    schemas: dict[str, JsonObject] = {}  # the contract's, which it may refer to


class _Components(Struct, frozen=True):
    schemas: dict[str, Any] = {}


class _Document(Struct):
    info: dict[str, Any] = {}
    webhooks: dict[str, Any] = {}
    components: _Components = _Components()


_cache: OrderedDict[tuple[str, str], tuple[EventType, ...]] = OrderedDict()


def types_in(service: str, document: str | bytes) -> tuple[EventType, ...]:
    """The event types of a published document (JSON), in its order."""
    read = msgspec.json.decode(document, type=_Document)
    return tuple(_type_of(service, name, item, read) for name, item in read.webhooks.items())


def _type_of(service: str, name: str, item: Any, document: _Document) -> EventType:
    info = document.info
    post = item.get("post") if isinstance(item, dict) else None
    operation: dict[str, Any] = post if isinstance(post, dict) else {}
    level = operation.get("x-level") or info.get("x-level") or Level.L2.value
    basis = operation.get("x-basis") or info.get("x-basis") or ""
    return EventType(
        service=service,
        name=name,
        title=_text(operation, "title", "summary", name),
        description=_text(operation, "description", "description", ""),
        level=Level(level),
        is_for_everybody=level in _PUBLIC_LEVELS and basis not in _CONSENTED,
        schema=_schema_of(operation),
        schemas=document.components.schemas,
    )


def _schema_of(operation: dict[str, Any]) -> Json:
    """The schema of the JSON body, None where the contract says nothing of it."""
    body = operation.get("requestBody")
    content = body.get("content") if isinstance(body, dict) else None
    for media_type, media in (content or {}).items():
        if "json" in media_type and isinstance(media, dict):
            return media.get("schema")
    return None


def _text(operation: dict[str, Any], name: str, base: str, otherwise: str) -> Text:
    plain = str(operation.get(base) or otherwise)
    texts = operation.get("x-i18n")
    texts = texts if isinstance(texts, dict) else {}

    def in_language(tag: str) -> str:
        entry = texts.get(tag)
        return str(entry.get(name) or plain) if isinstance(entry, dict) else plain

    return Text(in_language("zh-CN"), in_language("en"))


async def types_of_app(app_id: str, environment: str) -> dict[tuple[str, str], EventType]:
    """What the app may know of now, by (service, type): of its active subscriptions, as published."""
    rows = await Subscription.filter(app_id=app_id, environment=environment, status="active")
    reach: dict[str, Level] = {}
    for row in rows:
        level = Level(row.level) if row.level else Level.L1
        reach[row.version_id] = max(reach.get(row.version_id, Level.L1), level)
    found: dict[tuple[str, str], EventType] = {}
    for version_id, level in reach.items():
        for one in await types_of_service(version_id, environment):
            if one.level <= level:
                found[one.service, one.name] = one
    return found


async def types_of_service(version_id: str, environment: str) -> tuple[EventType, ...]:
    """The event types of a published service, none where it is not published here."""
    key = f"{version_id}/{environment}"
    head = await Publication.filter(id=key, state="published").values("digest", "published_at")
    if not head:
        return ()
    stamp = (key, f"{head[0]['digest']}{head[0]['published_at']}")
    known = _cache.get(stamp)
    if known is None:
        document = await Publication.filter(id=key).values_list("document", flat=True)
        known = _cache[stamp] = types_in(version_id, str(document[0]))
        while len(_cache) > _MOST_CACHED:
            _cache.popitem(last=False)
    return known


async def subscribers_of_type(service: str, name: str, environment: str) -> list[str]:
    """The apps that are told of an event that concerns nobody in particular, in order of their ids."""
    kind = next((one for one in await types_of_service(service, environment) if one.name == name), None)
    if kind is None or not kind.is_for_everybody:
        return []
    rows = await Subscription.filter(version_id=service, environment=environment, status="active")
    return sorted({row.app_id for row in rows if kind.level <= (row.level or Level.L1)})
