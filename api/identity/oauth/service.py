"""The authorization server of one plane, put together: ring, clients, revocations, and the way of a request.

    service = AuthorizationService(settings, vault, CatalogueRights(settings.environment))
    create_app(settings, handlers=[routes.router], lifespan=[service.lifespan])

It is made once for each process, and runs while the stores are open. The gateway reads `ring` and `revoked`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from authlib.oauth2 import OAuth2Error
from litestar import Litestar, Request

from api.core import clock, jobs, store
from api.core.caller import Caller, CallerKind
from api.core.crypto import Vault
from api.core.jobs import Job
from api.core.logging import log_failure
from api.core.problem_types import TOKEN_REVOKED
from api.core.problems import Refusal, Text
from api.identity.models import App
from api.identity.oauth import deciding, families, tokens
from api.identity.oauth.authorization import Asked, Consent, PendingRequest, ResourceOwner
from api.identity.oauth.authorizing import address_with, check_authorization, check_redirect_uri
from api.identity.oauth.client_authentication import explain_wrong_environment
from api.identity.oauth.clients import Client, ClientDirectory
from api.identity.oauth.dpop import Nonces
from api.identity.oauth.errors import (
    DetailsRefused,
    InputRefused,
    ProofFault,
    RedirectRefused,
    ascii_text,
)
from api.identity.oauth.families import TooLate
from api.identity.oauth.forms import Form
from api.identity.oauth.keys import KeyRing
from api.identity.oauth.metadata import describe_server
from api.identity.oauth.models import RevokedToken, UsedAssertion, UsedProof
from api.identity.oauth.mtls import CertificateReader
from api.identity.oauth.possession import Possession
from api.identity.oauth.preloading import Preloader
from api.identity.oauth.proofs import proof_of
from api.identity.oauth.provider import Provider
from api.identity.oauth.revocation import RevokedTokens
from api.identity.oauth.rights import Rights
from api.identity.oauth.scopes import OF_EVERY_APP
from api.identity.oauth.secret_uses import SecretUses
from api.identity.oauth.server import Answer, Server
from api.identity.oauth.unit_of_work import UNIT, UnitOfWork
from api.settings import Settings

KEYS_EVERY_SECONDS = 0.5  # a revoked key is trusted no longer than this; far below keys.GRACE_SECONDS
USES_EVERY_SECONDS = 60.0
SWEEP_EVERY_SECONDS = 600.0
CREDENTIALS = frozenset({"client_id", "client_secret", "client_assertion", "client_assertion_type"})

_NO_CLIENT = Text("没有这个应用(client_id)。", "There is no such app (client_id) here.")
_STOPPED = Text("应用已停用或删除。", "The app is suspended or deleted.")
_NO_PUSHED = Text(
    "request_uri 不存在、已使用、已过期,或属于其他应用。",
    "The request_uri is unknown, used, expired, or another app's; the app has to push its request again.",
)


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
        self.nonces = Nonces(vault.derive("dpop-nonce/" + self.environment))
        self.preloader = Preloader(self.environment, self.issuer, self.ring, self.clients)
        self.prepare: Callable[[UnitOfWork], Awaitable[None]] | None = None  # what a further grant looks up
        self.refuse_device: Callable[[str], Awaitable[str]] | None = (
            None  # told the waiting device, gives the page
        )
        self.certificates = CertificateReader(settings.client_certificate_header, settings.trusted_proxies)
        self.possession = Possession(self.environment, self.issuer, self.nonces, self.certificates)
        self.provider = Provider(self, vault, settings.access_token_seconds)
        self._refresh_days = settings.authorization_days
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

        Refusals are answers too. Side effects: uses of assertions and proofs, spent codes and refresh tokens, and
        revocations are committed before the answer is returned.
        """
        preload = self.preloader.for_token if endpoint == "token" else self.preloader.for_inquiry
        work = await preload(form)
        if endpoint == "token" and self.prepare is not None:
            await self.prepare(work)
        answer = self.within(work, lambda: self._answer(endpoint, work))
        return await self.committed(work, answer)

    async def push(self, form: Form) -> Answer:
        """The answer to a pushed authorization request (RFC 9126)."""
        work = await self.preloader.for_token(form)
        asked: Asked | None = None

        def decide() -> Answer:
            nonlocal asked
            client = self.proven(work, f"{self.issuer}/oauth/par")
            if form.get("request_uri"):
                raise InputRefused("A pushed request has no request_uri; it gets one.")
            jkt = work.proof.key.jkt if work.proof is not None else ""
            if jkt and form.get("dpop_jkt") not in {"", jkt}:
                raise ProofFault("The dpop_jkt is not the thumbprint of the proof's key.")
            asked = check_authorization(form.parameters, client, work.published, self.issuer)
            return Answer(201, {}, [])

        answer = self.within(work, decide)
        if asked is not None and work.client is not None:
            try:
                await deciding.check_details(work.client, asked)
            except DetailsRefused as error:
                answer = Answer(*error())
        answer = await self.committed(work, answer)
        if answer.status != HTTPStatus.CREATED or work.client is None:
            return answer
        jkt = work.proof.key.jkt if work.proof is not None else ""
        kept = {name: value for name, value in form.parameters.items() if name not in CREDENTIALS}
        request_uri = await deciding.push(self.environment, work.client, kept, jkt)
        body = {"request_uri": request_uri, "expires_in": deciding.PUSHED_SECONDS}
        return Answer(201, body, answer.headers)

    async def authorize(self, parameters: dict[str, str], browser: str) -> str:
        """Where to send the browser that came with these parameters: to the page that asks, or back with an error.

        `browser` is the value of its cookie authorization.COOKIE. Raises RedirectRefused where it has to stay here.
        """
        client = await self._client_of_browser(parameters.get("client_id", ""))
        is_pushed = "request_uri" in parameters
        if is_pushed:
            taken = await deciding.take_pushed(self.environment, parameters["request_uri"], client.client_id)
            if taken is None:
                raise RedirectRefused(_NO_PUSHED)
            parameters = taken
        redirect_uri = check_redirect_uri(parameters, client)
        try:
            if client.is_fapi and not is_pushed:
                raise InputRefused("Apps of profile fapi2 push the request first, to /oauth/par (RFC 9126).")
            asked = check_authorization(parameters, client, await self.clients.published(), self.issuer)
            await deciding.check_details(client, asked)
        except OAuth2Error as error:
            return self._carried(redirect_uri, parameters.get("state"), str(error.error), error.description)
        request_id = await deciding.keep_request(self.environment, client, asked, browser)
        return f"{self.issuer}/authorize/{request_id}"

    async def open_request(self, request_id: str, browser: str) -> PendingRequest:
        """The request that waits under this id in this browser (the value of cookie authorization.COOKIE).

        Raises Refusal: NOT_FOUND for one that is not there, another browser's, decided or expired.
        """
        return await deciding.open_request(self.environment, request_id, browser)

    async def complete(
        self, request_id: str, subject: ResourceOwner, grant: Consent | None, *, browser: str, auth_time: int = 0,
        acr: str = "",
    ) -> str:  # fmt: skip
        """The address to send the browser to, with a code, once the subject has agreed.

        `grant` is None where nothing needed consent (a plain sign-in). `auth_time` is when the subject signed in,
        0 for now; `acr` defaults to the subject's assurance. Raises Refusal as `open_request` does.
        """
        pending = await self.open_request(request_id, browser)
        try:
            return await deciding.complete(
                self.environment, self.issuer, pending, browser, subject, grant,
                auth_time=auth_time, acr=acr, until=self.authorization_end(),
            )  # fmt: skip
        except TooLate:  # the device that asked was decided a moment ago
            raise deciding.not_waiting() from None

    async def refuse(
        self, request_id: str, error: str = "access_denied", *, browser: str, description: str = ""
    ) -> str:
        """The address to send the browser to, with an error, state and iss. Raises Refusal as `open_request` does."""
        pending = await self.open_request(request_id, browser)
        await deciding.close_request(self.environment, request_id, browser)
        if pending.asked.device and self.refuse_device is not None:
            return await self.refuse_device(pending.asked.device)
        return self._carried(pending.asked.redirect_uri, pending.asked.state, error, ascii_text(description))

    def authorization_end(self) -> datetime:
        """When an authorization given now ends at the latest; the consent behind it may end sooner."""
        return clock.now() + timedelta(days=self._refresh_days)

    def _carried(self, redirect_uri: str, state: str | None, error: str, description: str) -> str:
        return address_with(
            redirect_uri, error=error, error_description=description or None, state=state, iss=self.issuer
        )

    async def _client_of_browser(self, client_id: str) -> Client:
        await self.clients.catch_up()
        client = await self.clients.find(client_id)
        if client is None:
            elsewhere = explain_wrong_environment(client_id, self.environment, self.issuers)
            raise RedirectRefused(Text(_NO_CLIENT.zh, elsewhere or _NO_CLIENT.en))
        if client.status != "active":
            raise RedirectRefused(_STOPPED)
        return client

    async def metadata(self) -> dict[str, Any]:
        """The RFC 8414 document, with the scopes that are published now."""
        await self.clients.catch_up()
        published = await self.clients.published()
        return describe_server(
            self.issuer,
            self.docs_url,
            sorted(published.offered_by),
            has_certificates=bool(self.certificates.header),
            has_registration=self.environment == "sandbox",
        )

    async def claims_of(self, token: str) -> tokens.Claims | None:
        """The claims of a token of ours that is valid now, whatever its audience; None for anything else."""
        return await self.preloader.claims_of(token)

    async def platform_caller(
        self, token: str, request: Request[Any, Any, Any] | None = None
    ) -> Caller | None:
        """The app behind an access token for the platform API, acting for its organisation and within its scopes.

        Raises Refusal: TOKEN_INVALID, TOKEN_EXPIRED, TOKEN_REVOKED, WRONG_ENVIRONMENT, and what Possession.check
        raises.
        """
        others = {name: issuer for name, issuer in self.issuers.items() if name != self.environment}
        audience = f"{self.issuer}/platform"
        claims = await tokens.verify_or_look_again(
            token.encode(errors="replace"), self.ring, self.issuer, audience, others
        )
        await self.possession.check(request, token, claims)
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
            scopes=frozenset(claims.scope.split()) & (OF_EVERY_APP | frozenset(app.platform_scopes.split())),
            token_id=claims.jti,
            expires_at=float(claims.exp),
        )

    def proven(self, work: UnitOfWork, address: str) -> Client:
        """The proven client of a request to another endpoint than the token endpoint, its proof read."""
        work.proof = proof_of(work.form, work.client, address=address, nonces=self.nonces)
        return self.server.prove(work.form)

    def _answer(self, endpoint: str, work: UnitOfWork) -> Answer:
        if endpoint == "token":
            address = f"{self.issuer}/oauth/token"
            work.proof = proof_of(work.form, work.client, address=address, nonces=self.nonces)
            answer = self.server.create_token_response(work.form)
        else:
            answer = self.server.create_endpoint_response(endpoint, work.form)
        if not isinstance(answer, Answer):
            raise TypeError(f"the {endpoint} endpoint gave no answer")
        return answer

    def within(self, work: UnitOfWork, decide: Callable[[], Answer]) -> Answer:
        """What the synchronous core decides about a unit of work; its refusals are answers."""
        mark = UNIT.set(work)
        try:
            return decide()
        except OAuth2Error as error:
            return Answer(*error())
        except (ValueError, KeyError, TypeError) as error:
            # authlib raises these for input that it cannot put into its own messages: refuse, and be told of it
            log_failure("oauth.unreadable", error)
            return Answer(*InputRefused("The request cannot be read.")())
        finally:
            UNIT.reset(mark)

    async def committed(self, work: UnitOfWork, answer: Answer) -> Answer:
        is_refused = answer.status >= HTTPStatus.BAD_REQUEST
        refusal = await work.commit(self.environment, is_refused=is_refused)
        for jti, expires_at in work.revoked_ids.items():
            self.revoked.add(jti, expires_at)
        if refusal is not None:
            answer = Answer(*refusal())
        elif work.secret is not None:
            self._uses.note(work.secret.id)
        if work.form.proofs:
            answer = Answer(
                answer.status, answer.body, [*answer.headers, ("DPoP-Nonce", self.nonces.current())]
            )
        return answer

    async def sweep(self) -> None:
        """Delete what no longer matters: used assertions and proofs, requests, families, revocations, retired keys."""
        plane = store.plane(self.environment)
        for model in (UsedAssertion, UsedProof):
            await model.filter(expires_at__lt=clock.now()).using_db(plane).delete()
        await deciding.sweep(self.environment)
        await self.provider.devices.sweep()
        await families.sweep(self.environment)
        await self.revoked.sweep()
        await self.ring.sweep()
