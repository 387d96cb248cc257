"""From a column's name, comment, declared type and sample values to what the contract says of it.

Every guess errs on the side of more protection, and the drafted contract marks none as certain: the officer reads it.
"""

import re
from collections.abc import Iterable, Sequence

from api.contract.draft import checks, notices, vocabulary
from api.contract.draft.parts import Field
from api.contract.draft.vocabulary import Term, has_chinese, snake
from api.contract.model import JsonObject
from api.contract.report import Report
from api.contract.rules_personal import personal_kind

MOST_CODES = 12  # distinct values up to which a column counts as a code list
_PHONE = re.compile(r"1[0-9]{10}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")
_DATES = ((re.compile(r"\d{4}-\d{2}-\d{2}"), ""), (re.compile(r"(19|20)\d{6}"), "date yyyyMMdd"),
          (re.compile(r"\d{4}/\d{2}/\d{2}"), "date yyyy/MM/dd"))  # fmt: skip
_INSTANTS = (
    (re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})"), ""),
    (re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}"), 'datetime "yyyy-MM-dd HH:mm:ss"'),
    (re.compile(r"(19|20)\d{12}"), "datetime yyyyMMddHHmmss"),
)
_SHAPES = {  # where a value says it all: the field's name, and the term whose class it takes
    "citizen": "id_number",
    "company": "credit_code",
    "phone": "phone",
    "email": "email",
}
_MASKS = {
    "id-number": "last4",
    "name": "first1",
    "phone": "first3-last4",
    "email": "email",
    "bank-account": "last4",
}
_LEVELS = {"name": "L2", "email": "L2", "birth": "L2"}
_BY_NAME = {one.name: one for one in vocabulary.TERMS}


def field_of(
    native: str, comment: str, samples: Iterable[str], number: int, report: Report, pointer: str, declared: JsonObject | None = None
) -> Field:  # fmt: skip
    """The field of a column. `declared` is the schema that the source states, None where it states none."""
    values = [one.strip()[:4000] for one in samples if one.strip()][:2000]
    native, comment = native[:200], comment[:300]
    shape = _shape_of(values)
    term = _term_of(native, comment) or (_BY_NAME[_SHAPES[shape]] if shape else None)
    made = Field(native=native, name=_name_of(native, comment, term, number, report, pointer), samples=values)
    said = comment.strip() or (native.strip() if has_chinese(native) else "")
    made.zh = said if has_chinese(said) else (term.zh if term else native)
    made.en = (
        term.en
        if term
        else (said if said and not has_chinese(said) else made.name.replace("_", " ").capitalize())
    )
    _set_type(made, values, shape, declared)
    _classify(made, term, shape)
    return made


def _term_of(native: str, comment: str) -> Term | None:
    for written in (comment, native):
        found = vocabulary.term_of(written) if written.strip() else None
        if found is not None:
            return found
    return (
        vocabulary.term_within(comment)
        if has_chinese(comment)
        else (vocabulary.term_within(native) if has_chinese(native) else None)
    )


def _name_of(native: str, comment: str, term: Term | None, number: int, report: Report, pointer: str) -> str:
    if term is not None and vocabulary.term_of(native) is term:
        return term.name
    plain = "" if has_chinese(native) else snake(native)
    is_telling = len(plain) > 4 and bool(re.search("[aeiou]", plain))  # pinyin initials tell nobody anything
    if is_telling:
        return plain
    if term is not None:
        return term.name
    if plain:
        return plain
    report.find(notices.NAME_INVENTED, pointer, native=native or "?", name=f"field_{number}")
    return f"field_{number}"


def _shape_of(values: Sequence[str]) -> str:
    """What at least nine in ten values are by shape and check character, "" where they are nothing known."""
    for shape, test in (
        ("citizen", checks.is_citizen_number),
        ("company", checks.is_credit_code),
        ("phone", lambda one: bool(_PHONE.fullmatch(one))),
        ("email", lambda one: len(one) <= 254 and bool(_EMAIL.fullmatch(one))),
    ):
        if values and sum(1 for one in values if test(one)) >= 0.9 * len(values):
            return shape
    return ""


