"""The platform as a service of its own catalogue: its contract, named by the rules of the house, and published.

The contract is the one that the handlers make (`platform-openapi.json`, kept true by a test), completed here by
what the profile asks for: names, texts in both languages, and the scope by which an app may call an operation.
It holds what an app may call; what only people may do stands in /platform/openapi.json alone. It routes nothing:
the process itself serves these paths (contract.addresses).
"""

import json
import re
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from api.catalogue.documents import without_unused_components
from api.catalogue.models import Publication, VersionRecord
from api.catalogue.onboarding import import_contract
from api.catalogue.publishing import publish
from api.contract.addresses import PLATFORM, UPSTREAM
from api.contract.load import Loaded, load_files
from api.contract.model import JsonObject
from api.core.caller import OPERATOR
from api.core.problem_types_platform import BREAKING_CHANGE, CONTRACT_REFUSED
from api.core.problems import Refusal
from api.identity.organisations.service import create_organisation, find_organisation
from api.identity.permissions import PLATFORM_SCOPES

FILE = "platform-openapi.json"
KEY = f"{PLATFORM}@v1"
_NEW_EDITION = "a new edition of the platform"
_METHODS = ("get", "put", "post", "delete", "patch")
_TITLE = re.compile(r"^(.*[\u4e00-\u9fff][^A-Z]*?)\s+([A-Z].*)$", re.DOTALL)
_PAGES = {"style": "cursor", "cursor": "cursor", "size": "limit", "items": "items", "next": "next"}
_OPEN = "open"  # in SCOPES: nobody need be signed in

# By which scope an app may call, by the first matching start of `METHOD path`. What is not listed is for people.
_SCOPES: tuple[tuple[str, str], ...] = (
    ("GET /catalogue/", _OPEN),
    ("GET /platform/v1/services/{service_id}/subscriptions", "platform:contracts:write"),
    ("GET /platform/v1/services/{service_id}/checklist", "platform:contracts:write"),
    ("GET /platform/v1/services/{service}/{version}/slo", ""),  # the same as by id
    ("GET /platform/v1/services", _OPEN),
    ("GET /platform/v1/plans", _OPEN),
    ("GET /platform/v1/roles", _OPEN),
    ("GET /platform/v1/sandbox/personas", _OPEN),
    ("POST /platform/v1/services/{service_id}/preview", "platform:contracts:write"),
    ("POST /platform/v1/services/{service_id}/publish", "platform:contracts:write"),
    ("GET /platform/v1/services/{service_id}/recording", ""),  # people of the department give it
    ("GET /platform/v1/contracts", "platform:contracts:write"),
    ("POST /platform/v1/contracts", "platform:contracts:write"),
    ("PUT /platform/v1/contracts", "platform:contracts:write"),
    ("DELETE /platform/v1/contracts", "platform:contracts:write"),
    ("GET /platform/v1/apps/{app_id}/graphql", ""),
    ("POST /platform/v1/apps/{app_id}/graphql", ""),
    ("PUT /platform/v1/apps/{app_id}/graphql", ""),
    ("DELETE /platform/v1/apps/{app_id}/graphql", ""),
    ("GET /platform/v1/apps/{app_id}/mcp", ""),
    ("PUT /platform/v1/apps/{app_id}/mcp", ""),
    ("GET /platform/v1/apps/{app_id}/requests", "platform:requests:read"),
    ("GET /platform/v1/apps/{app_id}/usage", "platform:requests:read"),
    ("GET /platform/v1/requests/", "platform:requests:read"),
    ("GET /platform/v1/apps/{app_id}/event", "platform:events:read"),
    ("GET /platform/v1/apps/{app_id}/webhooks", "platform:events:read"),
    ("GET /platform/v1/apps/{app_id}/deliveries", "platform:events:read"),
    ("POST /platform/v1/apps/{app_id}/events/ack", "platform:events:read"),
    ("POST /platform/v1/services/{service_id}/events", "platform:events:write"),
    ("PUT /platform/v1/apps/{app_id}/platform-scopes", ""),
    ("POST /platform/v1/apps/{app_id}/go-live", ""),
    ("POST /platform/v1/apps/{app_id}/subscriptions", "platform:subscriptions:write"),
    ("DELETE /platform/v1/apps/{app_id}/subscriptions", "platform:subscriptions:write"),
    ("GET /platform/v1/apps", "platform:apps:read"),
    ("POST /platform/v1/apps", "platform:apps:write"),
    ("PUT /platform/v1/apps", "platform:apps:write"),
    ("PATCH /platform/v1/apps", "platform:apps:write"),
    ("DELETE /platform/v1/apps", "platform:apps:write"),
    ("GET /platform/v1/organisations/{organisation_id}/invitations", ""),
    ("GET /platform/v1/organisations", "platform:organisations:read"),
    ("GET /platform/v1/subscriptions", "platform:subscriptions:write"),
    ("POST /platform/v1/subscriptions/{subscription_id}", ""),
    ("POST /platform/v1/subscriptions", "platform:subscriptions:write"),
    ("DELETE /platform/v1/subscriptions", "platform:subscriptions:write"),
    ("GET /platform/v1/sandbox", "platform:sandbox:write"),
    ("POST /platform/v1/sandbox/", "platform:sandbox:write"),
    ("DELETE /platform/v1/sandbox/", "platform:sandbox:write"),
)  # fmt: skip


