"""Department: what a department of the city is made of, and what its behaviour is written with.

A department is a folder with `contract.yaml` (what it promises) and `behaviour.py` (what it does):

    department = Department("tax", "税务局", "Tax Bureau", Path(__file__).parent)

    @department.operation("getTaxpayer")
    def get_taxpayer(call: Call) -> Answer:
        record = call.world.get(TAXPAYER, call.path["code"])
        if record is None:
            raise Refused("tax-payer-not-found", code=call.path["code"])
        return Answer(record)

Behaviour is synchronous and changes nothing but `call.world`, for it may run twice (see `state`).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct, field

from api.contract.model import Operation
from api.core.outbox import NewEvent
from api.core.problems import ProblemType, Text
from api.gateway.connector import Context, Request
from sandbox.city.state import Changes
from sandbox.city.world import World


class Event(Struct, frozen=True):
    """Something that subscribers are told of, once the change that it comes with is kept.

    `type` is the name of one of the contract's `webhooks` (`post.order.delivered`), `subject` the key of what it
    is about (events of one subject are delivered in order), `data` the payload of that webhook. `at`: when it
    happens by the app's clock; None is now. An event of the future is told when the app's clock has come so far.
    """

    type: str
    subject: str
    data: dict[str, Any]
    at: datetime | None = None


class Answer(Struct):
    """What the department answers: a JSON body (None: no body), a status, further headers."""

    body: Any = None
    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)  # told when the answer's changes are kept
    calls_off: list[str] = field(default_factory=list)  # subjects whose events still to come are taken back
    # filled by the connector: what States keeps
    changes: Changes = field(default_factory=dict)
    told: list[NewEvent] = field(default_factory=list)
    withdrawn: list[tuple[str, str]] = field(default_factory=list)


class Refused(Exception):  # noqa: N818 - a refusal is an answer, no error
    """The department refuses. `slug` names an entry of the contract's `x-problems`; facts fill its texts."""

    def __init__(self, slug: str, **facts: Any) -> None:
        super().__init__(slug)
        self.slug = slug
        self.facts = facts


class BrokenOff(Exception):  # noqa: N818 - the department's system fails, its behaviour does not
    """The department's server closes the connection in the middle of its answer, and nothing was done."""

    RULE = "broken-off"


class Call(Struct, frozen=True):
    """One call of an operation, as behaviour sees it."""

    operation: Operation
    request: Request
    context: Context
    world: World
    state_id: str

    @property
    def path(self) -> Mapping[str, Any]:
        return self.request.path

    @property
    def body(self) -> Any:
        return self.request.json

    def text(self, name: str, otherwise: str = "") -> str:
        """A query parameter as text."""
        value = self.request.query.get(name)
        return otherwise if value is None else str(value)

    def number(self, name: str, otherwise: int) -> int:
        """A query parameter as a whole number."""
        value = self.request.query.get(name)
        return otherwise if value is None else int(value)

    def texts(self, name: str) -> list[str]:
        """A list parameter: as a list, or as text with commas."""
        value = self.request.query.get(name)
        if value is None:
            return []
        return [str(item) for item in value] if isinstance(value, list | tuple) else str(value).split(",")


Handler = Callable[[Call], Answer]


class Department:
    """A department: its names, its contract, its behaviour by operationId.

    `protocol` is the one that its system speaks in the city: `inprocess`, or `soap`, `http`, `sql`, `files`.
    """

    def __init__(self, slug: str, zh: str, en: str, folder: Path, protocol: str = "inprocess") -> None:
        self.slug = slug
        self.zh = zh
        self.en = en
        self.folder = folder
        self.protocol = protocol
        self.handlers: dict[str, Handler] = {}

    @property
    def contract(self) -> Path:
        return self.folder / "contract.yaml"

    def operation(self, operation_id: str) -> Callable[[Handler], Handler]:
        """Declare the behaviour of an operation."""

        def declare(handler: Handler) -> Handler:
            if operation_id in self.handlers:
                raise ValueError(f"{self.slug} has two behaviours for {operation_id}")
            self.handlers[operation_id] = handler
            return handler

        return declare

    @cached_property
    def problems(self) -> dict[str, ProblemType]:
        """The refusals that the contract lists under `x-problems`, by slug."""
        document = yaml.load(self.contract.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        return {slug: _problem_type(slug, entry) for slug, entry in document.get("x-problems", {}).items()}


def _problem_type(slug: str, entry: Mapping[str, Any]) -> ProblemType:
    def text(name: str) -> Text:
        return Text(zh=entry[name]["zh-CN"], en=entry[name]["en"])

    return ProblemType(
        slug=slug,
        status=entry["status"],
        title=text("title"),
        detail=text("detail"),
        next=text("next"),
        cause=text("cause"),
        step="call",
        is_retryable=bool(entry.get("retryable", False)),
    )
