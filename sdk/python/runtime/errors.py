"""What can go wrong, as exceptions. Every one is a KaimenError; what the API refuses is an ApiError."""

from collections.abc import Mapping
from typing import Any


class KaimenError(Exception):
    """The root of everything that this package raises."""


class ConnectionError(KaimenError):  # noqa: A001 - the name that all languages of the SDK share
    """The server was not reached, or the connection broke off."""


class TimeoutError(ConnectionError):  # noqa: A001
    """No answer within the timeout."""


class DecodingError(KaimenError):
    """The answer is not what the contract says."""


class WebhookError(KaimenError):
    """A webhook delivery whose signature or time does not hold."""


class KeysMissingError(KaimenError):
    """private_key, dpop and v1a signatures need the cryptography package."""


class ApiError(KaimenError):
    """The API refused. `next` says what to do about it, `request_id` finds the call in the portal's request log."""

    def __init__(
        self, status: int, problem: Mapping[str, Any], headers: Mapping[str, str], retry_after: float | None
    ) -> None:
        self.status = status
        self.problem = dict(problem)
        self.headers = headers
        self.retry_after = retry_after
        self.type = _text(problem, "type")
        self.title = _text(problem, "title")
        self.detail = _text(problem, "detail")
        self.step = _text(problem, "step")
        self.rule = _text(problem, "rule")
        self.next = _text(problem, "next")
        self.request_id = headers.get("request-id") or _text(problem, "request_id")
        errors = problem.get("errors")
        self.errors: list[Any] = errors if isinstance(errors, list) else []
        said = self.detail or self.title or f"HTTP {status}"
        parts = [f"{status} {said}", self.next, f"({self.request_id})" if self.request_id else ""]
        super().__init__(" ".join(part for part in parts if part))


class AuthenticationError(ApiError):
    """401: the client or its token is not accepted."""


class PermissionDeniedError(ApiError):
    """403: a right is missing."""


class NotFoundError(ApiError):
    """404 and 410."""


class ConflictError(ApiError):
    """409."""


class InvalidRequestError(ApiError):
    """400 and 422: `errors` says what is wrong where."""


class RateLimitedError(ApiError):
    """429: `retry_after` says in how many seconds to come back."""


class ServerError(ApiError):
    """5xx."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: InvalidRequestError, 401: AuthenticationError, 403: PermissionDeniedError, 404: NotFoundError,
    409: ConflictError, 410: NotFoundError, 422: InvalidRequestError, 429: RateLimitedError,
}  # fmt: skip


def error_class(status: int) -> type[ApiError]:
    """The class of a status."""
    return _BY_STATUS.get(status, ServerError if status >= 500 else ApiError)


def _text(problem: Mapping[str, Any], key: str) -> str:
    found = problem.get(key)
    return found if isinstance(found, str) else ""
