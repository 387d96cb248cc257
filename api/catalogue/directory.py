"""The government data directory as one more face of the contracts: an entry for each published service version.

Nothing is typed twice: code, path and update cycle come from `x-directory`, sharing and opening from `x-share` and
`x-open`, the information items from the schemas of the answers. It lists what the reader may know of, no more.
Source: GB/T 21063.3-2007 (core metadata), GB/T 21063.4-2007 (codes); the numbers of elements were not checked.
"""

import asyncio
from collections import OrderedDict

import msgspec
from msgspec import Struct

from api.catalogue import outside
from api.catalogue.browsing import Listed
from api.catalogue.models import Publication
from api.contract import build, profile
from api.contract.addresses import PLATFORM, public_prefix
from api.contract.answer_fields import fields_of
from api.contract.model import JsonObject, Operation, Service, Texts

_CACHED = 200
_MOST_ITEMS = 500  # of one service
_cache: "OrderedDict[tuple[str, str, bool], Entry]" = OrderedDict()
SHARES = {
    "unconditional": ("无条件共享", "shared unconditionally"),
    "conditional": ("有条件共享", "shared on conditions"),
    "none": ("不予共享", "not shared"),
}
OPENS = {
    "open": ("无条件开放", "open"),
    "conditional": ("有条件开放", "open on conditions"),
    "closed": ("不予开放", "not open"),
}
CYCLES = {
    "realtime": ("实时", "real time"),
    "hourly": ("每小时", "hourly"),
    "daily": ("每日", "daily"),
    "weekly": ("每周", "weekly"),
    "monthly": ("每月", "monthly"),
    "quarterly": ("每季度", "quarterly"),
    "yearly": ("每年", "yearly"),
    "irregular": ("不定期", "irregular"),
}


class Item(Struct, frozen=True):
    """One information item: a field of an answer."""

    name: str
    operation: str
    texts: Texts  # zh-CN, en
    type: str
    level: str
    element: str = ""


class Entry(Struct, frozen=True):
    """One entry of the directory."""

    id: str  # company@v1
    code: str
    path: str
    names: Texts  # zh, en
    summaries: Texts
    provider: Texts
    provider_slug: str
    contact: str
    formats: tuple[str, ...]
    share: str
    share_basis: str
    share_conditions: str
    open: str
    level: str
    update: str
    release: str
    status: str
    environments: tuple[str, ...]
    published_on: str  # ISO date
    keywords: tuple[str, ...]
    operations: tuple[tuple[str, str, str], ...]  # id, zh, en
    items: tuple[Item, ...]
    address: str
    contract: str
    page: str
    webhooks: tuple[str, ...] = ()


async def entries_for(listed: list[Listed], *, for_department: bool) -> list[Entry]:
    """The entries of what a caller may see, by code. The platform itself is no entry: it is no data."""
    made = []
    for one in listed:
        if one.card.name == PLATFORM:
            continue
        row = (
            await Publication.filter(version_id=one.id, state="published")
            .order_by("environment")
            .only("id", "digest", "environment", "published_at")
            .first()
        )
        if row is not None:
            made.append(await _entry(one, row, for_department=for_department))
    return sorted(made, key=lambda entry: (entry.code, entry.id))


async def _entry(listed: Listed, row: Publication, *, for_department: bool) -> Entry:
    key = (row.id, row.digest, for_department)
    known = _cache.get(key)
    if known is None:
        text = (await Publication.get(id=row.id).only("id", "document")).document
        day = row.published_at.date().isoformat() if row.published_at is not None else ""
        known = await asyncio.to_thread(
            _read, text, listed, row.environment, day, for_department=for_department
        )
        _cache[key] = known
        while len(_cache) > _CACHED:
            _cache.popitem(last=False)
    _cache.move_to_end(key)
    return msgspec.structs.replace(known, provider=listed.organisations, environments=listed.environments)


