"""Onboarding: a department's document becomes a version of a service, with everything that was found and lost.

The original files are kept untouched beside the overlay (what the importer proposed, or an owner edited), the
normalised document, findings, losses and the verdict of every face. A refused document is kept too: its report
can be read, but it cannot be published. Importing changes nothing that is published.

Whose name it is

- A name that the document states (`info.x-name`) or the caller gives is meant: the same owner's draft of that
  name and major version is updated, another owner's name is refused.
- A name made from a title is a proposal: a new edition of the same document (most of its operations are known
  there) updates the draft, another document of the same title gets a number, `vat-2`, and the report says so.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from api.catalogue import outside
from api.catalogue.models import Publication, ServiceRecord, VersionRecord
from api.catalogue.permissions import check_can_import, requester_of
from api.catalogue.rights import owner_of
from api.catalogue.uploads import Upload
from api.contract.importing import Imported, read_contract
from api.contract.load import Loaded, load_files
from api.contract.model import FaceVerdict, Finding, JsonObject, Loss, Status
from api.contract.naming import major_version, service_slug, slug
from api.contract.overlay import propose
from api.contract.profile import status_of
from api.core import audit, clock
from api.core.caller import Caller
from api.core.problem_types_platform import (
    CONFLICT,
    CONTRACT_REFUSED,
    INPUT_INVALID,
    NOT_FOUND,
    PERMISSION_DENIED,
)
from api.core.problems import Refusal, Text

Progress = Callable[[str], None]
_encoder = msgspec.json.Encoder()
_NAME = re.compile(r"(?=.{1,40}\Z)[a-z][a-z0-9]*(-[a-z0-9]+)*")
_NUMBERS = 1000
_SAME_DOCUMENT = (
    0.5  # share of operations, of the smaller edition, that two editions of one document have in common
)
_reading = asyncio.Semaphore(2)  # a large document keeps a core busy for seconds


class ImportReport(Struct, frozen=True):
    """The outcome of an import or a lint (design §4). `service` "" where nothing could be made of the document."""

    service: str
    version: str
    title: str
    release: str
    operations: int
    losses: tuple[Loss, ...]
    findings: tuple[Finding, ...]
    verdicts: dict[str, str]
    reasons: dict[str, tuple[str, ...]]
    overlay: JsonObject
    is_new: bool = False
    is_unchanged: bool = False
    notes: tuple[Text, ...] = ()

    @property
    def version_id(self) -> str:
        return f"{self.service}@{self.version}" if self.service else ""


class _Read(Struct):
    """One reading of a document, and the name that it is to have."""

    imported: Imported
    name: str
    version: str
    title: str
    release: str
    operations: int


async def load_upload(upload: Upload) -> Loaded:
    """Load uploaded files off the event loop; what cannot be read is told by findings."""
    async with _reading:
        return await asyncio.to_thread(load_files, upload.files, upload.entry)


async def lint(loaded: Loaded, overlay: JsonObject | None = None) -> ImportReport:
    """Read a document and say everything about it; nothing is stored."""
    return _report(await _read(loaded, overlay))


async def import_contract(
    caller: Caller,
    *,
    organisation_id: str = "",
    loaded: Loaded,
    overlay: JsonObject | None = None,
    name: str | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Store a document as the draft of a service version; never raises for what the document says.

    `organisation_id` (an id or a slug) owns it; "" takes the department that the document names (x-department)
    where the caller may act for it, else the caller's own. `overlay` None keeps the one that an owner edited, or
    proposes one. `name` is the service's. `progress` is told the stages. Importing the same again changes nothing.

    Errors: permission-denied, conflict (another owner's name), input-invalid (name, organisation).
    """
    tell = progress or _silence
    owner = await _owner_for(caller, organisation_id, loaded)
    check_can_import(caller, owner)
    tell("read")
    reading = await _read(loaded, overlay, name)
    reading, notes = await _settle_name(reading, loaded, overlay, owner, name)
    tell("check")
    known = await VersionRecord.get_or_none(id=f"{reading.name}@{reading.version}")
    if known is not None and overlay is None and known.overlay_edited:
        reading = await _read(loaded, _merged(reading.imported.overlay, msgspec.json.decode(known.overlay)))
        notes = (
            *notes,
            Text("沿用主管部门编辑过的叠加文件。", "The overlay that its owner edited was kept."),
        )
    tell("store")
    return await _store(caller, owner, reading, _original(loaded), notes, overlay_edited=overlay is not None)


