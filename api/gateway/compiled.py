"""What the steps need of an operation, worked out once: names, rights, prices, validators, ready-made headers.

Made when an operation is first called, its validators when it is first validated: a process with thousands of
operations starts fast. Nothing here changes afterwards.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from email.utils import format_datetime
from typing import Any

from jsonschema_rs import Draft202012Validator

from api.catalogue.offers import OfferedOperation, Subscriber, obstacle_of
from api.contract.model import Basis, Deprecation, Media, Operation, Parameter, Response, Service, Status
from api.gateway.connector import Connector
from api.gateway.parameters import Reader, split_query
from api.gateway.quota import CLASS_NUMBER
from api.gateway.schemas import Schemas
from api.gateway.trie import Trie

Header = tuple[bytes, bytes]
_JSON = re.compile(r"application/(?:[^;]+\+)?json")
_NOT_PARAMETERS = frozenset({b"accept", b"content-type", b"authorization"})  # OpenAPI 3.1 §4.8.12.1


def is_json(media_type: str) -> bool:
    """Whether a media type (lower case, without parameters) is JSON."""
    return media_type == "application/json" or _JSON.fullmatch(media_type) is not None


class MediaChecks:
    """The validators of the media types of one body, by range: `application/json`, `image/*`, `*/*`."""

    __slots__ = ("_by_range", "offered")

    def __init__(self, media: tuple[Media, ...], schemas: Schemas) -> None:
        self.offered = tuple(one.content_type for one in media)
        self._by_range: dict[str, Any] = {
            one.content_type.partition(";")[0].strip().lower(): (one, schemas) for one in media
        }

    def find(self, media_type: str) -> tuple[bool, Draft202012Validator | None]:
        """Whether the media type is one of them, and the validator of its JSON."""
        for key in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
            found = self._by_range.get(key)
            if found is not None:
                if isinstance(found, tuple):
                    media, schemas = found
                    usable = media.schema is not None and is_json(media_type)
                    found = _Compiled(schemas.validator(media.schema) if usable else None)
                    self._by_range[key] = found
                return True, found.validator
        return False, None

    def accepts(self, ranges: list[str]) -> bool:
        """Whether one of the Accept ranges takes one of these media types."""
        for offered in self._by_range:
            kind = offered.partition("/")[0]
            for wanted in ranges:
                if wanted in ("*/*", offered, kind + "/*") or offered == "*/*":
                    return True
                if offered.endswith("/*") and wanted.startswith(kind + "/"):
                    return True
                if wanted == "application/json" and is_json(offered):
                    return True
        return False


class _Compiled:
    __slots__ = ("validator",)

    def __init__(self, validator: Draft202012Validator | None) -> None:
        self.validator = validator


class Checks:
    """What `validate` reads: the operation's parameters, bodies and answers."""

    __slots__ = (
        "_accepted",
        "_answers",
        "_schemas",
        "body",
        "cookies",
        "headers",
        "offered",
        "path",
        "query",
    )

    def __init__(self, operation: Operation, schemas: Schemas) -> None:
        self._schemas = schemas
        readers = [Reader(one, schemas) for one in operation.parameters]
        self.path = tuple(one for one in readers if one.location == "path")
        self.query = tuple(one for one in readers if one.location == "query")
        self.cookies = tuple(one for one in readers if one.location == "cookie")
        self.headers = tuple(
            one for one in readers if one.location == "header" and one.key not in _NOT_PARAMETERS
        )
        self.body = MediaChecks(operation.body.media, schemas) if operation.body else None
        good = [one for one in operation.responses if one.status[:1] == "2"] or list(operation.responses)
        # Without one described body anything may come, and any Accept will do.
        described = tuple(media for response in good for media in response.media)
        self.offered = MediaChecks(described, schemas) if described else None
        self._answers: dict[str, tuple[Response, MediaChecks]] = {
            one.status.upper(): (one, MediaChecks(one.media, schemas)) for one in operation.responses
        }
        self._accepted: dict[bytes, bool] = {}

    def answer(self, status: int) -> tuple[Response, MediaChecks] | None:
        """What the contract says of an answer with this status, None when it says nothing."""
        return (
            self._answers.get(str(status))
            or self._answers.get(f"{status // 100}XX")
            or self._answers.get("DEFAULT")
        )

    def is_acceptable(self, accept: bytes) -> bool:
        """Whether an Accept header leaves any of the media types that the operation offers."""
        if self.offered is None:
            return True
        known = self._accepted.get(accept)
        if known is None:
            known = self.offered.accepts(_accepted_ranges(accept))
            if len(self._accepted) < 64:
                self._accepted[accept] = known
        return known


