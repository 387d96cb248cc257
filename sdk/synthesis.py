"""Made-up values that fit a JSON Schema: deterministic by a seed, Chinese-flavoured, visibly synthetic.

The contract's own examples and defaults come first where they hold. The result is valid under the gateway's
validator wherever the schema can be satisfied by these means; `is_valid` of a Synthesiser tells.
"""

from collections import OrderedDict
from itertools import islice
from random import Random
from typing import Any

import msgspec
from jsonschema_rs import Draft202012Validator, ReferencingError, Registry

from api.contract.model import Json, JsonObject
from api.contract.normalise_enums import types_of
from api.contract.validation import registry_of, validator_of
from sdk.flatten import CHOICES, Memo, combine, flatten, reference_name
from sdk.numbers import synthesise_number
from sdk.patterns import matching
from sdk.strings import synthesise_string
from sdk.texts import kind_of_name, text_for

_NOTHING: Any = object()
_MOST_NODES = 5_000
_RICH_DEPTH = 6  # below it optional properties are left out
_MOST_DEPTH = 30  # below it nothing is made that nobody requires
_ROUNDS = 6
_KEPT = 16  # synthesisers, one for each contract
_MOST_VALIDATORS = 2_048  # of one contract
_ORDER = ("object", "array", "string", "integer", "number", "boolean", "null")


def synthesise(
    schema: Json,
    schemas: dict[str, JsonObject],
    *,
    seed: str,
    example: Json = _NOTHING,
    is_request: bool = False,
    is_ascii: bool = False,
) -> Json:
    """A value for the schema; the same seed gives the same value.

    `example` is returned where it fits. `is_request` leaves out readOnly properties instead of writeOnly ones;
    `is_ascii` keeps strings to ASCII (headers). Never raises: an unsatisfiable schema gives the best effort.
    """
    return _synthesiser_for(schemas).value(
        schema, seed=seed, example=example, is_request=is_request, is_ascii=is_ascii
    )


_synthesisers: OrderedDict[int, "Synthesiser"] = OrderedDict()


def _synthesiser_for(schemas: dict[str, JsonObject]) -> "Synthesiser":
    """The synthesiser of these very schemas: compiling a large contract's registry takes a tenth of a second."""
    known = _synthesisers.get(id(schemas))
    if known is None or known.schemas is not schemas:
        known = _synthesisers[id(schemas)] = Synthesiser(schemas)
        while len(_synthesisers) > _KEPT:
            _synthesisers.popitem(last=False)
    return known


class Synthesiser:
    """Makes values for the schemas of one contract; keep it as long as the contract."""

    def __init__(self, schemas: dict[str, JsonObject]) -> None:
        self.schemas = schemas
        self._registry: Registry | None = None
        self._memo: Memo = {}
        self._validators: OrderedDict[bytes, Draft202012Validator | None] = OrderedDict()

    def value(
        self,
        schema: Json,
        *,
        seed: str,
        example: Json = _NOTHING,
        is_request: bool = False,
        is_ascii: bool = False,
    ) -> Json:
        """See `synthesise`."""
        if example is not _NOTHING and self.is_valid(example, schema):
            return example
        first: Json = None
        for number in range(_ROUNDS):
            making = _Making(
                self, Random(f"{seed}#{number}"), number, is_request=is_request, is_ascii=is_ascii
            )
            made = making.value(schema, "", 0)
            if self.is_valid(made, schema):
                return made
            if number == 0:
                first = made
            if making.is_large:
                break  # another round would be as long
        return first

    def is_valid(self, value: Json, schema: Json) -> bool:
        """Whether the value fits, by the gateway's own validator; a schema that does not compile takes everything."""
        validator = self._validator(schema)
        return validator is None or validator.is_valid(value)

    def flat(self, schema: Json) -> JsonObject:
        """The schema seen flat (sdk.flatten)."""
        return flatten(schema, self.schemas, self._memo)

    def _validator(self, schema: Json) -> Draft202012Validator | None:
        key = msgspec.json.encode(schema)
        if key in self._validators:
            self._validators.move_to_end(key)
            return self._validators[key]
        validator: Draft202012Validator | None
        try:
            if self._registry is None:
                self._registry = registry_of(self.schemas)
            validator = validator_of(schema, self._registry)
        except (ValueError, ReferencingError):
            validator = None
        self._validators[key] = validator
        if len(self._validators) > _MOST_VALIDATORS:
            self._validators.popitem(last=False)
        return validator


