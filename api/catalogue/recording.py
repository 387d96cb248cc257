"""Whether the answers of a service's upstream may be recorded, masked, to measure the sandbox by them.

It is the department's consent: given for an environment, for some days and some number of calls, taken back at any
time. The gateway acts on it (api.gateway.sampling); nothing is recorded here.
"""

from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from api.catalogue.drafts import get_version
from api.catalogue.models import Publication
from api.catalogue.permissions import check_can_publish, requester_of
from api.catalogue.rights import owner_of
from api.core import audit, clock
from api.core.caller import Caller, CallerKind
from api.core.problem_types_platform import NOT_FOUND, PERMISSION_DENIED
from api.core.problems import Refusal, Text

MOST_DAYS, MOST_CALLS = 31, 5000
_WHAT = Text("此环境中的发布", "publication in this environment")


class Recording(Struct, frozen=True):
    """A standing consent."""

    until: datetime
    most: int  # calls, of each process
    by: str  # who gave it


async def allow(caller: Caller, version_id: str, environment: str, *, days: int, most: int) -> Recording:
    """Consent to recording; replaces what stood.

    Errors: not-found, permission-denied (not a publisher of the department; live, also the operator: the data are
    the department's to give).
    """
    owner = await _checked_owner(caller, version_id, environment)
    if caller.kind is CallerKind.OPERATOR and environment == "live":
        raise Refusal(
            PERMISSION_DENIED,
            reason=Text(
                "正式环境的答复属于主管部门，只有部门自己能同意记录。",
                "Answers of the live environment are the department's: only the department itself can consent.",
            ),
            role=Text("主管部门的发布者", "a publisher of the department"),
        )
    row = await _publication(version_id, environment)
    made = Recording(clock.now() + timedelta(days=days), most, requester_of(caller))
    await _put(caller, row, owner, "allow", made)
    return made


async def stop(caller: Caller, version_id: str, environment: str) -> None:
    """Take the consent back; whoever may publish may, and the operator. Errors: not-found, permission-denied."""
    owner = await _checked_owner(caller, version_id, environment)
    row = await _publication(version_id, environment)
    if row.recording:
        await _put(caller, row, owner, "stop", None)


async def standing(caller: Caller, version_id: str, environment: str) -> Recording | None:
    """The consent that stands, None where there is none or it is over. Errors: not-found, permission-denied."""
    await _checked_owner(caller, version_id, environment)
    row = await _publication(version_id, environment)
    made = msgspec.json.decode(row.recording, type=Recording) if row.recording else None
    return made if made is not None and made.until > clock.now() else None


async def _checked_owner(caller: Caller, version_id: str, environment: str) -> str:
    version = await get_version(version_id)
    owner = await owner_of(version.service)
    check_can_publish(caller, owner, environment)
    return owner


async def _publication(version_id: str, environment: str) -> Publication:
    row = await Publication.get_or_none(id=f"{version_id}/{environment}", state="published")
    if row is None:
        raise Refusal(NOT_FOUND, what=_WHAT)
    return row


async def _put(caller: Caller, row: Publication, owner: str, what: str, made: Recording | None) -> None:
    detail = {} if made is None else {"until": clock.to_text(made.until), "most": made.most}
    async with audit.write(
        caller.actor, f"recording:{what}", f"publication/{row.id}", organisation=owner, **detail
    ) as entry:
        text = "" if made is None else msgspec.json.encode(made).decode()
        await Publication.filter(id=row.id).update(recording=text)
        entry.changed("publication", row.id)