def _silence(stage: str) -> None:
    return None


# --- reading ------------------------------------------------------------------------------------
async def _read(loaded: Loaded, overlay: JsonObject | None, name: str | None = None) -> _Read:
    async with _reading:
        imported = await asyncio.to_thread(_read_as, loaded, overlay, name)
    service = imported.service
    if service is not None:
        title, release = plain(service.title), plain(service.release)
        return _Read(imported, service.name, service.version, title, release, len(service.operations))
    info = (imported.document or loaded.document or {}).get("info")
    info = info if isinstance(info, dict) else {}
    stem = loaded.entry.rpartition("/")[2].partition(".")[0]
    title = plain(str(info.get("title") or stem or "document"))
    release = plain(str(info.get("version") or ""))
    stated = info.get("x-name")
    name = slug(stated) if isinstance(stated, str) else ""
    return _Read(imported, name or service_slug(title), major_version(release), title, release, 0)


def plain(text: str) -> str:
    """Text for a column: no control characters, no lone surrogates (PostgreSQL takes neither)."""
    return "".join(char for char in text if char.isprintable()).strip()


def _read_as(loaded: Loaded, overlay: JsonObject | None, name: str | None) -> Imported:
    """Read it under a given name: an own overlay gets one more action, else one is proposed for that name."""
    if name and loaded.document is not None:
        overlay = propose(loaded.document, name) if overlay is None else overlay
        action = {"target": "$.info", "update": {"x-name": name}}
        if action not in overlay.get("actions", []):
            overlay = {**overlay, "actions": [*overlay.get("actions", []), action]}
    return read_contract(loaded, overlay)


def _merged(proposed: JsonObject, edited: JsonObject) -> JsonObject:
    """The owner's overlay over what is proposed for a new edition: operations that he has not seen are proposed."""
    mine = edited.get("actions", [])
    return {**edited, "actions": [*(one for one in proposed.get("actions", []) if one not in mine), *mine]}


def _original(loaded: Loaded) -> str:
    return _encoder.encode({"entry": loaded.entry, "files": loaded.files}).decode()


# --- whose it is --------------------------------------------------------------------------------
async def _owner_for(caller: Caller, organisation: str, loaded: Loaded) -> str:
    """The id of the organisation that will own it."""
    questions = outside.ask()
    if organisation:
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
    found = await outside.ask().organisation(named) if isinstance(named, str) and named else None
    if found is None:
        return ""
    try:
        check_can_import(caller, found.id)
    except Refusal:
        return ""
    return found.id


async def _settle_name(
    reading: _Read, loaded: Loaded, overlay: JsonObject | None, owner: str, name: str | None
) -> tuple[_Read, tuple[Text, ...]]:
    """The reading under the name that it may have; read again where that is another one."""
    if name:
        if not _NAME.fullmatch(name):
            message = Text(
                "小写字母、数字与连字符,至多 40 个字符。",
                "lower-case letters, digits and hyphens, at most 40",
            )
            raise Refusal(INPUT_INVALID, errors=({"pointer": "/name", "message": message},), count=1)
        reading.name = name
    stated = (
        ((loaded.document or {}).get("info") or {}).get("x-name")
        if isinstance(loaded.document, dict)
        else None
    )
    holder = await owner_of(reading.name)
    if name or stated:
        if holder not in {"", owner}:
            raise _name_taken(reading.name)
        return reading, ()
    free = await _free_name(reading, owner)
    if free == reading.name:
        return reading, ()
    note = Text(
        f"名称 {reading.name} 已属于另一份文档,此文档命名为 {free};用 name 可指定名称。",
        f"The name {reading.name} belongs to another document, so this one is {free}; name gives it another.",
    )
    if reading.imported.service is None:
        reading.name = free
        return reading, (note,)
    again = await _read(loaded, overlay, free)
    return again, (note,)


