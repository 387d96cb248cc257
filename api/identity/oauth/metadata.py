"""Authorization server metadata (RFC 8414): only what is true of this server."""

from typing import Any

from api.identity.oauth.client_authentication import METHODS
from api.identity.oauth.jose import ALGORITHMS
from api.identity.oauth.server import GRANTS


def describe_server(issuer: str, docs_url: str, scopes: list[str]) -> dict[str, Any]:
    """The metadata document of the plane whose issuer this is; `scopes` are those of the published services.

    There is no authorization endpoint yet, so `response_types_supported`, which RFC 8414 requires, is empty.
    """
    methods, algorithms = list(METHODS), list(ALGORITHMS)
    document: dict[str, Any] = {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/oauth/token",
        "jwks_uri": f"{issuer}/oauth/jwks",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "grant_types_supported": [str(grant.GRANT_TYPE) for grant in GRANTS],
        "response_types_supported": [],
        "scopes_supported": scopes,
        "service_documentation": f"{docs_url}/how-to/get-a-token/",
    }
    for endpoint in ("token", "revocation", "introspection"):
        document[f"{endpoint}_endpoint_auth_methods_supported"] = methods
        document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = algorithms
    return document
