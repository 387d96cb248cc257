"""What travels between the gateway and an agent's process: calls, answers, contracts. MessagePack, whole and bounded.

    POST /agent/v1/hello              -> Welcome                      who am I, which services do I serve
    POST /agent/v1/calls/take         Taking     -> TakenCall or 204  a long poll; a call is handed out once
    POST /agent/v1/calls/{id}/answer  AnswerLetter -> 204             again changes nothing; 410 nobody waits any more
    POST /agent/v1/beat               Beat       -> 204               "I am alive and working on these"
    GET  /agent/v1/services/{key}     -> Served                       contract and mapping

Authorization: Bearer kat_… (sandbox) or kal_… (live). It holds no rules.
"""

from typing import Any

import msgspec
from msgspec import Struct, field

from api.gateway.connector import Context, Request

LIMIT_BYTES = 4 * 1024 * 1024  # of a request's body, and of an answer's
LETTER_BYTES = LIMIT_BYTES + 256 * 1024
MAX_WAIT_SECONDS = 20.0
LEASE_SECONDS = 10.0
BEAT_SECONDS = 2.5
MEDIA_TYPE = "application/msgpack"


class CallLetter(Struct, frozen=True):
    """A call as the gateway puts it down. The deadline is added when it is handed out: clocks differ."""

    service: str  # company@v1
    revision: str  # of contract and mapping
    operation: str
    path: dict[str, Any]
    query: dict[str, Any]
    headers: dict[str, Any]
    target: str
    body: bytes | None
    content_type: str
    forward_headers: list[tuple[bytes, bytes]]
    context: dict[str, str]


class TakenCall(Struct, frozen=True):
    """A call for one process, with the milliseconds that are left for it."""

    id: str
    remaining_ms: int
    letter: CallLetter


class Told(Struct, frozen=True):
    """A problem that the agent's connector raised: its kind and facts."""

    slug: str
    rule: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    is_unsent: bool = False  # the department's system can't have acted on it


class AnswerLetter(Struct, frozen=True):
    """The department's answer, or the problem that stands for it."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    facts: dict[str, Any] = field(default_factory=dict)
    is_sound: bool = False
    problem: Told | None = None


class Taking(Struct, frozen=True):
    """A process that has a hand free, and how long it waits for a call."""

    process: str
    wait_ms: int = 0


class Beat(Struct, frozen=True):
    """A process that lives, and the calls that it works on."""

    process: str
    version: str = ""
    calls: list[str] = field(default_factory=list)
    is_leaving: bool = False


class Welcome(Struct, frozen=True):
    """Who the credential stands for."""

    agent: str
    environment: str
    services: list[str]  # that are published with this agent
    beat_ms: int
    wait_ms: int


class Served(Struct, frozen=True):
    """What an agent needs to serve a service. `key` signs what is told to the department's system."""

    service: str
    document: dict[str, Any]
    mapping: str
    key: bytes


def letter_of(
    service: str, revision: str, operation: str, request: Request, body: bytes | None, context: Context
) -> CallLetter:
    """The call as it is put down."""
    return CallLetter(
        service, revision, operation, dict(request.path), dict(request.query), dict(request.headers), request.target,
        body, request.content_type, list(request.forward_headers),
        {
            "request_id": context.request_id, "environment": context.environment, "app_id": context.app_id,
            "state_id": context.state_id, "clock": context.clock, "scenario": context.scenario,
            "locale": context.locale, "subject": context.subject, "purpose": context.purpose,
            "trace_parent": context.trace_parent, "service": context.service,
        },
    )  # fmt: skip


def request_of(letter: CallLetter) -> Request:
    """The request as a connector gets it. A body that says to be JSON is parsed, for a mapping."""
    parsed = None
    if letter.body and "json" in letter.content_type:
        try:
            parsed = msgspec.json.decode(letter.body)
        except msgspec.DecodeError:
            parsed = None
    return Request(
        path=letter.path, query=letter.query, headers=letter.headers, target=letter.target, body=letter.body,
        content_type=letter.content_type, content_length=None if letter.body is None else len(letter.body),
        json=parsed, forward_headers=letter.forward_headers,
    )  # fmt: skip


def plain(value: Any) -> Any:
    """A fact in a form that travels: what has none is said as text."""
    try:
        return msgspec.to_builtins(value)
    except TypeError:
        return str(value)
