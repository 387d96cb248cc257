"""Introspection (RFC 7662): an app asks about its own tokens; of anyone else's it learns `active: false`."""

from typing import Any

from authlib.oauth2.rfc7662 import IntrospectionEndpoint as AuthlibEndpoint

from api.identity.oauth.client_authentication import CONFIDENTIAL
from api.identity.oauth.clients import Client
from api.identity.oauth.errors import ClientRefused
from api.identity.oauth.revocation import (
    OwnedRefreshToken,
    OwnedToken,
    check_token_parameter,
    preloaded_token,
)


class IntrospectionEndpoint(AuthlibEndpoint):
    """POST /oauth/introspect."""

    CLIENT_AUTH_METHODS = CONFIDENTIAL

    def check_params(self, request: Any, client: Client) -> None:
        check_token_parameter(request.form)

    def authenticate_endpoint_client(self, request: Any) -> Client:
        """Raises ClientRefused for a public client too: whoever knows its id could ask."""
        client: Client = super().authenticate_endpoint_client(request)  # type: ignore[no-untyped-call]  # authlib
        if client.is_public:
            raise ClientRefused(
                "Public clients do not introspect tokens; read the answer that came with them."
            )
        return client

    def query_token(
        self, token_string: str, token_type_hint: str | None
    ) -> OwnedToken | OwnedRefreshToken | None:
        return preloaded_token()

    def check_permission(self, token: OwnedToken | OwnedRefreshToken, client: Client, request: Any) -> bool:
        return token.check_client(client)

    def introspect_token(self, token: OwnedToken | OwnedRefreshToken) -> dict[str, Any]:
        if isinstance(token, OwnedRefreshToken):
            return _of_refresh_token(token)
        claims = token.claims
        said = {
            "active": True,
            "scope": claims.scope,
            "client_id": claims.client_id,
            "token_type": "DPoP" if "jkt" in claims.cnf else "Bearer",
            "exp": claims.exp,
            "iat": claims.iat,
            "sub": claims.sub,
            "aud": claims.aud,
            "iss": claims.iss,
            "jti": claims.jti,
        }
        of_person = {
            "cnf": claims.cnf,
            "authorization_details": claims.authorization_details,
            "grant": claims.grant,
            "consent": claims.consent,
            "mandate": claims.mandate,
            "acr": claims.acr,
            "auth_time": claims.auth_time,
        }
        return said | {name: value for name, value in of_person.items() if value}


def _of_refresh_token(token: OwnedRefreshToken) -> dict[str, Any]:
    family = token.family
    return {
        "active": True,
        "scope": family.scope,
        "client_id": family.client_id,
        "token_type": "refresh_token",
        "exp": int(token.row.expires_at.timestamp()),
        "iat": int(token.row.created_at.timestamp()),
        "sub": family.subject_id,
    }
