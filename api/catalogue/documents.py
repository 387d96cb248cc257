"""Contracts as published: what `/catalogue/{service}/{version}/openapi.json` answers.

The published document with this platform's addresses and its one security scheme in place of the department's
own, cut to what the reader may know of: operations with `x-audience: department` are shown to members of
departments only, and the schemas that only they used go with them.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Iterator

import msgspec
import yaml
from msgspec import Struct

from api.catalogue import outside
from api.catalogue.browsing import Listed
from api.catalogue.inputs import check_version_id
from api.catalogue.models import Publication
from api.catalogue.offers import Offer
from api.catalogue.rights import decode_offer
from api.contract.addresses import PLATFORM, public_prefix
from api.contract.model import Json, JsonObject
from api.core.problem_types_platform import NOT_FOUND
from api.core.problems import Refusal, Text

SCHEME = "kaimen"
METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
_CACHED = 32
_cache: OrderedDict[tuple[str, str, bool, str], "Rendered"] = OrderedDict()


class Rendered(Struct, frozen=True):
    """The bytes of a document, and their strong entity tag (RFC 9110 §8.8.3)."""

    body: bytes
    media_type: str
    etag: str
    is_public: bool


async def render(version_id: str, environment: str, format_: str, *, for_department: bool) -> Rendered:
    """The published contract as `json` or `yaml`. `environment` "" takes live where it is published, else sandbox.

    Errors: not-found, also where only departments may see it.
    """
    row = await _publication(version_id, environment)
    offer = decode_offer(row.offer)
    is_cut = any(one.audience == "department" for one in offer.operations)
    if is_cut and not for_department and all(one.audience == "department" for one in offer.operations):
        raise _missing(version_id)
    key = (row.id, row.digest, is_cut and for_department, format_)
    known = _cache.get(key)
    if known is None:
        text = (await Publication.get(id=row.id).only("id", "document")).document
        known = await asyncio.to_thread(
            _render, text, row, offer, format_, hides=is_cut and not for_department, is_public=not (is_cut and for_department)
        )  # fmt: skip
        _cache[key] = known
        while len(_cache) > _CACHED:
            _cache.popitem(last=False)
    _cache.move_to_end(key)
    return known


async def _publication(version_id: str, environment: str) -> Publication:
    check_version_id(version_id)
    query = Publication.filter(version_id=version_id, state="published")
    if environment:
        query = query.filter(environment=environment)
    row = await query.order_by("environment").only(
        "id", "version_id", "service", "version", "environment", "digest", "offer"
    ).first()  # fmt: skip
    if row is None:
        raise _missing(version_id)
    return row


def _missing(version_id: str) -> Refusal:
    return Refusal(NOT_FOUND, what=Text(f"已发布的服务 {version_id}", f"published service {version_id}"))


def _render(
    text: str, row: Publication, offer: Offer, format_: str, *, hides: bool, is_public: bool
) -> Rendered:
    document = msgspec.json.decode(text)
    if hides:
        document = without_department_operations(document, offer)
    document = _with_samples(_addressed(document, row, offer), msgspec.json.decode(text), row)
    if format_ == "yaml":
        body = yaml.dump(
            document, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), allow_unicode=True, sort_keys=False, width=110
        ).encode()  # fmt: skip
        media_type = "application/yaml"  # RFC 9512
    else:
        body = msgspec.json.format(msgspec.json.encode(document), indent=2)
        media_type = "application/json"
    return Rendered(body, media_type, tag_of(body), is_public)


def _with_samples(document: JsonObject, stored: JsonObject, row: Publication) -> JsonObject:
    """The document with `x-codeSamples`; those of the department stay ahead of ours.

    Source: the registry of OpenAPI extensions, x-codeSamples.
    """
    if row.service == PLATFORM:
        return document
    asked = outside.ask()
    base = asked.settings.issuer_of(row.environment) + public_prefix(row.service, row.version)
    found = asked.code_samples(stored, base)
    if not found:
        return document
    paths = {
        path: {
            method: {**one, "x-codeSamples": [*one.get("x-codeSamples", []), *found[one["operationId"]]]}
            if method in METHODS and isinstance(one, dict) and one.get("operationId") in found
            else one
            for method, one in item.items()
        }
        if isinstance(item, dict)
        else item
        for path, item in document.get("paths", {}).items()
    }
    return {**document, "paths": paths}


def _addressed(document: JsonObject, row: Publication, offer: Offer) -> JsonObject:
    """The document with this platform's server and security scheme; what it said itself is left out."""
    settings = outside.ask().settings
    issuer = settings.issuer_of(row.environment)
    described = "沙箱 Sandbox" if row.environment == "sandbox" else "正式 Live"
    if row.service == PLATFORM:  # its own ways in: session, personal token and access token
        return {**document, "servers": [{"url": issuer, "description": described}]}
    scopes = {scope for one in offer.operations for scope in one.scopes}
    named = _scope_texts(document)
    scheme = {
        "type": "oauth2",
        "description": "OAuth 2.0 client credentials; RFC 6749 §4.4.",
        "flows": {
            "clientCredentials": {
                "tokenUrl": f"{issuer}/oauth/token",
                "scopes": {scope: named.get(scope, "") for scope in sorted(scopes)},
            }
        },
    }
    by_id = {one.id: one.scopes for one in offer.operations}
    paths = {}
    for path, item in document.get("paths", {}).items():
        changed = {key: value for key, value in item.items() if key != "servers"}
        for method in METHODS & changed.keys():
            operation = {key: value for key, value in changed[method].items() if key != "servers"}
            operation["security"] = [{SCHEME: list(by_id.get(operation.get("operationId", ""), ()))}]
            changed[method] = operation
        paths[path] = changed
    components = {**document.get("components", {}), "securitySchemes": {SCHEME: scheme}}
    server = {"url": issuer + public_prefix(row.service, row.version), "description": described}
    return {
        **document,
        "servers": [server],
        "security": [{SCHEME: []}],
        "paths": paths,
        "components": components,
    }


