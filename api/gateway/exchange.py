"""Exchange: the one object that walks through the steps of a request. It knows no ASGI.

A face fills the upper part, the steps fill the rest in their order (pipeline.STEPS). Plain slots, no
validation: this is the hot path.
"""

from collections.abc import AsyncIterator
from typing import Any

from api.contract.model import Service
from api.core.caller import ANONYMOUS, Caller
from api.core.problems import Problem
from api.gateway.connector import Connector, Result

Headers = list[tuple[bytes, bytes]]


class Decision:
    """What `authorise` found: the ground on which the call may go on."""

    __slots__ = ("consent", "grant", "mandate", "purpose", "subject", "subscription")

    def __init__(
        self, subscription: str = "", purpose: str = "", grant: str = "", subject: str = "", consent: str = "",
        mandate: str = "",
    ) -> None:  # fmt: skip
        self.subscription = subscription  # as commands write it: company@v1, company@v1:bank-credit
        self.purpose = purpose
        self.grant = grant
        self.subject = subject  # c_…: who consented
        self.consent = consent  # hash of the text that was agreed to
        self.mandate = mandate


class Holding:
    """What a call is found to have behind it, for the few tokens that have more than an app."""

    __slots__ = ("backing", "coverage", "organisation", "person", "proof")

    def __init__(self, backing: Any) -> None:
        self.backing = backing  # api.gateway.backing.Backing
        self.proof: Any = None  # api.identity.oauth.dpop.Proof: verified, still to be spent
        self.coverage: Any = None  # api.gateway.consent.Coverage: what a consented answer may hold
        self.organisation = (
            ""  # credit code of the one that consented, where it is about an organisation's data
        )
        self.person: str | None = None  # mark of who consented, where it is about a person's data


class Exchange:
    """One operation call on its way: request, operation, caller, decision, response."""

    __slots__ = (  # noqa: RUF023 - in the order in which the steps fill them
        # filled by the face
        "request_id", "parent_id", "face", "method", "raw_path", "query_string", "headers", "peer_address", "client_address",
        "body", "body_stream", "content_length", "is_plain", "is_proven", "locale", "trace_parent", "started_ns", "started_at_us",
        # admit
        "path", "is_path_exact", "header_map", "authorization",
        # route
        "snapshot", "service", "operation", "compiled", "path_values", "connector", "target",
        # authenticate
        "caller", "app", "holding",
        # authorise
        "decision",
        # limit
        "plan", "quota", "cost", "quota_left", "quota_headers",
        # validate
        "query_values", "header_values", "json", "scenario", "content_type",
        # call
        "result", "upstream_us", "attempts",
        # record and the answer
        "status", "response_headers", "response_body", "response_bytes", "request_bytes", "problem", "verdicts",
    )  # fmt: skip

    def __init__(  # noqa: PLR0915 - one line for each slot
        self, *, request_id: str, face: str, method: str, raw_path: bytes, query_string: bytes, headers: Headers,
        client_address: str, started_ns: int, started_at_us: int,
    ) -> None:  # fmt: skip
        self.request_id = request_id
        self.parent_id = ""
        self.face = face
        self.method = method
        self.raw_path = raw_path
        self.query_string = query_string
        self.headers = headers
        self.peer_address = self.client_address = (
            client_address  # admit believes a trusted peer another client
        )
        self.body: bytes | None = None
        self.body_stream: AsyncIterator[bytes] | None = None
        self.content_length: int | None = None
        self.is_plain = False  # its head was read by heads: short, and without an odd byte
        self.is_proven = (
            False  # part of a request whose key and certificate its face has checked (inside.enter)
        )
        self.locale = "en"
        self.trace_parent = ""
        self.started_ns = started_ns  # time.perf_counter_ns()
        self.started_at_us = started_at_us  # microseconds since the epoch
        self.header_map: dict[bytes, bytes] = {}  # lower-case name -> value; of a repeated name the last
        self.path = ""  # normalised once by admit: decoded, no dot segments, no double slashes
        self.is_path_exact = True  # whether it is byte for byte what came
        self.authorization = b""
        self.snapshot: Any = None  # api.gateway.snapshot.Snapshot: one consistent view for the whole call
        self.service: Service | None = None
        self.operation: Any = None  # api.contract.model.Operation once routed
        self.compiled: Any = None  # api.gateway.snapshot.CompiledOperation: validators, masks
        self.path_values: dict[str, Any] = {}
        self.connector: Connector | None = None
        self.target = ""  # path and query to forward, exactly as matched, below the version
        self.caller: Caller = ANONYMOUS
        self.app: Any = None  # api.gateway.snapshot.AppRow
        self.holding: Holding | None = None  # of a token with a person, a key or a certificate behind it
        self.decision: Decision | None = None
        self.plan = ""
        self.quota: Any = None  # api.gateway.quota.ClassQuota
        self.cost = 0
        self.quota_left = -1
        self.quota_headers: Headers = []
        self.query_values: dict[str, Any] = {}
        self.header_values: dict[str, Any] = {}
        self.json: Any = None
        self.scenario = ""
        self.content_type = ""
        self.result: Result | None = None
        self.upstream_us = self.attempts = 0
        self.status = 0
        self.response_headers: Headers = []
        self.response_body: bytes | AsyncIterator[bytes] = b""
        self.response_bytes = 0
        self.request_bytes = 0
        self.problem: Problem | None = None
        self.verdicts: list[tuple[str, str, str]] = []  # (step, "pass" or "refuse", note)
