"""Changes a record of one department for one app, where no operation of that department does it."""

from typing import Any

from sandbox.city import department
from sandbox.city.clock import now_of
from sandbox.city.state import State
from sandbox.city.world import Kind, World
from tests.sandbox.conftest import NOON, Client


async def change(app: Client, kind: Kind, key: str, **fields: Any) -> None:
    """Lay `fields` over the record, as its own department would; a record that is not there begins empty."""
    city = app.side.file.open()

    def work(state: State) -> department.Answer:
        world = World(city, state, now_of(NOON))
        world.put(kind, key, {**(world.kept(kind, key) or {}), **fields})
        return department.Answer(changes=world.changes)

    await app.side.states.run(app.state_id, work)
