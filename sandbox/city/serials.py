"""Numbers that departments give to what an app creates: `HT20260630500001`, one after another within its state.

Those of the base city end in less than 500001, so the two never meet.
"""

from sandbox.city.world import Kind, World

_FIRST = 500_001


def next_serial(world: World, kind: Kind, prefix: str) -> str:
    """The next free number of this kind in the app's state: prefix, day, six digits."""
    serial = _FIRST + sum(1 for _ in world.changed(kind))
    while world.kept(kind, number := f"{prefix}{world.today:%Y%m%d}{serial:06d}") is not None:
        serial += 1
    return number


def location(service: str, path: str) -> tuple[bytes, bytes]:
    """The Location header of something new: `service` is `housing@v1`, `path` begins with a slash."""
    return (b"location", f"/api/{service.replace('@', '/')}{path}".encode())
