"""Strings that fit a JSON Schema: enum aside, by pattern, format, kind of data and length."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from random import Random

from jsonschema_rs import ReferencingError

from api.contract.model import JsonObject
from api.contract.profile import classification_of
from api.contract.validation import validator_of
from sdk.patterns import matching
from sdk.texts import kind_of_name, text_for, uuid

_ASSERTED = ("pattern", "format", "minLength", "maxLength")
_FILLER = "示例文字"


def synthesise_string(schema: JsonObject, random: Random, name: str = "", *, is_ascii: bool = False) -> str:
    """A string for the schema; the best effort where none is found that fits."""
    is_fit = _judge(*((key, schema[key]) for key in _ASSERTED if isinstance(schema.get(key), str | int)))
    first = ""
    for text in _candidates(schema, random, name, is_ascii=is_ascii, is_fit=is_fit):
        if is_ascii and not text.isascii():
            continue
        if is_fit(text):
            return text
        first = first or text
    return first


@lru_cache(maxsize=4096)
def _judge(*assertions: tuple[str, object]) -> Callable[[str], bool]:
    """Whether a string fits pattern, format and length, judged by the validator of the gateway."""
    if not assertions:
        return lambda _: True
    try:
        return validator_of(dict(assertions)).is_valid
    except (ValueError, ReferencingError):
        return lambda _: True


def _candidates(
    schema: JsonObject, random: Random, name: str, *, is_ascii: bool, is_fit: Callable[[str], bool]
) -> Iterator[str]:
    low, high = _length(schema)
    held = classification_of(schema)
    kind = (held.kind if held else "") or kind_of_name(name)
    shape = str(schema.get("format", ""))
    if "pattern" in schema:
        if kind and not shape:
            yield text_for(kind, random, is_ascii=is_ascii)
        yield from _formatted(shape, random)
        found = matching(str(schema["pattern"]), random, is_fit)
        if found is not None:
            yield found
    yield from _formatted(shape, random)
    if schema.get("contentEncoding") == "base64":
        yield "c2FtcGxl"
    if schema.get("contentMediaType") == "application/json":
        yield "{}"
    text = text_for(kind, random, is_ascii=is_ascii)
    yield text
    yield text_for(kind, random, is_ascii=True)
    yield _fitted(text, low, high, is_ascii=is_ascii)
    yield _fitted(text_for(kind, random, is_ascii=True), low, high, is_ascii=True)
    yield str(random.randint(10 ** max(min(low, 18) - 1, 0), 10 ** max(min(low, 18), 1) - 1))


def _length(schema: JsonObject) -> tuple[int, int]:
    low, high = schema.get("minLength"), schema.get("maxLength")
    return (
        int(low) if isinstance(low, int | float) else 0,
        int(high) if isinstance(high, int | float) else 10**6,
    )


def _fitted(text: str, low: int, high: int, *, is_ascii: bool) -> str:
    """The text lengthened or cut; a million characters at most, so that no contract makes the sandbox swell."""
    filler = "sample " if is_ascii else _FILLER
    low = min(low, 10**6)
    if len(text) < low:
        text += (filler * (low // len(filler) + 1))[: low - len(text)]
    return text[:high].strip() if len(text[:high].strip()) >= low else text[:high]


def _formatted(shape: str, random: Random) -> Iterator[str]:
    """Strings of a format, the plainest first, then longer spellings for documents that ask for a length."""
    day = f"2026-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}"
    clock = f"{random.randint(8, 17):02d}:{random.randint(0, 59):02d}:{random.randint(0, 59):02d}"
    number = random.randint(1, 999)
    samples: dict[str, tuple[str, ...]] = {
        "date": (day,),
        "date-time": tuple(
            f"{day}T{clock}{tail}"
            for tail in (
                "+08:00",
                "Z",
                ".000Z",
                ".000+08:00",
                ".000000Z",
                ".000000+08:00",
                ".000000000Z",
                ".0Z",
                ".00Z",
            )
        ),
        "time": (f"{clock}Z", f"{clock}+08:00", f"{clock}.000Z"),
        "duration": ("P1D", "PT15M", "P1Y2M3DT4H5M6S"),
        "email": (f"sample{number}@example.com", "a@example.com"),
        "idn-email": (f"sample{number}@example.com",),
        "hostname": ("sample.example.com", "a.example"),
        "idn-hostname": ("sample.example.com",),
        "ipv4": (f"192.0.2.{number % 255}",),
        "ipv6": (f"2001:db8::{number:x}",),
        "uri": (f"https://example.com/sample/{number}", "https://example.com"),
        "url": (f"https://example.com/sample/{number}",),
        "uri-reference": (f"/sample/{number}",),
        "iri": (f"https://example.com/sample/{number}",),
        "iri-reference": (f"/sample/{number}",),
        "uri-template": ("/sample/{id}",),
        "uuid": (uuid(random),),
        "guid": (uuid(random),),
        "json-pointer": ("/sample",),
        "relative-json-pointer": ("0",),
        "regex": ("^sample$",),
        "byte": ("c2FtcGxl",),
        "base64": ("c2FtcGxl",),
        "password": ("Sample-Passw0rd",),
        "binary": ("sample",),
        "decimal": (f"{number}.00",),
        "int64": (str(number),),
        "int32": (str(number),),
        "year": ("2026",),
    }
    yield from samples.get(shape, ())
