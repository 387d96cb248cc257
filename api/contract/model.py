"""The intermediate representation (IR) of one contract: what every face is built from.

`load` and `normalise` make it, nothing else does. It knows no database, no HTTP server and no
government organisation; JSON Schemas stay JSON Schemas (draft 2020-12, `$ref` only to
`#/components/schemas/NAME` of the same normalised document).
"""

from enum import StrEnum
from typing import Any

from msgspec import Struct

Json = Any  # a JSON value: None, bool, int, float, str, list or dict
JsonObject = dict[str, Any]
Texts = dict[str, str]  # language tag ("zh-CN", "en") -> text


class Level(StrEnum):
    """Sensitivity of data of the grade *general*: L1 public … L4 most sensitive."""

    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    L4 = "L4"


class Grade(StrEnum):
    """Data grade. Source: GB/T 43697-2024. `important` and `core` leave through no face."""

    GENERAL = "general"
    IMPORTANT = "important"
    CORE = "core"


class Basis(StrEnum):
    """The legal ground on which personal data may be used (`x-basis`)."""

    CONSENT = "consent"
    SEPARATE_CONSENT = "separate-consent"
    STATUTORY_DUTY = "statutory-duty"
    CONTRACT = "contract"
    PUBLIC = "public"


class QuotaClass(StrEnum):
    """How heavy a call is; `weight` is its price in quota units per item asked for."""

    LIGHT = "light"
    STANDARD = "standard"
    HEAVY = "heavy"
    BULK = "bulk"

    @property
    def weight(self) -> int:
        return {"light": 1, "standard": 2, "heavy": 10, "bulk": 50}[self.value]


class Status(StrEnum):
    """Life cycle of a service version (`x-status`)."""

    ALPHA = "alpha"
    BETA = "beta"
    STABLE = "stable"
    DEPRECATED = "deprecated"
    RETIRED = "retired"


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Finding(Struct, frozen=True):
    """One thing that loading or linting has to say; errors are values, never the first exception.

    `pointer` is a JSON pointer (RFC 6901) into the document as given, "" for the whole;
    `hint` says what to do next; `source` names the standard or reason behind the rule. The `_zh` fields hold
    the same texts in Chinese.
    """

    rule: str
    severity: Severity
    pointer: str
    message: str
    hint: str = ""
    source: str = ""
    file: str = ""
    message_zh: str = ""
    hint_zh: str = ""


class Loss(Struct, frozen=True):
    """What normalising could not keep, and what stands there instead."""

    rule: str
    pointer: str
    message: str
    faces: tuple[str, ...] = ()  # faces that are the poorer for it; empty means all
    message_zh: str = ""


class FaceVerdict(Struct, frozen=True):
    """Whether a face can offer the contract: `ok`, `degraded` (why) or `refused` (why)."""

    verdict: str
    reasons: tuple[str, ...] = ()
    reasons_zh: tuple[str, ...] = ()


class Classification(Struct, frozen=True):
    """`x-classification` of a schema property: level and kind ("tax", "name", "id-number" …)."""

    level: Level
    kind: str


class Scope(Struct, frozen=True):
    """An OAuth2 scope `service:resource:verb`, its texts, and aliases from a foreign document."""

    name: str
    texts: Texts
    aliases: tuple[str, ...] = ()


class Parameter(Struct, frozen=True):
    name: str
    location: str  # path, query, header or cookie
    required: bool
    schema: JsonObject
    description: str = ""
    style: str = ""  # OpenAPI style; "" = the location's default
    explode: bool | None = None
    content_type: str = ""  # set when the parameter is described by `content`
    example: Json = None
    has_example: bool = False
    deprecated: bool = False


class Media(Struct, frozen=True):
    """One media type of a body. `schema` None: bytes about which nothing is known."""

    content_type: str
    schema: JsonObject | None
    example: Json = None
    has_example: bool = False


class Body(Struct, frozen=True):
    required: bool
    media: tuple[Media, ...]
    description: str = ""


class Response(Struct, frozen=True):
    status: str  # "200", "2XX" or "default"
    description: str
    media: tuple[Media, ...]
    headers: tuple[Parameter, ...] = ()