def _read(text: str, listed: Listed, environment: str, day: str, *, for_department: bool) -> Entry:
    document: JsonObject = msgspec.json.decode(text)
    service = build.service_of(document)
    seen = [one for one in service.operations if for_department or one.audience != "department"]
    info = profile.as_object(document.get("info"))
    share = profile.as_object(info.get("x-share"))
    issuer = outside.ask().settings.issuer_of(environment)
    base = outside.ask().settings.issuer_of("sandbox")
    formats = dict.fromkeys(
        media.content_type
        for one in seen
        for response in one.responses
        if response.status[0] == "2"
        for media in response.media
    )
    return Entry(
        id=service.key,
        code=str(service.directory.get("code") or f"{service.department or 'KM'}/{service.key}"),
        path=str(service.directory.get("path") or listed.card.titles["zh"]),
        names=listed.card.titles,
        summaries=listed.card.descriptions,
        provider=listed.organisations,
        provider_slug=service.department,
        contact=" ".join(
            str(service.owner[key]) for key in ("name", "email", "phone") if service.owner.get(key)
        ),
        formats=tuple(formats),
        share=max((one.share for one in seen), key=list(SHARES).index, default="conditional"),
        share_basis=str(share.get("basis", "")),
        share_conditions=str(share.get("conditions", "")),
        open=listed.card.open,
        level=listed.card.level,
        update=str(service.directory.get("update") or "irregular"),
        release=service.release,
        status=service.status.value,
        environments=listed.environments,
        published_on=day,
        keywords=listed.card.tags,
        operations=tuple((one.id, _text(one, "zh"), _text(one, "en")) for one in seen),
        items=tuple(_items(service, seen)),
        address=issuer + public_prefix(service.name, service.version),
        contract=f"{base}/catalogue/{service.name}/{service.version}/openapi.json",
        page=f"{base}/catalogue/{service.name}/{service.version}",
        webhooks=tuple(service.webhooks),
    )


def _text(operation: Operation, language: str) -> str:
    for tag, texts in operation.texts.items():
        if tag.startswith(language) and texts.get("title"):
            return texts["title"]
    return operation.summary or operation.id


def _items(service: Service, operations: list[Operation]) -> list[Item]:
    """The fields of the answers, each once: an item that several operations give stands at the first."""
    found: dict[str, Item] = {}
    for operation in operations:
        for name, one in fields_of(operation, service).items():
            plain = name.removeprefix("items.")
            if plain in {"next", "*"} or plain in found:
                continue
            schema = _schema_at(service, operation, name)
            level = one.level.value if one.level is not None else operation.level.value
            kind = schema.get("format") or schema.get("type") or ""
            kind = kind if isinstance(kind, str) else "/".join(str(each) for each in kind)
            found[plain] = Item(plain, operation.id, one.label, kind, level, str(schema.get("x-element", "")))
            if len(found) >= _MOST_ITEMS:
                return list(found.values())
    return list(found.values())


def _schema_at(service: Service, operation: Operation, name: str) -> JsonObject:
    """The schema of a field of the answer, {} where the way there is not plain."""
    schema: JsonObject = {}
    for response in operation.responses:
        if response.status.startswith("2") and response.media and response.media[0].schema is not None:
            schema = response.media[0].schema
            break
    for step in name.split("."):
        schema = _inside(service, schema)
        schema = profile.as_object(
            profile.as_object(schema.get("properties")).get(step.replace("~1", ".").replace("~0", "~"))
        )
    return _inside(service, schema)


def _inside(service: Service, schema: JsonObject) -> JsonObject:
    """The schema behind references and lists."""
    for _ in range(20):
        if isinstance(schema.get("$ref"), str):
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**profile.as_object(service.schemas.get(schema["$ref"].rpartition("/")[2])), **beside}
        elif isinstance(schema.get("items"), dict):
            schema = schema["items"]
        else:
            break
    return schema