def _name_taken(name: str) -> Refusal:
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


async def _free_name(reading: _Read, owner: str) -> str:
    """The proposed name, or it with the lowest number under which it is free or the same document."""
    for number in range(1, _NUMBERS):
        name = reading.name if number == 1 else f"{reading.name[:36]}-{number}"
        holder = await owner_of(name)
        if not holder or (holder == owner and await _is_same_document(name, reading)):
            return name
    raise _name_taken(reading.name)


async def _is_same_document(name: str, reading: _Read) -> bool:
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


# --- storing ------------------------------------------------------------------------------------
async def _store(
    caller: Caller,
    owner: str,
    reading: _Read,
    original: str,
    notes: tuple[Text, ...],
    *,
    overlay_edited: bool,
) -> ImportReport:
    imported, version_id = reading.imported, f"{reading.name}@{reading.version}"
    columns = _columns(reading, original)
    known = await VersionRecord.get_or_none(id=version_id)
    if known is not None and all(getattr(known, column) == value for column, value in columns.items()):
        return _report(reading, notes=notes, is_unchanged=True)
    if known is not None and known.status == Status.RETIRED:
        raise Refusal(
            CONFLICT,
            rule="version-retired",
            service=version_id,
            reason=Text(f"{version_id} 已下线。", f"{version_id} is retired."),
            following=Text(
                "提高 info.version 的主版本号后导入。",
                "Raise the major number of info.version and import it.",
            ),
        )
    async with audit.write(
        caller.actor, "contract:import", f"version/{version_id}", organisation=owner,
        release=reading.release, digest=columns["digest"], operations=reading.operations,
        losses=len(imported.losses), findings=len(imported.findings),
    ) as entry:  # fmt: skip
        titles = _titles(reading)
        record, _ = await ServiceRecord.get_or_create(
            name=reading.name,
            defaults={"organisation_id": owner, "created_at": clock.now(), **titles},
        )
        if record.organisation_id != owner:  # someone was faster
            raise _name_taken(reading.name)
        await ServiceRecord.filter(name=reading.name).update(**titles)
        columns |= {"imported_by": requester_of(caller), "imported_at": clock.now()}
        if known is None:
            await VersionRecord.create(
                id=version_id, service=reading.name, version=reading.version, status=_first_status(reading),
                overlay_edited=overlay_edited, **columns,
            )  # fmt: skip
        else:
            edited = {"overlay_edited": True} if overlay_edited else {}
            await VersionRecord.filter(id=version_id).update(**columns, **edited)
        entry.emit("gov.kaimen.contract.imported", f"version/{version_id}",
                   {"service": version_id, "release": reading.release, "digest": columns["digest"]})  # fmt: skip
    return _report(reading, notes=notes, is_new=known is None)


def _columns(reading: _Read, original: str) -> dict[str, Any]:
    imported, service = reading.imported, reading.imported.service
    return {
        "release": reading.release[:64],
        "title": reading.title[:200],
        "wanted_status": _stated_status(imported),
        "digest": service.digest if service else "",
        "operations": reading.operations,
        "original": original,
        "overlay": _encoder.encode(imported.overlay).decode(),
        "document": _encoder.encode(imported.document or {}).decode(),
        "findings": _encoder.encode(imported.findings).decode(),
        "losses": _encoder.encode(imported.losses).decode(),
        "verdicts": _encoder.encode(_verdicts_of(imported)).decode(),
    }


def _verdicts_of(imported: Imported) -> dict[str, FaceVerdict]:
    """The verdicts; a document of which nothing could be made is refused by every face there is."""
    if imported.verdicts:
        return dict(imported.verdicts)
    reason = next((finding.message for finding in imported.findings), "the document cannot be read")
    return dict.fromkeys(("rest", "sandbox"), FaceVerdict("refused", (reason,)))


def _stated_status(imported: Imported) -> str:
    info = (imported.document or {}).get("info")
    stated = info.get("x-status") if isinstance(info, dict) else None
    return stated if stated in {status.value for status in Status} else ""


