"""Which operations a draft offers: a look-up and a list for each record, one operation for each call."""

import re

from msgspec import Struct, field

from api.contract.draft.guessing import distinct_names
from api.contract.draft.parts import Call, Field, Record, Source
from api.contract.naming import pascal, slug, words
from api.contract.operation_names import _OTHER_VERBS as OTHER_VERBS
from api.contract.operation_names import _SYNONYMS as SYNONYMS
from api.contract.report import Report

_READS = frozenset(
    {"get", "list", "search", "check", "verify", "validate", "preview", "download", "find", "count"}
)
_PLAIN = frozenset({"get", "list", "search", "create", "update", "delete"})
_PINYIN_VERBS = {"cx": "get", "hq": "get", "chaxun": "get", "huoqu": "get", "tj": "submit", "sb": "submit", "bl": "create", "xz": "create",
                 "gx": "update", "sc": "delete", "hy": "verify", "hc": "verify", "jy": "verify", "zx": "cancel"}  # fmt: skip
_FILTERS = ("status", "kind", "division_code", "district", "year", "month")
_MOST_FILTERS = 3


class Drafted(Struct):
    """One operation of the contract to be, and where it came from."""

    id: str
    verb: str
    resource: str
    method: str
    path: str
    zh: str
    en: str
    answer: list[Field]
    schema: str  # name of the answer's schema
    parameters: list[tuple[str, Field]] = field(default_factory=list)  # location, field
    body: list[Field] = field(default_factory=list)
    is_list: bool = False
    is_write: bool = False
    key: Field | None = None
    record: Record | None = None
    call: Call | None = None


def operations_of(source: Source, service: str) -> list[Drafted]:
    """All operations of a source; ids, (resource, verb) and paths are distinct."""
    made = [one for record in source.records for one in _of_record(record)]
    if source.kind in {"csv", "xlsx"} and any(not one.is_list for one in made):
        made = [one for one in made if not one.is_list]  # a file in a drop folder has no pages
    made += [_of_call(call, service, source.report) for call in source.calls]
    _make_distinct(made)
    return made


def is_personal(fields: list[Field]) -> bool:
    """Whether any field, inner ones included, holds personal or sensitive data."""
    return any(one.kind or is_personal(one.fields) for one in fields)


def plural(resource: str) -> str:
    if resource.endswith(("s", "x", "ch", "sh")):
        return f"{resource}es"
    return f"{resource[:-1]}ies" if re.search("[^aeiou]y$", resource) else f"{resource}s"


def camel(text: str) -> str:
    made = pascal(text)
    return made[:1].lower() + made[1:]


# --- records ---------------------------------------------------------------------------------------
def _of_record(record: Record) -> list[Drafted]:
    key = next((one for one in record.fields if one.name == record.key), None)
    name, path, schema = record.name, f"/{plural(record.name)}", pascal(record.name)
    zh, en = record.zh or "记录", name.replace("-", " ")
    made = []
    if key is not None:
        asked = Field(**{one: getattr(key, one) for one in key.__struct_fields__})
        asked.is_required, asked.ref = True, None
        found = Drafted(f"get{schema}", "get", name, "get", f"{path}/{{{key.name}}}", f"查询{zh}", f"Look up a {en}",
                        record.fields, schema, parameters=[("path", asked)], key=asked, record=record)  # fmt: skip
        if key.kind:  # no personal identifier stands in an address
            found = Drafted(f"find{schema}", "find", name, "post", f"{path}/inquiry", f"查询{zh}", f"Look up a {en}",
                            record.fields, schema, body=[asked], key=asked, record=record)  # fmt: skip
        made.append(found)
    if key is None or not is_personal(record.fields):
        filters = [("query", _optional(one)) for one in record.fields if one is not key and _is_filter(one)]
        made.append(
            Drafted(f"list{pascal(plural(name))}", "list", name, "get", path, f"列出{zh}", f"List {plural(en)}",
                    record.fields, schema, parameters=filters[:_MOST_FILTERS], is_list=True, record=record)
        )  # fmt: skip
    return made


def _is_filter(one: Field) -> bool:
    is_plain = not one.is_object and not one.is_list and not one.kind and "/" not in one.native
    return is_plain and (bool(one.schema.get("enum")) or one.name in _FILTERS or bool(one.element))


def _optional(one: Field) -> Field:
    made = Field(**{name: getattr(one, name) for name in one.__struct_fields__})
    made.is_required, made.ref = False, None
    return made


# --- calls -----------------------------------------------------------------------------------------
def _of_call(call: Call, service: str, report: Report) -> Drafted:
    said = words(call.native) or ["call"]
    verb = _PINYIN_VERBS.get(said[0]) or SYNONYMS.get(
        said[0], said[0] if said[0] in _PLAIN | OTHER_VERBS else ""
    )
    rest = [word for word in said[1:] if word not in {"by", "info", "service", "request"}] if verb else said
    if verb in {"", "search", "list"} or (verb == "get" and said):
        verb = "list" if len(call.answer) == 1 and call.answer[0].is_list else "get"
    resource = slug(" ".join(rest)) or service
    distinct_names(call.request, report, f"/operation/{call.native}")
    distinct_names(call.answer, report, f"/operation/{call.native}")
    flat = not any(one.is_object or one.is_list for one in call.request)
    is_read = verb in _READS
    schema = (
        f"{pascal(resource)}Answer"
        if verb in {"get", "search", "list"}
        else f"{pascal(verb)}{pascal(resource)}Answer"
    )
    made = Drafted(f"{verb}{pascal(resource)}", verb, resource, "post", f"/{plural(resource)}", call.zh or f"办理{call.native}",
                   call.en or f"{verb.capitalize()} {resource.replace('-', ' ')}", call.answer, schema, call=call)  # fmt: skip
    made.is_write = not is_read
    if is_read and flat and not is_personal(call.request):
        made.method = "get"
        needed = [one for one in call.request if one.is_required]
        if len(needed) == 1 and needed[0].schema.get("type") == "string":
            made.key = needed[0]
            made.path = f"/{plural(resource)}/{{{needed[0].name}}}"
        made.parameters = [("path" if one is made.key else "query", one) for one in call.request]
        return made
    made.body = call.request
    made.key = next(
        (one for one in call.request if one.is_required and not one.is_object and not one.is_list), None
    )
    if is_read or verb not in _PLAIN:
        made.path = f"/{plural(resource)}/{'inquiry' if is_read else verb}"
        made.verb = "find" if verb in {"get", "list", "search"} else verb
        made.id = f"{made.verb}{pascal(resource)}"
    return made


def _make_distinct(made: list[Drafted]) -> None:
    seen: set[str] = set()
    for one in made:
        number = 2
        original = (one.id, one.path, one.verb)
        while {
            f"id {one.id}",
            f"path {one.method} {_shape(one.path)}",
            f"name {one.resource} {one.verb}",
        } & seen:
            one.id, one.path, one.verb = (
                f"{original[0]}{number}",
                _numbered(original[1], number),
                f"{original[2]}-{number}",
            )
            number += 1
        seen |= {f"id {one.id}", f"path {one.method} {_shape(one.path)}", f"name {one.resource} {one.verb}"}
    names: dict[str, int] = {}
    for one in made:
        if one.call is not None:
            names[one.schema] = names.get(one.schema, 0) + 1
            if names[one.schema] > 1:
                one.schema = f"{one.schema}{names[one.schema]}"


def _shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def _numbered(path: str, number: int) -> str:
    head, brace, tail = path.partition("/{")
    return f"{head}-{number}{brace}{tail}"
