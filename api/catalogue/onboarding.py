"""Onboarding: a department's document becomes a version of a service, with everything that was found and lost.

The original files are kept untouched beside the overlay (what the importer proposed, or an owner edited), the
normalised document, findings, losses and the verdict of every face. A refused document is kept too: its report
can be read, but it cannot be published. Importing changes nothing that is published. Names: ownership.py.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from api.catalogue.models import ServiceRecord, VersionRecord
from api.catalogue.ownership import name_taken, owner_for, settle_name
from api.catalogue.permissions import check_can_import, requester_of
from api.catalogue.readings import (
    ImportReport,
    Reading,
    merged,
    plain,
    read,
    report_of,
    stated_status,
    verdicts_of,
)
from api.contract.load import Loaded
from api.contract.model import JsonObject, Status
from api.contract.profile import status_of
from api.core import audit, clock
from api.core.caller import Caller
from api.core.problem_types_platform import CONFLICT
from api.core.problems import Refusal, Text

Progress = Callable[[str], None]
_encoder = msgspec.json.Encoder()


async def lint(loaded: Loaded, overlay: JsonObject | None = None) -> ImportReport:
    """Read a document and say everything about it; nothing is stored."""
    return report_of(await read(loaded, overlay))


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
    owner = await owner_for(caller, organisation_id, loaded)
    check_can_import(caller, owner)
    tell("read")
    reading = await read(loaded, overlay, name)
    reading, notes = await settle_name(reading, loaded, overlay, owner, name)
    tell("check")
    known = await VersionRecord.get_or_none(id=f"{reading.name}@{reading.version}")
    if known is not None and overlay is None and known.overlay_edited:
        reading = await read(loaded, merged(reading.imported.overlay, msgspec.json.decode(known.overlay)))
        notes = (
            *notes,
            Text("沿用主管部门编辑过的叠加文件。", "The overlay that its owner edited was kept."),
        )
    tell("store")
    return await store(caller, owner, reading, _original(loaded), known, notes, is_edited=overlay is not None)


def _silence(stage: str) -> None:
    return None


def _original(loaded: Loaded) -> str:
    return _encoder.encode({"entry": loaded.entry, "files": loaded.files}).decode()


class _UnchangedError(Exception):
    """There is nothing to write: leaves the transaction and its journal entry behind."""


async def store(
    caller: Caller, owner: str, reading: Reading, original: str, seen: VersionRecord | None, notes: tuple[Text, ...],
    *, is_edited: bool,
) -> ImportReport:  # fmt: skip
    """Write the draft. `seen` is the version as the name was settled; a change since then is a conflict."""
    version_id = f"{reading.name}@{reading.version}"
    columns = _columns(reading, original)
    try:
        async with audit.write(
            caller.actor, "contract:import", f"version/{version_id}", organisation=owner,
            release=reading.release, digest=columns["digest"], operations=reading.operations,
            losses=len(reading.imported.losses), findings=len(reading.imported.findings),
        ) as entry:  # fmt: skip
            present = await VersionRecord.get_or_none(id=version_id)
            _check_still(present, seen, columns)
            await _put_service(reading, owner)
            columns |= {"imported_by": requester_of(caller), "imported_at": clock.now()}
            if is_edited:
                columns["overlay_edited"] = True
            if present is None:
                await VersionRecord.create(
                    id=version_id, service=reading.name, version=reading.version, status=_first_status(reading), **columns
                )  # fmt: skip
            else:
                await VersionRecord.filter(id=version_id).update(**columns)
            entry.emit("gov.kaimen.contract.imported", f"version/{version_id}",
                       {"service": version_id, "release": reading.release, "digest": columns["digest"]})  # fmt: skip
    except _UnchangedError:
        return report_of(reading, notes=notes, is_unchanged=True)
    return report_of(reading, notes=notes, is_new=seen is None)


def _check_still(present: VersionRecord | None, seen: VersionRecord | None, columns: dict[str, Any]) -> None:
    """Leaves where the draft is as it would be written; refuses (conflict) what changed meanwhile or is retired."""
    if present is None:
        return
    if all(getattr(present, column) == value for column, value in columns.items()):
        raise _UnchangedError
    if present.status == Status.RETIRED:
        raise Refusal(
            CONFLICT,
            rule="version-retired",
            service=present.id,
            reason=Text(f"{present.id} 已下线。", f"{present.id} is retired."),
            following=Text("提高 info.version 的主版本号后导入。", "Raise the major number of info.version and import it."),
        )  # fmt: skip
    if seen is None or seen.imported_at != present.imported_at:
        raise Refusal(
            CONFLICT,
            rule="import-raced",
            service=present.id,
            reason=Text(
                f"{present.id} 刚被另一次导入改动。", f"Another import changed {present.id} just now."
            ),
            following=Text("查看它的现状后重新导入。", "Look at it and import again."),
        )


async def _put_service(reading: Reading, owner: str) -> None:
    titles = _titles(reading)
    record, is_new = await ServiceRecord.get_or_create(
        name=reading.name, defaults={"organisation_id": owner, "created_at": clock.now(), **titles}
    )
    if record.organisation_id != owner:  # someone was faster
        raise name_taken(reading.name)
    if not is_new:
        await ServiceRecord.filter(name=reading.name).update(**titles)


def _columns(reading: Reading, original: str) -> dict[str, Any]:
    imported, service = reading.imported, reading.imported.service
    return {
        "release": reading.release[:64],
        "title": reading.title[:200],
        "wanted_status": stated_status(imported),
        "digest": service.digest if service else "",
        "operations": reading.operations,
        "original": original,
        "overlay": _encoder.encode(imported.overlay).decode(),
        "document": _encoder.encode(imported.document or {}).decode(),
        "findings": _encoder.encode(imported.findings).decode(),
        "losses": _encoder.encode(imported.losses).decode(),
        "verdicts": _encoder.encode(verdicts_of(imported)).decode(),
    }


def _first_status(reading: Reading) -> str:
    """The status of a new version: what the document says, else beta; nothing begins its life retired."""
    status = status_of(stated_status(reading.imported))
    return (Status.BETA if status == Status.RETIRED else status).value


def _titles(reading: Reading) -> dict[str, str]:
    service = reading.imported.service
    texts = {
        tag.partition("-")[0].lower(): one.get("title", "")
        for tag, one in (service.texts if service else {}).items()
    }
    return {
        "title_zh": plain(texts.get("zh") or reading.title)[:200],
        "title_en": plain(texts.get("en") or reading.title)[:200],
    }
