"""What departments need when they create something: a number that is free, and an answer that says where it is."""

import hashlib
from typing import Any

from sandbox.city.department import Answer, Call, Event
from sandbox.city.world import Kind


def free_number(call: Call, kind: Kind, prefix: str, digits: int = 10) -> str:
    """The next number of this kind in this state, `prefix` and so many digits: it follows from state and count.

    Behaviour may run twice, so chance is no source.
    """
    count = sum(1 for _ in call.world.changed(kind))
    while True:
        digest = hashlib.sha256(f"{call.state_id}:{kind.name}:{count}".encode()).digest()
        number = f"{prefix}{int.from_bytes(digest[:8], 'big') % 10**digits:0{digits}d}"
        if call.world.get(kind, number) is None:
            return number
        count += 1


def created(call: Call, place: str, body: Any, events: list[Event] | None = None) -> Answer:
    """201 with Location; `place` is the path below the service, as in `inspections/JC…`."""
    where = f"/api/{call.context.service.replace('@', '/')}/{place}"
    return Answer(body, 201, [(b"location", where.encode())], events or [])
