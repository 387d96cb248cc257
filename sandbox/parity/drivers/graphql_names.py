"""The stored name map of GraphQL, as docs/how-to/use-graphql says it: contract -> GraphQL, and from the SDL back.

Written from the page and not from the face, whose code no driver uses: the two agree, or the certificate says so.
"""

import hashlib
import re
from collections.abc import Iterable

from api.contract.model import Operation, Parameter, Service
from api.contract.naming import pascal

_LEGAL = re.compile(r"(?!__)[_A-Za-z][_0-9A-Za-z]*")
_ILLEGAL = re.compile(r"[^_0-9A-Za-z]+")
_WIRE = re.compile(r"in the contract: `([^`]+)`")
_VALUE = re.compile(r"`([^`]+)`")
_NEVER = frozenset({
    "accept", "authorization", "content-length", "content-type", "cookie", "dpop", "host", "traceparent",
})  # fmt: skip


def legal(text: str, otherwise: str) -> str:
    """The text as a name of GraphQL."""
    if _LEGAL.fullmatch(text):
        return text
    made = _ILLEGAL.sub("_", text).strip("_")
    if not made:
        return f"{otherwise}_{hashlib.sha256(text.encode()).hexdigest()[:6]}"
    return f"_{made}" if made[0].isdigit() else made


def namespace_of(service: Service) -> str:
    """The field of a service."""
    name = legal(_camel(service.name), "service")
    return name if service.version == "v1" else legal(f"{name}_{service.version}", "service")


def fields_of(service: Service) -> dict[str, str]:
    """Operation id -> its field in the namespace; queries and mutations are numbered apart."""
    made: dict[str, str] = {}
    for is_safe in (True, False):
        taken: set[str] = set()
        for operation in service.operations:
            if operation.is_safe == is_safe and not operation.stream:
                made[operation.id] = _unique(_field_of(operation), taken)
    return made


def arguments_of(operation: Operation) -> dict[str, Parameter | None]:
    """Argument -> parameter, None for the body."""
    taken: set[str] = set()
    made: dict[str, Parameter | None] = {}
    for one in operation.parameters:
        if one.location == "header" and one.name.lower() in _NEVER:
            continue
        is_header = one.location == "header"
        name = legal(_camel(one.name), "header") if is_header else legal(one.name, "parameter")
        made[_unique(name, taken)] = one
    made[_unique("input", taken)] = None
    return made


def wire_of(name: str, description: str | None) -> str:
    """What the contract calls a member: its description says where it is another name."""
    found = _WIRE.search(description or "")
    return found[1] if found else name


def value_text_of(name: str, description: str | None) -> str:
    """What the contract calls a value of an enumeration."""
    found = _VALUE.fullmatch(description or "")
    return found[1] if found else name


def _field_of(operation: Operation) -> str:
    verb, resource = operation.verb, operation.resource
    parts: Iterable[str] = [resource] if verb == "get" and resource else [verb, resource]
    return legal(_camel(*parts), "operation")


def _unique(name: str, taken: set[str]) -> str:
    made, number = name, 1
    while made in taken:
        number += 1
        made = f"{name}_{number}"
    taken.add(made)
    return made


def _camel(*parts: str) -> str:
    made = "".join(pascal(part) for part in parts)
    return made[:1].lower() + made[1:] if made else "operation"
