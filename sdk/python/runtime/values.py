"""Values on their way: JSON to typed objects and back, by the tables that the models carry.

Nothing is lost: members and enumeration values that the contract does not name are kept. A date or a decimal that is
none (a masked field, say) stays the text that it is.
"""

import base64
import binascii
import datetime as dt
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields as dataclass_fields
from decimal import Decimal, InvalidOperation
from enum import IntEnum, StrEnum
from typing import Any, ClassVar, Final, NamedTuple, Self, TypeAlias

JsonValue: TypeAlias = Any
"""Any JSON: dict, list, str, int, float, bool or None."""

Codec: TypeAlias = "str | tuple[str, Any]"
"""How a value is changed: "" not at all; "d" date, "t" date and time, "n" decimal, "b" base64; ("a", codec) a list,
("m", codec) a map, ("o", name) an object, ("e", name) an enumeration, ("u", name) a union."""


class Unset:
    """The type of UNSET: a member that is not there, where null would mean something else."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNSET"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


UNSET: Final = Unset()


class Member(NamedTuple):
    """A member of an object: its attribute, its name on the wire, its codec."""

    attribute: str
    wire: str
    codec: Codec
    is_sensitive: bool = False
    is_null_kept: bool = False  # None is sent as null


class Variants(NamedTuple):
    """A union: told apart by a member's value, or by the required members of each in order."""

    property: str
    choices: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]  # name, tags, required wire names


class Model:
    """An object of the contract. Members that the contract does not name are in `additional_properties`."""

    MEMBERS_: ClassVar[tuple[Member, ...]] = ()
    OTHERS_: ClassVar[Codec] = ""
    additional_properties: Any

    @classmethod
    def from_dict(cls, value: Mapping[str, JsonValue]) -> Self:
        """The object of its JSON."""
        found = _model_of(cls, value, vars(sys.modules[cls.__module__]))
        if not isinstance(found, cls):
            raise TypeError(f"{cls.__name__} is an object, not {type(value).__name__}")
        return found

    def to_dict(self) -> dict[str, JsonValue]:
        """The object as JSON."""
        made: dict[str, JsonValue] = {}
        for name, one in self.additional_properties.items():
            made[name] = encode(one)
        for member in self.MEMBERS_:
            value = getattr(self, member.attribute)
            if value is UNSET or (value is None and not member.is_null_kept):
                continue
            made[member.wire] = encode(value)
        return made

    def __getitem__(self, name: str) -> Any:
        return self.additional_properties[name]

    def __contains__(self, name: str) -> bool:
        return name in self.additional_properties

    def __repr__(self) -> str:
        shown = [
            f"{one.attribute}={'***' if one.is_sensitive else repr(value)}"
            for one in self.MEMBERS_
            if (value := getattr(self, one.attribute)) is not None and value is not UNSET
        ]
        if self.additional_properties:
            shown.append(f"additional_properties={{{', '.join(map(repr, self.additional_properties))}}}")
        return f"{type(self).__name__}({', '.join(shown)})"


class UnknownVariant(Model):
    """A union's alternative that the contract does not name yet: all of it is in `additional_properties`."""

    def __init__(self, additional_properties: Mapping[str, JsonValue] | None = None) -> None:
        self.additional_properties: dict[str, JsonValue] = dict(additional_properties or {})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UnknownVariant) and other.additional_properties == self.additional_properties

    __hash__ = None  # type: ignore[assignment]  # it may change


class OpenStr(StrEnum):
    """An enumeration of texts that keeps values which the contract does not list: `State("new")` is one, too."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        made = str.__new__(cls, value)
        made._name_ = value
        made._value_ = value
        return made


class OpenInt(IntEnum):
    """The same of numbers."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        made = int.__new__(cls, value)
        made._name_ = str(value)
        made._value_ = value
        return made


# --- from JSON ----------------------------------------------------------------------------------------
def decode(codec: Codec, value: JsonValue, types: Mapping[str, Any]) -> Any:
    """The value of its JSON; `types` are the models by name."""
    if value is None or codec == "":
        return value
    if isinstance(codec, str):
        return _scalar(codec, value)
    kind, inner = codec
    return _STRUCTURES[kind](inner, value, types)


