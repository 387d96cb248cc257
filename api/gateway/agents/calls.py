"""Calls on their way through agents: a table of the plane store, in which each is handed out once.

    waiting ──take──▶ taken ──answer──▶ answered ──fetched──▶ gone
       │                └── silent, or too late ──▶ lost ──▶ swept
       └── nobody took it in time ──▶ gone: it is certain that nothing was sent

Every arrow is one conditional update or delete, so any number of gateways and agents may race.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from msgspec import Struct
from tortoise.backends.base.client import BaseDBAsyncClient

from api.core import clock, ids, store
from api.core.crypto import Vault
from api.core.jobs import Job
from api.core.outbox import microseconds
from api.gateway.agents.letters import BEAT_SECONDS, LEASE_SECONDS, AnswerLetter, CallLetter, TakenCall

WAITING, TAKEN, ANSWERED, LOST = "waiting", "taken", "answered", "lost"
SILENT_SECONDS = 3 * BEAT_SECONDS  # a process silent for longer gets no call
KEEP_SECONDS = 300.0  # after its deadline a row that nobody fetched is forgotten
KEEP_PROCESS_DAYS = 7
SWEEP_SECONDS = 60.0
_SECOND = 1_000_000
_LEAST_LEFT = 50_000  # a call with less time left is handed to nobody
_T = TypeVar("_T", bound=Struct)


class AgentCalls:
    """The calls of one plane."""

    def __init__(self, environment: str, vault: Vault) -> None:
        self._environment = environment
        self._vault = vault

    # -- the gateway's side -------------------------------------------------------------------------
    async def put(self, agent: str, letter: CallLetter, seconds: float) -> str:
        """Put a call down for an agent; whoever takes it has `seconds` from now. Returns its id."""
        identifier = ids.random_id("agq")
        now = _now()
        await self._change(
            "INSERT INTO agent_call (id, agent, state, holder, created_at, deadline_at, lease_until, request, answer) "
            "VALUES (?, ?, 'waiting', '', ?, ?, 0, ?, '')",
            identifier, agent, now, now + round(seconds * _SECOND), self._seal(letter, "call", identifier),
        )  # fmt: skip
        return identifier

    async def put_pending(self, holder: str, seconds: float) -> str:
        """A call that the holder works on already and brings the answer of (callbacks.py). Returns its id."""
        identifier = ids.random_id("agq")
        now = _now()
        end = now + round(seconds * _SECOND)
        await self._change(
            "INSERT INTO agent_call (id, agent, state, holder, created_at, deadline_at, lease_until, request, answer) "
            "VALUES (?, ?, 'taken', '', ?, ?, ?, '', '')",
            identifier, holder, now, end, end,
        )  # fmt: skip
        return identifier

    async def states(self, identifiers: Sequence[str]) -> dict[str, str]:
        """How far these calls have come. A taken one whose holder has been silent too long counts as lost."""
        marks = ", ".join("?" * len(identifiers))
        rows = await self._fetch(
            f"SELECT id, state, lease_until FROM agent_call WHERE id IN ({marks})",  # noqa: S608 - placeholders
            *identifiers,
        )
        now = _now()
        return {
            row["id"]: LOST if row["state"] == TAKEN and int(row["lease_until"]) < now else row["state"]
            for row in rows
        }

    async def fetch_answer(self, identifier: str) -> AnswerLetter | None:
        """The answer, which is forgotten here with it; None where there is none that can be read."""
        rows = await self._fetch(
            "SELECT answer FROM agent_call WHERE id = ? AND state = 'answered'", identifier
        )
        if not rows:
            return None
        await self._change("DELETE FROM agent_call WHERE id = ?", identifier)
        return self._open(rows[0]["answer"], "answer", identifier, AnswerLetter)

    async def take_back(self, identifier: str) -> bool:
        """Whether nobody had taken the call: then nobody will, and nothing was sent."""
        return bool(
            await self._change("DELETE FROM agent_call WHERE id = ? AND state = 'waiting'", identifier)
        )

    async def give_up(self, identifier: str) -> bool:
        """Wait no longer for a call that was taken; False where it has been answered meanwhile."""
        return bool(
            await self._change(
                "UPDATE agent_call SET state = 'lost', request = '' WHERE id = ? AND state = 'taken'",
                identifier,
            )
        )

    # -- the agent's side ---------------------------------------------------------------------------
    async def has_waiting(self, agent: str) -> bool:
        """Whether a call waits for the agent."""
        return bool(await self._waiting(agent, 1))

    async def take(self, agent: str, process: str) -> TakenCall | None:
        """The call that has waited longest, for this process and no other; None when there is none."""
        for _ in range(8):  # of racers for one row one has it, the others look for the next
            candidates = await self._waiting(agent, 4)
            if not candidates:
                return None
            for identifier in candidates:
                taken = await self._take_one(identifier, process)
                if taken is not None:
                    return taken
        return None

    async def _waiting(self, agent: str, most: int) -> list[str]:
        rows = await self._fetch(
            "SELECT id FROM agent_call WHERE agent = ? AND state = 'waiting' AND deadline_at > ? "
            "ORDER BY created_at, id LIMIT ?",
            agent, _now() + _LEAST_LEFT, most,
        )  # fmt: skip
        return [str(row["id"]) for row in rows]

    async def _take_one(self, identifier: str, process: str) -> TakenCall | None:
        now = _now()
        count = await self._change(
            "UPDATE agent_call SET state = 'taken', holder = ?, lease_until = ? "
            "WHERE id = ? AND state = 'waiting' AND deadline_at > ?",
            process, now + round(LEASE_SECONDS * _SECOND), identifier, now + _LEAST_LEFT,
        )  # fmt: skip
        if not count:
            return None
        rows = await self._fetch(
            "SELECT request, deadline_at FROM agent_call WHERE id = ? AND holder = ?", identifier, process
        )
        letter = self._open(rows[0]["request"], "call", identifier, CallLetter) if rows else None
        if letter is None:
            return None
        await self._change("UPDATE agent_call SET request = '' WHERE id = ?", identifier)
        return TakenCall(identifier, max(1, (int(rows[0]["deadline_at"]) - _now()) // 1000), letter)

    async def answer(self, identifier: str, agent: str, letter: AnswerLetter) -> bool:
        """Keep the answer for whoever waits. False: nobody does any more, or the call is another agent's."""
        count = await self._change(
            "UPDATE agent_call SET state = 'answered', answer = ? WHERE id = ? AND agent = ? AND state = 'taken'",
            self._seal(letter, "answer", identifier), identifier, agent,
        )  # fmt: skip
        if count:
            return True
        rows = await self._fetch("SELECT state FROM agent_call WHERE id = ? AND agent = ?", identifier, agent)
        return bool(rows) and rows[0]["state"] == ANSWERED  # the same answer, sent again

    async def answer_once(self, identifier: str, holder: str, letter: AnswerLetter) -> bool:
        """Keep an answer that may be brought only once, and in time."""
        return bool(await self._change(
            "UPDATE agent_call SET state = 'answered', answer = ? "
            "WHERE id = ? AND agent = ? AND state = 'taken' AND lease_until >= ?",
            self._seal(letter, "answer", identifier), identifier, holder, _now(),
        ))  # fmt: skip

    async def beat(
        self, process: str, agent: str, version: str, calls: Sequence[str], *, is_leaving: bool
    ) -> None:
        """A process is alive; the calls that it works on are its for some time more."""
        now = _now()
        await self._change(
            "INSERT INTO agent_process (id, agent, version, started_at, seen_at, left_at) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, left_at = excluded.left_at",
            process, agent, version, now, now, now if is_leaving else 0,
        )  # fmt: skip
        if calls:
            marks = ", ".join("?" * len(calls))
            await self._change(
                f"UPDATE agent_call SET lease_until = ? WHERE holder = ? AND state = 'taken' AND id IN ({marks})",  # noqa: S608
                now + round(LEASE_SECONDS * _SECOND), process, *calls,
            )  # fmt: skip

    async def is_taking(self, process: str) -> bool:
        """Whether the process takes calls: it was heard of a moment ago and has not said that it leaves."""
        rows = await self._fetch(
            "SELECT id FROM agent_process WHERE id = ? AND left_at = 0 AND seen_at > ?",
            process, _now() - round(SILENT_SECONDS * _SECOND),
        )  # fmt: skip
        return bool(rows)

    async def is_there(self, agent: str, seconds: float) -> bool:
        """Whether any process of the agent was heard of in the last `seconds` and has not left."""
        rows = await self._fetch(
            "SELECT id FROM agent_process WHERE agent = ? AND seen_at > ? AND left_at = 0 LIMIT 1",
            agent, _now() - round(seconds * _SECOND),
        )  # fmt: skip
        return bool(rows)

    async def processes(self, agents: Sequence[str]) -> list[dict[str, Any]]:
        """The processes of these agents that were heard of in the last days, the newest first, with calls under way."""
        if not agents:
            return []
        marks = ", ".join("?" * len(agents))
        return await self._fetch(
            "SELECT p.id, p.agent, p.version, p.started_at, p.seen_at, p.left_at, "  # noqa: S608 - placeholders
            "(SELECT COUNT(*) FROM agent_call c WHERE c.holder = p.id AND c.state = 'taken') AS under_way "
            f"FROM agent_process p WHERE p.agent IN ({marks}) ORDER BY p.seen_at DESC LIMIT 500",
            *agents,
        )

    # -- housekeeping -------------------------------------------------------------------------------
    def sweeping(self) -> Job:
        """The job that forgets what nobody fetched."""
        return Job("gateway.agent_calls", SWEEP_SECONDS, self.sweep)

    async def sweep(self) -> None:
        """Forget calls long past their deadline, and processes not heard of for days."""
        now = _now()
        await self._change(
            "DELETE FROM agent_call WHERE deadline_at < ?", now - round(KEEP_SECONDS * _SECOND)
        )
        await self._change(
            "DELETE FROM agent_process WHERE seen_at < ?", now - KEEP_PROCESS_DAYS * 86_400 * _SECOND
        )

    def _seal(self, letter: Struct, kind: str, identifier: str) -> str:
        return self._vault.seal(msgspec.msgpack.encode(letter), f"agent-{kind}/{identifier}")

    def _open(self, sealed: str, kind: str, identifier: str, shape: type[_T]) -> _T | None:
        try:
            return msgspec.msgpack.decode(self._vault.open(sealed, f"agent-{kind}/{identifier}"), type=shape)
        except (InvalidTag, ValueError):  # sealed under another master key
            return None

    async def _fetch(self, text: str, *values: Any) -> list[dict[str, Any]]:
        _, rows = await self._connection.execute_query(_statement(self._connection, text), list(values))
        return store.rows_as_dicts(rows)

    async def _change(self, text: str, *values: Any) -> int:
        count, _ = await self._connection.execute_query(_statement(self._connection, text), list(values))
        return int(count)

    @property
    def _connection(self) -> BaseDBAsyncClient:
        return store.plane(self._environment)


def _statement(connection: BaseDBAsyncClient, text: str) -> str:
    """`?` stands for a value in both dialects; PostgreSQL wants numbers."""
    if connection.capabilities.dialect == "sqlite":
        return text
    first, *others = text.split("?")
    return first + "".join(f"${number}{part}" for number, part in enumerate(others, 1))


def _now() -> int:
    return microseconds(clock.now())