def _scope_texts(document: JsonObject) -> dict[str, str]:
    """Descriptions of scopes from the security schemes of the document itself."""
    found: dict[str, str] = {}
    for scheme in document.get("components", {}).get("securitySchemes", {}).values():
        for flow in scheme.get("flows", {}).values() if isinstance(scheme, dict) else ():
            if isinstance(flow, dict):
                found |= {str(name): str(text) for name, text in flow.get("scopes", {}).items()}
    return found


def without_department_operations(document: JsonObject, offer: Offer) -> JsonObject:
    """The document without operations for departments, and without the components that only those used."""
    hidden = {one.id for one in offer.operations if one.audience == "department"}
    paths: JsonObject = {}
    for path, item in document.get("paths", {}).items():
        kept = {
            key: value for key, value in item.items()
            if key not in METHODS or value.get("operationId") not in hidden
        }  # fmt: skip
        if METHODS & kept.keys():
            paths[path] = kept
    tags = {
        tag
        for item in paths.values()
        for method in METHODS & item.keys()
        for tag in item[method].get("tags", [])
    }
    cut = {**document, "paths": paths}
    if "tags" in cut:
        cut["tags"] = [tag for tag in cut["tags"] if tag.get("name") in tags]
    return without_unused_components(cut)


def without_unused_components(document: JsonObject) -> JsonObject:
    components: dict[str, JsonObject] = document.get("components", {})
    rest = {key: value for key, value in document.items() if key != "components"}
    reached: set[tuple[str, str]] = set()
    waiting = list(_references(rest))
    while waiting:
        place = waiting.pop()
        if place in reached or place[1] not in components.get(place[0], {}):
            continue
        reached.add(place)
        waiting += _references(components[place[0]][place[1]])
    kept = {
        section: {name: value for name, value in entries.items() if section == "securitySchemes" or (section, name) in reached}
        for section, entries in components.items()
    }  # fmt: skip
    return {**rest, "components": {section: entries for section, entries in kept.items() if entries}}


def _references(value: Json) -> Iterator[tuple[str, str]]:
    """Every (section, name) of `#/components/…` that a value refers to, discriminator mappings included."""
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            stack.extend(one.values())
        elif isinstance(one, list):
            stack.extend(one)
        elif isinstance(one, str) and one.startswith("#/components/"):
            section, _, name = one.removeprefix("#/components/").partition("/")
            yield section, name.partition("/")[0].replace("~1", "/").replace("~0", "~")


def index(listed: list[Listed]) -> Rendered:
    """`/catalogue/openapi.json`: a valid OpenAPI document without paths, whose `x-services` link to the others."""
    base = outside.ask().settings.issuer_of("sandbox")
    services = [
        {
            "id": one.id,
            "title": one.card.titles,
            "level": one.card.level,
            "status": one.card.status,
            "environments": list(one.environments),
            "openapi_json": f"{base}/catalogue/{one.card.name}/{one.card.version}/openapi.json",
            "openapi_yaml": f"{base}/catalogue/{one.card.name}/{one.card.version}/openapi.yaml",
        }
        for one in listed
    ]
    body = msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Kaimen 服务目录 Catalogue",
                "version": "1",
                "description": "这是目录:没有 paths,x-services 列出每个已发布服务版本的契约地址。"
                " This is an index: it has no paths; x-services links to the contract of every published version.",
            },
            "paths": {},
            "x-services": services,
        }
    )
    is_public = not any(one.card.audience == "department" for one in listed)
    return Rendered(body, "application/json", tag_of(body), is_public)


def tag_of(body: bytes) -> str:
    """A strong entity tag of the bytes (RFC 9110 §8.8.3)."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'
