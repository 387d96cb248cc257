"""The triple (service, resource, verb) of an operation: the one source of all its names (design §3).

resource = `x-resource`, else the first tag, else the first fixed path segment; verb = what the operationId says,
else what method and path say. Both are hyphenated lower-case words.
"""

import re
from collections.abc import Iterator

from api.contract.model import JsonObject
from api.contract.naming import pascal, singular, singular_slug, slug, words

_PLAIN_VERBS = ("get", "list", "search", "create", "update", "delete")
_SYNONYMS = {
    "retrieve": "get", "read": "get", "fetch": "get", "show": "get", "view": "get", "load": "get",
    "find": "search", "query": "search", "lookup": "search", "filter": "search",
    "add": "create", "insert": "create", "new": "create", "register": "create", "post": "create",
    "modify": "update", "edit": "update", "change": "update", "replace": "update", "put": "update", "patch": "update",
    "remove": "delete", "destroy": "delete", "index": "list", "all": "list",
}  # fmt: skip
_OTHER_VERBS = frozenset(
    [
        "accept",
        "activate",
        "allocate",
        "amend",
        "apply",
        "approve",
        "archive",
        "assign",
        "authorise",
        "authorize",
        "calculate",
        "cancel",
        "check",
        "claim",
        "close",
        "complete",
        "confirm",
        "convert",
        "copy",
        "count",
        "deactivate",
        "deny",
        "disable",
        "download",
        "enable",
        "estimate",
        "evaluate",
        "execute",
        "export",
        "generate",
        "grant",
        "import",
        "initiate",
        "invalidate",
        "issue",
        "link",
        "lock",
        "merge",
        "move",
        "notify",
        "open",
        "order",
        "pay",
        "pickup",
        "predict",
        "preview",
        "print",
        "process",
        "publish",
        "quote",
        "recall",
        "refund",
        "refuse",
        "reject",
        "release",
        "renew",
        "request",
        "reset",
        "restore",
        "resume",
        "retire",
        "revoke",
        "rotate",
        "run",
        "save",
        "schedule",
        "select",
        "send",
        "set",
        "share",
        "sign",
        "start",
        "stop",
        "submit",
        "suspend",
        "sync",
        "test",
        "track",
        "transfer",
        "trigger",
        "unassign",
        "unlink",
        "unlock",
        "upload",
        "upsert",
        "validate",
        "verify",
        "void",
        "withdraw",
    ]
)
_VERSION_SEGMENT = re.compile(r"(v[0-9][0-9._]*|api|rest|public|services?)\Z", re.IGNORECASE)
_BY_METHOD = {
    "post": "create",
    "put": "update",
    "patch": "update",
    "delete": "delete",
    "head": "check",
    "options": "describe",
}
_LEGAL = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
_SUCCESS = ("200", "201", "2XX", "default")
MAX_VERB = 60


def resource_of(operation: JsonObject, path: str, service: str) -> str:
    """The resource's name; the service's own name where nothing better is to be had."""
    stated = _stated(operation.get("x-resource"))
    if stated:
        return stated
    for tag in operation.get("tags", ()):
        if isinstance(tag, str) and singular_slug(tag):
            return _without_service(singular_slug(tag), service)
    for segment in path.split("/"):
        if segment and "{" not in segment and not _VERSION_SEGMENT.match(segment) and singular_slug(segment):
            return _without_service(singular_slug(segment), service)
    return service


def _stated(name: object) -> str:
    """A name that the contract states: as it is where it is legal, else its words."""
    if not isinstance(name, str):
        return ""
    return name if _LEGAL.match(name) else slug(name, most=MAX_VERB)


def _without_service(resource: str, service: str) -> str:
    """`company-profile` in the service `company` is its `profile`."""
    shorter = resource.removeprefix(service + "-")
    return shorter or resource


