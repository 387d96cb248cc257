"""Keeps the snapshot up to date: loads everything once, then follows the control plane's change feed.

Polled every `poll_interval_ms`, off the hot path; a refusal that could be staleness asks at once (`refresh`).
When the control store is away, the gateway goes on with what it knows. It writes nothing.
"""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterable

import msgspec
from tortoise.exceptions import BaseORMException

from api.contract.model import JsonObject, Service
from api.core.logging import log, log_failure, log_warning
from api.gateway import control_rows
from api.gateway.app_table import AppTable
from api.gateway.connector import Connector
from api.gateway.connectors.registry import ConnectorRegistry
from api.gateway.control_rows import AppEntry, PublicationRow
from api.gateway.sampling import read_consent
from api.gateway.snapshot import ServiceEntry, Snapshot
from api.settings import Settings

_APPS_AT_ONCE = 20_000
_REFRESHES = 50  # at once; so many more each _REFRESH_REFILL seconds
_REFRESH_REFILL = 2.5
_CLOSE_AFTER_SECONDS = 60.0  # a replaced connector is closed when the calls that began with it have ended
_LOADED_KINDS = frozenset({"plan", "publication", "app", "subscription"})


class SnapshotFeed:
    """The snapshot of one plane in one process. `load` first, then `tick` as a job, `close` at the end.

    `read_service` makes a Service of a stored document (contract.build.service_of); `look_again` is asked when a
    refusal may be stale (signing keys).
    """

    def __init__(
        self,
        settings: Settings,
        connectors: ConnectorRegistry,
        *,
        read_service: Callable[[JsonObject], Service],
        look_again: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        self.current = Snapshot({}, AppTable())
        self._environment = settings.environment
        self._share = int(settings.limit_share.removeprefix("1/") or 1) if not settings.redis_url else 1
        self._connectors = connectors
        self._read_service = read_service
        self._look_again = look_again
        self._seen = 0  # the last change that was loaded
        self._lock = asyncio.Lock()
        self._refreshes = float(_REFRESHES)
        self._refreshed_at = time.monotonic()
        self._replaced: list[tuple[float, Connector]] = []

    # -- loading ------------------------------------------------------------------------------------
    async def load(self) -> None:
        """Load everything. Until it is done, the old snapshot serves."""
        async with self._lock:
            started = time.monotonic()
            seen = await control_rows.newest_change()
            apps = AppTable()
            await self._load_plans(apps)
            entries = await self._entries(await control_rows.publications(self._environment))
            after = ""
            while rows := await control_rows.apps_after(self._environment, after, _APPS_AT_ONCE):
                _put(apps, rows)
                after = rows[-1].id
            replaced = self.current.entries()
            self.current = Snapshot.of(entries, apps)
            self._seen = seen
            self._retire(entry.connector for entry in replaced)
        settle_memory()
        operations = sum(len(entry.service.operations) for entry in entries)
        seconds = round(time.monotonic() - started, 3)
        log("gateway.loaded", services=len(entries), operations=operations, apps=len(apps), seconds=seconds)

    async def poll(self) -> bool:
        """Load what has changed since. Whether there was anything."""
        async with self._lock:
            changes = await control_rows.changes_after(self._seen)
            if not changes:
                return False
            keys: dict[str, dict[str, None]] = {}
            for _, kind, key in changes:
                keys.setdefault(kind, {})[key] = None
            if "plan" in keys:
                await self._load_plans(self.current.apps)
            if "publication" in keys:
                await self._load_publications(list(keys["publication"]))
            apps = list({**keys.get("app", {}), **keys.get("subscription", {})})
            if apps:
                await self._load_apps(apps)
            self._seen = changes[-1][0]
            return not _LOADED_KINDS.isdisjoint(keys)

    async def refresh(self) -> bool:
        """Poll now, because something is about to be refused; so often at most, and never when it is no use."""
        now = time.monotonic()
        self._refreshes = min(
            _REFRESHES, self._refreshes + (now - self._refreshed_at) * _REFRESHES / _REFRESH_REFILL
        )
        self._refreshed_at = now
        if self._refreshes < 1:
            return False
        self._refreshes -= 1
        seen = self._seen
        try:  # keys first: what they are compared with is what was known when the refusal was made
            changed = self._look_again is not None and await self._look_again()
            await self.poll()
            changed = changed or self._seen != seen  # by this poll, or by another's that this one waited for
        except (OSError, BaseORMException) as error:
            log_failure("gateway.refresh_failed", error)
            return False
        return changed

    async def tick(self) -> None:
        """Poll, and close the connectors of replaced services whose calls have ended: a job, off the hot path."""
        await self.poll()
        await self._close_replaced(time.monotonic())

    async def close(self) -> None:
        """Close every connector, of replaced services too."""
        self._retire(entry.connector for entry in self.current.entries())
        self.current = Snapshot({}, self.current.apps)
        await self._close_replaced(float("inf"))

    # -- what is loaded -----------------------------------------------------------------------------
    async def _load_plans(self, apps: AppTable) -> None:
        for name, limits in await control_rows.plans():
            apps.plans.set(name, limits, self._share)
        apps.changed()

    async def _load_publications(self, ids: list[str]) -> None:
        suffix = "/" + self._environment
        wanted = [one for one in ids if one.endswith(suffix)]
        entries = {entry.key: entry for entry in self.current.entries()}
        gone = [entries.pop(one.removesuffix(suffix), None) for one in wanted]
        for entry in await self._entries(await control_rows.publications(self._environment, wanted)):
            entries[entry.key] = entry
        self.current = Snapshot.of(entries.values(), self.current.apps)
        self._retire(entry.connector for entry in gone if entry is not None)

    async def _entries(self, rows: Iterable[PublicationRow]) -> list[ServiceEntry]:
        """The service versions of these publications; one that can't be served is logged and left out."""
        entries = []
        for row in rows:
            try:
                service = await asyncio.to_thread(self._read, row.document)
                connector = self._connectors.connector_for(row.upstream, service, row.mapping)
            except (LookupError, ValueError, TypeError, msgspec.MsgspecError) as error:
                log_warning("gateway.publication_unusable", publication=row.id, error=str(error)[:300])
                continue
            entries.append(
                ServiceEntry(
                    service,
                    connector,
                    owner_id=row.owner_id,
                    state=row.state,
                    upstream=row.upstream,
                    recording=read_consent(row.recording),
                )
            )
        return entries

    def _read(self, document: str) -> Service:
        return self._read_service(msgspec.json.decode(document))

    async def _load_apps(self, ids: list[str]) -> None:
        rows = await control_rows.apps_of(self._environment, ids)
        apps = self.current.apps
        for gone in set(ids) - {row.id for row in rows}:
            apps.remove(gone)
        _put(apps, rows)

    # -- connectors ---------------------------------------------------------------------------------
    def _retire(self, connectors: Iterable[Connector]) -> None:
        due = time.monotonic() + _CLOSE_AFTER_SECONDS
        self._replaced += [(due, connector) for connector in connectors]

    async def _close_replaced(self, now: float) -> None:
        due = [connector for moment, connector in self._replaced if moment <= now]
        self._replaced = [pair for pair in self._replaced if pair[0] > now]
        for connector in due:
            try:
                await connector.close()
            except Exception as error:
                log_failure("gateway.close_failed", error)


def settle_memory() -> None:
    """After loading: what lives as long as the process is not looked at by the collector again.

    A new token makes a few objects that stay; with the default thresholds they make the collector walk
    through everything else that stays, again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _put(apps: AppTable, rows: Iterable[AppEntry]) -> None:
    for row in rows:
        apps.put(
            row.id, row.organisation_id, kind=row.kind, status=row.status, plan=row.plan, grants=row.grants
        )
