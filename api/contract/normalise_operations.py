"""Normalising operations: unique ids, the stored triple, one tag, security of their own."""

import re

from api.contract import notices_normal as notices
from api.contract.model import JsonObject
from api.contract.normalise_components import class_key
from api.contract.operation_names import longer_verbs, operation_id, resource_of, verb_of
from api.contract.pointers import join
from api.contract.report import Report
from api.contract.shapes import METHODS
from api.contract.upgrade import schemas_of

_LEGAL_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,127}\Z")
_USER_SCHEMES = {"oauth2", "openIdConnect"}
Entry = tuple[str, str, JsonObject, str]  # path, method, operation, pointer


def operations_in(document: JsonObject) -> list[Entry]:
    """The operations below `paths`, in document order."""
    return [
        (path, method, item[method], join("/paths", path, method))
        for path, item in document["paths"].items()
        if isinstance(item, dict) and not path.startswith("x-")
        for method in METHODS
        if isinstance(item.get(method), dict)
    ]


def normalise_operations(document: JsonObject, report: Report) -> None:
    """Names first written win: an operation keeps its id and verb while nobody before it has them."""
    entries = operations_in(document)
    _set_triples(entries, str(document["info"]["x-name"]), report)
    renamed = _set_ids(entries, str(document["info"]["x-name"]), report)
    if renamed:
        _follow_renames(document, entries, renamed)
    for _, _, operation, pointer in entries:
        _keep_one_tag(operation, pointer, report)
    _copy_security(document, entries, report)


# --- names -----------------------------------------------------------------------------------------
def _set_triples(entries: list[Entry], service: str, report: Report) -> None:
    taken: set[tuple[str, str]] = set()
    for path, method, operation, pointer in entries:
        resource = resource_of(operation, path, service)
        verb = verb_of(operation, method, path)
        if (resource, verb) in taken:
            choices = longer_verbs(verb, resource, service, operation, path)
            free = next(one for one in choices if (resource, one) not in taken)
            report.lose(notices.NAME_NUMBERED, pointer, resource=resource, old=verb, new=free)
            verb = free
        taken.add((resource, verb))
        operation["x-resource"], operation["x-verb"] = resource, verb


def _set_ids(entries: list[Entry], service: str, report: Report) -> dict[str, str]:
    """Give each operation a legal id of its own; returns old -> new of ids that were nobody else's."""
    written = [operation.get("operationId") for _, _, operation, _ in entries]
    taken: set[str] = set()
    kept: set[int] = set()
    for index, old in enumerate(written):
        if isinstance(old, str) and _LEGAL_ID.match(old) and class_key(old) not in taken:
            taken.add(class_key(old))
            kept.add(index)
    renamed: dict[str, str] = {}
    for index, (_, _, operation, pointer) in enumerate(entries):
        if index in kept:
            continue
        old = written[index]
        new = _free_id(old, operation_id(service, operation["x-resource"], operation["x-verb"]), taken)
        taken.add(class_key(new))
        operation["operationId"] = new
        if not isinstance(old, str) or not old.strip():
            report.find(notices.OPERATION_ID_ADDED, pointer, new=new)
            continue
        operation["x-original-id"] = old
        renamed.setdefault(old, new)
        why = (
            ("不是合法的名字", "is no legal name") if not _LEGAL_ID.match(old) else ("重复", "is not unique")
        )
        report.lose(notices.OPERATION_ID, pointer, old=old, new=new, why_zh=why[0], why_en=why[1])
    return {old: new for old, new in renamed.items() if written.count(old) == 1}


def _free_id(old: object, computed: str, taken: set[str]) -> str:
    """The old id without its illegal characters, else the computed one, numbered where taken."""
    mended = re.sub(r"[^A-Za-z0-9_-]+", "_", old).strip("_-")[:100] if isinstance(old, str) else ""
    has_letters = len(re.findall("[A-Za-z]", mended)) > 2 and mended[:1].isalpha()
    for choice in ([mended] if has_letters else []) + [computed]:
        if class_key(choice) not in taken:
            return choice
    number = 2
    while class_key(f"{computed}{number}") in taken:
        number += 1
    return f"{computed}{number}"


def _follow_renames(document: JsonObject, entries: list[Entry], renamed: dict[str, str]) -> None:
    """References to operations of the same document keep their target."""
    for _, _, operation, _ in entries:
        batch = operation.get("x-batch")
        if isinstance(batch, dict) and batch.get("operation") in renamed:
            batch["operation"] = renamed[batch["operation"]]
        for status, response in operation.get("responses", {}).items():
            for link in response.get("links", {}).values() if not status.startswith("x-") else ():
                if isinstance(link, dict) and link.get("operationId") in renamed:
                    link["operationId"] = renamed[link["operationId"]]
    for schema, _ in schemas_of(document):
        relation = schema.get("x-ref")
        if isinstance(relation, dict) and relation.get("operation") in renamed:
            relation["operation"] = renamed[relation["operation"]]


def _keep_one_tag(operation: JsonObject, pointer: str, report: Report) -> None:
    tags = [tag for tag in operation.get("tags", ()) if tag]
    if len(tags) > 1:
        operation["x-tags"] = tags
        report.lose(notices.TAGS_MANY, pointer)
    if tags:
        operation["tags"] = tags[:1]
    else:
        operation.pop("tags", None)


# --- security --------------------------------------------------------------------------------------
def _copy_security(document: JsonObject, entries: list[Entry], report: Report) -> None:
    schemes = document["components"].get("securitySchemes", {})
    shared = document.pop("security", None)
    for _, _, operation, pointer in entries:
        if "security" not in operation and shared is not None:
            operation["security"] = [dict(one) for one in shared]
        if "security" in operation:
            operation["security"] = _one_requirement(operation, schemes, join(pointer, "security"), report)


def _one_requirement(
    operation: JsonObject, schemes: JsonObject, place: str, report: Report
) -> list[JsonObject]:
    known: list[JsonObject] = []
    for requirement in operation["security"]:
        made = {}
        for name, scopes in requirement.items():
            if name not in schemes:
                report.lose(notices.SECURITY_UNKNOWN, place, name=name)
                continue
            made[name] = [one for one in scopes if isinstance(one, str)] if isinstance(scopes, list) else []
        if made or not requirement:
            known.append(made)
    if len(known) < 2:
        return known
    chosen = next((one for one in known if _uses_oauth(one, schemes)), known[0])
    operation["x-security-alternatives"] = [one for one in known if one is not chosen]
    report.lose(notices.SECURITY_ALTERNATIVES, place)
    return [chosen]


def _uses_oauth(requirement: JsonObject, schemes: JsonObject) -> bool:
    return any(schemes[name].get("type") in _USER_SCHEMES for name in requirement)
