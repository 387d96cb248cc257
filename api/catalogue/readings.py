"""Reading a document for the catalogue: off the event loop, under a name, into a report."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct

from api.catalogue.uploads import Upload
from api.contract.importing import Imported, read_contract
from api.contract.load import Loaded, load_files
from api.contract.model import FaceVerdict, Finding, JsonObject, Loss, Status
from api.contract.naming import major_version, service_slug, slug
from api.contract.overlay import propose
from api.core.problems import Text

# a large document keeps a core busy for seconds: two at a time, the others wait
_readers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="contract")


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


class Reading(Struct):
    """One reading of a document, and the name that it is to have."""

    imported: Imported
    name: str
    version: str
    title: str
    release: str
    operations: int


async def load_upload(upload: Upload) -> Loaded:
    """Load uploaded files; what cannot be read is told by findings."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_readers, load_files, upload.files, upload.entry)


async def read(loaded: Loaded, overlay: JsonObject | None, name: str | None = None) -> Reading:
    """Read a loaded document. `overlay` None proposes one; `name` is given to the service."""
    loop = asyncio.get_running_loop()
    imported = await loop.run_in_executor(_readers, _read_as, loaded, overlay, name)
    service = imported.service
    if service is not None:
        title, release = plain(service.title), plain(service.release)
        return Reading(imported, service.name, service.version, title, release, len(service.operations))
    info = (imported.document or loaded.document or {}).get("info")
    info = info if isinstance(info, dict) else {}
    stem = loaded.entry.rpartition("/")[2].partition(".")[0]
    title = plain(str(info.get("title") or stem or "document"))
    release = plain(str(info.get("version") or ""))
    stated = info.get("x-name")
    name = slug(stated) if isinstance(stated, str) else ""
    return Reading(imported, name or service_slug(title), major_version(release), title, release, 0)


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


def merged(proposed: JsonObject, edited: JsonObject) -> JsonObject:
    """The owner's overlay over what is proposed for a new edition: operations that he has not seen are proposed."""
    mine = edited.get("actions", [])
    return {**edited, "actions": [*(one for one in proposed.get("actions", []) if one not in mine), *mine]}


def verdicts_of(imported: Imported) -> dict[str, FaceVerdict]:
    """The verdicts; a document of which nothing could be made is refused by every face there is."""
    if imported.verdicts:
        return dict(imported.verdicts)
    reason = next((finding.message for finding in imported.findings), "the document cannot be read")
    return dict.fromkeys(("rest", "sandbox"), FaceVerdict("refused", (reason,)))


def stated_status(imported: Imported) -> str:
    info = (imported.document or {}).get("info")
    stated = info.get("x-status") if isinstance(info, dict) else None
    return stated if stated in {status.value for status in Status} else ""


def report_of(
    reading: Reading, *, notes: tuple[Text, ...] = (), is_new: bool = False, is_unchanged: bool = False
) -> ImportReport:
    imported = reading.imported
    verdicts = verdicts_of(imported)
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
