"""The HTTP side of a mapping, for both sides: method, path template, where the parts of a native request lie, tickets."""

import re
from typing import Any
from urllib.parse import unquote

from msgspec import Struct, field

from api.contract.mapping import MappedOperation, MappingFile
from api.contract.mapping_shapes import MappingError
from api.contract.model import JsonObject

_PLACE = re.compile(r"\{(\w+)\}")


class HttpBinding(Struct, frozen=True):
    """How one operation is spoken over HTTP."""

    method: str
    path: str  # a template: {name} is a native path part
    is_xml: bool
    is_form: bool
    root: str  # element around an XML request
    answer_root: str

    def target(self, parts: dict[str, str]) -> str:
        """The path with its parts filled in, which are quoted already. A part that is missing is empty."""
        return _PLACE.sub(lambda found: parts.get(found[1], ""), self.path)

    @property
    def expression(self) -> re.Pattern[str]:
        """Matches the paths of this template, its parts as groups."""
        pieces = _PLACE.split(self.path)
        return re.compile(
            "".join(
                f"(?P<{one}>[^/]*)" if number % 2 else re.escape(one) for number, one in enumerate(pieces)
            )
        )


class Ticket(Struct, frozen=True):
    """How an asynchronous department is asked for its result."""

    at: tuple[str, ...]
    method: str
    path: str
    pending: frozenset[str]
    every_seconds: float
    callback: tuple[str, ...] = ()  # where the address for its callback is told, in the body

    def target(self, number: str) -> str:
        return self.path.replace("{ticket}", number)


class Parts(Struct):
    """A native request taken apart by the prefixes `path:`, `query:` and `header:`; the rest is the body."""

    path: JsonObject = field(default_factory=dict)
    query: JsonObject = field(default_factory=dict)
    headers: JsonObject = field(default_factory=dict)
    body: JsonObject = field(default_factory=dict)


def binding_of(file: MappingFile, mapped: MappedOperation) -> HttpBinding:
    """The binding of an operation. A path left out is the contract's own."""
    root, own = file.settings["http"], mapped.settings
    form = str(own.get("format") or root.get("format") or "json")
    prefix = str(root.get("path", "")).rstrip("/")
    return HttpBinding(
        method=str(own.get("method", "POST")),
        path=prefix + str(own.get("path") or mapped.operation.path),
        is_xml=form == "xml",
        is_form=form == "form",
        root=str(own.get("root") or root.get("root") or "request"),
        answer_root=str(own.get("answer_root") or root.get("answer_root") or "response"),
    )


def parts_of(tree: JsonObject) -> Parts:
    """The parts of a native request."""
    parts = Parts()
    for name, value in tree.items():
        prefix, colon, rest = name.partition(":")
        if colon and prefix in {"path", "query", "header"}:
            place = {"path": parts.path, "query": parts.query, "header": parts.headers}[prefix]
            place[rest] = value
        else:
            parts.body[name] = value
    return parts


def whole_of(parts: Parts) -> JsonObject:
    """The native tree of a request from its parts: what `parts_of` took apart."""
    tree: dict[str, Any] = {f"path:{name}": unquote(str(value)) for name, value in parts.path.items()}
    tree |= {f"query:{name}": value for name, value in parts.query.items()}
    tree |= {f"header:{name}": value for name, value in parts.headers.items()}
    return {**tree, **parts.body}


def ticket_of(file: MappingFile, mapped: MappedOperation) -> Ticket | None:
    """How this operation's result is fetched; None where it answers at once. Raises MappingError."""
    said = file.settings["async"]
    if (
        not said
        or (said.get("only") and mapped.operation.id not in said["only"])
        or mapped.protocol != "http"
    ):
        return None
    method, _, path = str(said.get("poll", "")).rpartition(" ")
    if "{ticket}" not in path or not said.get("ticket"):
        raise MappingError("/async", "ticket: where it lies in the answer 202, poll: GET /path/{ticket}")
    pending = said.get("pending", [])
    return Ticket(
        at=tuple(step for step in str(said["ticket"]).split("/") if step),
        method=(method or "GET").upper(),
        path=str(file.settings["http"].get("path", "")).rstrip("/") + path,
        pending=frozenset(str(one) for one in (pending if isinstance(pending, list) else [pending])),
        every_seconds=max(0.02, float(said.get("every_ms", 200)) / 1000),
        callback=tuple(step for step in str(said.get("callback", "")).split("/") if step),
    )
