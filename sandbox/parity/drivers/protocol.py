"""What a driver is: it puts a case to one face, as a client of that face would, and says what came of it.

Drivers know contracts and HTTP, nothing of the gateway. Names that differ between faces are mapped back to the
contract's, so that what is compared stands in one vocabulary.
"""

import asyncio
import itertools
import secrets
from typing import Any, Protocol

from msgspec import Struct

from api.contract.model import Json, Operation, Service
from sandbox.parity.cases import Case

TRIES = 8  # of a call that a quota turns away
LONGEST_WAIT_S = 30.0
# of a problem, what names the single request
OF_ONE_REQUEST = frozenset({"request_id", "instance"})


class Target(Struct, frozen=True):
    """The installation that is asked: its origin, an access token, the contracts by key (company@v1)."""

    origin: str
    token: str
    services: dict[str, Service]


class Seen(Struct, frozen=True):
    """What a client saw: status, problem slug, step, body (a problem without what names the single request).

    `unsaid` says why the face cannot put this question, "" where it was put. `cost` is what the face itself says
    that the call cost, -1 where it says nothing. `null_is_absent`: the face gives null for a member that is not there.
    """

    status: int
    problem: str = ""
    step: str = ""
    body: Json = None
    is_synthetic: bool = False
    is_json: bool = True
    unsaid: str = ""
    cost: int = -1
    null_is_absent: bool = False


class Driver(Protocol):
    """A face as a client meets it. `ask` blocks; it waits out a 429 itself."""

    name: str

    def ask(self, case: Case) -> Seen:
        """The answer to a case. Raises OSError where no server answers."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


class AsyncDriver(Protocol):
    """The same for a client that runs on a loop."""

    name: str

    async def ask(self, case: Case) -> Seen:
        """The answer to a case."""
        ...

    async def close(self) -> None:
        """Give the connection back."""
        ...


class Blocking:
    """An AsyncDriver as a Driver: one loop of its own, one case at a time."""

    def __init__(self, driver: AsyncDriver) -> None:
        self.name = driver.name
        self._driver, self._runner = driver, asyncio.Runner()

    def ask(self, case: Case) -> Seen:
        return self._runner.run(self._driver.ask(case))

    def close(self) -> None:
        self._runner.run(self._driver.close())
        self._runner.close()


class Keys:
    """A fresh Idempotency-Key for each call, so that no face is given the answer kept for another."""

    def __init__(self, face: str) -> None:
        self._begin, self._numbers = f"parity-{face}-{secrets.token_hex(4)}", itertools.count(1)

    def next(self) -> str:
        """A key that was never used."""
        return f"{self._begin}-{next(self._numbers)}"


def takes_key(operation: Operation) -> bool:
    """Whether a client sends an Idempotency-Key with this operation."""
    return (
        operation.idempotent
        and not operation.is_safe
        and any(one.name.lower() == "idempotency-key" for one in operation.parameters)
    )


def seen_of(status: int, body: Json, *, is_json: bool, synthetic: str, cost: int = -1) -> Seen:
    """A `Seen` from an answer's status and body; problems are read where the status says that there is one."""
    problem, step = "", ""
    if status >= 400 and isinstance(body, dict):
        problem = str(body.get("type", "")).rstrip("/").rpartition("/")[2]
        step = str(body.get("step", ""))
        body = {key: value for key, value in body.items() if key not in OF_ONE_REQUEST}
    return Seen(status, problem, step, body, synthetic == "synthetic", is_json, cost=cost)


def wait_of(value: Any) -> float:
    """Seconds to wait, of a Retry-After; 1 where it says nothing that can be read."""
    try:
        return min(max(float(value), 0.2), LONGEST_WAIT_S)
    except (TypeError, ValueError):
        return 1.0
