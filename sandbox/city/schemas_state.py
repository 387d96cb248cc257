"""What the platform API gives and takes about an app's sandbox as a whole: clock, kept states, a look at all of it."""

from typing import Annotated

from msgspec import Meta, Struct

Name = Annotated[str, Meta(pattern="^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$")]


class ResetRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Which app's sandbox to reset; "" is the calling app."""

    app_id: str = ""


class ResetReport(Struct, frozen=True):
    """What was done: the app sees the base city again, `records` changes of its own are gone.

    `undo` names the kept state to which a restore goes back; "" where there was nothing to lose.
    """

    app_id: str
    records: int
    undo: str = ""


class ClockRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly one of `now` (RFC 3339 with time zone) and `advance` (ISO 8601 duration: P30D, P1Y, PT6H)."""

    app_id: str = ""
    now: str = ""
    advance: str = ""


class Clock(Struct, frozen=True):
    """An app's clock: `now` is what it shows at this moment, `ahead_seconds` its distance from the real one.

    `mode` is `start`: it stands at nine o'clock of the day on which the city was counted, and runs from the app's
    first change on; `own`: it runs by itself; `real`: it shows the real time.
    """

    app_id: str
    now: str
    mode: str
    ahead_seconds: int
    real_now: str
    earliest: str
    latest: str
    events_due: int = 0  # by the move: they are told at once


class SnapshotRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Keep the app's present state under this name: lower-case letters, digits and hyphens, 40 at most."""

    name: Name
    app_id: str = ""


class SnapshotTarget(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose snapshot; "" is the calling app."""

    app_id: str = ""


class SnapshotView(Struct, frozen=True):
    """A state kept under a name."""

    name: str
    records: int
    created_at: str
    now: str | None  # what the app's clock showed; null where it was the real time
    city: str  # version of the city that its changes were made on, "" without changes
    events: int  # still to come
    is_automatic: bool  # kept by a reset or restore: what an undo goes back to


class SnapshotList(Struct, frozen=True):
    """All kept states of an app, the oldest first."""

    app_id: str
    items: list[SnapshotView]
    limit: int


class CityView(Struct, frozen=True):
    """The city behind the sandbox. `made_on` is the version on which the app's first change was made.

    When a city is renewed, an app keeps its own records: they lie over the new city as they did over the old
    one. `is_current` says whether both are the same; a reset begins anew on the present one.
    """

    version: str
    made_on: str
    is_current: bool
    as_of: str
    citizens: int
    companies: int
    seed: int


class SandboxView(Struct, frozen=True):
    """An app's sandbox: its clock, how much of the city it has changed, what it has kept."""

    app_id: str
    clock: Clock
    records: int
    records_by_department: dict[str, int]
    limit: int
    city: CityView | None  # null where no city was seeded
    snapshots: list[SnapshotView]