def _list(inner: Codec, value: JsonValue, types: Mapping[str, Any]) -> Any:
    return [decode(inner, one, types) for one in value] if isinstance(value, list) else value


def _map(inner: Codec, value: JsonValue, types: Mapping[str, Any]) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: decode(inner, one, types) for name, one in value.items()}


def _scalar(codec: str, value: JsonValue) -> Any:
    reader = _READERS[codec]
    try:
        return reader(value)
    except (ValueError, TypeError, InvalidOperation, binascii.Error):
        return value


def _decimal(value: JsonValue) -> Decimal:
    if isinstance(value, bool):
        raise TypeError("a boolean is no number")
    return Decimal(str(value))


_READERS: dict[str, Callable[[Any], Any]] = {
    "d": dt.date.fromisoformat,
    "t": dt.datetime.fromisoformat,
    "n": _decimal,
    "b": lambda value: base64.b64decode(value.replace("-", "+").replace("_", "/") + "=" * (-len(value) % 4)),
}


def _enum_of(kind: Any, value: JsonValue) -> Any:
    try:
        return kind(value)
    except ValueError:
        return value


def _model_of(kind: type[Model], value: Any, types: Mapping[str, Any]) -> Any:
    if not isinstance(value, Mapping):
        raise TypeError(f"{kind.__name__} is an object, not {type(value).__name__}")
    left = dict(value)
    given: dict[str, Any] = {}
    for member in kind.MEMBERS_:
        if member.wire in left:
            given[member.attribute] = decode(member.codec, left.pop(member.wire), types)
    others = {name: decode(kind.OTHERS_, one, types) for name, one in left.items()}
    made = object.__new__(kind)
    for one in dataclass_fields(kind):  # type: ignore[arg-type]  # every model is a dataclass
        known = given.get(one.name, one.default if isinstance(one.default, Unset) else None)
        setattr(made, one.name, known)
    made.additional_properties = others
    return made


def _variant_of(union: Variants, value: Any, types: Mapping[str, Any]) -> Any:
    if not isinstance(value, Mapping):
        return value
    name = ""
    if union.property:
        tag = value.get(union.property)
        name = next((name for name, tags, _ in union.choices if tag in tags), "")
    if not name and not (union.property and union.property in value):
        name = next(
            (name for name, _, required in union.choices if all(one in value for one in required)), ""
        )
    if not name:
        return UnknownVariant(value)
    return decode(("u" if name in types["VARIANTS_"] else "o", name), value, types)


_STRUCTURES: dict[str, Callable[[Any, JsonValue, Mapping[str, Any]], Any]] = {
    "a": _list,
    "m": _map,
    "o": lambda name, value, types: _model_of(types[name], value, types),
    "e": lambda name, value, types: _enum_of(types[name], value),
    "u": lambda name, value, types: _variant_of(types["VARIANTS_"][name], value, types),
}


# --- to JSON ------------------------------------------------------------------------------------------
def encode(value: Any) -> JsonValue:
    """The JSON of a value. Objects may be given as mappings by their names on the wire."""
    writer = next((write for kind, write in _WRITERS if isinstance(value, kind)), None)
    return value if writer is None else writer(value)


_WRITERS: tuple[tuple[Any, Callable[[Any], JsonValue]], ...] = (
    (Model, lambda value: value.to_dict()),
    (StrEnum | IntEnum, lambda value: value.value),
    (str | int | float, lambda value: value),
    (bytes | bytearray | memoryview, lambda value: base64.b64encode(value).decode("ascii")),
    (dt.datetime, lambda value: instant(value)),  # noqa: PLW0108 - defined below
    (dt.date, lambda value: value.isoformat()),
    (Decimal, lambda value: format(value, "f")),
    (Mapping, lambda value: {str(name): encode(one) for name, one in value.items() if one is not UNSET}),
    (list | tuple | set | frozenset, lambda value: [encode(one) for one in value]),
)


def instant(value: dt.datetime) -> str:
    """RFC 3339. A time without a zone is one of this machine's."""
    return (value if value.tzinfo is not None else value.astimezone()).isoformat()
