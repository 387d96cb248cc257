"""Impact of a new contract: each change, and the apps that used what it touches, and when last.

The differences are api.contract.diff's; who used an operation or a field is asked of the request log
(outside.field_users). What nobody used is still a breaking change: a quiet month is no proof.
"""

import asyncio

import msgspec
from msgspec import Struct

from api.catalogue.drafts import get_version, read_edition
from api.catalogue.models import Publication
from api.catalogue.outside import FieldUser, ask
from api.contract import build
from api.contract.diff import BREAKING, Change, compare
from api.contract.load import Loaded
from api.contract.model import JsonObject, Service
from api.core.problem_types_platform import CONTRACT_REFUSED, NOT_FOUND
from api.core.problems import Refusal, Text

DAYS = 30
_RECORDED_DEPTH = 4  # segments of a body field that the request log keeps


class ChangeWithApps(Struct, frozen=True):
    """A change and the apps that used what it touches in the last days, the latest first."""

    change: Change
    apps: tuple[FieldUser, ...] = ()

    @property
    def is_breaking(self) -> bool:
        return self.change.severity == BREAKING


async def preview(version_id: str, new: Loaded | None = None, *, days: int = DAYS) -> list[ChangeWithApps]:
    """What publishing `new` (None: the stored draft) would change for those who use what is published.

    Compared with live where it is published, else with the sandbox. Errors: not-found (nothing is published),
    contract-refused (the new document cannot be read).
    """
    version = await get_version(version_id)
    published = (
        await Publication.filter(version_id=version_id, state="published").order_by("environment").first()
    )
    if published is None:
        raise Refusal(NOT_FOUND, what=Text(f"已发布的 {version_id}", f"published {version_id}"))
    if new is None:
        document: JsonObject = msgspec.json.decode(version.document)
    else:
        imported = await read_edition(version, new)
        if imported.service is None or not imported.service.operations:
            findings = [msgspec.to_builtins(finding) for finding in imported.findings[:50]]
            raise Refusal(
                CONTRACT_REFUSED, count=max(1, len(findings)), findings=findings, service=version_id
            )
        document = imported.document
    return await changes_between(published.document, document, version_id, days=days)


async def changes_between(
    old: str, new: JsonObject | Service, version_id: str, *, days: int = DAYS
) -> list[ChangeWithApps]:
    """The changes between two documents, breaking ones first; `version_id` "" asks for no apps.

    `old` is a stored document (JSON). The platform's stamps (status, deprecation) are no changes of the contract.
    """
    changes = await asyncio.to_thread(_compare, old, new)
    if not version_id:
        return [ChangeWithApps(change) for change in changes]
    known: dict[tuple[str, str], tuple[FieldUser, ...]] = {}
    found = []
    for change in changes:
        place = (change.operation, field_in_log(change))
        if change.severity == BREAKING and place not in known:
            known[place] = tuple(await ask().field_users(version_id, *place, days))
        found.append(ChangeWithApps(change, known[place] if change.severity == BREAKING else ()))
    return found


def _compare(old: str, new: JsonObject | Service) -> list[Change]:
    before = build.service_of(msgspec.json.decode(old))
    after = new if isinstance(new, Service) else build.service_of(new)
    return [change for change in compare(before, after) if change.rule != "service-status"]


def field_in_log(change: Change) -> str:
    """The field as the request log names it; "" asks for all who used the operation.

    An answer is recorded as a whole, and what becomes required hits everyone who leaves it out.
    """
    if change.field.startswith("response:"):
        return "response"
    if change.kind == "required" or change.field in {"", "body:"} or change.field.startswith("path:"):
        return ""
    if change.field.startswith("body:"):
        segments = change.field.split("/")
        return "/".join(segments[: _RECORDED_DEPTH + 1])
    return change.field
