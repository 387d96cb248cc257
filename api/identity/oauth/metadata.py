"""Authorization server metadata (RFC 8414): only what is true of this server."""

from typing import Any

from api.identity.oauth import dpop
from api.identity.oauth.authorizing import CHALLENGE_METHOD
from api.identity.oauth.client_authentication import CONFIDENTIAL, METHODS
from api.identity.oauth.jose import ALGORITHMS
from api.identity.oauth.scopes import IDENTITY
from api.identity.oauth.server import GRANTS


def describe_server(
    issuer: str,
    docs_url: str,
    scopes: list[str],
    *,
    has_certificates: bool = False,
    has_registration: bool = False,
) -> dict[str, Any]:
    """The metadata document of the plane whose issuer this is; `scopes` are those of the published services.

    `has_certificates` says whether a TLS terminator hands on client certificates here, `has_registration` whether
    clients may register themselves (in the sandbox).
    """
    without = set() if has_certificates else {"tls_client_auth"}
    document: dict[str, Any] = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "pushed_authorization_request_endpoint": f"{issuer}/oauth/par",
        "require_pushed_authorization_requests": False,
        "device_authorization_endpoint": f"{issuer}/oauth/device",
        "jwks_uri": f"{issuer}/oauth/jwks",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "grant_types_supported": [str(grant.GRANT_TYPE) for grant in GRANTS],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": [CHALLENGE_METHOD],
        "authorization_response_iss_parameter_supported": True,
        "authorization_details_types_supported": ["kaimen-service"],
        "dpop_signing_alg_values_supported": list(dpop.ALGORITHMS),
        "tls_client_certificate_bound_access_tokens": has_certificates,
        "scopes_supported": [*sorted(IDENTITY), *scopes],
        "service_documentation": f"{docs_url}/how-to/get-a-token/",
    }
    if has_registration:
        document["registration_endpoint"] = f"{issuer}/oauth/register"
    for endpoint in ("token", "revocation", "introspection"):
        methods = CONFIDENTIAL if endpoint == "introspection" else METHODS
        document[f"{endpoint}_endpoint_auth_methods_supported"] = [
            method for method in methods if method not in without
        ]
        document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = list(ALGORITHMS)
    return document
