"""Lint rules about our own keys: values against profile.schema.json, keys that are nearly one of ours, and
JSON Schema keywords that are nearly one of theirs.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache

from api.contract import profile
from api.contract.model import JsonObject
from api.contract.pointers import join
from api.contract.rule import ERROR, WARNING, Hit, Subject, rule

_OURS = frozenset().union(*profile.KEYS.values()) | {"x-scopes"}
_KNOWN_ELSEWHERE = frozenset(
    {"x-internal", "x-example", "x-examples", "x-nullable", "x-order", "x-tags", "x-extensions", "x-logo", "x-summary",
     "x-displayname", "x-codesamples", "x-code-samples", "x-enum-varnames", "x-servers", "x-title", "x-version"}
)  # fmt: skip
_MOST_COMPARED = 1_000  # keys that are not known; comparing costs a third of a millisecond each
_KEYWORDS = frozenset(
    {
        "type", "format", "enum", "const", "default", "examples", "title", "description", "minimum", "maximum",
        "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern", "items", "minItems",
        "maxItems", "uniqueItems", "contains", "minContains", "maxContains", "prefixItems", "properties", "required",
        "additionalProperties", "patternProperties", "propertyNames", "minProperties", "maxProperties",
        "dependentRequired", "dependentSchemas", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "deprecated",
        "readOnly", "writeOnly", "discriminator", "xml", "externalDocs", "example", "nullable", "contentMediaType",
        "contentEncoding", "contentSchema", "unevaluatedProperties", "unevaluatedItems", "$ref", "$defs", "$comment",
    }
)  # fmt: skip


@lru_cache(maxsize=4096)
def near(key: str, known: frozenset[str]) -> str:
    """The known key that this one seems to mean, "" when there is none."""
    matches = get_close_matches(key, known, n=1, cutoff=0.8)
    folded = {one.lower().replace("-", "").replace("_", ""): one for one in known}
    exact = folded.get(key.lower().replace("-", "").replace("_", ""))
    return exact or (matches[0] if matches else "")


@rule(
    "profile-value",
    ERROR,
    ("{key} 的值不合规范:{error}。", "The value of {key} is not of the profile: {error}."),
    hint=("对照 profile.schema.json 与其中的示例。", "Compare with profile.schema.json and its example."),
    reason=(
        "读不懂的策略按最严的默认值执行。",
        "A policy that cannot be read is replaced by the strictest default.",
    ),
    source="design §3, api/contract/profile.schema.json",
)
def _values(subject: Subject) -> Iterator[Hit]:
    seen: set[str] = set()
    for error in profile.profile_validator().iter_errors(subject.document):
        steps = [str(step) for step in error.instance_path]
        pointer = join("", *steps)
        if pointer in seen:
            continue
        seen.add(pointer)
        key = next((step for step in reversed(steps) if step.startswith("x-")), steps[-1] if steps else "")
        yield Hit(pointer, {"key": key, "error": error.message[:200]})


def _holders(subject: Subject) -> Iterator[tuple[str, JsonObject, str]]:
    yield "info", subject.document.get("info", {}), "/info"
    for operation in subject.operations:
        yield "operation", subject.written(operation), operation.pointer
    for schema, pointer in subject.schemas:
        yield "schema", schema, pointer


@rule(
    "key-typo",
    WARNING,
    ("{key} 不认识,是不是 {meant}?", "{key} is not known; is {meant} meant?"),
    hint=("改正拼写;自己的扩展请用别的名字。", "Mend the spelling, or give your own extension another name."),
    reason=(
        "拼错的策略不会生效,而且没有人会发现。",
        "A policy that is misspelt has no effect, and nobody notices.",
    ),
    source="design §3",
)
def _typos(subject: Subject) -> Iterator[Hit]:
    seen: set[str] = set()
    for where, holder, pointer in _holders(subject):
        for key in holder:
            if not key.lower().startswith("x-") or key in _OURS or key in profile.WRITTEN_KEYS:
                continue
            seen.add(key)
            if len(seen) > _MOST_COMPARED:
                return
            meant = near(key.lower(), _OURS) if key.lower() not in _KNOWN_ELSEWHERE else ""
            if meant and (not subject.is_foreign or key.lower() == meant):
                yield Hit(join(pointer, key), {"key": key, "meant": meant, "where": where})


@rule(
    "key-misplaced",
    WARNING,
    ("{key} 不属于 {where},在这里不生效。", "{key} does not belong to {where} and has no effect here."),
    hint=("移到它该在的地方。", "Move it to where it belongs."),
    reason=("放错地方的策略不会生效。", "A policy in the wrong place has no effect."),
    source="design §3",
    own_only=True,
)
def _misplaced(subject: Subject) -> Iterator[Hit]:
    for where, holder, pointer in _holders(subject):
        for key in holder:
            if key in _OURS and key not in profile.KEYS[where]:
                yield Hit(join(pointer, key), {"key": key, "where": where})


@rule(
    "keyword-typo",
    WARNING,
    ("schema 里的 {key} 不是关键字,是不是 {meant}?", "{key} is no keyword of schemas; is {meant} meant?"),
    hint=("改正拼写。", "Mend the spelling."),
    reason=(
        "拼错的约束不会生效:该拒绝的数据会通过。",
        "A misspelt constraint has no effect: what should be refused passes.",
    ),
    source="JSON Schema 2020-12 Core §6.5",
)
def _keywords(subject: Subject) -> Iterator[Hit]:
    seen: set[str] = set()
    for schema, pointer in subject.schemas:
        for key in schema:
            plain = key.strip().strip(":")
            if key in _KEYWORDS or key.startswith(("x-", "$")) or len(seen) > _MOST_COMPARED:
                continue
            seen.add(key)
            meant = plain if plain in _KEYWORDS else near(plain, _KEYWORDS)
            if meant:
                yield Hit(join(pointer, key), {"key": key, "meant": meant})
