"""Our x- vocabulary (design §3): which key stands where, what it may hold, and how it is read.

`profile.schema.json` beside this file is the same as a JSON Schema (2020-12); its `examples` holds the one
normative example. Reading is lenient here: a value that is not legal counts as not stated, and lint tells it.
"""

import json
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import TypeVar

from jsonschema_rs import Draft202012Validator

from api.contract.model import (
    Basis,
    Batch,
    Classification,
    Deprecation,
    Grade,
    Json,
    JsonObject,
    Level,
    Pagination,
    Promise,
    QuotaClass,
    Reference,
    Scenario,
    Status,
    Texts,
)

SCHEME = "kaimen"  # the security scheme that the importer proposes
DEFAULT_LEVEL = Level.L2  # of a document that states none: never open
SHARES = ("unconditional", "conditional", "none")
OPENS = ("open", "conditional", "closed")
AUDIENCES = ("department", "third-party", "public")
SUBJECTS = ("person", "organisation")
MASKS = ("last4", "first1", "first3-last4", "email", "all")

_POLICY = {
    "x-grade", "x-level", "x-share", "x-open", "x-audience", "x-basis", "x-purpose", "x-subject", "x-quota",
    "x-assurance", "x-deprecation", "x-i18n",
}  # fmt: skip
KEYS: dict[str, frozenset[str]] = {
    "info": frozenset(
        _POLICY
        | {"x-name", "x-department", "x-owner", "x-status", "x-service", "x-directory", "x-purposes"}
    ),
    "operation": frozenset(
        _POLICY
        | {
            "x-resource", "x-verb", "x-idempotent", "x-stream", "x-cache", "x-max-rows", "x-pagination", "x-batch",
            "x-scenarios", "x-refusals",
        }
    ),
    "schema": frozenset(
        {"x-classification", "x-mask", "x-element", "x-code-list", "x-ref", "x-i18n", "x-sdk-name"}
    ),
}  # fmt: skip
# written by the normaliser and the importer; nobody needs to write them
WRITTEN_KEYS = frozenset(
    {
        "x-loss", "x-tags", "x-original-id", "x-original-name", "x-unresolved", "x-servers", "x-callbacks",
        "x-security-alternatives", "x-upstream-security", "x-enum", "x-pattern", "x-default", "x-example", "x-scopes",
    }
)  # fmt: skip

_Member = TypeVar("_Member", bound=StrEnum)


@cache
def profile_schema() -> JsonObject:
    """The JSON Schema of the profile."""
    text = resources.files("api.contract").joinpath("profile.schema.json").read_text(encoding="utf-8")
    schema: JsonObject = json.loads(text)
    return schema


@cache
def profile_validator() -> Draft202012Validator:
    """The compiled schema of the profile."""
    return Draft202012Validator(profile_schema(), validate_formats=True, offline=True)


def normative_example() -> JsonObject:
    """A fresh copy of the one normative example."""
    example: JsonObject = json.loads(json.dumps(profile_schema()["examples"][0]))
    return example


# --- reading one key -------------------------------------------------------------------------------
def member(kind: type[_Member], value: Json, default: _Member) -> _Member:
    """The enum's member of that value, or the default."""
    try:
        return kind(value)
    except ValueError:
        return default


def one_of(choices: tuple[str, ...], value: Json, default: str) -> str:
    """The value where it is one of the choices."""
    return value if isinstance(value, str) and value in choices else default


def text(value: Json) -> str:
    """A string, or ""."""
    return value if isinstance(value, str) else ""


