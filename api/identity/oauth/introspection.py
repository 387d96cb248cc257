"""Introspection (RFC 7662): an app asks about its own tokens; of anyone else's it learns `active: false`."""

from typing import Any

from authlib.oauth2.rfc7662 import IntrospectionEndpoint as AuthlibEndpoint

from api.identity.oauth.client_authentication import METHODS
from api.identity.oauth.clients import Client
from api.identity.oauth.revocation import OwnedToken, check_token_parameter, preloaded_token


class IntrospectionEndpoint(AuthlibEndpoint):
    """POST /oauth/introspect."""

    CLIENT_AUTH_METHODS = METHODS

    def check_params(self, request: Any, client: Client) -> None:
        check_token_parameter(request.form)

    def query_token(self, token_string: str, token_type_hint: str | None) -> OwnedToken | None:
        return preloaded_token()

    def check_permission(self, token: OwnedToken, client: Client, request: Any) -> bool:
        return token.check_client(client)

    def introspect_token(self, token: OwnedToken) -> dict[str, Any]:
        claims = token.claims
        return {
            "active": True,
            "scope": claims.scope,
            "client_id": claims.client_id,
            "token_type": "Bearer",
            "exp": claims.exp,
            "iat": claims.iat,
            "sub": claims.sub,
            "aud": claims.aud,
            "iss": claims.iss,
            "jti": claims.jti,
        }
