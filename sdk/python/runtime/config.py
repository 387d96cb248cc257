"""What a client was told, and the steps that its flows consist of: the same for threads and for asyncio."""

import os
import platform
import random
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, TypeAlias, TypedDict, TypeVar

import httpx

from .errors import KaimenError
from .keys import SigningKey, key_of

SDK_VERSION = "1.0.0"
_BACK_OFF_SECONDS = 0.25
T = TypeVar("T")


class Facts(NamedTuple):
    """What a package says of itself."""

    name: str
    version: str
    scopes: tuple[str, ...]
    types: Mapping[str, Any]


class CallOptions(TypedDict, total=False):
    """What one call may say for itself."""

    idempotency_key: str
    scenario: str
    timeout: float
    headers: Mapping[str, str]
    max_retries: int


class Send(NamedTuple):
    """Send a request; the answer is read unless it is a success that is streamed."""

    request: httpx.Request
    is_streamed: bool = False


class Sleep(NamedTuple):
    seconds: float


class Need(NamedTuple):
    """A token of this scope."""

    scope: str


Flow: TypeAlias = Generator[Send | Sleep | Need, Any, T]


@dataclass(frozen=True, repr=False)
class Config:
    """The options of a client."""

    base_url: str
    client_id: str
    client_secret: str
    access_token: str  # a token of the caller's own, "" for none
    signing: SigningKey | None
    dpop: bool
    timeout: float
    max_retries: int
    scopes: str
    scenario: str
    user_agent: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    most_wait_seconds: float = 60

    def __repr__(self) -> str:
        return f"Config(base_url={self.base_url!r}, client_id={self.client_id!r})"

    def request(
        self, method: str, url: str, headers: Mapping[str, str], *, timeout: float | None = None, **body: Any
    ) -> httpx.Request:
        """A request with this client's timeout."""
        seconds = httpx.Timeout(self.timeout if timeout is None else timeout)
        return httpx.Request(
            method, url, headers=dict(headers), extensions={"timeout": seconds.as_dict()}, **body
        )


def config_of(
    facts: Facts,
    *,
    client_id: str | None,
    client_secret: str | None,
    access_token: str | None = None,
    private_key: str | bytes | Mapping[str, Any] | None,
    base_url: str | None,
    dpop: bool,
    timeout: float,
    max_retries: int,
    scopes: Sequence[str] | None,
    scenario: str | None,
    headers: Mapping[str, str] | None,
) -> Config:
    """The configuration, with what the environment says. Raises KaimenError that says what is missing."""
    url = (base_url or os.environ.get("KAIMEN_BASE_URL", "")).rstrip("/")
    own_id = client_id or os.environ.get("KAIMEN_CLIENT_ID", "")
    secret = "" if private_key is not None else client_secret or os.environ.get("KAIMEN_CLIENT_SECRET", "")
    if not url:
        raise KaimenError("no base URL: give base_url, or set KAIMEN_BASE_URL")
    if not url.startswith(("http://", "https://")):
        raise KaimenError(f"base_url begins with http:// or https://, not {url[:40]!r}")
    if access_token is not None and (dpop or not access_token):
        raise KaimenError("access_token is empty or bound to a key: a token of your own goes out as Bearer")
    if not own_id and access_token is None:
        raise KaimenError("no client id: give client_id, or set KAIMEN_CLIENT_ID")
    if not secret and private_key is None and access_token is None:
        raise KaimenError("no secret: give client_secret or private_key, or set KAIMEN_CLIENT_SECRET")
    agent = (
        f"kaimen-sdk-python/{SDK_VERSION} ({facts.name}/{facts.version}; python/{platform.python_version()})"
    )
    return Config(
        base_url=url,
        client_id=own_id,
        client_secret=secret,
        access_token=access_token or "",
        signing=None if private_key is None else key_of(private_key),
        dpop=dpop,
        timeout=timeout,
        max_retries=max_retries,
        scopes=" ".join(facts.scopes if scopes is None else scopes),
        scenario=scenario or "",
        user_agent=agent,
        headers={name.lower(): value for name, value in (headers or {}).items()},
    )


def back_off(attempt: int) -> float:
    """Seconds before the next attempt: doubling, with jitter."""
    return float(_BACK_OFF_SECONDS * 2**attempt * random.uniform(0.5, 1))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds, given as seconds or as a date."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
