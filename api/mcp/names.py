"""Names of the MCP face: a tool for each operation by its triple, an argument for each parameter.

One rule, used by the tools that are offered and by whoever compares faces: `company_profile_get`; a version other
than v1 says so at the end. Arguments keep the contract's names as long as agents' APIs take them.
"""

import hashlib
import re

from api.contract.model import Operation, Parameter, Service

MAX_TOOL = 64
BODY = "body"
CONFIRM, SCENARIO, PURPOSE = "kaimen_confirm", "kaimen_scenario", "kaimen_purpose"
_RESERVED = frozenset({BODY, CONFIRM, SCENARIO, PURPOSE})
_ARGUMENT = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_ODD = re.compile(r"[^A-Za-z0-9_.-]+")


def tool_name(service: Service, operation: Operation) -> str:
    """The tool of an operation: letters, digits and underscores, at most 64."""
    parts = [service.name, operation.resource, operation.verb]
    if service.version != "v1":
        parts.append(service.version)
    name = re.sub(r"[^A-Za-z0-9]+", "_", "_".join(part for part in parts if part)).strip("_").lower()
    return name if len(name) <= MAX_TOOL else f"{name[: MAX_TOOL - 9]}_{_digest(name)}"


def argument_names(operation: Operation) -> dict[str, Parameter]:
    """The operation's parameters by argument name, in the contract's order."""
    named: dict[str, Parameter] = {}
    for parameter in operation.parameters:
        name = parameter.name
        if not _ARGUMENT.fullmatch(name):
            name = (_ODD.sub("_", name).strip("_") or "value")[:50]
        if name in named or name in _RESERVED:
            name = f"{parameter.location}_{name}"[:64]
        if name in named:
            name = f"{name[:55]}_{_digest(parameter.location + parameter.name)}"
        named[name] = parameter
    return named


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
