"""Snapshot: everything the hot path knows of the control plane, in memory; one consistent view of the services.

A change of services makes a new Snapshot, swapped in one assignment; a call keeps the one it began with. Apps
live in one packed table that changes in place (app_table says why that is safe). Loading is snapshot_feed's.
"""

from collections.abc import Iterable

from api.gateway.app_table import AppTable
from api.gateway.compiled import CompiledOperation, ServiceEntry

__all__ = ["CompiledOperation", "ServiceEntry", "Snapshot"]


class Snapshot:
    """Services by name and version, and the apps. Services never change within one Snapshot."""

    __slots__ = ("apps", "services")

    def __init__(self, services: dict[str, dict[str, ServiceEntry]], apps: AppTable) -> None:
        self.services = services
        self.apps = apps

    @classmethod
    def of(cls, entries: Iterable[ServiceEntry], apps: AppTable) -> "Snapshot":
        """A snapshot of these service versions."""
        services: dict[str, dict[str, ServiceEntry]] = {}
        for entry in entries:
            services.setdefault(entry.service.name, {})[entry.service.version] = entry
        return cls(services, apps)

    def entries(self) -> list[ServiceEntry]:
        """All service versions."""
        return [entry for versions in self.services.values() for entry in versions.values()]

    def entry(self, service: str, version: str) -> ServiceEntry | None:
        """One service version, or None."""
        versions = self.services.get(service)
        return None if versions is None else versions.get(version)
