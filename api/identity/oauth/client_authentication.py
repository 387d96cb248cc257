"""How an app proves who it is, one way at a time: by a secret, by keys, by a certificate; public clients do not.

    client_secret_basic, client_secret_post   RFC 6749 §2.3.1
    private_key_jwt                           RFC 7523; a fapi2 client says the issuer is the audience, for minutes
    tls_client_auth                           RFC 8705 §2.1, the certificate that a trusted TLS terminator saw
    none                                      a public client, known by its id alone

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

METHODS = [
    "client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth", "none",
]  # fmt: skip  # a list, as authlib has it
CONFIDENTIAL = METHODS[:-1]
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_ASSERTION_SECONDS = 3600  # authlib's own client sends one hour
MAX_FAPI_SECONDS = 300
FAPI_ALGORITHMS = frozenset({"ES256", "PS256", "EdDSA", "Ed25519"})
SKEW_SECONDS = 60
_UNPROVEN = "The client_id or client_secret is wrong."
_UNPROVEN_ASSERTION = "The client assertion fits no key of the app; check kid, alg and the registered key."
QueryClient = Callable[[str], Client | None]


def presented_method(form: Form, client: Client | None) -> str:
    """The authentication method that a request uses. Raises InputRefused for two, ClientRefused for none.

    `client` is the one that the request claims to come from: of one without a credential in the request it says
    whether that is how it authenticates.
    """
    presented = []
    if form.basic is not None:
        presented.append("client_secret_basic")
    if form.get("client_secret"):
        presented.append("client_secret_post")
    if form.get("client_assertion") or form.get("client_assertion_type"):
        presented.append("private_key_jwt")
    if len(presented) > 1:
        raise InputRefused("The request uses two authentication methods; use one (RFC 6749, section 2.3).")
    if presented:
        return presented[0]
    if client is not None and client.auth_method in {"tls_client_auth", "none"}:
        return client.auth_method
    raise ClientRefused(
        "There are no client credentials. Authenticate with one of: " + ", ".join(CONFIDENTIAL) + "."
    )


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
    if client.auth_method != "client_secret" or client.is_fapi:
        raise ClientRefused(
            f"This app authenticates with {client.auth_method} only, not with a secret.", by_header=by_header
        )
    check_standing(client, by_header=by_header)
    work.secret = secret
    return client


def authenticate_by_certificate(query_client: QueryClient, request: Any) -> Client:
    """tls_client_auth (RFC 8705 §2.1): the certificate is the registered one."""
    work = UNIT.get()
    client = query_client(work.form.get("client_id"))
    certificate = work.form.certificate
    if client is None or certificate is None or not client.has_certificate(certificate):
        raise ClientRefused(
            "The connection came with no client certificate, or with another one than the app's registered one."
        )
    check_standing(client, by_header=False)
    return client


def authenticate_public(query_client: QueryClient, request: Any) -> Client:
    """none: a public client, known by its id; codes and refresh tokens protect themselves."""
    client = query_client(UNIT.get().form.get("client_id"))
    if client is None:
        raise ClientRefused(_UNPROVEN)
    check_standing(client, by_header=False)
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
    """private_key_jwt (RFC 7523 §2.2 and §3). The audience is the issuer, for profile baseline the token endpoint too."""

    def __init__(self, issuer: str, token_endpoint: str) -> None:
        self._audiences = frozenset({issuer, token_endpoint})
        self._fapi_audiences = frozenset({issuer})

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
            raise ClientRefused(
                f"This app authenticates with {client.auth_method.replace('_', ' ')}, not with an assertion."
            )
        if client.is_fapi and algorithm not in FAPI_ALGORITHMS:
            raise ClientRefused("Profile fapi2 signs assertions with ES256, PS256 or EdDSA.")
        expires_at = self._check_claims(claims, is_fapi=client.is_fapi)
        check_standing(client, by_header=False)
        used = hashlib.sha256(f"{subject}\n{claims['jti']}".encode()).hexdigest()
        work.assertion = AssertionUse(used, expires_at + SKEW_SECONDS)
        return client

    def _check_claims(self, claims: dict[str, Any], *, is_fapi: bool) -> float:
        """When the assertion expires. Raises ClientRefused naming the first claim that does not hold."""
        now = clock.unix_seconds()
        audience = claims.get("aud")
        audiences = self._fapi_audiences if is_fapi else self._audiences
        longest = MAX_FAPI_SECONDS if is_fapi else MAX_ASSERTION_SECONDS
        if not isinstance(audience, str) or audience not in audiences:
            names = " or ".join(sorted(audiences))
            raise ClientRefused(f"The assertion's aud has to be one string: {names}.")
        expires_at = _number(claims, "exp")
        if expires_at is None:
            raise ClientRefused("The assertion has no exp, or one that is no number.")
        if expires_at <= now - SKEW_SECONDS:
            raise ClientRefused("The assertion has expired; check the clock.")
        if expires_at > now + longest + SKEW_SECONDS:
            raise ClientRefused(f"The assertion's exp may be {longest} seconds ahead at most.")
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
