"""What the steps need of an operation, worked out once: names, rights, prices, checks, ready-made headers.

Made when an operation is first called, its checks when it is first validated: a process with thousands of
operations starts fast. Nothing here changes afterwards.
"""

import re
from typing import Any

from api.catalogue.offers import OfferedOperation, Subscriber, obstacle_of
from api.contract.answer_fields import fields_of
from api.contract.model import Basis, Batch, Media, Operation, Service, Status
from api.gateway.connector import Connector
from api.gateway.deprecation import deprecation_headers
from api.gateway.items import items_of
from api.gateway.parameters import Reader
from api.gateway.quota import CLASS_NUMBER
from api.gateway.schemas import Check, Schemas
from api.gateway.trie import Trie

_JSON = re.compile(r"application/(?:[^;]+\+)?json")
_REMEMBERED = 64  # values of one header of one operation
_NOT_PARAMETERS = frozenset({b"accept", b"content-type", b"authorization"})  # OpenAPI 3.1 §4.8.12.1


def is_json(media_type: str) -> bool:
    """Whether a media type (lower case, without parameters) is JSON."""
    return media_type == "application/json" or _JSON.fullmatch(media_type) is not None


class MediaChecks:
    """The checks of the media types of one body, by range: `application/json`, `image/*`, `*/*`."""

    __slots__ = ("_by_range", "_found", "_schemas", "offered")

    def __init__(self, media: tuple[Media, ...], schemas: Schemas) -> None:
        self.offered = tuple(one.content_type for one in media)
        self._schemas = schemas
        self._by_range = {one.content_type.partition(";")[0].strip().lower(): one for one in media}
        self._found: dict[str, tuple[bool, Check | None]] = {}

    def find(self, media_type: str) -> tuple[bool, Check | None]:
        """Whether the media type is one of them, and the check of its JSON, compiled at first use."""
        known = self._found.get(media_type)
        if known is None:
            known = (False, None)
            kind, slash, _ = media_type.partition("/")
            for key in (media_type, kind + "/*", "*/*") if slash else ():
                media = self._by_range.get(key)
                if media is not None:
                    known = (True, self._schemas.check(media.schema) if is_json(media_type) else None)
                    break
            if len(self._found) < _REMEMBERED:
                self._found[media_type] = known
        return known

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


class Checks:
    """What `validate` reads: the operation's parameters, bodies and answers."""

    __slots__ = (
        "_accepted", "_answered", "_answers", "body", "cookies", "describes_success", "headers", "offered", "path",
        "query",
    )  # fmt: skip

    def __init__(self, operation: Operation, schemas: Schemas) -> None:
        readers = [Reader(one, schemas) for one in operation.parameters]
        # A path parameter that takes any text is there already, typed as it should be.
        self.path = tuple(one for one in readers if one.location == "path" and not one.takes_any_text)
        self.query = tuple(one for one in readers if one.location == "query")
        self.cookies = tuple(one for one in readers if one.location == "cookie")
        self.headers = tuple(
            one for one in readers if one.location == "header" and one.key not in _NOT_PARAMETERS
        )
        self.body = MediaChecks(operation.body.media, schemas) if operation.body else None
        names = frozenset(one.name for one in self.query)
        for reader in self.query:
            reader.others = names
        good = [one for one in operation.responses if one.status[:1] == "2"]
        self.describes_success = bool(good)
        good = good or list(operation.responses)
        # Without one described body anything may come, and any Accept will do.
        described = tuple(media for response in good for media in response.media)
        self.offered = MediaChecks(described, schemas) if described else None
        self._answers = {one.status.upper(): MediaChecks(one.media, schemas) for one in operation.responses}
        self._answered: dict[tuple[int, bytes], tuple[bool, bool, Check | None]] = {}
        self._accepted: dict[bytes, bool] = {}

    def answer(self, status: int, content_type: bytes) -> tuple[bool, bool, Check | None]:
        """Whether the contract describes the status, whether with this media type, and the check of its JSON."""
        key = (status, content_type)
        known = self._answered.get(key)
        if known is None:
            known = self._find_answer(status, content_type)
            if len(self._answered) < _REMEMBERED:
                self._answered[key] = known
        return known

    def offered_by(self, status: int) -> tuple[str, ...]:
        """The media types that the contract describes for a status."""
        media = self._media_of(status)
        return media.offered if media is not None else ()

    def _media_of(self, status: int) -> MediaChecks | None:
        for name in (str(status), f"{status // 100}XX", "DEFAULT"):
            if name in self._answers:
                return self._answers[name]
        return None

    def _find_answer(self, status: int, content_type: bytes) -> tuple[bool, bool, Check | None]:
        media = self._media_of(status)
        if media is None:
            return False, False, None
        if not media.offered:
            return True, True, None
        media_type = content_type.decode("latin-1").partition(";")[0].strip().lower()
        is_known, check = media.find(media_type)
        return True, is_known or media_type == "application/problem+json", check

    def is_acceptable(self, accept: bytes) -> bool:
        """Whether an Accept header leaves any of the media types that the operation offers."""
        if self.offered is None:
            return True
        known = self._accepted.get(accept)
        if known is None:
            known = self.offered.accepts(_accepted_ranges(accept))
            if len(self._accepted) < _REMEMBERED:
                self._accepted[accept] = known
        return known


