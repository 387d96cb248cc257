"""A department tells an event of its service: the road for systems that stand outside the platform."""

import hashlib
from typing import Any

from msgspec import Struct
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from api.catalogue.models import Publication, Subscription
from api.catalogue.rights import owner_of
from api.core import ids, outbox
from api.core.caller import Caller
from api.core.outbox import EventTooLargeError, NewEvent
from api.core.problem_types_platform import INPUT_INVALID, NOT_FOUND
from api.core.problems import Refusal, Text
from api.core.store import PLANES, plane
from api.events.permissions import check_can_tell
from api.events.rows import fetch
from api.events.types import EventType, types_of_service
from api.gateway.schemas import Schemas
from api.identity.inputs import Inputs

WHAT = Text("已发布的服务", "published service")
MAX_KEY, MAX_NAME = 80, 64  # of a service: as the catalogue keeps them
_PREFIX = {"sandbox": "es", "live": "el"}


class Told(Struct, frozen=True):
    """An event in the outbox; `is_new` False: it had been told before."""

    event_id: str
    is_new: bool


async def tell(
    caller: Caller, service: str, *, environment: str, type_name: str, subject: str, data: dict[str, Any],
    app_id: str = "", own_id: str = "",
) -> Told:  # fmt: skip
    """Put an event of a published service into the outbox: for one app, or for every subscriber.

    `own_id` is the department's own id of the event: the same one told again changes nothing.
    Raises not-found, permission-denied, input-invalid (no such type, data that do not fit the contract, …).
    """
    if len(service) > MAX_KEY or len(service.partition("@")[0]) > MAX_NAME:
        raise Refusal(NOT_FOUND, what=WHAT)
    is_published = (
        environment in PLANES
        and await Publication.filter(id=f"{service}/{environment}", state="published").exists()
    )
    owner = await owner_of(service.partition("@")[0])
    if not is_published:
        raise Refusal(NOT_FOUND, what=WHAT)
    check_can_tell(caller, owner, environment)
    inputs = Inputs()
    subject = inputs.line("/subject", subject, maximum=200)
    own_id = inputs.line("/id", own_id, maximum=200, minimum=0)
    kinds = await types_of_service(service, environment)
    kind = next((one for one in kinds if one.name == type_name), None)
    if kind is None:
        known = ", ".join(one.name for one in kinds) or "—"
        inputs.fault(
            "/type", f"契约没有这个事件;有:{known}。", f"The contract has no such event; it has: {known}."
        )
    elif not app_id and not kind.is_for_everybody:
        inputs.fault(
            "/app_id", "此类事件须指明与哪个应用有关。", "Such an event names the app that it concerns."
        )
    if app_id and not await _is_subscribed(app_id, service, environment):
        inputs.fault("/app_id", "该应用没有订阅此服务。", "The app is not subscribed to this service.")
    inputs.check()
    if kind is not None:
        _check_data(kind, data)
    event_id = _id_of(environment, service, own_id)
    return await _put(environment, NewEvent(service, type_name, subject, data, app_id, None, "", event_id))


async def _put(environment: str, event: NewEvent) -> Told:
    if event.id and await _is_told(environment, event.id):
        return Told(event.id, is_new=False)
    try:
        async with in_transaction(environment) as connection:
            [event_id] = await outbox.add_all(connection, environment, [event])
    except EventTooLargeError:
        inputs = Inputs()
        most = outbox.MOST_DATA_BYTES
        inputs.fault("/data", f"最多 {most} 字节。", f"At most {most} bytes.")
        inputs.check()
        raise
    except IntegrityError:  # told at the same moment by another
        return Told(event.id, is_new=False)
    return Told(event_id, is_new=True)


async def _is_told(environment: str, event_id: str) -> bool:
    return bool(await fetch(plane(environment), "SELECT 1 FROM event WHERE id = ?", event_id))


async def _is_subscribed(app_id: str, service: str, environment: str) -> bool:
    return await Subscription.filter(
        app_id=app_id[:40], version_id=service, environment=environment, status="active"
    ).exists()


def _id_of(environment: str, service: str, own_id: str) -> str:
    if not own_id:
        return ""
    return ids.encode_id(_PREFIX[environment], hashlib.sha256(f"{service}\n{own_id}".encode()).digest()[:16])


def _check_data(kind: EventType, data: dict[str, Any]) -> None:
    """Raises input-invalid where the data are not what the contract promises."""
    check = Schemas(kind.service, kind.schemas).check(kind.schema)
    if check is not None and not check.is_valid(data):
        errors = tuple(check.errors(data, "/data"))
        raise Refusal(INPUT_INVALID, errors=errors, count=len(errors))
