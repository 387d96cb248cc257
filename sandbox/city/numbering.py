"""What departments need when they write something: a number for it, and an answer that says where it is.

Behaviour may run twice, and an example of a contract has to stay true, so chance is no source of a number. There
are three kinds of numbers, as in real offices:

- `number_for`: follows from what it is given for, so the same application gets the same number in every app;
- `next_number`: follows from the app's state and how many there are, for what may be applied for again and again;
- `next_serial`: prefix, day, and one after another within the state: `HT20260630500001`.
"""

import hashlib
from typing import Any

from sandbox.city.department import Answer, Call, Event
from sandbox.city.world import Kind, World

_FIRST_SERIAL = 500_001  # those of the base city end in less, so the two never meet


def digits_of(*parts: object, places: int = 10) -> str:
    """Decimal digits that follow from `parts`, the first one never 0."""
    digest = hashlib.sha256("\n".join(map(str, parts)).encode()).digest()
    least = 10 ** (places - 1)
    return str(least + int.from_bytes(digest[:8], "big") % (9 * least))


def share_of(*parts: object, of: int = 100) -> int:
    """A number from 0 to `of` - 1 that follows from `parts`: chance that is the same for everybody and forever."""
    digest = hashlib.blake2b("\n".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % of


def number_for(world: World, kind: Kind, prefix: str, *parts: object, places: int = 10) -> str:
    """A number that no record of this kind has yet: `prefix` and digits that follow from `parts`."""
    turn = 0
    while True:
        number = prefix + digits_of(prefix, turn, *parts, places=places)
        if world.get(kind, number) is None:
            return number
        turn += 1


def next_number(call: Call, kind: Kind, prefix: str, digits: int = 10) -> str:
    """The next number of this kind in this state, `prefix` and so many digits: it follows from state and count."""
    count = sum(1 for _ in call.world.changed(kind))
    while True:
        digest = hashlib.sha256(f"{call.state_id}:{kind.name}:{count}".encode()).digest()
        number = f"{prefix}{int.from_bytes(digest[:8], 'big') % 10**digits:0{digits}d}"
        if call.world.get(kind, number) is None:
            return number
        count += 1


def next_serial(world: World, kind: Kind, prefix: str) -> str:
    """The next free number of this kind in the app's state: prefix, day, six digits."""
    serial = _FIRST_SERIAL + sum(1 for _ in world.changed(kind))
    while world.kept(kind, number := f"{prefix}{world.today:%Y%m%d}{serial:06d}") is not None:
        serial += 1
    return number


def location(service: str, path: str) -> tuple[bytes, bytes]:
    """The Location header of something new: `service` is `housing@v1`, `path` begins with a slash."""
    return (b"location", f"/api/{service.replace('@', '/')}{path}".encode())


def created(call: Call, place: str, body: Any, events: list[Event] | None = None) -> Answer:
    """201 with Location; `place` is the path below the service, as in `inspections/JC…`."""
    return Answer(body, 201, [location(call.context.service, f"/{place}")], events or [])
