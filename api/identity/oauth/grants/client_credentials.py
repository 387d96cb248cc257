"""client_credentials: an app acts for itself (RFC 6749 §4.4)."""

from typing import Any

from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant as AuthlibGrant

from api.identity.oauth.client_authentication import METHODS
from api.identity.oauth.clients import Client
from api.identity.oauth.scopes import allowed_scope
from api.identity.oauth.unit_of_work import UNIT


class ClientCredentialsGrant(AuthlibGrant):
    """Authenticates the app and gives it no more than its subscriptions do."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def validate_requested_scope(self) -> None:
        """Decide the scope of the token to come. Raises ScopeRefused (`invalid_scope`)."""
        request: Any = self.request
        client: Client = request.client
        requested = request.payload.scope or ""
        self.scope = allowed_scope(requested, client.granted, UNIT.get().published)

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """The token. Not authlib's own method: that one writes the token to its debug log."""
        token = self.generate_token(scope=self.scope, include_refresh_token=False)
        return 200, token, self.TOKEN_RESPONSE_HEADER