class _Making:
    """One attempt at one value. Later rounds try other branches, without examples, and with fewer properties."""

    def __init__(
        self, owner: Synthesiser, random: Random, number: int, *, is_request: bool, is_ascii: bool
    ) -> None:
        self._owner = owner
        self._random = random
        self._round = number
        self._is_request = is_request
        self._is_ascii = is_ascii
        self._nodes = 0
        self._open: list[str] = []

    def value(self, schema: Json, name: str, depth: int) -> Json:
        """A value for the schema of the property `name`."""
        self._nodes += 1
        if depth > _MOST_DEPTH * 2:
            return None
        component = reference_name(schema)
        if component:
            self._open.append(component)
        flat = self._owner.flat(schema)
        groups = flat.pop(CHOICES, [])
        made = self._chosen(schema, flat, groups, name, depth) if groups else self._plain(flat, name, depth)
        if component:
            self._open.pop()
        return made

    @property
    def is_large(self) -> bool:
        """Whether the value has more parts than are worth making."""
        return self._nodes > _MOST_NODES

    @property
    def _is_lean(self) -> bool:
        """Whether only what is required is made: the value is large already, or earlier rounds failed."""
        return self.is_large or self._round in {3, 5}

    # --- alternatives ------------------------------------------------------------------------------
    def _chosen(
        self, schema: Json, flat: JsonObject, groups: list[list[Json]], name: str, depth: int
    ) -> Json:
        """Try branch after branch until the whole fits; a null is the last resort."""
        first: Json = _NOTHING
        most = max(len(group) for group in groups)
        for shift in range(min(most, 8)):
            made = self._picked(flat, groups, shift, name, depth)
            if most == 1 or self.is_large or self._owner.is_valid(made, schema):
                return made
            first = made if first is _NOTHING else first
        return first

    def _picked(self, flat: JsonObject, groups: list[list[Json]], shift: int, name: str, depth: int) -> Json:
        """A value by one branch of each group; alternatives inside a branch are picked by the same shift."""
        for _ in range(_MOST_DEPTH):
            for group in groups:
                flat = combine(flat, self._branch(flat, group, shift))
            groups = flat.pop(CHOICES, [])
            if not groups:
                break
        return self._plain(flat, name, depth)

    def _branch(self, flat: JsonObject, group: list[Json], shift: int) -> JsonObject:
        ordered = sorted(group, key=lambda one: self._is_last_resort(one, depth=0))
        branch = ordered[(shift + self._round) % len(ordered)]
        made = self._owner.flat(branch)
        discriminator = flat.get("discriminator")
        if isinstance(discriminator, dict):
            made = _discriminated(made, discriminator, reference_name(branch))
        return made

    def _is_last_resort(self, branch: Json, depth: int) -> bool:
        if isinstance(branch, dict) and branch.get("type") == "null":
            return True
        return bool(reference_name(branch)) and reference_name(branch) in self._open

    # --- one schema --------------------------------------------------------------------------------
    def _plain(self, flat: JsonObject, name: str, depth: int) -> Json:
        if "const" in flat:
            return flat["const"]
        enum = flat.get("enum")
        if isinstance(enum, list) and enum:
            return self._random.choice([one for one in enum if one is not None] or enum)
        if self._round < 2:
            given = self._given(flat)
            if given is not _NOTHING:
                return given
        return self._by_type(flat, name, depth)

    def _given(self, flat: JsonObject) -> Json:
        """The contract's own example or default, where it holds."""
        examples = flat.get("examples")
        choices = list(examples) if isinstance(examples, list) else []
        if "default" in flat and flat["default"] not in (None, "", [], {}):
            choices.append(flat["default"])
        if not choices or (self._is_ascii and not str(choices[0]).isascii()):
            return _NOTHING
        whole = {key: value for key, value in flat.items() if key not in {"examples", "default"}}
        return next((one for one in choices if self._owner.is_valid(one, whole)), _NOTHING)

    def _by_type(self, flat: JsonObject, name: str, depth: int) -> Json:
        kind = self._type_of(flat)
        if kind == "object":
            return self._object(flat, depth)
        if kind == "array":
            return self._array(flat, name, depth)
        if kind == "string":
            return synthesise_string(flat, self._random, name, is_ascii=self._is_ascii)
        if kind in {"integer", "number"}:
            return synthesise_number(flat, self._random, name, is_integer=kind == "integer")
        return True if kind == "boolean" else None

    def _type_of(self, flat: JsonObject) -> str:
        kinds = types_of(flat)
        telling = [kind for kind in kinds if kind != "null"]
        if telling:
            return telling[self._round % len(telling)]
        if kinds:
            return "null"
        for kind, keys in (
            (
                "object",
                {"properties", "required", "additionalProperties", "minProperties", "patternProperties"},
            ),
            ("array", {"items", "prefixItems", "minItems", "contains"}),
            ("integer", {"minimum", "maximum", "multipleOf", "exclusiveMinimum", "exclusiveMaximum"}),
        ):
            if keys & flat.keys():
                return kind
        return "object" if "not" in flat and flat["not"] == {} else "string"

    # --- containers --------------------------------------------------------------------------------
    def _object(self, flat: JsonObject, depth: int) -> JsonObject:
        properties = flat.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        required = [name for name in flat.get("required", ()) if isinstance(name, str)]
        made: JsonObject = {}
        for name in dict.fromkeys([*properties, *required]):
            schema = properties.get(name, _further_schema(flat))
            if name in required or self._wants(schema, depth):
                made[name] = self.value(schema, name, depth + 1)
        self._add_dependent(flat, properties, made, depth)
        self._add_further(flat, made, depth)
        most = flat.get("maxProperties")
        if isinstance(most, int):
            for name in [name for name in made if name not in required][max(0, most - len(required)) :]:
                del made[name]
        return made

    def _wants(self, schema: Json, depth: int) -> bool:
        """Whether an optional property is made: not deep down, not in a loop, not in the wrong direction."""
        if self._is_lean or depth > _RICH_DEPTH or schema is False:
            return False
        flat = self._owner.flat(schema)
        if flat.get("readOnly" if self._is_request else "writeOnly") is True or flat.get("not") == {}:
            return False
        return not self._loops(schema, flat)

    def _loops(self, schema: Json, flat: JsonObject) -> bool:
        """Whether making the schema would open a component that is open already."""
        names = {reference_name(schema), reference_name(flat.get("items"))}
        names |= {reference_name(flat.get("additionalProperties"))}
        names |= {reference_name(branch) for group in flat.get(CHOICES, ()) for branch in group}
        names |= {
            reference_name(branch) for branch in (schema.get("allOf", ()) if isinstance(schema, dict) else ())
        }
        return any(name in self._open for name in names if name)

    def _add_dependent(self, flat: JsonObject, properties: JsonObject, made: JsonObject, depth: int) -> None:
        dependent = flat.get("dependentRequired")
        for name, others in (dependent if isinstance(dependent, dict) else {}).items():
            for other in others if name in made else ():
                if other not in made:
                    made[other] = self.value(properties.get(other, {}), other, depth + 1)

    def _add_further(self, flat: JsonObject, made: JsonObject, depth: int) -> None:
        """Entries of a map, or as many more as minProperties asks for."""
        least = flat.get("minProperties", 0)
        further = flat.get("additionalProperties")
        is_map = (
            isinstance(further, dict)
            and not flat.get("properties")
            and depth <= _RICH_DEPTH
            and not self._is_lean
        )
        if isinstance(further, dict) and reference_name(further) in self._open:
            is_map = False
        wanted = max(least if isinstance(least, int) else 0, 1 if is_map else 0)
        patterns = flat.get("patternProperties")
        pattern, inner = (
            next(iter(patterns.items()), ("", further)) if isinstance(patterns, dict) else ("", further)
        )
        for number in range(min(wanted, 200) * 3):
            if len(made) >= wanted or self._nodes > 2 * _MOST_NODES:
                break
            key = self._key(flat, pattern, number)
            made.setdefault(key, self.value(inner if isinstance(inner, dict) else {}, key, depth + 1))

    def _key(self, flat: JsonObject, pattern: str, number: int) -> str:
        names = flat.get("propertyNames")
        if isinstance(names, dict) and names:
            made = self.value({"type": "string", **names}, "", _MOST_DEPTH)
            return made if isinstance(made, str) else f"key{number + 1}"
        found = matching(pattern, self._random, lambda _: True) if pattern else None
        return found or f"key{number + 1}"

    def _array(self, flat: JsonObject, name: str, depth: int) -> list[Json]:
        prefix = flat.get("prefixItems")
        fixed = [self.value(one, name, depth + 1) for one in prefix] if isinstance(prefix, list) else []
        items = flat.get("items", {})
        least, most = _count(flat, "minItems", 0), _count(flat, "maxItems", 10**6)
        is_loop = reference_name(items) in self._open if reference_name(items) else False
        wanted = (
            0 if is_loop or self._is_lean or depth > _RICH_DEPTH or items is False else 2 if depth < 2 else 1
        )
        wanted = min(max(wanted, least - len(fixed)), max(most - len(fixed), 0), 1000)
        if "contains" in flat:
            fixed.append(self.value(flat["contains"], name, depth + 1))
        rest = self._items(items, wanted, name, depth, is_unique=flat.get("uniqueItems") is True)
        return [*fixed, *rest][: max(most, 0)]

    def _items(self, items: Json, wanted: int, name: str, depth: int, *, is_unique: bool) -> list[Json]:
        made: list[Json] = []
        one = _singular_name(name)
        for number in range(wanted * (8 if is_unique else 1)):
            if len(made) >= wanted or self._nodes > 2 * _MOST_NODES:
                break
            value = self.value(items, one, depth + 1)
            if is_unique and value in made:
                value = self._other(items, made, one, number)
            if not is_unique or value not in made:
                made.append(value)
        return made

    def _other(self, items: Json, made: list[Json], name: str, number: int) -> Json:
        """Another item where examples or defaults would give the same again."""
        flat = self._owner.flat(items)
        enum = flat.get("enum")
        if isinstance(enum, list):
            return next((one for one in enum if one not in made), None)
        flat.pop("examples", None)
        flat.pop("default", None)
        made_ = self._by_type(flat, name, _RICH_DEPTH) if CHOICES not in flat else None
        if made_ in made and flat.get("type") == "string" and "pattern" not in flat and "format" not in flat:
            return f"{text_for(kind_of_name(name), self._random, is_ascii=self._is_ascii)}{number}"
        return made_


def _discriminated(branch: JsonObject, discriminator: JsonObject, component: str) -> JsonObject:
    """The branch with the discriminating property set to the value that stands for it."""
    name = discriminator.get("propertyName")
    if not isinstance(name, str) or not component:
        return branch
    mapping = discriminator.get("mapping")
    entries = mapping.items() if isinstance(mapping, dict) else ()
    value = next(
        (key for key, target in islice(entries, 500) if str(target).endswith(f"/{component}")), component
    )
    held = branch.get("properties", {}).get(name)
    if isinstance(held, dict) and {"enum", "const"} & held.keys():
        return branch
    return combine(branch, {"properties": {name: {"const": value}}, "required": [name]})


def _further_schema(flat: JsonObject) -> JsonObject:
    """The schema of properties that are not listed."""
    further = flat.get("additionalProperties")
    return further if isinstance(further, dict) else {}


def _count(flat: JsonObject, key: str, default: int) -> int:
    value = flat.get(key)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else default


def _singular_name(name: str) -> str:
    return name[:-1] if len(name) > 3 and name.endswith("s") and not name.endswith("ss") else name
