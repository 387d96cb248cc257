"""Names of the GraphQL face: from the operation's triple, and from whatever a contract calls its members.

A member's name stays as the contract writes it where GraphQL allows it, so that whoever knows the one face knows
the other. Names are unique where they stand; the second of one name gets a number.
"""

import hashlib
import re
from collections.abc import Iterable

from api.contract.model import Operation, Service
from api.contract.naming import pascal

OWN_FIELDS = ("kaimen",)  # of Query, the platform's own (root): no namespace of a service has this name
OWN_TYPES = (
    "Query", "Mutation", "Subscription", "Kaimen", "KaimenApp", "KaimenService", "KaimenQuota", "KaimenLimits", "KaimenEvent",
)  # fmt: skip
_LEGAL = re.compile(r"(?!__)[_A-Za-z][_0-9A-Za-z]*")
_ILLEGAL = re.compile(r"[^_0-9A-Za-z]+")
_NO_ENUM_VALUES = frozenset({"true", "false", "null"})


class Names:
    """Names that are unique where they stand."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def take(self, name: str) -> str:
        """The name, numbered from 2 where it is taken."""
        made, number = name, 1
        while made in self._taken:
            number += 1
            made = f"{name}_{number}"
        self._taken.add(made)
        return made


def legal_name(text: str, otherwise: str) -> str:
    """The text where GraphQL takes it as a name; else the nearest one, or `otherwise` and six digits of its hash."""
    if _LEGAL.fullmatch(text):
        return text
    made = _ILLEGAL.sub("_", text).strip("_")
    if not made:
        return f"{otherwise}_{hashlib.sha256(text.encode()).hexdigest()[:6]}"
    return f"_{made}" if made[0].isdigit() else made


def enum_name(value: str | int) -> str:
    """The name of an enumeration's value."""
    if isinstance(value, int):
        return f"N{value}" if value >= 0 else f"MINUS_{-value}"
    made = legal_name(value, "VALUE")
    return made + "_" if made in _NO_ENUM_VALUES else made


def camel(*parts: str) -> str:
    """`annual-report`, `list` -> `annualReportList`."""
    made = "".join(pascal(part) for part in parts)
    return made[:1].lower() + made[1:] if made else "operation"


def namespace_of(service: Service) -> str:
    """The field that leads to a service: `company`, of later versions `company_v2`, whatever else is published."""
    name = legal_name(camel(service.name), "service")
    return name if service.version == "v1" else legal_name(f"{name}_{service.version}", "service")


def type_prefix(service: Service) -> str:
    """What the names of a service's types begin with: `Company`, `CompanyV2`."""
    name = pascal(service.name) or "Service"
    made = name if service.version == "v1" else name + pascal(service.version)
    return f"S{made}" if made[0].isdigit() else made


def field_of(operation: Operation) -> str:
    """The field of an operation in its namespace: the resource alone for `get`, else verb and resource."""
    verb, resource = operation.verb, operation.resource
    parts = [resource] if verb == "get" and resource else [verb, resource]
    return legal_name(camel(*parts), "operation")
