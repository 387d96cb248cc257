"""OpenID Connect beside OAuth: the id_token in token answers, and what the provider says of itself.

Only the code flow; no implicit or hybrid answers, no request objects, no encryption. The subject is public, see
id_tokens.
"""

from typing import Any

from api.identity.oauth.grants.family_grant import Issuance
from api.identity.oauth.id_tokens import CLAIMS, SCOPE, SCOPES, issue_id_token
from api.identity.oauth.keys import ALGORITHM, KeyRing

ACR_VALUES = ("low", "substantial", "high")  # how sure the identity is, as the subject's source tells


class IdTokenAddition:
    """Adds an id_token to the answer of a token request whose scope has `openid`.

    The nonce goes into the first one only; a refreshed one says the same sign-in again (OIDC Core §12.2).
    """

    def __init__(self, ring: KeyRing, issuer: str, seconds: int) -> None:
        self._ring = ring
        self._issuer = issuer
        self._seconds = seconds

    def __call__(self, issuance: Issuance) -> dict[str, Any]:
        if SCOPE not in issuance.scope.split():
            return {}
        family = issuance.family
        is_first = issuance.grant_type == "authorization_code"
        return {
            "id_token": issue_id_token(
                self._ring,
                issuer=self._issuer,
                client_id=issuance.client.client_id,
                subject=family.subject_id,
                access_token=issuance.access_token,
                seconds=self._seconds,
                auth_time=family.auth_time,
                nonce=family.nonce if is_first else "",
                acr=family.acr,
            )
        }


def describe_provider(server: dict[str, Any]) -> dict[str, Any]:
    """The discovery document: the authorization server's metadata and what OpenID Connect adds (Discovery §3)."""
    issuer = server["issuer"]
    return {
        **server,
        "scopes_supported": [*SCOPES, *(one for one in server["scopes_supported"] if one not in SCOPES)],
        "userinfo_endpoint": f"{issuer}/oauth/userinfo",
        "end_session_endpoint": f"{issuer}/oauth/logout",
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "claims_supported": list(CLAIMS),
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "acr_values_supported": list(ACR_VALUES),
        "display_values_supported": ["page"],
        "ui_locales_supported": ["zh-CN", "en"],
    }
