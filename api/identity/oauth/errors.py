r"""Refusals of the OAuth endpoints. They keep RFC 6749 bodies; api.core.problems serves everything else.

A description is ASCII without `"` and `\` (RFC 6749 §5.2), and authlib raises ValueError for any other. Here
every description passes `ascii_text`, so that what a client sent may be repeated to it.
"""

from authlib.oauth2.rfc6749 import errors as authlib_errors

from api.core.problems import Text


def ascii_text(text: str) -> str:
    """The text with every character that an error description may not hold made a `?`, at most 1000 long."""
    allowed = (
        character if " " <= character <= "~" and character not in '"\\' else "?" for character in text[:1000]
    )
    return "".join(allowed)


class InputRefused(authlib_errors.InvalidRequestError):
    """`invalid_request`: the request itself is malformed, whoever sent it."""

    def __init__(self, description: str, *, status_code: int = 400) -> None:
        super().__init__(description=ascii_text(description), status_code=status_code)


class ClientRefused(authlib_errors.InvalidClientError):
    """`invalid_client`. 401 with a Basic challenge where the client used that header, else 400 (RFC 6749 §5.2)."""

    def __init__(self, description: str, *, by_header: bool = False) -> None:
        super().__init__(description=ascii_text(description), status_code=401 if by_header else 400)

    def get_headers(self) -> list[tuple[str, str]]:
        headers = [
            ("Content-Type", "application/json"),
            ("Cache-Control", "no-store"),
            ("Pragma", "no-cache"),
        ]
        if self.status_code == 401:
            headers.append(("WWW-Authenticate", 'Basic realm="kaimen", charset="UTF-8"'))
        return headers


class ScopeRefused(authlib_errors.InvalidScopeError):
    """`invalid_scope`: the app may not have what it asked for."""

    def __init__(self, description: str) -> None:
        super().__init__(description=ascii_text(description))


class GrantTypeRefused(authlib_errors.UnsupportedGrantTypeError):
    """`unsupported_grant_type`, naming those that there are."""

    def __init__(self, grant_type: str, supported: list[str]) -> None:
        super().__init__(ascii_text(grant_type))
        self._supported = supported

    def get_error_description(self) -> str:
        return f"grant_type={self.grant_type[:100]} is not supported; use {' or '.join(self._supported)}."

    def get_body(self) -> list[tuple[str, str]]:
        return [("error", self.error), ("error_description", self.get_error_description())]


class GrantRefused(authlib_errors.InvalidGrantError):
    """`invalid_grant`: the code, refresh token or consent no longer counts, or is another's."""

    def __init__(self, description: str) -> None:
        super().__init__(description=ascii_text(description))


class ClientUnauthorized(authlib_errors.UnauthorizedClientError):
    """`unauthorized_client`: a proven client, but this grant is not open to it."""

    def __init__(self, description: str) -> None:
        super().__init__(description=ascii_text(description))


class TargetRefused(authlib_errors.OAuth2Error):
    """`invalid_target` (RFC 8707 §2)."""

    error = "invalid_target"

    def __init__(self, description: str) -> None:
        super().__init__(description=ascii_text(description))


class DetailsRefused(authlib_errors.OAuth2Error):
    """`invalid_authorization_details` (RFC 9396 §5)."""

    error = "invalid_authorization_details"

    def __init__(self, description: str) -> None:
        super().__init__(description=ascii_text(description))


class ProofFault(authlib_errors.OAuth2Error):
    """`invalid_dpop_proof`, or `use_dpop_nonce` where a nonce is all that is missing (RFC 9449 §5, §8)."""

    error = "invalid_dpop_proof"

    def __init__(self, description: str, *, wants_nonce: bool = False) -> None:
        super().__init__(
            description=ascii_text(description),
            error="use_dpop_nonce" if wants_nonce else "invalid_dpop_proof",
        )


class AuthorizationRefused(authlib_errors.OAuth2Error):
    """Any error of the authorization endpoint that the browser carries back to the app (RFC 6749 §4.1.2.1)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description=ascii_text(description), error=error)


class RedirectRefused(InputRefused):
    """`invalid_request` that must not be carried to the redirect URI: the browser stays here and reads `reason`."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason.en)
        self.reason = reason
