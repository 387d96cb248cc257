"""The overlay that the importer proposes for a foreign document (design §3): level L2, grade general, quota
standard, no purpose, scopes `service:resource:read|write` with the document's own scopes as their aliases.
"""

from typing import Any

from api.contract.model import Json, JsonObject
from api.contract.naming import service_slug
from api.contract.operation_names import resource_of, verb_of
from api.contract.profile import SCHEME
from api.contract.shapes import METHODS

TOKEN_URL = "/oauth/token"  # noqa: S105 - an address, no secret
_READING = frozenset(
    {"get", "list", "search", "check", "describe", "download", "preview", "validate", "verify"}
)
_USER_SCHEMES = {"oauth2", "openIdConnect"}


def is_foreign(document: JsonObject) -> bool:
    """Whether the document does not speak our profile: it has no `x-name`."""
    info = document.get("info")
    return not (isinstance(info, dict) and isinstance(info.get("x-name"), str))


def propose(document: JsonObject, name: str = "") -> JsonObject:
    """The overlay for a loaded document; one of our own gets an overlay without actions.

    `name` is the service's, "" makes it from the title; it stands in every scope.
    """
    info = document.get("info")
    title = info.get("title") if isinstance(info, dict) else None
    title = title if isinstance(title, str) else "contract"
    actions = _actions(document, name or service_slug(title)) if is_foreign(document) else []
    return {"overlay": "1.0.0", "info": {"title": f"Kaimen: {title}", "version": "1.0.0"}, "actions": actions}


def _actions(document: JsonObject, service: str) -> list[JsonObject]:
    schemes = _object(_object(document.get("components")).get("securitySchemes"))
    scheme = SCHEME if SCHEME not in schemes else f"{SCHEME}-platform"
    actions: list[JsonObject] = [
        {
            "target": "$.info",
            "description": "proposed: L2 is never open; an owner may edit this file",
            "update": {
                "x-name": service,
                "x-status": "beta",
                "x-grade": "general",
                "x-level": "L2",
                "x-open": "closed",
                "x-quota": "standard",
            },
        }
    ]
    scopes: dict[str, list[str]] = {}
    operations: list[JsonObject] = []
    for path, item in _object(document.get("paths")).items():
        for method in METHODS:
            operation = _object(item).get(method)
            if isinstance(operation, dict):
                target = f"$.paths{_quoted(path)}.{method}"
                operations += _operation_actions(
                    operation, (method, path, service), target, (document, schemes, scheme), scopes
                )
    actions.append({"target": "$", "update": {"components": {"securitySchemes": {scheme: _scheme(scopes)}}}})
    return [*actions, *operations]


def _operation_actions(
    operation: JsonObject,
    place: tuple[str, str, str],
    target: str,
    context: tuple[JsonObject, JsonObject, str],
    scopes: dict[str, list[str]],
) -> list[JsonObject]:
    method, path, service = place
    document, schemes, scheme = context
    resource = resource_of(operation, path, service)
    is_read = (
        method in {"get", "head", "options"} or verb_of(operation, method, path).split("-")[0] in _READING
    )
    scope = f"{service}:{resource}:{'read' if is_read else 'write'}"
    upstream = operation.get("security", document.get("security"))
    aliases = scopes.setdefault(scope, [])
    aliases.extend(one for one in _foreign_scopes(upstream, schemes) if one not in aliases)
    update: JsonObject = {"x-resource": resource, "security": [{scheme: [scope]}]}
    if upstream:
        update["x-upstream-security"] = upstream
    removal = [{"target": f"{target}.security", "remove": True}] if "security" in operation else []
    return [*removal, {"target": target, "update": update}]


def _foreign_scopes(security: Json, schemes: JsonObject) -> list[str]:
    found = []
    for requirement in security if isinstance(security, list) else ():
        for name, scopes in _object(requirement).items():
            if _object(schemes.get(name)).get("type") in _USER_SCHEMES and isinstance(scopes, list):
                found += [scope for scope in scopes if isinstance(scope, str)]
    return found


def _scheme(scopes: dict[str, list[str]]) -> JsonObject:
    texts = {scope: _texts(scope) for scope in sorted(scopes)}
    return {
        "type": "oauth2",
        "flows": {
            "clientCredentials": {
                "tokenUrl": TOKEN_URL,
                "scopes": {scope: text["en"] for scope, text in texts.items()},
            }
        },
        "x-scopes": {
            scope: {"texts": text, **({"aliases": scopes[scope]} if scopes[scope] else {})}
            for scope, text in texts.items()
        },
    }


def _texts(scope: str) -> dict[str, str]:
    service, resource, verb = scope.split(":")
    of = resource if resource == service else f"{service} {resource}"
    if verb == "read":
        return {"zh-CN": f"读取 {of}", "en": f"Read {of}"}
    return {"zh-CN": f"写入 {of}", "en": f"Write {of}"}


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{escaped}']"


def _object(value: Any) -> JsonObject:
    return value if isinstance(value, dict) else {}
