"""JSON pointers (RFC 6901): joining, splitting, resolving. Nothing else."""

from typing import Any

MISSING: Any = object()


def escape(token: str) -> str:
    """One reference token with `~` and `/` escaped."""
    return token.replace("~", "~0").replace("/", "~1")


def join(pointer: str, *tokens: str | int) -> str:
    """The pointer extended by tokens, each escaped."""
    return pointer + "".join("/" + escape(str(token)) for token in tokens)


def split(pointer: str) -> list[str]:
    """The unescaped tokens of a pointer; "" has none."""
    if not pointer:
        return []
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.removeprefix("/").split("/")]


def resolve(document: Any, pointer: str) -> Any:
    """What stands at the pointer, or MISSING."""
    value = document
    for token in split(pointer):
        if isinstance(value, dict):
            value = value.get(token, MISSING)
        elif isinstance(value, list) and token.isdecimal() and int(token) < len(value):
            value = value[int(token)]
        else:
            return MISSING
        if value is MISSING:
            return MISSING
    return value