def _set_type(made: Field, values: list[str], shape: str, declared: JsonObject | None) -> None:
    if shape == "citizen" or made.name == "id_number":
        made.schema = {"type": "string", "pattern": checks.CITIZEN_PATTERN, "minLength": 18, "maxLength": 18}
        made.element = "GB 11643-1999"
        if values and shape != "citizen":  # called so, but of another shape: passports, old numbers
            made.schema = {"type": "string", "minLength": 1, "maxLength": 30}
    elif shape == "company" or (made.name == "credit_code" and not values):
        made.schema = {"type": "string", "pattern": checks.CREDIT_PATTERN, "minLength": 18, "maxLength": 18}
        made.element = "GB 32100-2015"
    elif shape == "phone":
        made.schema = {"type": "string", "minLength": 11, "maxLength": 20}
    elif declared is not None:
        made.schema = dict(declared)
        if declared.get("type") == "string" and "format" not in declared and not declared.get("enum"):
            _read_dates(made, values)
    elif not _read_dates(made, values):
        made.schema = _plain_type(values)
    if made.schema.get("type") == "string":
        made.schema.setdefault("maxLength", _bound(values)) if not made.schema.keys() & {
            "enum",
            "format",
        } else None


def _read_dates(made: Field, values: list[str]) -> bool:
    for kind, forms in (("date", _DATES), ("date-time", _INSTANTS)):
        for form, rule in forms:
            if values and all(form.fullmatch(one) for one in values):
                made.schema, made.rule = {"type": "string", "format": kind}, rule
                return True
    return False


def _plain_type(values: list[str]) -> JsonObject:
    if values and all(re.fullmatch(r"-?(0|[1-9][0-9]{0,14})", one) for one in values):
        return {"type": "integer", **({"minimum": 0} if not any(one[0] == "-" for one in values) else {})}
    if values and all(re.fullmatch(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,10})?", one) for one in values):
        return {"type": "number"}
    distinct = set(values)
    is_code = len(values) >= 20 and len(distinct) <= MOST_CODES and all(len(one) <= 20 for one in distinct)
    if is_code and len(values) >= 4 * len(distinct):
        return {"type": "string", "enum": sorted(distinct)}
    return {"type": "string"}


def _bound(values: list[str]) -> int:
    """A length that leaves room: the next of 20, 50, 100 … above twice the longest sample."""
    longest = max((len(one) for one in values), default=50)
    is_prose = any(has_chinese(one) for one in values[:100])
    return next(
        (step for step in (50, 100, 200, 500, 1000, 4000) if step >= (4 if is_prose else 2) * longest),
        4 * longest,
    )


def _classify(made: Field, term: Term | None, shape: str) -> None:
    by_shape = _BY_NAME[_SHAPES[shape]] if shape else None
    found = by_shape if by_shape is not None and by_shape.kind else term
    if found is not None and found.kind:
        made.kind, made.level, made.mask = found.kind, found.level, found.mask
    else:
        kind = personal_kind(made.name) or personal_kind(made.native)
        if kind:
            made.kind, made.level, made.mask = kind, _LEVELS.get(kind, "L3"), _MASKS.get(kind, "all")
    if made.kind and made.schema.get("enum"):
        made.schema = {"type": "string", "maxLength": 50}  # a list of people's values is no code list
    if made.element == "GB 32100-2015":
        made.ref = ("company@v1/getCompany", "code")


def distinct_names(fields: list[Field], report: Report, pointer: str) -> None:
    """Number the names that came twice; each is told."""
    seen: dict[str, int] = {}
    for one in fields:
        seen[one.name] = seen.get(one.name, 0) + 1
        if seen[one.name] > 1:
            new = f"{one.name}_{seen[one.name]}"
            while new in seen:
                new += "_2"
            seen[new] = 1
            report.find(notices.NAME_NUMBERED, pointer, native=one.native, name=new)
            one.name = new
