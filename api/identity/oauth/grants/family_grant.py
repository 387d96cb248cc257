"""What the grants with a person behind them share: proving the client, and giving tokens out of a family."""

from typing import Any

from authlib.oauth2.rfc6749.grants.base import BaseGrant, TokenEndpointMixin
from msgspec import Struct

from api.core import clock, crypto, ids
from api.identity.oauth.binding import Binding, bind
from api.identity.oauth.client_authentication import METHODS
from api.identity.oauth.clients import PREFIXES, Client
from api.identity.oauth.details import narrowed
from api.identity.oauth.errors import ClientUnauthorized, GrantRefused
from api.identity.oauth.families import TokensGiven, family_revoked
from api.identity.oauth.models import TokenFamily
from api.identity.oauth.resources import narrowed_audience
from api.identity.oauth.scopes import family_scope
from api.identity.oauth.unit_of_work import UNIT, UnitOfWork


class Issuance(Struct, frozen=True):
    """Tokens being given, for what is added to the answer (an id_token)."""

    client: Client
    family: TokenFamily
    scope: str
    access_token: str
    grant_type: str


class FamilyGrant(BaseGrant, TokenEndpointMixin):
    """A grant whose tokens belong to a family."""

    GRANT_TYPE: Any = ""
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    request: Any  # authlib's attributes have no types
    server: Any

    def prove_client(self) -> Client:
        """The proven client, to which this grant is open. Raises ClientRefused, ClientUnauthorized."""
        client: Client = self.authenticate_token_endpoint_client()
        self.request.client = client
        if not client.check_grant_type(str(self.GRANT_TYPE)):
            raise ClientUnauthorized(
                f"This app does not use {self.GRANT_TYPE}; add it to the grant types in the app's OAuth settings."
            )
        return client

    def living_family(self, client: Client, work: UnitOfWork) -> TokenFamily:
        """The family of what was presented. Raises GrantRefused where it is another's, over, or without consent."""
        family = work.family
        if family is None or family.client_id != client.client_id:
            raise GrantRefused(f"This belongs to no authorization of the app {client.client_id}.")
        if family.revoked_at is not None:
            raise family_revoked()
        if work.lapsed:
            raise GrantRefused(work.lapsed)
        return family

    def give(
        self, client: Client, family: TokenFamily, binding: Binding, *, with_refresh: bool
    ) -> dict[str, Any]:
        """The answer with an access token, and a refresh token where asked for; notes what has to be written."""
        work = UNIT.get()
        form = work.form
        scope = family_scope(form.get("scope"), family.scope, client.granted)
        details = narrowed(form.get("authorization_details"), list(family.details))
        body: dict[str, Any]
        body, claims = self.server.issue(
            client,
            scope=scope,
            audience=narrowed_audience(form.get("resource"), family.audience, self.server.issuer),
            binding=binding,
            until=family.expires_at,
            about=_claims_of(family, details),
        )
        if details:
            body["authorization_details"] = details
        refresh = ""
        if with_refresh:
            secret = ids.random_secret(PREFIXES[client.environment].rstrip("_") + "r")
            body["refresh_token"], refresh = secret, crypto.hash_secret(secret)
        work.steps.append(
            TokensGiven(
                family.id,
                claims.jti,
                claims.exp,
                refresh,
                family.expires_at if refresh else None,
                jkt="" if family.jkt else binding.jkt,
            )
        )
        issuance = Issuance(client, family, scope, body["access_token"], str(self.GRANT_TYPE))
        for add in self.server.additions:
            body |= add(issuance)
        return body

    def binding(self, client: Client) -> Binding:
        """What the tokens of this request are bound to."""
        return bind(UNIT.get(), client)


def _claims_of(family: TokenFamily, details: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "sub": family.subject_id,
        "grant": family.grant_id,
        "authorization_details": tuple(details),
        "consent": family.consent,
        "mandate": family.mandate,
        "acr": family.acr,
        "auth_time": family.auth_time,
    }


def is_past(moment: Any) -> bool:
    """Whether an instant of the store lies behind us."""
    return bool(moment <= clock.now())
