"""What a provider says about itself, and its keys: read once, kept for ten minutes, read anew for an unknown key.

Source: OpenID Connect Discovery 1.0 §4.3 (the issuer must be the very one asked for), RFC 7517.
"""

import time
from typing import Any

from msgspec import Struct

from api.core.egress import LOOPBACK, Egress, EgressError, parse_target
from api.identity.outside.calls import CallError, Calls

KEEP_SECONDS = 600.0
LOOK_AGAIN_SECONDS = 5.0  # between two readings of the keys for the sake of unknown ones
_LOOPBACK = Egress(LOOPBACK)


class Metadata(Struct, frozen=True):
    """The addresses of a provider that we use."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    says_issuer: bool = False  # authorization_response_iss_parameter_supported, RFC 9207


def check_address(url: str) -> str:
    """The address if it may be a provider's: https, or http on this very machine. Raises CallError."""
    try:
        target = parse_target(url)
    except EgressError as error:
        raise CallError(str(error)) from error
    is_here = target.host == "localhost" or (
        target.host.replace(".", "").replace(":", "").isalnum() and _is_loopback(target.host)
    )
    if target.scheme != "https" and not is_here:
        raise CallError(f"{url}: a provider is reached by https")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return _LOOPBACK.is_allowed(host)
    except ValueError:  # a name, not an address
        return False


class Directory:
    """Metadata and keys of providers, by issuer."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._metadata: dict[str, tuple[float, Metadata]] = {}
        self._keys: dict[str, tuple[float, list[dict[str, Any]]]] = {}

    async def metadata(self, issuer: str) -> Metadata:
        """The metadata of an issuer. Raises CallError."""
        known = self._metadata.get(issuer)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        check_address(issuer)
        reply = await self._calls.get(issuer.rstrip("/") + "/.well-known/openid-configuration")
        if reply.status != 200:
            raise CallError(f"the configuration of {issuer} answers {reply.status}")
        body = reply.body
        if body.get("issuer") != issuer:
            raise CallError(f"{issuer} calls itself {str(body.get('issuer'))[:100]}")
        found = Metadata(
            issuer=issuer,
            authorization_endpoint=_address(body, "authorization_endpoint"),
            token_endpoint=_address(body, "token_endpoint"),
            jwks_uri=_address(body, "jwks_uri"),
            userinfo_endpoint=_address(body, "userinfo_endpoint") if body.get("userinfo_endpoint") else "",
            says_issuer=body.get("authorization_response_iss_parameter_supported") is True,
        )
        self._metadata[issuer] = (time.monotonic() + KEEP_SECONDS, found)
        return found

    async def keys(self, issuer: str, kid: str) -> list[dict[str, Any]]:
        """The public keys with this id, all that fit where the token names none. Raises CallError."""
        read_at, keys = self._keys.get(issuer, (0.0, []))
        found = _with_id(keys, kid)
        age = time.monotonic() - read_at
        if (found and age < KEEP_SECONDS) or (keys and age < LOOK_AGAIN_SECONDS):
            return found
        reply = await self._calls.get((await self.metadata(issuer)).jwks_uri)
        rows = reply.body.get("keys")
        if reply.status != 200 or not isinstance(rows, list):
            raise CallError(f"the keys of {issuer} cannot be read ({reply.status})")
        keys = [row for row in rows[:50] if isinstance(row, dict) and row.get("kty") in {"RSA", "EC", "OKP"}]
        self._keys[issuer] = (time.monotonic(), keys)
        return _with_id(keys, kid)


def _with_id(keys: list[dict[str, Any]], kid: str) -> list[dict[str, Any]]:
    fitting = [key for key in keys if key.get("use", "sig") == "sig"]
    return [key for key in fitting if key.get("kid") == kid] if kid else fitting


def _address(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or len(value) > 500:
        raise CallError(f"the configuration names no {name}")
    return check_address(value)
