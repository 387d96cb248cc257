"""Drafts: the stored versions, their overlays, and reading another edition as one of them."""

import msgspec

from api.catalogue.inputs import check_version_id
from api.catalogue.models import Publication, ServiceRecord, VersionRecord
from api.catalogue.onboarding import store
from api.catalogue.permissions import check_can_import
from api.catalogue.readings import ImportReport, load_upload, merged, read
from api.catalogue.rights import owner_of
from api.catalogue.uploads import Upload
from api.contract.importing import Imported
from api.contract.load import Loaded
from api.contract.model import JsonObject
from api.core import audit
from api.core.caller import Caller
from api.core.problem_types_platform import CONFLICT, CONTRACT_REFUSED, INPUT_INVALID, NOT_FOUND
from api.core.problems import Refusal, Text


async def get_version(version_id: str) -> VersionRecord:
    """One version with its texts. Errors: not-found."""
    row = await VersionRecord.get_or_none(id=check_version_id(version_id))
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
    loaded = await load_upload(Upload(files, original["entry"]))
    reading = await read(loaded, overlay, row.service)
    if reading.operations == 0 or f"{reading.name}@{reading.version}" != version_id:
        findings = [msgspec.to_builtins(finding) for finding in reading.imported.findings[:50]]
        errors = sum(1 for finding in findings if finding["severity"] == "error") or 1
        raise Refusal(CONTRACT_REFUSED, count=errors, findings=findings, service=version_id)
    return await store(caller, owner, reading, row.original, row, (), is_edited=True)


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


async def read_edition(version: VersionRecord, loaded: Loaded) -> Imported:
    """A document read as the next edition of a version: under its name, with the overlay that its owner edited."""
    reading = await read(loaded, None, version.service)
    if version.overlay_edited:
        overlay = merged(reading.imported.overlay, msgspec.json.decode(version.overlay))
        reading = await read(loaded, overlay, version.service)
    return reading.imported
