"""client_credentials: an app acts for itself (RFC 6749 §4.4)."""

from typing import Any

from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant as AuthlibGrant

from api.identity.oauth.binding import bind
from api.identity.oauth.client_authentication import METHODS
from api.identity.oauth.clients import Client
from api.identity.oauth.errors import ClientUnauthorized, DetailsRefused
from api.identity.oauth.resources import audience_for
from api.identity.oauth.scopes import allowed_scope
from api.identity.oauth.unit_of_work import UNIT


class ClientCredentialsGrant(AuthlibGrant):
    """Authenticates the app and gives it no more than its subscriptions do."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    request: Any  # authlib's attributes have no types
    server: Any

    def validate_token_request(self) -> None:
        """Who asks and for what. Raises ClientRefused, ClientUnauthorized, ScopeRefused, TargetRefused."""
        work = UNIT.get()
        client: Client = self.authenticate_token_endpoint_client()
        self.request.client = client
        if not client.check_grant_type(self.GRANT_TYPE):
            raise ClientUnauthorized(
                "This app acts for people only; add client_credentials to its grant types to let it act for itself."
                if not client.is_public
                else "A public client has no credential of its own; use the authorization code with PKCE."
            )
        if work.form.get("authorization_details"):
            raise DetailsRefused(
                "Authorization details need a person who agrees; use the authorization code."
            )
        self.scope = allowed_scope(work.form.get("scope"), client.granted, work.published)
        self.audience = audience_for(work.form.get("resource"), self.scope, self.server.issuer)
        self.binding = bind(work, client)

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """The token. Not authlib's own method: that one writes the token to its debug log."""
        body, _ = self.server.issue(
            self.request.client, scope=self.scope, audience=self.audience, binding=self.binding
        )
        return 200, body, self.TOKEN_RESPONSE_HEADER
