"""The authorization server of one plane, put together: ring, clients, revocations, and the way of a request.

    async with AuthorizationService(settings, vault) as oauth: ...

It is made once for each process. The gateway reads `ring` and `revoked` of it.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from tortoise.exceptions import BaseORMException

from api.core import audit, clock, store
from api.core.crypto import Vault
from api.core.logging import log_failure
from api.core.problems import Refusal
from api.identity.models import AppSecret
from api.identity.oauth import tokens
from api.identity.oauth.client_authentication import presented_client_id
from api.identity.oauth.clients import ClientDirectory
from api.identity.oauth.errors import InputRefused
from api.identity.oauth.forms import Form
from api.identity.oauth.keys import KeyRing
from api.identity.oauth.metadata import describe_server
from api.identity.oauth.models import RevokedToken, UsedAssertion
from api.identity.oauth.revocation import RevokedTokens
from api.identity.oauth.rights import Rights
from api.identity.oauth.server import Answer, Server
from api.identity.oauth.unit_of_work import UNIT, UnitOfWork
from api.settings import Settings

KEYS_EVERY_SECONDS = 5.0  # well below keys.GRACE_SECONDS
USES_EVERY_SECONDS = 60.0
SWEEP_EVERY_SECONDS = 600.0


class AuthorizationService:
    """Tokens, revocation, introspection, keys and metadata of the process's plane."""

    def __init__(self, settings: Settings, vault: Vault, rights: Rights) -> None:
        self.environment = settings.environment
        self.issuers = {name: settings.issuer_of(name) for name in store.PLANES}
        self.issuer = self.issuers[self.environment]
        self.docs_url = settings.docs_url
        self.ring = KeyRing(self.environment, vault, retire_seconds=settings.access_token_seconds)
        self.revoked = RevokedTokens(self.environment)
        self.clients = ClientDirectory(self.environment, rights)
        self.server = Server(self.ring, self.issuers, settings.access_token_seconds)
        self._uses = SecretUses()
        self._poll_seconds = settings.poll_interval_ms / 1000
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Make sure of the keys, learn the revocations, and go on following both."""
        await self.ring.ensure()
        await self.revoked.poll()
        self._task = asyncio.create_task(self._follow(), name="oauth-follow")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._uses.write()

    async def respond(self, endpoint: str, form: Form) -> Answer:
        """The answer of the endpoint `token`, `revocation` or `introspection` to a form.

        Refusals are answers too. Side effects: the use of an assertion and revocations are committed before the
        answer is returned.
        """
        work = await self._preload(form, with_token=endpoint != "token")
        mark = UNIT.set(work)
        try:
            answer = self._decide(endpoint, form)
        finally:
            UNIT.reset(mark)
        refusal = await work.commit(self.environment)
        if refusal is not None:
            answer = Answer(*refusal())
        for claims in work.revoked:
            self.revoked.add(claims.jti, claims.exp)
        if work.secret is not None:
            self._uses.note(work.secret.id)
        return answer

    def refuse(self, error: InputRefused) -> Answer:
        """The answer to a request that could not even be read."""
        return Answer(*error())

    async def metadata(self) -> dict[str, Any]:
        """The RFC 8414 document, with the scopes that are published now."""
        await self.clients.catch_up()
        published = await self.clients.published()
        return describe_server(self.issuer, self.docs_url, sorted(published.names))

    async def claims_of(self, token: str) -> tokens.Claims | None:
        """The claims of a token of ours that is valid now, whatever its audience; None for anything else."""
        for audience in (f"{self.issuer}/api", f"{self.issuer}/platform"):
            with suppress(Refusal):
                return await tokens.verify_or_look_again(token.encode(), self.ring, self.issuer, audience)
        return None

    async def _preload(self, form: Form, *, with_token: bool) -> UnitOfWork:
        work = UnitOfWork(form)
        client_id = presented_client_id(form)
        if client_id:
            await self.clients.catch_up()
            work.client = await self.clients.find(client_id)
            work.published = await self.clients.published()
        if with_token and form.get("token"):
            work.token = await self.claims_of(form.get("token"))
            if work.token is not None:
                row = RevokedToken.filter(jti=work.token.jti).using_db(store.plane(self.environment))
                work.token_is_revoked = await row.exists()
        return work

    def _decide(self, endpoint: str, form: Form) -> Answer:
        try:
            if endpoint == "token":
                answer = self.server.create_token_response(form)
            else:
                answer = self.server.create_endpoint_response(endpoint, form)
        except (ValueError, KeyError, TypeError) as error:
            # authlib raises these for input that it cannot put into its own messages: refuse, and be told of it
            log_failure("oauth.unreadable", error, endpoint=endpoint)
            return self.refuse(InputRefused("The request cannot be read."))
        if not isinstance(answer, Answer):
            raise TypeError(f"the {endpoint} endpoint gave no answer")
        return answer

    async def _follow(self) -> None:
        """Follow keys and revocations, write the uses of secrets, delete what has expired; until cancelled."""
        due: dict[str, float] = {}
        jobs: Mapping[str, tuple[float, Any]] = {
            "revocations": (0.0, self.revoked.poll),
            "keys": (KEYS_EVERY_SECONDS, self.ring.refresh),
            "uses": (USES_EVERY_SECONDS, self._uses.write),
            "sweep": (SWEEP_EVERY_SECONDS, self.sweep),
        }
        while True:
            await asyncio.sleep(self._poll_seconds)
            now = clock.unix_seconds()
            for name, (every, job) in jobs.items():
                if now < due.setdefault(name, now + every):
                    continue
                due[name] = now + every
                try:
                    await job()
                except (BaseORMException, OSError) as error:
                    log_failure(
                        "oauth.follow", error, job=name
                    )  # the store is away: try again at the next turn

    async def sweep(self) -> None:
        """Delete used assertions, revocations and retired keys that no longer matter."""
        await (
            UsedAssertion.filter(expires_at__lt=clock.now()).using_db(store.plane(self.environment)).delete()
        )
        await self.revoked.sweep()
        await self.ring.sweep()


class SecretUses:
    """When each secret was last used, written in batches: one journal entry a minute at most."""

    def __init__(self) -> None:
        self._noted: dict[str, Any] = {}

    def note(self, secret_id: str) -> None:
        self._noted[secret_id] = clock.now()

    async def write(self) -> int:
        """Write what was noted. Returns how many secrets."""
        noted, self._noted = self._noted, {}
        if not noted:
            return 0
        try:
            async with audit.write("system:oauth", "app:secret:used", "oauth", secrets=len(noted)):
                for secret_id, moment in noted.items():
                    await AppSecret.filter(id=secret_id).update(last_used_at=moment)
        except (BaseORMException, OSError):
            self._noted = noted | self._noted
            raise
        return len(noted)
