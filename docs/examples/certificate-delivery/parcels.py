"""What the carrier knows of its mail items, in one SQLite file: events as they came, each once, and where an item is.

Events come at least once and, where one failed for long, out of order: `id` tells a repetition, `sequence` the order.
"""

import json
import sqlite3
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS event (
    id TEXT PRIMARY KEY, number TEXT NOT NULL, sequence INTEGER NOT NULL, type TEXT NOT NULL, at TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS event_number ON event (number, sequence);
"""


class Parcels:
    """The items. What was stored survives a crash: a message is answered only afterwards."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def keep(self, event: dict[str, Any]) -> bool:
        """Store a CloudEvent; False where it was there already."""
        row = (
            event["id"], event["subject"], int(event.get("sequence", 0)), event["type"], event["time"],
            json.dumps(event["data"], ensure_ascii=False),
        )  # fmt: skip
        done = self._database.execute("INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?)", row)
        return done.rowcount == 1

    def track(self, number: str) -> list[dict[str, Any]]:
        """The steps of an item in their order; none where nothing is known of it."""
        rows = self._database.execute(
            "SELECT type, at, data FROM event WHERE number = ? ORDER BY sequence", (number,)
        )
        return [{"type": kind, "at": at, "data": json.loads(data)} for kind, at, data in rows]
