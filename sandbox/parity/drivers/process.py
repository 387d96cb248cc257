"""A driver in another language: a program that reads questions and writes answers, one JSON object a line.

What goes over the pipes is described in docs/reference/parity.md. A program that says nothing for ANSWER_S seconds, or
says what is no answer, ends the comparison: silence is not agreement.
"""

import contextlib
import queue
import subprocess
import threading
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from api.contract.model import Json
from sandbox.parity.cases import Case
from sandbox.parity.drivers.protocol import Keys, Seen, Target, seen_of, takes_key

PROTOCOL = 1
ANSWER_S = 60.0
_END_S = 5.0
_MOST_LINE = 8 * 1024 * 1024


class Value(Struct, frozen=True):
    """One parameter's value, typed as the contract types it."""

    name: str
    location: str = msgspec.field(name="in")
    value: Json = None


class Question(Struct, frozen=True, omit_defaults=True):
    """A case as a program gets it. `body` is left out where the request has none."""

    case: str
    service: str  # company
    version: str  # v1
    operation: str  # getCompany
    resource: str
    verb: str
    method: str
    path: str
    parameters: list[Value]
    with_token: bool
    body: Json | UnsetType = UNSET
    scenario: str = ""
    purpose: str = ""
    idempotency_key: str = ""


class Told(Struct, frozen=True):
    """What a program answers. `body` is the answer's JSON value or text, of a refusal the whole problem."""

    case: str
    status: int = 0
    body: Json = None
    is_json: bool = True
    synthetic: bool = False
    cost: int = -1
    null_is_absent: bool = False
    unsaid: str = ""


class Program:
    """One running program as a driver."""

    def __init__(self, name: str, command: list[str], target: Target, *, answer_s: float = ANSWER_S) -> None:
        self.name = name
        self._keys, self._wait, self._target = Keys(name), answer_s, target
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        self._write({"kaimen_parity": PROTOCOL, "origin": target.origin, "token": target.token})
        hello = self._line()
        if not isinstance(hello, dict) or hello.get("kaimen_parity") != PROTOCOL:
            self.close()
            raise OSError(f"the driver {name} does not speak version {PROTOCOL} of the protocol")

    def ask(self, case: Case) -> Seen:
        """Ask one case."""
        self._write(question_of(case, self._target, self._keys.next()))
        line = self._line()
        try:
            told = msgspec.convert(line, Told)
        except msgspec.ValidationError as fault:
            raise OSError(f"the driver {self.name} gave no answer: {fault}") from None
        if told.case != case.id:
            raise OSError(f"the driver {self.name} answered {told.case[:80]}, was asked {case.id}")
        synthetic = "synthetic" if told.synthetic else ""
        seen = seen_of(told.status, told.body, is_json=told.is_json, synthetic=synthetic, cost=told.cost)
        return replace(seen, unsaid=told.unsaid, null_is_absent=told.null_is_absent)

    def close(self) -> None:
        """End the program: its input ends, and if that is not enough, it is killed."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _write(self, value: Any) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(msgspec.json.encode(value) + b"\n")
            self._process.stdin.flush()
        except OSError:
            raise OSError(f"the driver {self.name} has ended") from None

    def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            while line := self._process.stdout.readline(_MOST_LINE):
                self._lines.put(line)
        except (OSError, ValueError):  # closed while it was read
            pass
        self._lines.put(b"")

    def _line(self) -> Any:
        try:
            line = self._lines.get(timeout=self._wait)
        except queue.Empty:
            raise OSError(f"the driver {self.name} said nothing for {self._wait:g} s") from None
        if not line:
            raise OSError(f"the driver {self.name} has ended")
        try:
            return msgspec.json.decode(line)
        except msgspec.DecodeError:
            raise OSError(f"the driver {self.name} did not write JSON: {line[:80]!r}") from None


def question_of(case: Case, target: Target, key: str) -> Question:
    """The case on the wire."""
    service, operation = target.services[case.service], case.operation
    values = [
        Value(name, location, value)
        for location, inner in case.values.items()
        for name, value in inner.items()
    ]
    return Question(
        case=case.id, service=service.name, version=service.version, operation=operation.id,
        resource=operation.resource, verb=operation.verb, method=operation.method, path=operation.path,
        parameters=values, with_token=case.with_token, body=case.body if case.has_body else UNSET,
        scenario=case.scenario, purpose=case.purpose, idempotency_key=key if takes_key(operation) else "",
    )  # fmt: skip