def _accepted_ranges(accept: bytes) -> list[str]:
    """The media ranges of an Accept header that are not refused by q=0."""
    ranges = []
    for part in accept[:2000].decode("latin-1").lower().split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((one[2:] for one in parameters if one.startswith("q=")), "1")
        if media and weight.strip("0.") != "":
            ranges.append("*/*" if media == "*" else media)
    return ranges or ["*/*"]


class CompiledOperation:
    """One operation, ready for the steps."""

    __slots__ = (
        "_checks", "_obstacles", "answer_headers", "entry", "is_closed", "items", "level", "max_rows",
        "needs_consent", "needs_evidence", "operation", "purposes", "quota_class", "routed", "scoped", "scopes",
        "weight",
    )  # fmt: skip

    def __init__(self, operation: Operation, entry: "ServiceEntry") -> None:
        self.operation = operation
        self.entry = entry
        self.level = operation.level.value
        self.scopes = operation.scopes
        self.purposes = frozenset(operation.purposes)
        self.needs_evidence = operation.needs_evidence
        self.needs_consent = operation.basis in {Basis.CONSENT, Basis.SEPARATE_CONSENT}
        self.is_closed = obstacle_of_operation(operation, "department", is_owner=True) == "classification"
        self.quota_class = CLASS_NUMBER[operation.quota]
        self.weight = operation.quota.weight
        self.max_rows = operation.max_rows
        self.items = _items_of(operation, entry)
        self.answer_headers = _deprecation_headers(operation.deprecation or entry.service.deprecation)
        self.routed = ("route", "pass", operation.id)
        self.scoped = ("authorise", "pass", " ".join(operation.scopes))
        self._checks: Checks | None = None
        self._obstacles: dict[tuple[str, bool], str] = {}

    @property
    def checks(self) -> Checks:
        """The validators, compiled at first use."""
        if self._checks is None:
            self._checks = Checks(self.operation, self.entry.schemas)
        return self._checks

    def obstacle(self, kind: str, organisation_id: str) -> str:
        """What keeps the operation from an app of such an organisation: the catalogue's own rule, remembered."""
        key = (kind, organisation_id == self.entry.owner_id)
        known = self._obstacles.get(key)
        if known is None:
            known = self._obstacles[key] = obstacle_of_operation(self.operation, kind, is_owner=key[1])
        return known


def obstacle_of_operation(operation: Operation, kind: str, *, is_owner: bool) -> str:
    """The catalogue's rule (offers.obstacle_of), asked about an operation itself."""
    offered = OfferedOperation(
        id=operation.id,
        level=operation.level,
        grade=operation.grade,
        share=operation.share,
        open=operation.open,
        audience=operation.audience,
    )
    return obstacle_of(offered, Subscriber(kind, is_owner))


