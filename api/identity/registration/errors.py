"""Refusals of the registration endpoint, with the bodies of RFC 7591 §3.2.2 and RFC 6750 §3.1."""

from authlib.oauth2.rfc6749 import errors as authlib_errors

from api.core import problems
from api.core.problems import Refusal
from api.identity.oauth.errors import ascii_text


class MetadataRefused(authlib_errors.InvalidRequestError):
    """`invalid_client_metadata` or `invalid_redirect_uri` (RFC 7591 §3.2.2)."""

    error = "invalid_client_metadata"

    def __init__(self, member: str, description: str, *, error: str = "") -> None:
        super().__init__(description=ascii_text(f"{member}: {description}"), status_code=400)
        if error:
            self.error = error


class TokenRefused(authlib_errors.InvalidRequestError):
    """`invalid_token`: whoever asks has no (more) right to this registration (RFC 6750 §3.1)."""

    error = "invalid_token"

    def __init__(self, description: str) -> None:
        super().__init__(description=ascii_text(description), status_code=401)

    def get_headers(self) -> list[tuple[str, str]]:
        return [("WWW-Authenticate", 'Bearer realm="kaimen", error="invalid_token"')]


class RegistrationRefused(authlib_errors.InvalidRequestError):
    """`access_denied`: the token is good, but the organisation may not have one more app, or not with these services."""

    error = "access_denied"

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(description=ascii_text(_words(refusal)), status_code=403)


def _words(refusal: Refusal) -> str:
    said = problems.describe(refusal.kind, refusal.facts, language="en", docs_url="")
    return f"{said['detail']} {said['next']}"