def count(value: Json) -> int:
    """A non-negative integer, or 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def as_object(value: Json) -> JsonObject:
    """An object, or {}."""
    return value if isinstance(value, dict) else {}


def level_of(value: Json, default: Level = DEFAULT_LEVEL) -> Level:
    return member(Level, value, default)


def grade_of(value: Json) -> Grade:
    """What cannot be read is not guessed to be harmless: an unknown grade counts as important."""
    return Grade.GENERAL if value is None else member(Grade, value, Grade.IMPORTANT)


def quota_of(value: Json) -> QuotaClass:
    return member(QuotaClass, value, QuotaClass.STANDARD)


def status_of(value: Json) -> Status:
    return member(Status, value, Status.BETA)


def share_of(value: Json) -> str:
    """x-share, as a word or an object; `conditional` where nothing legal is stated."""
    if isinstance(value, dict):
        value = value.get("share", next((key for key in SHARES if key in value), None))
    return one_of(SHARES, value, "conditional")


def basis_of(value: Json) -> tuple[Basis, JsonObject]:
    """x-basis and its law; `contract` where nothing legal is stated (the terms of the subscription)."""
    law: JsonObject = {}
    if isinstance(value, dict):
        kind = value.get("basis", next((one.value for one in Basis if one.value in value), None))
        inner = as_object(value.get(kind)) if isinstance(kind, str) else {}
        law = {key: text({**value, **inner}.get(key)) for key in ("law", "article")}
        law = {key: one for key, one in law.items() if one}
        value = kind
    return member(Basis, value, Basis.CONTRACT), law


def purposes_of(value: Json) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def texts_of(value: Json) -> Texts:
    """Language -> text; a plain string goes under the language that it seems to be in."""
    if isinstance(value, str):
        return {language_of(value): value} if value else {}
    return {key: one for key, one in value.items() if isinstance(one, str)} if isinstance(value, dict) else {}


def i18n_of(value: Json) -> dict[str, Texts]:
    """x-i18n: language -> {"title", "description"}."""
    return {language: texts_of(one) for language, one in as_object(value).items() if isinstance(one, dict)}


def language_of(value: str) -> str:
    """The language that a text seems to be in: `zh-CN` where it has Chinese characters, else `en`."""
    return "zh-CN" if any("\u3400" <= char <= "\u9fff" for char in value) else "en"


def deprecation_of(value: Json) -> Deprecation | None:
    fields = as_object(value)
    if not text(fields.get("at")):
        return None
    return Deprecation(*(text(fields.get(key)) for key in ("at", "sunset", "successor", "guide")))


def pagination_of(value: Json) -> Pagination | None:
    fields = as_object(value)
    if not all(text(fields.get(key)) for key in ("style", "cursor", "size", "items")):
        return None
    return Pagination(*(text(fields.get(key)) for key in ("style", "cursor", "size", "items", "next")))


def batch_of(value: Json) -> Batch | None:
    fields = as_object(value)
    if not all(text(fields.get(key)) for key in ("operation", "parameter", "key")) or not count(
        fields.get("max")
    ):
        return None
    return Batch(
        text(fields["operation"]), text(fields["parameter"]), text(fields["key"]), count(fields["max"])
    )


def reference_of(value: Json) -> Reference | None:
    fields = as_object(value)
    operation, parameter = text(fields.get("operation")), text(fields.get("parameter"))
    return Reference(operation, parameter) if operation and parameter else None


def classification_of(schema: Json) -> Classification | None:
    """The x-classification of a property's schema; an unknown level counts as the most sensitive."""
    fields = as_object(as_object(schema).get("x-classification"))
    if not fields:
        return None
    return Classification(level_of(fields.get("level"), Level.L4), text(fields.get("kind")))


def promise_of(value: Json) -> Promise:
    fields = as_object(value)

    def number(key: str) -> float:
        found = fields.get(key)
        return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else 0.0

    return Promise(
        availability=number("availability"),
        p95_ms=number("p95_ms"),
        hours=text(fields.get("hours")),
        maintenance=text(fields.get("maintenance")),
        support=text(fields.get("support")),
        time_zone=text(fields.get("time_zone")) or "Asia/Shanghai",
    )


def scenarios_of(value: Json) -> tuple[Scenario, ...]:
    """The scenarios that have an id and a `then`; others are lint's to tell."""
    made = []
    for one in value if isinstance(value, list) else ():
        fields = as_object(one)
        if text(fields.get("id")) and isinstance(fields.get("then"), dict):
            made.append(
                Scenario(
                    id=fields["id"],
                    title=texts_of(fields.get("title")),
                    given=as_object(fields.get("given")),
                    when=as_object(fields.get("when")),
                    then=fields["then"],
                    state=as_object(fields.get("state")),
                )
            )
    return tuple(made)