class Scenario(Struct, frozen=True):
    """One entry of `x-scenarios`: executable in the sandbox, listed by docs, named by the SDKs."""

    id: str
    title: Texts
    given: JsonObject
    when: JsonObject
    then: JsonObject  # {"status": int, "body"?: JSON, "problem"?: problem slug, "headers"?: {}}
    state: JsonObject


class Pagination(Struct, frozen=True):
    style: str  # "cursor", "offset" or "page"
    cursor: str  # request parameter
    size: str  # request parameter
    items: str  # response property
    next: str  # response property


class Batch(Struct, frozen=True):
    operation: str
    parameter: str
    key: str
    max: int


class Reference(Struct, frozen=True):
    """`x-ref`: the relation of a property to an operation of another (or this) service."""

    operation: str  # "tax@v1/getRating" or an operationId of the same service
    parameter: str


class Deprecation(Struct, frozen=True):
    at: str  # ISO date
    sunset: str = ""
    successor: str = ""
    guide: str = ""


class Promise(Struct, frozen=True):
    """`x-service`: what the department promises; `record` measures it."""

    availability: float = 0.0  # share of answers that are no 5xx, e.g. 0.999; 0 = no promise
    p95_ms: float = 0.0
    hours: str = ""  # "Mo-Fr 08:00-18:00" in the service's time zone; "" = always
    maintenance: str = ""
    support: str = ""
    time_zone: str = "Asia/Shanghai"


class Operation(Struct, frozen=True):
    """One operation with its effective policy: what the document says, info-level values copied down.

    (`resource`, `verb`) is unique in the service; all names of all faces come from it (design §3).
    """

    id: str  # operationId, unique in the service
    resource: str  # "" where it equals the service
    verb: str
    method: str  # upper case
    path: str  # template as published, below /api/{service}/{version}
    summary: str
    description: str
    texts: dict[str, Texts]  # language -> {"title", "description"}
    tags: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    body: Body | None
    responses: tuple[Response, ...]
    scopes: tuple[str, ...]  # all are required; empty = a valid token is enough
    grade: Grade
    level: Level
    quota: QuotaClass
    basis: Basis
    basis_law: JsonObject  # {"law", "article"} for a statutory duty, else {}
    purposes: tuple[str, ...]  # allowed purposes; empty = none need be named
    subject: str  # "person", "organisation" or ""
    share: str  # unconditional, conditional or none
    open: str  # open, conditional or closed
    audience: str  # department, third-party or public
    idempotent: bool = False
    stream: bool = False
    cache_seconds: int = 0
    max_rows: int = 0  # 0 = not a list, or no bound stated
    assurance: str = ""
    pagination: Pagination | None = None
    batch: Batch | None = None
    deprecation: Deprecation | None = None
    scenarios: tuple[Scenario, ...] = ()
    pointer: str = ""  # JSON pointer of the operation in the normalised document

    @property
    def is_safe(self) -> bool:
        """Whether a retry can do no harm. Source: RFC 9110 §9.2.1."""
        return self.method in {"GET", "HEAD", "OPTIONS"}

    @property
    def needs_evidence(self) -> bool:
        """Whether the access record is committed before the first byte of the answer (design §2)."""
        return self.level >= Level.L3 or self.basis in {Basis.CONSENT, Basis.SEPARATE_CONSENT}


class Service(Struct, frozen=True):
    """A service version: everything the platform knows of one contract."""

    name: str  # slug, "company"
    version: str  # "v1"
    release: str  # info.version as written, "1.2.0"
    title: str
    description: str
    texts: dict[str, Texts]
    department: str  # x-department: the owner's organisation slug; "" for a foreign document
    owner: JsonObject  # x-owner {"name", "email"}
    status: Status
    promise: Promise
    operations: tuple[Operation, ...]
    schemas: dict[str, JsonObject]  # components.schemas of the normalised document
    scopes: tuple[Scope, ...]
    webhooks: JsonObject
    directory: JsonObject
    document: JsonObject  # the normalised OpenAPI 3.1 document, as published
    digest: str  # "sha256:…" of the document's canonical JSON
    deprecation: Deprecation | None = None

    @property
    def key(self) -> str:
        """The service's name in subscriptions and commands: `company@v1`."""
        return f"{self.name}@{self.version}"

    def operation(self, operation_id: str) -> Operation | None:
        return next((one for one in self.operations if one.id == operation_id), None)