@cache
def document() -> JsonObject:
    """The platform's contract by the profile. Shared: callers do not alter it."""
    made: JsonObject = json.loads(resources.files("api.main").joinpath(FILE).read_text(encoding="utf-8"))
    made["info"] = {**made["info"], **_head()}
    paths = {
        path: {
            key: _operation(path, key, value) if key in _METHODS else value
            for key, value in item.items()
            if key not in _METHODS or scope_of(key.upper(), path)
        }
        for path, item in made["paths"].items()
    }
    made["paths"] = {path: item for path, item in paths.items() if not item.keys().isdisjoint(_METHODS)}
    made["security"] = []
    schemes = made["components"]["securitySchemes"]
    made["components"]["securitySchemes"] = {"oauth2": schemes["oauth2"]}
    flow = schemes["oauth2"]["flows"]["clientCredentials"]
    flow["scopes"] = {name: text.zh for name, text in PLATFORM_SCOPES.items()}
    schemes["oauth2"]["x-scopes"] = {
        name: {"texts": {"zh-CN": text.zh, "en": text.en}} for name, text in PLATFORM_SCOPES.items()
    }
    return without_unused_components(made)


def _head() -> JsonObject:
    zh = {
        "title": "开门平台接口",
        "description": "应用能对平台做的一切：应用、密钥、订阅、契约、事件、请求日志与沙箱。只有本人能做的事见 /platform/openapi.json。",
    }
    en = {
        "title": "Kaimen Platform API",
        "description": "Everything that an app may do here: apps, secrets, subscriptions, contracts, events, request log, sandbox. What only people may do stands in /platform/openapi.json.",
    }
    return {
        **zh, "x-i18n": {"zh-CN": zh, "en": en},
        "x-name": PLATFORM, "x-department": PLATFORM, "x-status": "stable",
        "x-owner": {"name": "开门平台 Kaimen", "email": "platform@kaimen.example"},
        "x-grade": "general", "x-level": "L2", "x-share": {"share": "unconditional"}, "x-open": "closed",
        "x-audience": "third-party", "x-basis": "contract", "x-quota": "light",
    }  # fmt: skip


def _operation(path: str, method: str, operation: JsonObject) -> JsonObject:
    scope = scope_of(method.upper(), path)
    zh, en = titles_of(str(operation.get("summary", "")))
    verb, resource = names_of(path, str(operation["operationId"]))
    about = str(operation.get("description", ""))
    names = {one.get("name") for one in operation.get("parameters", [])}
    return {
        **operation,
        **({"x-pagination": _PAGES} if {"cursor", "limit"} <= names else {}),
        "summary": zh,
        "x-i18n": {"zh-CN": {"title": zh}, "en": {"title": en, **({"description": about} if about else {})}},
        "x-resource": resource,
        "x-verb": verb,
        "x-level": "L1" if scope == _OPEN else "L2",
        "security": [] if scope == _OPEN else [{"oauth2": [scope]}],
    }


def scope_of(method: str, path: str) -> str:
    """The scope by which an app may call it; "open" for everybody, "" where only people may."""
    text = f"{method} {path}"
    return next((scope for start, scope in _SCOPES if text.startswith(start)), "")


def titles_of(summary: str) -> tuple[str, str]:
    """`应用列表 List apps` → both; a summary of one language stands for both."""
    match = _TITLE.match(summary)
    return (match[1].strip(), match[2].strip()) if match else (summary, summary)


def names_of(path: str, operation_id: str) -> tuple[str, str]:
    """Verb and resource: the first word of the operationId, and the fixed segments of the path in the singular.

    `/platform/v1/apps/{app_id}/secrets/{secret_id}/rotate` → rotate, app-secret-rotate.
    """
    words = re.sub(r"(?<!^)([A-Z])", r"-\1", operation_id).lower().split("-")
    fixed = [one for one in path.split("/") if one and not one.startswith("{")]
    if fixed[:1] == ["platform"]:
        fixed = fixed[2:]
    resource = "-".join(_singular(one.replace(".", "-")) for one in fixed)
    return words[0], resource


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us")) else word


def loaded() -> Loaded:
    """The contract as an import takes it."""
    return load_files({FILE: msgspec.json.encode(document())}, FILE)


async def ensure_published() -> bool:
    """Offer the platform's contract in the sandbox's catalogue; whether anything had to be done. The stores are open."""
    made = loaded()
    if await _is_published(made):
        return False
    organisation = await find_organisation(PLATFORM)
    if organisation is None:
        organisation = await create_organisation(
            OPERATOR, "department", PLATFORM, "开门平台", "Kaimen Platform"
        )
    imported = await import_contract(OPERATOR, organisation_id=organisation.id, loaded=made, name=PLATFORM)
    if imported.version_id != KEY:
        raise Refusal(CONTRACT_REFUSED, count=len(imported.findings), service=KEY)
    try:
        await publish(OPERATOR, KEY, "sandbox", UPSTREAM)
    except Refusal as refusal:
        if refusal.kind is not BREAKING_CHANGE:
            raise
        await publish(OPERATOR, KEY, "sandbox", UPSTREAM, force_reason=_NEW_EDITION)
    return True


async def _is_published(made: Loaded) -> bool:
    version = await VersionRecord.get_or_none(id=KEY)
    present = await Publication.get_or_none(id=f"{KEY}/sandbox").only("id", "state")
    if version is None or present is None or present.state != "published":
        return False
    kept: dict[str, Any] = msgspec.json.decode(version.original)
    return dict(kept["files"]) == dict(made.files)