def verb_of(operation: JsonObject, method: str, path: str) -> str:
    """The verb that the operation has of its own; uniqueness is the caller's part."""
    stated = _stated(operation.get("x-verb"))
    if stated:
        return stated
    written = operation.get("operationId")
    head = words(written)[0] if isinstance(written, str) and words(written) else ""
    verb = head if head in _PLAIN_VERBS or head in _OTHER_VERBS else _SYNONYMS.get(head, "")
    if verb == "get" and method == "get" and not _has_own_id(path) and _answers_many(operation):
        return "list"
    if verb and not (verb == "create" and head == "post" and method != "post"):
        return verb
    return _verb_by_method(operation, method, path)


def _verb_by_method(operation: JsonObject, method: str, path: str) -> str:
    last = words(path.rstrip("/").rsplit("/", 1)[-1])
    if last and last[0] in {"search", "query", "find", "lookup"}:
        return "search"
    if method == "get":
        return "list" if not _has_own_id(path) and _answers_many(operation) else "get"
    if method == "post" and last and not _has_own_id(path):
        said = last[0] if last[0] in _PLAIN_VERBS or last[0] in _OTHER_VERBS else _SYNONYMS.get(last[0], "")
        if said and len(last) == 1:
            return said
    return _BY_METHOD.get(method, method)


def _has_own_id(path: str) -> bool:
    return path.rstrip("/").endswith("}")


def _answers_many(operation: JsonObject) -> bool:
    """Whether the answer is a list, as far as one can see without following references."""
    if operation.get("x-pagination") or operation.get("x-max-rows"):
        return True
    responses = operation.get("responses", {})
    for status in _SUCCESS:
        response = responses.get(status)
        for media in (response.get("content") or {}).values() if isinstance(response, dict) else ():
            schema = media.get("schema") if isinstance(media, dict) else None
            if isinstance(schema, dict) and (schema.get("type") == "array" or _holds_list(schema)):
                return True
    return False


def _holds_list(schema: JsonObject) -> bool:
    """An envelope such as {items: [...], next} or a component called `CompanyList`."""
    ref = schema.get("$ref")
    if isinstance(ref, str):
        last = words(ref.rsplit("/", 1)[-1])
        return bool(last) and (last[-1] in {"list", "page", "collection"} or (last[-1] != singular(last[-1])))
    properties = schema.get("properties")
    return isinstance(properties, dict) and any(
        name in properties for name in ("items", "results", "content", "data")
    )


def longer_verbs(verb: str, resource: str, service: str, operation: JsonObject, path: str) -> Iterator[str]:
    """Verbs that tell more, for an operation whose plain verb is taken: by its path, by its id, then numbered."""
    known = {
        verb,
        *resource.split("-"),
        *service.split("-"),
        *(singular(word) for word in resource.split("-")),
    }
    segments = [one for one in path.split("/") if one and not _VERSION_SEGMENT.match(one)]
    telling = [words(one) for one in segments if "{" not in one and not _are_known(words(one), known)]
    for count in range(1, len(telling) + 1):
        yield _longer(verb, [word for segment in telling[-count:] for word in segment])
    written = operation.get("operationId")
    if isinstance(written, str):
        yield _longer(verb, [word for word in words(written)[1:] if not _are_known([word], known)])
    if _has_own_id(path):
        ending = ["by", *words(segments[-1])]
        yield _longer(verb, [*(telling[-1] if telling else []), *ending])
    number = 2
    while True:
        yield f"{verb}-{number}"
        number += 1


def _longer(verb: str, more: list[str]) -> str:
    return slug(" ".join([verb, *(word for word in more if word != verb)]), most=MAX_VERB)


def _are_known(every: list[str], known: set[str]) -> bool:
    return all(word in known or singular(word) in known for word in every)


def operation_id(service: str, resource: str, verb: str) -> str:
    """`getCompanyProfile`: verb, service, resource (left out where it equals the service), the verb's rest."""
    head, _, rest = verb.partition("-")
    middle = pascal(service) + ("" if resource == service else pascal(resource))
    return head + middle + pascal(rest)
