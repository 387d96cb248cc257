"""Gateway: everything one data plane's process works with, put together once by api.main.

The steps read it and change none of its members. It makes nothing itself and knows no HTTP.
"""

from collections.abc import Callable, Container
from functools import lru_cache
from typing import Any, Protocol

from api.core.client_address import address_bucket, client_address, read_networks
from api.core.problems import preferred_language
from api.gateway.connectors.registry import ConnectorRegistry
from api.gateway.flood import FloodLimit
from api.gateway.quota import LocalMeter, Meter
from api.gateway.request_ids import RequestIds
from api.gateway.snapshot import Snapshot
from api.gateway.token_cache import TokenCache
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


class Snapshots(Protocol):
    """Where the present snapshot is, and how to ask for a newer one (snapshot_feed.SnapshotFeed)."""

    current: Snapshot

    async def refresh(self) -> bool:
        """Load what has changed, if this was not just done. Whether there was anything new."""
        ...


class Gateway:
    """One plane's gateway in one process.

    `verify_token` maps a token to its claims or raises a Refusal; `revoked` holds the ids of revoked tokens.
    `recorder`, `evidence` and `metrics` belong to the step record.
    """

    __slots__ = (
        "accept_language", "address_of", "bucket_of", "connectors", "docs_url", "environment", "evidence", "flood",
        "is_sandbox", "meter", "metrics", "recorder", "request_ids", "revoked", "settings", "snapshots", "tokens",
        "verify_token",
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
