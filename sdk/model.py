"""What every SDK is made from: services, resources, operations and types, named in words and typed, no language in it.

`sdk.modelling` makes it of contracts; the emitters render it. Names are tuples of words, already unique where they
stand, so that a language only has to choose their case and mind its reserved words. Nothing here is text to be
pasted: descriptions and wire names are a department's data and are escaped by whoever prints them.
"""

from enum import StrEnum

from msgspec import Struct

from api.contract.model import Json, JsonObject, Scenario, Texts

Words = tuple[str, ...]  # ("annual", "report"); a Chinese name is one word


class Kind(StrEnum):
    """What a value is on the wire and in a program."""

    STRING = "string"
    INTEGER = "integer"  # 32 bits
    LONG = "long"  # 64 bits; every integer without a format
    NUMBER = "number"
    DECIMAL = "decimal"  # a string of digits that must not become a float
    BOOLEAN = "boolean"
    DATE = "date"
    DATE_TIME = "date-time"
    BYTES = "bytes"  # base64 in JSON
    BINARY = "binary"  # a body of bytes: streamed
    ANY = "any"  # any JSON
    ARRAY = "array"
    MAP = "map"
    NAMED = "named"  # one of the package's types


class TypeRef(Struct, frozen=True):
    """The type of a value. `of` is the item of an array or a map, `name` the words of a named type."""

    kind: Kind
    of: "TypeRef | None" = None
    name: Words = ()
    is_nullable: bool = False


class Field(Struct, frozen=True):
    """A member of an object."""

    wire: str
    name: Words
    type: TypeRef
    is_required: bool
    text: Texts = {}  # zh-CN, en
    is_read_only: bool = False
    is_write_only: bool = False
    is_deprecated: bool = False
    is_sensitive: bool = False  # classified L3 or above: kept out of repr and logs


class ObjectType(Struct, frozen=True, tag="object"):
    """An object. `others` is the type of members that the contract does not name; None where it allows none.

    Unknown members are tolerated all the same: a contract may grow.
    """

    name: Words
    fields: tuple[Field, ...]
    others: TypeRef | None = None
    text: Texts = {}


class EnumValue(Struct, frozen=True):
    wire: str | int
    name: Words
    text: Texts = {}


class EnumType(Struct, frozen=True, tag="enum"):
    """An open enumeration: values that the contract does not list are kept as they come."""

    name: Words
    base: Kind  # string or long
    values: tuple[EnumValue, ...]
    text: Texts = {}


class Variant(Struct, frozen=True):
    """One alternative of a union; `tags` are the values of the discriminator that mean it, () where there is none."""

    type: TypeRef
    tags: tuple[str, ...] = ()


class UnionType(Struct, frozen=True, tag="union"):
    """One of several objects. `property` "" : told apart by their required members, in order."""

    name: Words
    variants: tuple[Variant, ...]
    property: str = ""
    text: Texts = {}


NamedType = ObjectType | EnumType | UnionType


class Param(Struct, frozen=True):
    """A parameter. Serialised by `style` and `explode` (OpenAPI 3.1 §4.8.12.2)."""

    wire: str
    name: Words
    location: str  # path, query or header
    type: TypeRef
    is_required: bool
    style: str  # form, simple, deepObject, spaceDelimited or pipeDelimited
    explode: bool
    text: Texts = {}
    default: Json = None
    is_json: bool = False  # described by `content`: its value is JSON text


class BodyPart(Struct, frozen=True):
    """The request's body. `fields` are those of a form or multipart body; files among them are BINARY."""

    media_type: str  # application/json, multipart/form-data, application/x-www-form-urlencoded or another
    type: TypeRef
    is_required: bool
    text: Texts = {}


class Answer(Struct, frozen=True):
    """What a success brings: JSON of a type, bytes (`BINARY`), text (`STRING`, not JSON), or nothing (None)."""

    status: str
    media_type: str = ""
    type: TypeRef | None = None

    @property
    def is_json(self) -> bool:
        media = self.media_type.partition(";")[0].strip().lower()
        return media == "application/json" or media.endswith("+json")


class Pages(Struct, frozen=True):
    """How the operation gives its list page by page. `item` is the type of one element."""

    style: str  # cursor, offset or page
    cursor: str  # wire name of the request parameter
    size: str
    items: str  # wire name of the member of the answer, "" where the answer is the list
    next: str
    item: TypeRef


class SdkOperation(Struct, frozen=True):
    """One operation, as a method."""

    id: str
    name: Words  # of the method, unique in its resource: ("get",), ("list", "by", "code")
    http_method: str
    path: str  # template below the service's base path
    params: tuple[Param, ...]  # required ones first
    body: BodyPart | None
    answer: Answer
    scopes: tuple[str, ...]
    is_idempotent: bool  # takes an Idempotency-Key
    is_safe: bool
    pages: Pages | None = None
    text: Texts = {}
    about: Texts = {}
    is_deprecated: bool = False
    sunset: str = ""
    needs_consent: bool = False
    purposes: tuple[str, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    example: JsonObject = {}  # parameters by wire name, and `body`: what a sample sends


class Resource(Struct, frozen=True):
    """Operations that belong together. `name` is () for those of the service itself: `client.company.get`."""

    name: Words
    operations: tuple[SdkOperation, ...]


class Event(Struct, frozen=True):
    """An event that the service sends to webhooks."""

    type: str
    name: Words
    data: TypeRef
    text: Texts = {}


class SdkService(Struct, frozen=True):
    """A service version in the package: `client.company`."""

    key: str  # company@v1
    name: Words
    base_path: str  # /api/company/v1
    release: str
    title: Texts
    about: Texts
    resources: tuple[Resource, ...]
    events: tuple[Event, ...] = ()
    digest: str = ""


class SdkLoss(Struct, frozen=True):
    """What could not be kept, and where: a union that became any JSON, a header of a strange form."""

    rule: str
    pointer: str
    message: str


class SdkModel(Struct, frozen=True):
    """A package whole: its services, their types (unique names over all services), and what was lost."""

    services: tuple[SdkService, ...]
    types: tuple[NamedType, ...]
    losses: tuple[SdkLoss, ...] = ()

    def type(self, name: Words) -> NamedType:
        """The named type. Raises KeyError."""
        for one in self.types:
            if one.name == name:
                return one
        raise KeyError(name)
