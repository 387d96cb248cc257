"""What identity does in the background: writes last uses, deletes what has run out. Started by the composition."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

from tortoise.exceptions import BaseORMException

from api.core import audit, clock
from api.core.logging import log_failure
from api.identity.last_use import last_use
from api.identity.models import ActionLink, App, AppSecret, Session
from api.identity.policies import DELETED, UNDO_DAYS

WRITE_SECONDS = 60
SWEEP_SECONDS = 3600
LINK_DAYS = 30  # a spent link is kept so long, to tell "spent" from "never was" in an inquiry
FORGOTTEN = ""


@contextlib.asynccontextmanager
async def keeping_house() -> AsyncIterator[None]:
    """Runs in the background for the life of the block, and writes what is noted at its end."""
    task = asyncio.create_task(_run(), name="identity.housekeeping")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await last_use.write()


async def _run() -> None:
    swept = clock.unix_seconds()
    while True:
        await asyncio.sleep(WRITE_SECONDS)
        try:
            await last_use.write()
            if clock.unix_seconds() - swept >= SWEEP_SECONDS:
                swept = clock.unix_seconds()
                await sweep()
        except (BaseORMException, OSError) as error:
            log_failure("identity.housekeeping", error)  # the store is away: again at the next turn


async def sweep() -> dict[str, int]:
    """Delete expired sessions, old links, and what deleted apps held once their undo time is over.

    Of such an app the id stays, so that journal and request log still name something; name, description,
    keys and secrets go. Returns what was removed; one journal entry, none when there was nothing to do.
    """
    moment = clock.now()
    sessions = Session.filter(expires_at__lt=moment)
    links = ActionLink.filter(expires_at__lt=moment - timedelta(days=LINK_DAYS))
    apps = App.filter(
        status=DELETED, deleted_at__lt=moment - timedelta(days=UNDO_DAYS), created_by__not=FORGOTTEN
    )
    if not (await sessions.exists() or await links.exists() or await apps.exists()):
        return {}
    async with audit.write("system:identity", "identity:sweep", "identity") as entry:
        ended = [str(app_id) for app_id in await apps.values_list("id", flat=True)]
        removed = {
            "sessions": await sessions.delete(),
            "links": await links.delete(),
            "apps": len(ended),
            "secrets": await AppSecret.filter(app_id__in=ended).delete() if ended else 0,
        }
        if ended:
            await App.filter(id__in=ended).update(
                name=FORGOTTEN, description="", jwks={}, checklist={}, created_by=FORGOTTEN
            )
        entry.detail |= removed
        for app_id in ended:
            entry.changed("app", app_id)
    return removed
