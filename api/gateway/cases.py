"""Cases of composed services: what was asked for and how far each step came, in the plane store.

A case is written before a step begins and after it ends, so a process that dies in between leaves a case that
says so. One call works on a case at a time: it takes the case by a conditional update with a term.
"""

from datetime import timedelta
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from msgspec import Struct

from api.core import clock, ids, store
from api.core.crypto import Vault
from api.gateway.models import ComposedCase

WAITING, STARTED, DONE, REFUSED, FAILED = "waiting", "started", "done", "refused", "failed"
UNKNOWN, NOT_WANTED, UNDONE, STANDS = "unknown", "not-wanted", "undone", "cannot-be-undone"


class StepState(Struct):
    """How far a step came."""

    status: str = WAITING
    at: str = ""
    kept: dict[str, Any] = {}
    answer: Any = None
    problem: dict[str, Any] | None = None  # problem+json of the refusal or failure
    request_id: str = ""
    tries: int = 0


class Case(Struct):
    """A case as a call works on it."""

    number: str
    app_id: str
    created_at: str
    status: str
    input: Any
    steps: dict[str, StepState]
    purpose: str = ""


class Cases:
    """The cases of one plane."""

    def __init__(self, environment: str, vault: Vault) -> None:
        self._environment = environment
        self._vault = vault

    async def begin(self, number: str, service: str, case: Case, seconds: float) -> None:
        """Write a new case, taken for `seconds`."""
        await ComposedCase.create(
            id=number, app_id=case.app_id, service=service, content=self._seal(case), created_at=clock.now(),
            taken_until=clock.now() + timedelta(seconds=seconds), using_db=self._connection,
        )  # fmt: skip

    async def find(self, number: str, service: str, app_id: str) -> Case | None:
        """The case of this app, or None. Raises InvalidTag when it was sealed under another master key."""
        row = await ComposedCase.get_or_none(
            id=number, service=service, app_id=app_id, using_db=self._connection
        )
        return None if row is None else self._open(row)

    async def take(self, number: str, seconds: float) -> bool:
        """Whether the case is this call's for so long: of racers one has it."""
        now = clock.now()
        taken = await ComposedCase.filter(id=number, taken_until__lte=now).using_db(self._connection).update(
            taken_until=now + timedelta(seconds=seconds)
        )  # fmt: skip
        return bool(taken)

    async def write(self, case: Case) -> None:
        """Keep what has come of it."""
        await ComposedCase.filter(id=case.number).using_db(self._connection).update(content=self._seal(case))

    async def give_back(self, number: str) -> None:
        """Another call may work on it."""
        await ComposedCase.filter(id=number).using_db(self._connection).update(taken_until=clock.now())

    async def forget(self, app_id: str) -> None:
        """Forget the cases of an app whose sandbox begins anew."""
        await ComposedCase.filter(app_id=app_id).using_db(self._connection).delete()

    def _seal(self, case: Case) -> str:
        return self._vault.seal(msgspec.msgpack.encode(case), f"case/{case.number}")

    def _open(self, row: ComposedCase) -> Case | None:
        try:
            return msgspec.msgpack.decode(self._vault.open(row.content, f"case/{row.id}"), type=Case)
        except (InvalidTag, ValueError):
            return None

    @property
    def _connection(self) -> Any:
        return store.plane(self._environment)


def new_number() -> str:
    """A case number that tells nothing and is guessed by nobody."""
    return ids.random_id("case", 12)