def _accepted_ranges(accept: bytes) -> list[str]:
    """The media ranges of an Accept header that are not refused by q=0."""
    ranges = []
    is_any = True
    for part in accept[:2000].decode("latin-1").lower().split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((one[2:] for one in parameters if one.startswith("q=")), "1")
        is_any = is_any and not media
        if media and weight.strip("0.") != "":
            ranges.append("*/*" if media == "*" else media)
    return ["*/*"] if is_any else ranges


class CompiledOperation:
    """One operation, ready for the steps."""

    __slots__ = (
        "_checks", "_obstacles", "answer_headers", "asks_more", "assurance", "care", "entry", "field_names", "is_closed", "items", "level", "max_rows",
        "needs_consent", "needs_evidence", "operation", "organisation_parameters", "person_parameters", "purposes", "quota_class", "routed", "scoped", "scopes",
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
        self.assurance = operation.assurance
        self.care = _care_of(operation)
        self.asks_more = self.needs_consent or bool(self.assurance)  # than a subscription and its scopes
        self.field_names = tuple(fields_of(operation, entry.service)) if self.needs_consent else ()
        self.organisation_parameters = (
            organisation_parameters(operation, entry.schemas) if self.needs_consent else ()
        )
        is_personal = self.needs_consent and operation.subject == "person"
        self.person_parameters = marked_parameters(operation, entry.schemas, _CITIZEN) if is_personal else ()
        self.is_closed = obstacle_of_operation(operation, "department", is_owner=True) == "classification"
        self.quota_class = CLASS_NUMBER[operation.quota]
        self.weight = operation.quota.weight
        self.max_rows = operation.max_rows
        self.items = items_of(operation, entry.batch_of(operation), entry.schemas)
        self.answer_headers = deprecation_headers(operation.deprecation or entry.service.deprecation)
        self.routed = ("route", "pass", operation.id)
        self.scoped = ("authorise", "pass", " ".join(operation.scopes))
        self._checks: Checks | None = None
        self._obstacles: dict[tuple[str, bool], str] = {}

    @property
    def checks(self) -> Checks:
        """The checks, compiled at first use."""
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


def organisation_parameters(operation: Operation, schemas: Schemas) -> tuple[tuple[str, str], ...]:
    """(location, name) of what says which organisation a call is about: path, query, header or body.

    Those that the contract marks with the data element of the unified social credit code; where it marks none, the
    only path parameter, else the only required query parameter.
    """
    marked = marked_parameters(operation, schemas, _ORGANISATION)
    if marked:
        return marked
    for location in ("path", "query"):
        found = [one.name for one in operation.parameters if one.location == location and one.required]
        if found:
            return ((location, found[0]),) if len(found) == 1 else ()
    return ()


def marked_parameters(operation: Operation, schemas: Schemas, element: str) -> tuple[tuple[str, str], ...]:
    """(location, name) of the parameters, body members too, that the contract marks with a data element."""
    marked = [
        (one.location, one.name)
        for one in operation.parameters
        if _is_element(schemas.resolve(one.schema), element)
    ]
    for media in operation.body.media if operation.body else ():
        schema = schemas.resolve(media.schema) if isinstance(media.schema, dict) else {}
        properties = schema.get("properties") if isinstance(schema, dict) else None
        for name, inner in (properties if isinstance(properties, dict) else {}).items():
            if _is_element(schemas.resolve(inner), element):
                marked.append(("body", name))
    return tuple(dict.fromkeys(marked))


def _is_element(schema: object, element: str) -> bool:
    """Whether a schema, or that of a list's items, names the standard of a data element (`x-element`)."""
    for one in (schema, schema.get("items") if isinstance(schema, dict) else None):
        if isinstance(one, dict) and element in str(one.get("x-element", "")):
            return True
    return False


def obstacle_of_operation(operation: Operation, kind: str, *, is_owner: bool) -> str:
    """The catalogue's rule (offers.obstacle_of), asked about an operation itself."""
    offered = OfferedOperation(
        id=operation.id,
        level=operation.level,
        grade=operation.grade,
        purposes=operation.purposes,
        share=operation.share,
        open=operation.open,
        audience=operation.audience,
    )
    return obstacle_of(offered, Subscriber(kind, is_owner))


_ORGANISATION = "32100"  # unified social credit code. Source: GB 32100-2015
_CITIZEN = "11643"  # citizen identity number. Source: GB 11643-1999


ONCE, FRESH = "once", "fresh"


def _care_of(operation: Operation) -> str:
    """What the call takes beside the department's answer: `once` (idempotency), `fresh` (x-cache), mostly nothing."""
    if operation.idempotent and not operation.is_safe:
        return ONCE
    return FRESH if operation.cache_seconds and operation.is_safe and not operation.needs_evidence else ""


class Route:
    """An operation of a service version, compiled when it is first called."""

    __slots__ = ("_entry", "compiled", "operation")

    def __init__(self, operation: Operation, entry: "ServiceEntry") -> None:
        self.operation = operation
        self.compiled: CompiledOperation | None = None
        self._entry = entry

    def compile(self) -> CompiledOperation:
        """The compiled operation, made now if it was not yet."""
        if self.compiled is None:
            self.compiled = CompiledOperation(self.operation, self._entry)
        return self.compiled


class ServiceEntry:
    """A service version as it is served in one environment."""

    __slots__ = (
        "_batches",
        "_routes",
        "connector",
        "key",
        "owner_id",
        "recording",
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
        recording: Any = None,
    ) -> None:
        self.service = service
        self.recording = recording  # sampling.Consent, None: its answers are not recorded
        self.connector = connector
        self.owner_id = owner_id
        self.state = "retired" if service.status == Status.RETIRED else state
        self.upstream = upstream
        self.key = service.key
        self.schemas = Schemas(service.key, service.schemas)
        self.trie = Trie()
        self._routes: dict[str, Route] = {}
        for operation in service.operations:
            route = self._routes[operation.id] = Route(operation, self)
            self.trie.add(operation.method, operation.path, route)
        self._batches = {
            one.batch.operation.rpartition("/")[2]: one.batch for one in service.operations if one.batch
        }

    def compiled(self, operation_id: str) -> CompiledOperation | None:
        """One of its operations by id, for faces that know it by name; None when there is none."""
        route = self._routes.get(operation_id)
        return None if route is None else route.compile()

    def batch_of(self, operation: Operation) -> Batch | None:
        """The x-batch by which another operation names this one as its batch, or None."""
        return self._batches.get(operation.id)
