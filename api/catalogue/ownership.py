"""Whose a document is, and which service name it may have.

- A name that the document states (`info.x-name`) or the caller gives is meant: the same owner's draft of that
  name and major version is updated, another owner's name is refused.
- A name made from a title is a proposal: a new edition of the same document (most of its operations are known
  there) updates the draft, another document of the same title gets a number, `vat-2`, and the report says so.
"""

import msgspec

from api.catalogue import outside
from api.catalogue.inputs import SERVICE_NAME, SLUG_LENGTH, check_id, is_id
from api.catalogue.models import VersionRecord
from api.catalogue.permissions import can_import
from api.catalogue.readings import Reading, read
from api.catalogue.rights import owner_of
from api.contract.load import Loaded
from api.contract.model import JsonObject
from api.contract.naming import service_slug, slug
from api.core.caller import Caller
from api.core.problem_types_platform import CONFLICT, INPUT_INVALID, NOT_FOUND, PERMISSION_DENIED
from api.core.problems import Refusal, Text

_NUMBERS = 1000
_SAME_DOCUMENT = 0.5  # share of operations, of the smaller edition, that two editions of one document share


async def owner_for(caller: Caller, organisation: str, loaded: Loaded) -> str:
    """The id of the organisation that will own it."""
    questions = outside.ask()
    if organisation:
        check_id(organisation, Text("这个组织", "such organisation"), maximum=SLUG_LENGTH)
        found = await questions.organisation(organisation)
        owner = found.id if found else organisation
        if found is None and organisation not in caller.organisations:
            raise Refusal(NOT_FOUND, what=Text(f"组织 {organisation}", f"organisation {organisation}"))
    else:
        owner = await _department_named_by(caller, loaded) or await questions.default_owner(caller)
    if not owner:
        message = Text("指明所属部门。", "name the department that owns it")
        raise Refusal(INPUT_INVALID, errors=({"pointer": "/organisation", "message": message},), count=1)
    found = await questions.organisation(owner)
    if found is not None and found.kind != "department":
        raise Refusal(
            PERMISSION_DENIED,
            rule="only-departments",
            reason=Text("只有政府部门能开放服务。", "Only departments open services."),
            role=Text("某个部门的发布者", "publisher of a department"),
        )
    return owner


async def _department_named_by(caller: Caller, loaded: Loaded) -> str:
    info = (loaded.document or {}).get("info")
    named = info.get("x-department") if isinstance(info, dict) else None
    found = await outside.ask().organisation(named) if isinstance(named, str) and is_id(named) else None
    if found is None:
        return ""
    return found.id if can_import(caller, found.id) else ""


async def settle_name(
    reading: Reading, loaded: Loaded, overlay: JsonObject | None, owner: str, name: str | None
) -> tuple[Reading, tuple[Text, ...]]:
    """The reading under the name that it may have; read again where that is another one."""
    if name:
        if not SERVICE_NAME.fullmatch(name):
            message = Text(
                "小写字母、数字与连字符,至多 40 个字符。",
                "lower-case letters, digits and hyphens, at most 40",
            )
            raise Refusal(INPUT_INVALID, errors=({"pointer": "/name", "message": message},), count=1)
        reading.name = name
    if name or SERVICE_NAME.fullmatch(_stated_name(loaded)):
        if await owner_of(reading.name) not in {"", owner}:
            raise name_taken(reading.name)
        return reading, ()
    free = await _free_name(reading, owner)
    if free == reading.name:
        return reading, ()
    if SERVICE_NAME.fullmatch(reading.name):
        zh, en = "已属于另一份文档", "belongs to another document"
    else:
        zh, en = "不是合法的服务名", "is no service name"
    note = Text(
        f"名称 {reading.name[:80]} {zh},此文档命名为 {free};用 name 可指定名称。",
        f"The name {reading.name[:80]} {en}, so this one is {free}; name gives it another.",
    )
    if reading.imported.service is None:
        reading.name = free
        return reading, (note,)
    return await read(loaded, overlay, free), (note,)


def _stated_name(loaded: Loaded) -> str:
    info = (loaded.document or {}).get("info")
    stated = info.get("x-name") if isinstance(info, dict) else None
    return stated if isinstance(stated, str) else ""


def name_taken(name: str) -> Refusal:
    return Refusal(
        CONFLICT,
        rule="name-taken",
        service=name,
        reason=Text(
            f"服务名 {name} 属于另一个部门。", f"The service name {name} belongs to another department."
        ),
        following=Text(
            "在契约的 info.x-name 或 name 参数中换一个名称。",
            "Choose another name in info.x-name or as name.",
        ),
    )


async def _free_name(reading: Reading, owner: str) -> str:
    """The proposed name, or it with the lowest number under which it is free or the same document."""
    proposed = reading.name
    if not SERVICE_NAME.fullmatch(proposed):
        proposed = slug(proposed) or service_slug(reading.title)
        proposed = proposed if proposed[0].isalpha() else f"s-{proposed}"[:40]
    for number in range(1, _NUMBERS):
        name = proposed if number == 1 else f"{proposed[:36].rstrip('-')}-{number}"
        holder = await owner_of(name)
        if not holder or (holder == owner and await _is_same_document(name, reading)):
            return name
    raise name_taken(proposed)


async def _is_same_document(name: str, reading: Reading) -> bool:
    """Whether the newest version under this name is an edition of this document."""
    rows = await VersionRecord.filter(service=name).order_by("-imported_at").limit(1)
    if not rows:
        return True
    theirs = _places(msgspec.json.decode(rows[0].document))
    ours = _places(reading.imported.document or {})
    if not theirs or not ours:
        return rows[0].title == reading.title
    return len(theirs & ours) >= _SAME_DOCUMENT * min(len(theirs), len(ours))


def _places(document: JsonObject) -> set[tuple[str, str]]:
    return {
        (path, method)
        for path, item in document.get("paths", {}).items()
        if isinstance(item, dict)
        for method in item
        if method in {"get", "put", "post", "delete", "patch", "head", "options", "trace"}
    }
