"""Tokens of other issuers beside our own, for a process that is set to take them: who verifies which, and when.

Loaded only where KAIMEN_EXTERNAL_ISSUERS is set.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from api.core import jobs
from api.core.jobs import Job
from api.identity.oauth.external import READ_EVERY_SECONDS, ExternalIssuers, read_setting
from api.identity.oauth.keys import KeyRing
from api.identity.oauth.tokens import Claims
from api.identity.outside.calls import CallError, Calls
from api.settings import Settings

START_SECONDS = 3.0  # a start waits so long for their keys, and goes on without


class ExternalTokens:
    """The external issuers of the process's plane, with the HTTP client that reads their keys."""

    def __init__(self, settings: Settings) -> None:
        self._calls = Calls(settings)
        self._issuers = ExternalIssuers(
            read_setting(settings.external_issuers), settings.environment, self._fetch
        )

    @asynccontextmanager
    async def running(self, forget_tokens: Callable[[], None]) -> AsyncIterator[None]:
        """Read the keys now and again for the life of the block; `forget_tokens` is called when they have changed."""
        self._issuers.when_changed = forget_tokens
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(START_SECONDS):
                    await self._issuers.read()
            async with jobs.running(Job("external.keys", READ_EVERY_SECONDS, self._issuers.read)):
                yield
        finally:
            await self._calls.close()

    def verify_with(self, ours: Callable[[bytes], Claims]) -> Callable[[bytes], Claims]:
        """Verifies tokens of either kind, by the issuer that they name."""
        issuers = self._issuers

        def verify(token: bytes) -> Claims:
            issuer = issuers.issuer_of(token)
            return ours(token) if issuer is None else issuers.verify(token, issuer)

        return verify

    def look_again_with(self, ring: KeyRing) -> Callable[[], Awaitable[bool]]:
        """Looks for new keys of ours and of theirs."""

        async def look_again() -> bool:
            mine, theirs = await asyncio.gather(ring.look_again(), self._issuers.look_again())
            return mine or theirs

        return look_again

    async def _fetch(self, url: str) -> Mapping[str, Any]:
        try:
            reply = await self._calls.get(url)
        except CallError as error:
            raise OSError(str(error)) from error
        if reply.status != 200:
            raise OSError(f"{url} answers {reply.status}")
        return reply.body
