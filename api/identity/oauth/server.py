"""The decision core: authlib's AuthorizationServer, synchronous, with no database and no framework in it.

Everything it may ask is in the UnitOfWork of the request; everything it signs is signed with the ring.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Payload, OAuth2Request
from msgspec import Struct

from api.core import clock
from api.identity.oauth import tokens
from api.identity.oauth.binding import Binding
from api.identity.oauth.client_authentication import (
    AssertionAuthentication,
    authenticate_by_basic,
    authenticate_by_certificate,
    authenticate_by_post,
    authenticate_public,
    explain_wrong_environment,
    presented_client_id,
    presented_method,
)
from api.identity.oauth.clients import Client
from api.identity.oauth.errors import ClientRefused, GrantTypeRefused, InputRefused, ScopeRefused
from api.identity.oauth.forms import Form
from api.identity.oauth.grants.authorization_code import AuthorizationCodeGrant
from api.identity.oauth.grants.client_credentials import ClientCredentialsGrant
from api.identity.oauth.grants.device_code import DeviceCodeGrant
from api.identity.oauth.grants.family_grant import Issuance
from api.identity.oauth.grants.refresh_token import RefreshTokenGrant
from api.identity.oauth.introspection import IntrospectionEndpoint
from api.identity.oauth.keys import KeyRing
from api.identity.oauth.revocation import RevocationEndpoint
from api.identity.oauth.unit_of_work import UNIT

GRANTS: tuple[Any, ...] = (ClientCredentialsGrant, AuthorizationCodeGrant, RefreshTokenGrant, DeviceCodeGrant)


class Answer(Struct, frozen=True):
    """What goes back: a status, a JSON body, headers."""

    status: int
    body: dict[str, Any]
    headers: list[tuple[str, str]]


class Payload(OAuth2Payload):
    """The parameters, for authlib: each once, as forms.read_form made sure."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._parameters = dict(parameters)

    @property
    def data(self) -> dict[str, str]:
        return self._parameters

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        return defaultdict(list, {name: [value] for name, value in self._parameters.items()})


class ServerRequest(OAuth2Request):
    """A request, for authlib. The address is the configured one, never the Host header's."""

    def __init__(self, uri: str, form: Form) -> None:
        super().__init__("POST", uri)
        self.payload: Any = Payload(form.parameters)

    @property
    def form(self) -> dict[str, str]:
        return dict(self.payload.data)


class Server(AuthorizationServer):
    """Token, revocation and introspection endpoints of one plane.

    `issuers` maps environments to issuers, `token_seconds` is the life of an access token. `additions` give further
    members of an answer with a person behind it.
    """

    def __init__(self, ring: KeyRing, issuers: Mapping[str, str], token_seconds: int) -> None:
        super().__init__()
        self.ring = ring
        self.environment = ring.environment
        self.issuer = issuers[ring.environment]
        self.additions: list[Callable[[Issuance], dict[str, Any]]] = []
        self._token_seconds = token_seconds
        self._token_endpoints = {name: f"{issuer}/oauth/token" for name, issuer in issuers.items()}
        # authlib demands https here; whether transport is safe is the deployment's matter, not the core's
        self._uri = "https://" + self._token_endpoints[self.environment].partition("://")[2]
        self.register_client_auth_method("client_secret_basic", authenticate_by_basic)
        self.register_client_auth_method("client_secret_post", authenticate_by_post)
        self.register_client_auth_method("tls_client_auth", authenticate_by_certificate)
        self.register_client_auth_method("none", authenticate_public)
        self.register_client_auth_method(
            "private_key_jwt", AssertionAuthentication(self.issuer, self._token_endpoints[self.environment])
        )
        for grant in GRANTS:
            self.register_grant(grant)
        self.register_endpoint(RevocationEndpoint)
        self.register_endpoint(IntrospectionEndpoint)

    def query_client(self, client_id: str) -> Client | None:
        """The preloaded client, if it is the one asked for."""
        client = UNIT.get().client
        return client if client is not None and client.client_id == client_id else None

    def authenticate_client(self, request: Any, methods: list[str], endpoint: str = "token") -> Client:
        """The proven client. Raises InputRefused or ClientRefused."""
        work = UNIT.get()
        form = work.form
        method = presented_method(form, work.client)
        explanation = explain_wrong_environment(
            presented_client_id(form), self.environment, self._token_endpoints
        )
        if explanation:
            raise ClientRefused(explanation, by_header=form.basic is not None)
        client: Client = super().authenticate_client(request, [method], endpoint)
        return client

    def prove(self, form: Form) -> Client:
        """The proven client of a request to an endpoint that authlib does not know."""
        return self.authenticate_client(self.create_oauth2_request(form), [])

    def get_token_grant(self, request: Any) -> Any:
        """The grant for `grant_type`; the refusal names those that there are."""
        grant_type = request.payload.grant_type
        if not grant_type:
            raise InputRefused(
                "The parameter grant_type is missing; an app that acts for itself uses grant_type=client_credentials."
            )
        if not any(grant.check_token_endpoint(request) for grant in GRANTS):
            raise GrantTypeRefused(grant_type, [str(grant.GRANT_TYPE) for grant in GRANTS])
        return super().get_token_grant(request)

    def create_oauth2_request(self, request: Any) -> ServerRequest:
        """Called by authlib once for each endpoint of a name, so what is made stays what it is."""
        return request if isinstance(request, ServerRequest) else ServerRequest(self._uri, request)

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Answer:
        return Answer(status, dict(body) if isinstance(body, Mapping) else {}, list(headers))

    def save_token(self, token: Any, request: Any) -> None:
        """Access tokens are not stored."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """No signals: the unit of work carries what has to be written."""

    def issue(
        self, client: Client, *, scope: str, audience: str, binding: Binding, until: datetime | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> tuple[dict[str, Any], tokens.Claims]:  # fmt: skip
        """An answer with a fresh access token, and its claims. It lives no longer than `until`.

        Raises ScopeRefused where the token would not fit a header line.
        """
        seconds = self._token_seconds
        if until is not None:
            seconds = max(1, min(seconds, int(until.timestamp() - clock.unix_seconds())))
        extra = dict(about or {})
        if binding.confirmation:
            extra["cnf"] = binding.confirmation
        issued = tokens.issue(
            self.ring,
            issuer=self.issuer,
            audience=audience,
            client_id=client.client_id,
            app_id=client.app_id,
            scope=scope,
            seconds=seconds,
            **extra,
        )
        if len(issued.compact) > tokens.MAX_TOKEN_BYTES:
            raise ScopeRefused("The token would be too large for a header; ask for fewer scopes or fields.")
        body = {
            "access_token": issued.compact,
            "token_type": binding.token_type,
            "expires_in": seconds,
            "scope": scope,
        }
        return body, issued.claims