def _first_status(reading: _Read) -> str:
    """The status of a new version: what the document says, else beta; nothing begins its life retired."""
    status = status_of(_stated_status(reading.imported))
    return (Status.BETA if status == Status.RETIRED else status).value


def _titles(reading: _Read) -> dict[str, str]:
    service = reading.imported.service
    texts = {
        tag.partition("-")[0].lower(): one.get("title", "")
        for tag, one in (service.texts if service else {}).items()
    }
    return {
        "title_zh": plain(texts.get("zh") or reading.title)[:200],
        "title_en": plain(texts.get("en") or reading.title)[:200],
    }


def _report(
    reading: _Read, *, notes: tuple[Text, ...] = (), is_new: bool = False, is_unchanged: bool = False
) -> ImportReport:
    imported = reading.imported
    verdicts = _verdicts_of(imported)
    return ImportReport(
        service=reading.name,
        version=reading.version,
        title=reading.title,
        release=reading.release,
        operations=reading.operations,
        losses=tuple(imported.losses),
        findings=tuple(imported.findings),
        verdicts={face: one.verdict for face, one in verdicts.items()},
        reasons={face: tuple(one.reasons) for face, one in verdicts.items() if one.reasons},
        overlay=imported.overlay,
        is_new=is_new,
        is_unchanged=is_unchanged,
        notes=notes,
    )


# --- drafts -------------------------------------------------------------------------------------
async def get_version(version_id: str) -> VersionRecord:
    """One version with its texts. Errors: not-found."""
    row = await VersionRecord.get_or_none(id=version_id)
    if row is None:
        raise Refusal(NOT_FOUND, what=Text(f"服务版本 {version_id}", f"service version {version_id}"))
    return row


async def edit_overlay(caller: Caller, version_id: str, overlay: JsonObject) -> ImportReport:
    """Put an owner's overlay in place of the proposed one, and build the draft again from the original files.

    The name stays. Errors: not-found, permission-denied, contract-refused (the overlay makes the document unreadable,
    or gives it another major version: that is another import), input-invalid (no overlay document).
    """
    row = await get_version(version_id)
    owner = await owner_of(row.service)
    check_can_import(caller, owner)
    if not isinstance(overlay.get("actions"), list):
        message = Text(
            "须为 OpenAPI Overlay 1.0 文档,含 actions 列表。",
            "an OpenAPI Overlay 1.0 document with a list of actions",
        )
        raise Refusal(INPUT_INVALID, errors=({"pointer": "/actions", "message": message},), count=1)
    original = msgspec.json.decode(row.original)
    files = {name: text.encode("utf-8", "surrogatepass") for name, text in original["files"].items()}
    loaded = await asyncio.to_thread(load_files, files, original["entry"])
    reading = await _read(loaded, overlay, row.service)
    if reading.imported.service is None or f"{reading.name}@{reading.version}" != version_id:
        findings = [msgspec.to_builtins(finding) for finding in reading.imported.findings[:50]]
        errors = sum(1 for finding in findings if finding["severity"] == "error") or 1
        raise Refusal(CONTRACT_REFUSED, count=errors, findings=findings, service=version_id)
    return await _store(caller, owner, reading, row.original, (), overlay_edited=True)


async def delete_draft(caller: Caller, version_id: str) -> None:
    """Remove a version that was never published. Errors: not-found, permission-denied, conflict (it was)."""
    row = await get_version(version_id)
    owner = await owner_of(row.service)
    check_can_import(caller, owner)
    async with audit.write(caller.actor, "contract:delete", f"version/{version_id}", organisation=owner):
        if await Publication.exists(version_id=version_id):
            raise Refusal(
                CONFLICT,
                rule="draft-published",
                reason=Text(f"{version_id} 发布过。", f"{version_id} was published."),
                following=Text("用 retire 下线它。", "Retire it."),
            )
        await VersionRecord.filter(id=version_id).delete()
        if not await VersionRecord.exists(service=row.service):
            await ServiceRecord.filter(name=row.service).delete()
