"""Gateway: everything one data plane's process works with, put together once by api.main.

The steps read it and change none of its members. It makes nothing itself and knows no HTTP.
"""

import os
from collections.abc import Callable, Container, Sequence
from functools import lru_cache
from typing import Any, Protocol

from api.core.client_address import address_bucket, client_address, read_networks
from api.core.problems import preferred_language
from api.gateway.answer_cache import AnswerCache
from api.gateway.connectors.registry import ConnectorRegistry
from api.gateway.flood import FloodLimit
from api.gateway.kept_answers import KeptAnswers
from api.gateway.quota import LocalMeter, Meter
from api.gateway.request_ids import RequestIds
from api.gateway.snapshot import Snapshot
from api.gateway.token_cache import TokenCache
from api.gateway.used_proofs import OneProcess, UsedProofs
from api.gateway.withdrawals import Withdrawals
from api.identity.oauth.dpop import Nonces
from api.identity.oauth.mtls import CertificateReader
from api.settings import Settings


class TokenClaims(Protocol):
    """What the gateway reads of a verified access token (api.identity.oauth.tokens.Claims)."""

    @property
    def client_id(self) -> str: ...
    @property
    def app(self) -> str: ...
    @property
    def exp(self) -> int: ...
    @property
    def jti(self) -> str: ...
    @property
    def scope(self) -> str: ...
    @property
    def grant(self) -> str: ...
    @property
    def sub(self) -> str: ...
    @property
    def cnf(self) -> dict[str, str]: ...
    @property
    def authorization_details(self) -> Sequence[dict[str, Any]]: ...
    @property
    def consent(self) -> str: ...
    @property
    def mandate(self) -> str: ...
    @property
    def acr(self) -> str: ...


class Snapshots(Protocol):
    """Where the present snapshot is, and how to ask for a newer one (snapshot_feed.SnapshotFeed)."""

    current: Snapshot

    async def refresh(self) -> bool:
        """Load what has changed, if this was not just done. Whether there was anything new."""
        ...


def _real_time(app_id: str) -> str:
    return ""


class Gateway:
    """One plane's gateway in one process.

    `verify_token` maps a token to its claims or raises a Refusal; `revoked` holds the ids of revoked tokens.
    `recorder`, `evidence` and `metrics` belong to the step record; `withdrawals`, `used_proofs`, `nonces` and
    `certificates` are asked about tokens with a person, a key or a certificate behind them. `clock_of` says from
    memory what an app's clock in the sandbox shows (RFC 3339), "" for the real time.
    """

    __slots__ = (
        "accept_language", "address_of", "answers", "bucket_of", "certificates", "clock_of", "connectors", "docs_url", "environment", "evidence", "flood",
        "is_sandbox", "kept_answers", "meter", "metrics", "nonces", "recorder", "request_ids", "revoked", "settings", "snapshots", "tokens",
        "used_proofs", "verify_token", "withdrawals",
    )  # fmt: skip

    def __init__(
        self,
        settings: Settings,
        *,
        snapshots: Snapshots,
        verify_token: Callable[[bytes], TokenClaims],
        revoked: Container[str] = frozenset(),
        meter: Meter | None = None,
        connectors: ConnectorRegistry | None = None,
        recorder: Any = None,
        evidence: Any = None,
        metrics: Any = None,
        withdrawals: Withdrawals | None = None,
        used_proofs: UsedProofs | None = None,
        nonces: Nonces | None = None,
        clock_of: Callable[[str], str] | None = None,
        kept_answers: KeptAnswers | None = None,
    ) -> None:
        self.settings = settings
        self.environment = settings.environment
        self.is_sandbox = settings.environment == "sandbox"
        self.docs_url = settings.docs_url
        self.snapshots = snapshots
        self.verify_token = verify_token
        self.revoked = revoked
        self.tokens = TokenCache(settings.token_cache_entries)
        self.flood = FloodLimit(settings.flood_per_second)
        self.meter: Meter = meter if meter is not None else LocalMeter()
        self.connectors = connectors if connectors is not None else ConnectorRegistry()
        self.request_ids = RequestIds(settings.environment)
        self.recorder = recorder
        self.evidence = evidence
        self.metrics = metrics
        self.withdrawals = withdrawals if withdrawals is not None else Withdrawals(settings)
        self.used_proofs = used_proofs if used_proofs is not None else UsedProofs(OneProcess())
        self.nonces = nonces if nonces is not None else Nonces(os.urandom(32))
        self.kept_answers = kept_answers  # None: idempotency keys go to the department alone
        self.answers = AnswerCache(settings.answer_cache_bytes) if settings.answer_cache_bytes else None
        self.clock_of: Callable[[str], str] = clock_of if clock_of is not None else _real_time
        self.certificates = CertificateReader(settings.client_certificate_header, settings.trusted_proxies)
        # Few values come again and again; what they mean is worked out once.
        trusted = read_networks(settings.trusted_proxies)
        self.bucket_of: Callable[[str], str] = lru_cache(4096)(address_bucket)
        self.accept_language: Callable[[bytes], str] = lru_cache(1024)(
            lambda value: preferred_language(value.decode("latin-1"))
        )
        self.address_of: Callable[[str, bytes], str] = lru_cache(4096)(
            lambda peer, forwarded: client_address(
                peer, [(b"x-forwarded-for", forwarded)] if forwarded else [], trusted
            )
        )
