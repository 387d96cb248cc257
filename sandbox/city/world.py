"""World: the city as one call sees it. The base file, over it the app's state, over that the scenario.

Departments read and write records through it only, so an app's changes, a scenario's `given` and another
department's records all count. A record is a dict; whoever reads one must not alter it: `put` a new one.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

from msgspec import Struct

from sandbox.city.base import City
from sandbox.city.clock import local_day
from sandbox.city.state import Changes, Record, State
from sandbox.scenarios import PLAIN, Scene


class Kind(Struct, frozen=True):
    """A kind of record: its name in keys and scenarios, the department that keeps it, and how the base is read."""

    name: str
    department: str
    read: Callable[[City, str], Record | None]


class World:
    """One call's view. `changes` collects what it writes; nothing is kept until the state is committed."""

    __slots__ = ("_rows", "_scene", "changes", "city", "now")

    def __init__(self, city: City, state: State, now: datetime, scene: Scene = PLAIN) -> None:
        self.city = city
        self.now = now
        self.changes: Changes = {}
        self._rows = state.rows
        self._scene = scene

    @property
    def today(self) -> date:
        """The day in the city (UTC+8)."""
        return local_day(self.now)

    def get(self, kind: Kind, key: str) -> Record | None:
        """The record, or None where there is none."""
        scene = self._scene
        if scene is not PLAIN and kind.name in scene.absent:
            return None
        record = self.kept(kind, key)
        if record is not None and scene is not PLAIN:
            return scene.lay_over(kind.name, record)
        return record

    def kept(self, kind: Kind, key: str) -> Record | None:
        """The record as it is kept, the scenario left out: what a change starts from."""
        if self._rows or self.changes:
            full = (kind.department, f"{kind.name}/{key}")
            if full in self.changes:
                return self.changes[full]
            if full in self._rows:
                return self._rows[full]
        return kind.read(self.city, key)

    def put(self, kind: Kind, key: str, record: Record) -> None:
        """Write a record for this app alone."""
        self.changes[kind.department, f"{kind.name}/{key}"] = record

    def remove(self, kind: Kind, key: str) -> None:
        """Take a record away, for this app alone."""
        self.changes[kind.department, f"{kind.name}/{key}"] = None

    def is_touched(self, kind: Kind) -> bool:
        """Whether a record of this kind may read otherwise than the base says."""
        scene = self._scene
        if scene is not PLAIN and (kind.name in scene.patches or kind.name in scene.absent):
            return True
        return any(True for _ in self.changed(kind))

    def changed(self, kind: Kind) -> Iterator[tuple[str, Record | None]]:
        """Key and record of everything of this kind that the app has written, in order of key; None: removed."""
        prefix = kind.name + "/"
        found: dict[str, Any] = {}
        for rows in (self._rows, self.changes):
            for (department, key), record in rows.items():
                if department == kind.department and key.startswith(prefix):
                    found[key.removeprefix(prefix)] = record
        for key in sorted(found):
            record = found[key]
            yield key, record if record is None else self._scene.lay_over(kind.name, record)
