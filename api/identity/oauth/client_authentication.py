"""How an app proves who it is: client_secret_basic, client_secret_post, private_key_jwt. One at a time.

A stranger learns nothing: whatever is wrong with an unproven claim, the words are the same. Only a proven
client is told that its secret has expired or that its app is suspended.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from api.core import clock
from api.identity.oauth.clients import PREFIXES, Client, ClientKey
from api.identity.oauth.errors import ClientRefused, InputRefused
from api.identity.oauth.forms import Form
from api.identity.oauth.jose import ALGORITHMS, decode_segment, is_signed, older_name
from api.identity.oauth.unit_of_work import UNIT, AssertionUse, UnitOfWork

METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt"]  # a list, as authlib has it
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_ASSERTION_SECONDS = 3600  # authlib's own client sends one hour
SKEW_SECONDS = 60
_UNPROVEN = "The client_id or client_secret is wrong."
_UNPROVEN_ASSERTION = "The client assertion fits no key of the app; check kid, alg and the registered key."
QueryClient = Callable[[str], Client | None]


def presented_method(form: Form) -> str:
    """The authentication method that a request uses. Raises InputRefused for two, ClientRefused for none."""
    presented = []
    if form.basic is not None:
        presented.append("client_secret_basic")
    if form.get("client_secret"):
        presented.append("client_secret_post")
    if form.get("client_assertion") or form.get("client_assertion_type"):
        presented.append("private_key_jwt")
    if len(presented) > 1:
        raise InputRefused("The request uses two authentication methods; use one (RFC 6749, section 2.3).")
    if not presented:
        raise ClientRefused(
            "There are no client credentials. Authenticate with one of: " + ", ".join(METHODS) + "."
        )
    return presented[0]


def presented_client_id(form: Form) -> str:
    """The client id that a request claims, unproven; "" where there is none to be made out."""
    if form.basic is not None:
        return form.basic[0]
    if form.get("client_id"):
        return form.get("client_id")
    claims = _unproven_claims(form.get("client_assertion"))
    subject = claims.get("sub", "")
    return subject if isinstance(subject, str) and len(subject) <= 64 and subject.isascii() else ""


def explain_wrong_environment(client_id: str, environment: str, token_endpoints: dict[str, str]) -> str:
    """Whose credential this is and where it belongs; "" for one of this environment or of nobody.

    The prefix tells it, so it is said before any look-up and to anyone.
    """
    for name, prefix in PREFIXES.items():
        if name != environment and client_id.startswith(prefix):
            return (
                f"This is a credential of the {name} environment; this is the {environment} environment. "
                f"Use it at {token_endpoints[name]}, or use an app of the {environment} environment here."
            )
    return ""


def authenticate_by_basic(query_client: QueryClient, request: Any) -> Client:
    """client_secret_basic (RFC 6749 §2.3.1)."""
    work = UNIT.get()
    client_id, secret = work.form.basic or ("", "")
    if work.form.get("client_id") not in {"", client_id}:
        raise ClientRefused(
            "The client_id in the body is not the one in the Authorization header.", by_header=True
        )
    return _by_secret(work, query_client(client_id), secret, by_header=True)


def authenticate_by_post(query_client: QueryClient, request: Any) -> Client:
    """client_secret_post (RFC 6749 §2.3.1)."""
    work = UNIT.get()
    return _by_secret(
        work, query_client(work.form.get("client_id")), work.form.get("client_secret"), by_header=False
    )


def _by_secret(work: UnitOfWork, client: Client | None, presented: str, *, by_header: bool) -> Client:
    secret = client.matching_secret(presented) if client is not None else None
    if client is None or secret is None:
        raise ClientRefused(_UNPROVEN, by_header=by_header)
    if secret.refusal():
        raise ClientRefused(secret.refusal(), by_header=by_header)
    if client.auth_method == "private_key_jwt":
        raise ClientRefused(
            "This app authenticates with private_key_jwt only; send a client_assertion.", by_header=by_header
        )
    check_standing(client, by_header=by_header)
    work.secret = secret
    return client


def check_standing(client: Client, *, by_header: bool) -> None:
    """Raises ClientRefused for a proven client whose app may not act."""
    if client.status == "suspended":
        raise ClientRefused(
            "The app is suspended. Its organisation can see why, and resume it, in the portal.",
            by_header=by_header,
        )
    if client.status != "active":
        raise ClientRefused("The app was deleted. Register a new one.", by_header=by_header)


class AssertionAuthentication:
    """private_key_jwt (RFC 7523 §2.2 and §3). `audiences` are the issuer and the token endpoint."""

    def __init__(self, audiences: frozenset[str]) -> None:
        self._audiences = audiences

    def __call__(self, query_client: QueryClient, request: Any) -> Client:
        work = UNIT.get()
        form = work.form
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise ClientRefused(f"The client_assertion_type has to be {ASSERTION_TYPE}.")
        header, claims, signed, signature = _read_assertion(form.get("client_assertion"))
        subject = claims.get("sub")
        if not isinstance(subject, str) or claims.get("iss") != subject:
            raise ClientRefused("The assertion's iss and sub have to be the client_id, both as one string.")
        if form.get("client_id") not in {"", subject}:
            raise ClientRefused("The client_id in the body is not the sub of the client assertion.")
        client = query_client(subject)
        keys = _candidates(client, header) if client is not None else []
        algorithm = str(header["alg"])
        if client is None or not any(is_signed(algorithm, signed, signature, one.key) for one in keys):
            raise ClientRefused(_UNPROVEN_ASSERTION)
        if client.auth_method != "private_key_jwt":
            raise ClientRefused("This app authenticates with a client secret, not with an assertion.")
        expires_at = self._check_claims(claims)
        check_standing(client, by_header=False)
        used = hashlib.sha256(f"{subject}\n{claims['jti']}".encode()).hexdigest()
        work.assertion = AssertionUse(used, expires_at + SKEW_SECONDS)
        return client

    def _check_claims(self, claims: dict[str, Any]) -> float:
        """When the assertion expires. Raises ClientRefused naming the first claim that does not hold."""
        now = clock.unix_seconds()
        audience = claims.get("aud")
        if not isinstance(audience, str) or audience not in self._audiences:
            names = " or ".join(sorted(self._audiences))
            raise ClientRefused(f"The assertion's aud has to be one string: {names}.")
        expires_at = _number(claims, "exp")
        if expires_at is None:
            raise ClientRefused("The assertion has no exp, or one that is no number.")
        if expires_at <= now - SKEW_SECONDS:
            raise ClientRefused("The assertion has expired; check the clock.")
        if expires_at > now + MAX_ASSERTION_SECONDS + SKEW_SECONDS:
            raise ClientRefused(f"The assertion's exp may be {MAX_ASSERTION_SECONDS} seconds ahead at most.")
        for name in ("nbf", "iat"):
            moment = _number(claims, name)
            if name in claims and (moment is None or moment > now + SKEW_SECONDS):
                raise ClientRefused(
                    f"The assertion's {name} lies in the future or is no number; check the clock."
                )
        identifier = claims.get("jti")
        if not isinstance(identifier, str) or not 0 < len(identifier) <= 256:
            raise ClientRefused("The assertion needs a jti: a string of 1 to 256 characters, new each time.")
        return expires_at


def _candidates(client: Client, header: dict[str, Any]) -> list[ClientKey]:
    """The keys that may have signed: by `kid` where it is given, and never one that names another algorithm."""
    kid, algorithm = header.get("kid"), older_name(header["alg"])
    return [
        one for one in client.keys if (kid is None or one.kid == kid) and one.algorithm in {"", algorithm}
    ]


def _read_assertion(assertion: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    """Header, claims, signed bytes and signature of a compact JWS, nothing of it proven."""
    unreadable = ClientRefused("The client_assertion is no JWT in compact form.")
    try:
        raw = assertion.encode("ascii")
        header_segment, payload_segment, signature_segment = raw.split(b".")
        header = msgspec.json.decode(decode_segment(header_segment))
        claims = msgspec.json.decode(decode_segment(payload_segment))
        signature = decode_segment(signature_segment)
    except (ValueError, msgspec.MsgspecError):
        raise unreadable from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise unreadable
    if header.get("alg") not in ALGORITHMS:
        raise ClientRefused("The assertion has to be signed with one of: " + ", ".join(ALGORITHMS) + ".")
    if "crit" in header or not isinstance(header.get("kid", ""), str):
        raise ClientRefused("The assertion's header has a crit, or a kid that is no string.")
    return header, claims, header_segment + b"." + payload_segment, signature


def _unproven_claims(assertion: str) -> dict[str, Any]:
    try:
        claims = msgspec.json.decode(decode_segment(assertion.encode("ascii").split(b".")[1]))
    except (ValueError, IndexError, msgspec.MsgspecError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _number(claims: dict[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e15:
        return None
    return float(value)
