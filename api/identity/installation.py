"""What identity is told once, at composition: the settings, and answers that only packages above can give.

`api.main` calls `configure` before anything is served; it replaces everything at once. It holds no rule.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from litestar import Request
from msgspec import Struct

from api.core.caller import Caller
from api.core.crypto import Vault, read_or_make_master_key
from api.identity.consents.subjects import CompanyRegister, NobodyKnown, SubjectDirectory
from api.settings import Settings


class SandboxCalls(Protocol):
    """Who counts an app's calls in the sandbox: the gateway's request log."""

    async def successful_calls(self, app_id: str, since: datetime) -> int:
        """How many calls of the app were answered with a 2xx since then."""
        ...


class NoCallsKnown:
    """Until someone counts: no calls, so the checklist stays open."""

    async def successful_calls(self, app_id: str, since: datetime) -> int:
        return 0


async def _no_platform_tokens(token: str, request: Request[Any, Any, Any] | None = None) -> Caller | None:
    return None


class Installation(Struct, frozen=True, kw_only=True):
    """Settings, and who answers what identity asks.

    `platform_caller(token, request)` verifies an OAuth access token for the platform API: the Caller, or None where
    access tokens are not accepted here. It raises token-invalid, token-expired, token-revoked, and what a token
    that is bound to a key or a certificate is refused for.
    `subjects` and `register` tell who citizens are and who may speak for organisations in this environment.
    """

    settings: Settings = Settings()
    sandbox_calls: SandboxCalls = NoCallsKnown()
    platform_caller: Callable[..., Awaitable[Caller | None]] = _no_platform_tokens
    subjects: SubjectDirectory = NobodyKnown()
    register: CompanyRegister = NobodyKnown()


_current = Installation()


def configure(installation: Installation) -> None:
    """Use this from now on, in the whole process."""
    global _current  # noqa: PLW0603 - the composition root sets it, once
    _current = installation


def current() -> Installation:
    """What holds now."""
    return _current


def vault() -> Vault:
    """Seals what identity keeps secret at rest. The key is read at first use, once."""
    return _vault_in(_current.settings.home_path.resolve())


@lru_cache(maxsize=8)
def _vault_in(home: Path) -> Vault:
    return Vault(read_or_make_master_key(home / "master.key"))
