"""The authorization server of one plane, put together: ring, clients, revocations, and the way of a request.

    service = AuthorizationService(settings, vault, CatalogueRights(settings.environment))
    create_app(settings, handlers=[routes.router], lifespan=[service.lifespan])

It is made once for each process, and runs while the stores are open. The gateway reads `ring` and `revoked`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from authlib.oauth2 import OAuth2Error
from litestar import Litestar

from api.core import clock, jobs, store
from api.core.caller import Caller, CallerKind
from api.core.crypto import Vault
from api.core.jobs import Job
from api.core.logging import log_failure
from api.core.problem_types import TOKEN_REVOKED
from api.core.problem_types_platform import NOT_FOUND
from api.core.problems import Refusal, Text
from api.identity.models import App
from api.identity.oauth import tokens
from api.identity.oauth.authorization import Consent, PendingRequest, ResourceOwner
from api.identity.oauth.client_authentication import presented_client_id
from api.identity.oauth.clients import ClientDirectory
from api.identity.oauth.errors import InputRefused
from api.identity.oauth.forms import Form
from api.identity.oauth.keys import KeyRing
from api.identity.oauth.metadata import describe_server
from api.identity.oauth.models import RevokedToken, UsedAssertion
from api.identity.oauth.revocation import RevokedTokens
from api.identity.oauth.rights import Rights
from api.identity.oauth.secret_uses import SecretUses
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

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Make sure of the keys, learn the revocations, and follow both for the life of the block."""
        await self.ring.ensure()
        await self.revoked.poll()
        following = jobs.running(
            Job("oauth.revocations", self._poll_seconds, self.revoked.poll),
            Job("oauth.keys", KEYS_EVERY_SECONDS, self.ring.refresh),
            Job("oauth.uses", USES_EVERY_SECONDS, self._uses.write),
            Job("oauth.sweep", SWEEP_EVERY_SECONDS, self.sweep),
        )
        try:
            async with following:
                yield
        finally:
            await self._uses.write()

    @asynccontextmanager
    async def lifespan(self, app: Litestar) -> AsyncIterator[None]:
        """For Litestar: run with the application, and be found by the routes."""
        async with self.running():
            app.state.oauth = self
            yield

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
            return Answer(*refusal())
        for claims in work.revoked:
            self.revoked.add(claims.jti, claims.exp)
        if work.secret is not None:
            self._uses.note(work.secret.id)
        return answer

    async def open_request(self, request_id: str, browser: str) -> PendingRequest:
        """The request that waits under this id in this browser (the value of cookie authorization.COOKIE).

        Raises Refusal: NOT_FOUND for one that is not there, another browser's, decided or expired.
        """
        raise Refusal(NOT_FOUND, what=Text("授权请求", "authorization request"))

    async def complete(
        self, request_id: str, subject: ResourceOwner, grant: Consent | None, *, browser: str, auth_time: int = 0,
        acr: str = "",
    ) -> str:  # fmt: skip
        """The address to send the browser to, with a code, once the subject has agreed.

        `grant` is None where nothing needed consent (a plain sign-in). `auth_time` is when the subject signed in,
        0 for now; `acr` defaults to the subject's assurance. Raises Refusal as `open_request` does.
        """
        raise Refusal(NOT_FOUND, what=Text("授权请求", "authorization request"))

    async def refuse(
        self, request_id: str, error: str = "access_denied", *, browser: str, description: str = ""
    ) -> str:
        """The address to send the browser to, with an error, state and iss. Raises Refusal as `open_request` does."""
        raise Refusal(NOT_FOUND, what=Text("授权请求", "authorization request"))

    async def metadata(self) -> dict[str, Any]:
        """The RFC 8414 document, with the scopes that are published now."""
        await self.clients.catch_up()
        published = await self.clients.published()
        return describe_server(self.issuer, self.docs_url, sorted(published.offered_by))

    async def claims_of(self, token: str) -> tokens.Claims | None:
        """The claims of a token of ours that is valid now, whatever its audience; None for anything else."""
        for audience in (f"{self.issuer}/api", f"{self.issuer}/platform"):
            with suppress(Refusal):
                return await tokens.verify_or_look_again(
                    token.encode(errors="replace"), self.ring, self.issuer, audience
                )
        return None

    async def platform_caller(self, token: str) -> Caller | None:
        """The app behind an access token for the platform API, acting for its organisation and within its scopes.

        Raises Refusal: TOKEN_INVALID, TOKEN_EXPIRED, TOKEN_REVOKED, WRONG_ENVIRONMENT.
        """
        others = {name: issuer for name, issuer in self.issuers.items() if name != self.environment}
        audience = f"{self.issuer}/platform"
        claims = await tokens.verify_or_look_again(
            token.encode(errors="replace"), self.ring, self.issuer, audience, others
        )
        app = await App.get_or_none(id=claims.app)
        is_revoked = RevokedToken.filter(jti=claims.jti).using_db(store.plane(self.environment)).exists()
        if app is None or app.status != "active" or await is_revoked:
            raise Refusal(TOKEN_REVOKED, token_endpoint=f"{self.issuer}/oauth/token")
        return Caller(
            kind=CallerKind.APP,
            id=app.id,
            name=app.name,
            organisations={app.organisation_id: frozenset()},
            client_id=app.client_id,
            environment=app.environment,
            scopes=frozenset(claims.scope.split()) & frozenset(app.platform_scopes.split()),
            token_id=claims.jti,
            expires_at=float(claims.exp),
        )

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
        except OAuth2Error as error:
            return Answer(*error())
        except (ValueError, KeyError, TypeError) as error:
            # authlib raises these for input that it cannot put into its own messages: refuse, and be told of it
            log_failure("oauth.unreadable", error, endpoint=endpoint)
            return Answer(*InputRefused("The request cannot be read.")())
        if not isinstance(answer, Answer):
            raise TypeError(f"the {endpoint} endpoint gave no answer")
        return answer

    async def sweep(self) -> None:
        """Delete used assertions, revocations and retired keys that no longer matter."""
        await (
            UsedAssertion.filter(expires_at__lt=clock.now()).using_db(store.plane(self.environment)).delete()
        )
        await self.revoked.sweep()
        await self.ring.sweep()
