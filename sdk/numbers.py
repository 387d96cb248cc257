"""Numbers that fit a JSON Schema: bounds, exclusive bounds, multiples."""

from decimal import Decimal
from random import Random

from api.contract.model import JsonObject
from api.contract.naming import words

_SMALL = frozenset({"page", "size", "limit", "offset", "count", "total", "index", "version", "quantity"})


def synthesise_number(schema: JsonObject, random: Random, name: str = "", *, is_integer: bool) -> float | int:
    """A number within the bounds, small and plain where the bounds leave the choice."""
    step = _step(schema, is_integer=is_integer)
    low, high = _bounds(schema, name, step)
    first = -(-low // step) * step  # the least multiple that is not below
    most = int((high - first) // step) if high >= first else 0
    value = first + step * random.randint(0, max(0, min(most, 10**6)))
    if is_integer or value == value.to_integral_value():
        whole = int(value)
        return whole if is_integer else float(whole) if abs(whole) < 2**53 else whole
    return float(value)


def _step(schema: JsonObject, *, is_integer: bool) -> Decimal:
    written = schema.get("multipleOf")
    step = _decimal(written) if isinstance(written, int | float) and written > 0 else None
    if step is not None and not (is_integer and step < 1):
        return step
    return Decimal(1) if is_integer else Decimal("0.01")


def _bounds(schema: JsonObject, name: str, step: Decimal) -> tuple[Decimal, Decimal]:
    low, high = _bound(schema, "minimum", step), _bound(schema, "maximum", -step)
    if low is None and high is None:
        small = bool(_SMALL & set(words(name)))
        if "year" in words(name):
            return Decimal(2020), Decimal(2026)
        return Decimal(1), Decimal(20 if small else 1000) * max(step, Decimal(1))
    if low is None and high is not None:
        return high - max(abs(high), Decimal(100)) if high <= 0 else min(Decimal(0), high), high
    assert low is not None
    span = max(step * 1000, Decimal(1000))
    return low, low + span if high is None else min(high, low + max(span, step * 10**6))


def _bound(schema: JsonObject, key: str, step: Decimal) -> Decimal | None:
    """The inclusive bound that minimum and exclusiveMinimum (or their opposites) come to."""
    exclusive = "exclusive" + key[0].upper() + key[1:]
    found = []
    if _is_number(schema.get(key)):
        found.append(_decimal(schema[key]))
    if _is_number(schema.get(exclusive)):
        found.append(_decimal(schema[exclusive]) + step)
    if not found:
        return None
    return max(found) if step > 0 else min(found)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _decimal(value: float) -> Decimal:
    return Decimal(str(value))