class ServiceEntry:
    """A service version as it is served in one environment."""

    __slots__ = (
        "_batches",
        "_compiled",
        "connector",
        "key",
        "owner_id",
        "schemas",
        "service",
        "state",
        "trie",
        "upstream",
    )

    def __init__(
        self,
        service: Service,
        connector: Connector,
        *,
        owner_id: str = "",
        state: str = "published",
        upstream: str = "",
    ) -> None:
        self.service = service
        self.connector = connector
        self.owner_id = owner_id
        self.state = "retired" if service.status == Status.RETIRED else state
        self.upstream = upstream
        self.key = service.key
        self.schemas = Schemas(service.key, service.schemas)
        self.trie = Trie()
        for operation in service.operations:
            self.trie.add(operation.method, operation.path, operation)
        self._compiled: dict[str, CompiledOperation] = {}
        self._batches = {
            one.batch.operation.rpartition("/")[2]: one.batch for one in service.operations if one.batch
        }

    def compiled(self, operation: Operation) -> CompiledOperation:
        """The compiled form of one of its operations."""
        known = self._compiled.get(operation.id)
        if known is None:
            known = self._compiled[operation.id] = CompiledOperation(operation, self)
        return known

    def batch_of(self, operation: Operation) -> Any:
        """The x-batch by which another operation names this one as its batch, or None."""
        return self._batches.get(operation.id)


def _items_of(operation: Operation, entry: ServiceEntry) -> Callable[[Any], int] | None:
    """How many items a call asks for: None = one, always."""
    batch = entry.batch_of(operation)
    if batch is not None:
        reader = _parameter(operation, batch.parameter)
        if reader is None:
            return lambda exchange: _count_body(exchange.json, batch.parameter)
        separated = Reader(reader, entry.schemas)
        return lambda exchange: _count_listed(separated, exchange.query_string)
    if operation.pagination is not None and operation.pagination.size:
        size = _parameter(operation, operation.pagination.size)
        if size is not None:
            schema = entry.schemas.resolve(size.schema)
            stated = schema.get("default") if isinstance(schema, dict) else None
            absent = stated if isinstance(stated, int) and stated > 0 else operation.max_rows or 1
            most = operation.max_rows
            return lambda exchange: _page_size(exchange.query_string, size.name, absent, most)
    return None


def _parameter(operation: Operation, name: str) -> Parameter | None:
    return next((one for one in operation.parameters if one.name == name and one.location == "query"), None)


def _page_size(query: bytes, name: str, absent: int, most: int) -> int:
    asked = absent
    if query:
        for key, value in split_query(query):
            if key == name:
                asked = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 1
    asked = max(asked, 1)
    return min(asked, most) if most else asked


def _count_listed(reader: Reader, query: bytes) -> int:
    value = reader.read_pairs(split_query(query), []) if query else None
    return max(len(value), 1) if isinstance(value, list) else 1


def _count_body(body: Any, name: str) -> int:
    listed = body.get(name) if isinstance(body, dict) else body
    return max(len(listed), 1) if isinstance(listed, list) else 1


def _deprecation_headers(deprecation: Deprecation | None) -> tuple[Header, ...]:
    """`Deprecation` (RFC 9745), `Sunset` (RFC 8594) and links to guide and successor (RFC 5829, RFC 8288)."""
    if deprecation is None:
        return ()
    headers: list[Header] = []
    at = _moment(deprecation.at)
    if at is not None:
        headers.append((b"deprecation", b"@%d" % int(at.timestamp())))
    sunset = _moment(deprecation.sunset)
    if sunset is not None:
        headers.append((b"sunset", format_datetime(max(sunset, at or sunset), usegmt=True).encode()))
    links = []
    if deprecation.guide:
        links.append(f'<{_uri(deprecation.guide)}>; rel="deprecation"')
    if deprecation.successor:
        name, _, version = deprecation.successor.partition("@")
        links.append(f'</api/{_uri(name)}/{_uri(version)}/>; rel="successor-version"')
    if links:
        headers.append((b"link", ", ".join(links).encode()))
    return tuple(headers)


def _moment(text: str) -> datetime | None:
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _uri(text: str) -> str:
    """Text from a department, fit to stand in a Link header."""
    return "".join(char for char in text if char.isascii() and char.isprintable() and char not in '<>" ')
