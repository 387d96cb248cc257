"""Who uses what: the apps that called an operation, or sent a field of it, lately. The change preview asks."""

import time
from datetime import UTC, datetime

from msgspec import Struct

from api.core import clock, store
from api.gateway.models import FieldUse
from api.gateway.recorder import show_now


class FieldUser(Struct, frozen=True):
    """An app that used an operation or a field of it. `last_at` is RFC 3339, in UTC."""

    app_id: str
    last_at: str
    calls: int


async def field_users(
    service: str, operation: str, field: str | None = None, *, days: int = 90
) -> list[FieldUser]:
    """Apps of both planes, newest use first. `service` is `company@v1`.

    `field` is named as the log names it: `query:code`, `header:X-Kind`, `body:/lines/*/price`, `response`;
    None for the operation as a whole.
    """
    since = int((time.time() - days * 86400) * 1_000_000)
    found: dict[str, tuple[int, int]] = {}
    for environment in store.PLANES:
        await show_now(environment)
        rows = (
            await FieldUse.filter(
                service=service, operation=operation, field=field or "response", last_at__gte=since
            )
            .using_db(store.plane(environment))
            .values_list("app_id", "last_at", "calls")
        )
        for app_id, last_at, calls in rows:
            known = found.get(app_id, (0, 0))
            found[app_id] = (max(known[0], last_at), known[1] + calls)
    ordered = sorted(found.items(), key=lambda item: -item[1][0])
    return [
        FieldUser(app_id, clock.to_text(datetime.fromtimestamp(last_at / 1_000_000, UTC)), calls)
        for app_id, (last_at, calls) in ordered
    ]
