"""The whole chain from a loaded document to a service with its findings, losses and verdicts. Never raises."""

from msgspec import Struct

from api.contract import notices
from api.contract.build import service_of
from api.contract.load import Loaded
from api.contract.model import FaceVerdict, Finding, JsonObject, Loss, Service
from api.contract.normalise import normalise
from api.contract.overlay import applied, propose
from api.contract.reading import inspect
from api.contract.report import Report
from api.contract.rules import lint
from api.contract.verdicts import judge


class Imported(Struct, frozen=True):
    """What an import found. `service` None: nothing can be published, the findings say why.

    `document` is the normalised OpenAPI 3.1 document ({} where there is none), `overlay` the one that was applied.
    """

    service: Service | None
    document: JsonObject
    overlay: JsonObject
    findings: tuple[Finding, ...]
    losses: tuple[Loss, ...]
    verdicts: dict[str, FaceVerdict]


def read_contract(loaded: Loaded, overlay: JsonObject | None = None) -> Imported:
    """Overlay, normalise, build, lint and judge what `load` gave. Without an overlay one is proposed."""
    if loaded.document is None:
        return Imported(None, {}, overlay or {}, loaded.findings, loaded.losses, judge(None))
    report = Report()
    document = loaded.document
    if overlay is None:
        overlay = propose(document)
    result = applied(document, inspect(overlay, "overlay", report))
    normalised = normalise(result.document)
    service = service_of(normalised.document)
    told = [*report.findings, *result.findings, *normalised.findings, *lint(service, loaded.document)]
    origins = {**loaded.origins, **normalised.origins}
    findings = (*loaded.findings, *(_traced(one, origins, loaded) for one in told))
    losses = (*loaded.losses, *normalised.losses)
    if not service.operations:
        report.find(notices.NO_OPERATIONS, "/paths")
        findings = (*findings, *report.findings[-1:])
    return Imported(service, normalised.document, overlay, findings, losses, judge(service, losses))


def _traced(finding: Finding, origins: dict[str, str], loaded: Loaded) -> Finding:
    """The finding with a pointer into the document as given: moved schemas lead back to where they stood."""
    file, pointer = _origin(finding.pointer, origins, finding.file or loaded.entry)
    if loaded.dialect == "2.0" and pointer.startswith("/components/schemas/"):
        pointer = "/definitions/" + pointer.removeprefix("/components/schemas/")
    fields = {name: getattr(finding, name) for name in finding.__struct_fields__}
    return Finding(**{**fields, "pointer": pointer, "file": file})


def _origin(pointer: str, origins: dict[str, str], file: str) -> tuple[str, str]:
    for _ in range(20):
        prefix = "/".join(pointer.split("/")[:4])
        if not pointer.startswith("/components/schemas/") or prefix not in origins:
            break
        origin = origins[prefix]
        elsewhere, hash_, rest = origin.partition("#")
        if hash_ and not origin.startswith("/"):
            return elsewhere, rest + pointer[len(prefix) :]
        pointer = origin + pointer[len(prefix) :]
    return file, pointer
