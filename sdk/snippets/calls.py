"""One call, as every language's sample makes it: the operation, and example values that its types take."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from api.contract.model import Json, JsonObject, Service
from sdk.escaping import in_words
from sdk.model import (
    EnumType,
    Kind,
    NamedType,
    ObjectType,
    Param,
    Resource,
    SdkModel,
    SdkOperation,
    SdkService,
    TypeRef,
    Words,
)
from sdk.requests import example_values

TOKEN = "KAIMEN_TOKEN"  # noqa: S105 - the variable's name
_CHECKS: dict[Kind, Callable[[Json], bool]] = {
    Kind.STRING: lambda value: isinstance(value, str),
    Kind.DECIMAL: lambda value: isinstance(value, str) and _is_decimal(value),
    Kind.INTEGER: lambda value: type(value) is int and -(2**31) <= value < 2**31,
    Kind.LONG: lambda value: type(value) is int and -(2**53) < value < 2**53,
    Kind.NUMBER: lambda value: type(value) in {int, float},
    Kind.BOOLEAN: lambda value: isinstance(value, bool),
    Kind.DATE: lambda value: isinstance(value, str) and _is_date(value),
    Kind.DATE_TIME: lambda value: isinstance(value, str) and _is_moment(value),
}


class Call(Struct, frozen=True):
    """A call of an operation. `values` are the required parameters by wire name; `body` is None where it takes none."""

    model: SdkModel
    service: SdkService
    resource: Resource
    operation: SdkOperation
    title: str
    values: Mapping[str, Json]
    body: Json = None

    @property
    def body_kind(self) -> str:
        """json, form, multipart, binary or text; "" where it takes none."""
        body = self.operation.body
        if body is None:
            return ""
        kind = body.media_type.partition(";")[0].strip().lower()
        if kind == "multipart/form-data":
            return "multipart"
        if kind == "application/x-www-form-urlencoded":
            return "form"
        if kind == "application/json" or kind.endswith("+json"):
            return "json"
        return "binary" if body.type.kind == Kind.BINARY else "text"

    @property
    def is_download(self) -> bool:
        answer = self.operation.answer
        return answer.type is not None and answer.type.kind == Kind.BINARY and not answer.is_json

    @property
    def positional(self) -> list[Param]:
        """Required parameters: those of the path in its order, then the others."""
        required = [one for one in self.operation.params if one.is_required]
        path = self.operation.path
        return sorted(
            required, key=lambda one: path.find("{" + one.wire + "}") if one.location == "path" else 10_000
        )


def calls_of(
    model: SdkModel, services: Mapping[str, Service], titled: Callable[[str], str]
) -> Iterator[Call]:
    """A call of every operation of a model that these contracts (by key) made. `titled` makes a comment of a title."""
    for service in model.services:
        contract = services[service.key]
        operations = {one.id: one for one in contract.operations}
        for resource in service.resources:
            for one in resource.operations:
                source = operations[one.id]
                values, body = example_values(source, contract.schemas)
                yield Call(
                    model, service, resource, one, titled(in_words(one.text) or source.id), values,
                    None if one.body is None else body,
                )  # fmt: skip


def is_whole(call: Call) -> bool:
    """Whether the package has all members that the example body has: none was cut for its level."""
    body = call.operation.body
    return body is None or only_known(Fitting(call.model), body.type, call.body) == call.body


class Fitting:
    """Whether a value is one of a type, as the strictest of the four languages sees it."""

    def __init__(self, model: SdkModel) -> None:
        self.kinds: dict[Words, NamedType] = {one.name: one for one in model.types}

    def fits(self, ref: TypeRef | None, value: Json) -> bool:
        if value is None:
            return ref is not None and ref.is_nullable and ref.kind != Kind.ANY
        if ref is None or ref.kind in {Kind.ANY, Kind.BYTES, Kind.BINARY}:
            return False  # written as JSON
        if ref.kind == Kind.ARRAY:
            return isinstance(value, list) and all(self.fits(ref.of, one) for one in value)
        if ref.kind == Kind.MAP:
            return False
        if ref.kind == Kind.NAMED:
            return self._fits_named(self.kinds[ref.name], value)
        return _CHECKS[ref.kind](value)

    def _fits_named(self, one: NamedType, value: Json) -> bool:
        if isinstance(one, EnumType):
            return isinstance(value, str) if one.base == Kind.STRING else type(value) is int
        if not isinstance(one, ObjectType) or not isinstance(value, dict):
            return False
        fields = {field.wire: field for field in one.fields}
        return all(field.wire in value for field in one.fields if field.is_required) and all(
            name in fields and self.fits(fields[name].type, inner) for name, inner in value.items()
        )


def only_known(fitting: Fitting, ref: TypeRef, value: Json) -> Json:
    """The value without members that the type does not have: a package may hold fewer fields than the contract."""
    if ref.kind == Kind.ARRAY and isinstance(value, list) and ref.of is not None:
        return [only_known(fitting, ref.of, one) for one in value]
    kind = fitting.kinds.get(ref.name) if ref.kind == Kind.NAMED else None
    if not isinstance(kind, ObjectType) or not isinstance(value, dict) or kind.others is not None:
        return value
    fields = {field.wire: field.type for field in kind.fields}
    made: JsonObject = {
        name: only_known(fitting, fields[name], inner) for name, inner in value.items() if name in fields
    }
    return made


def _is_decimal(value: str) -> bool:
    digits = value.removeprefix("-").replace(".", "", 1)
    return digits.isascii() and digits.isdigit()


def _is_date(value: str) -> bool:
    try:
        return dt.date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_moment(value: str) -> bool:
    try:
        return dt.datetime.fromisoformat(value).tzinfo is not None and "T" in value
    except ValueError:
        return False
