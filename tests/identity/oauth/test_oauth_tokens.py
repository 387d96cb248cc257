"""Verification of access tokens: what is not exactly a token of this plane, for this audience, now, is refused."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey

from api.core.crypto import Vault
from api.core.problem_types import TOKEN_EXPIRED, TOKEN_INVALID, WRONG_ENVIRONMENT
from api.core.problems import ProblemType, Refusal, Text
from api.identity.oauth import tokens
from api.identity.oauth.jose import decode_segment
from api.identity.oauth.keys import KeyRing
from tests.identity.oauth.plane import SCOPES, Plane, new_key, sign

ISSUER, LIVE = "https://kaimen.example", "https://live.kaimen.example"
API, PLATFORM = ISSUER + "/api", ISSUER + "/platform"
VAULT = Vault(b"m" * 32)


@pytest.fixture(scope="module")
def ring(plane: Plane) -> KeyRing:
    return plane.service.ring


def issue(ring: KeyRing, **changes: Any) -> bytes:
    values = {
        "issuer": ISSUER, "audience": API, "client_id": "kt_a", "app_id": "a_1", "scope": "a:b:c", "seconds": 600,
        **changes,
    }  # fmt: skip
    return tokens.issue(ring, **values).compact.encode()


def forge(ring: KeyRing, *, header: dict[str, Any] | None = None, **claims: Any) -> bytes:
    """A token signed with the ring's own key, with other claims or another header; None leaves one out."""
    whole = json.loads(decode_segment(issue(ring).split(b".")[1])) | claims
    protected = {"alg": "ES256", "typ": "at+jwt", "kid": ring.signer.kid, **(header or {})}
    protected = {name: value for name, value in protected.items() if value is not None}
    payload = json.dumps({name: value for name, value in whole.items() if value is not None}).encode()
    pem = ring.signer.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key = ECKey.import_key(pem)
    return jws.serialize_compact(protected, payload, key).encode()


def refused(token: bytes, ring: KeyRing, kind: ProblemType = TOKEN_INVALID, audience: str = API) -> Refusal:
    with pytest.raises(Refusal) as caught:
        tokens.verify(token, ring, ISSUER, audience, {"live": LIVE})
    assert caught.value.kind is kind
    assert "invalid_token" in caught.value.headers["WWW-Authenticate"]
    return caught.value


def test_a_good_token(ring: KeyRing) -> None:
    claims = tokens.verify(issue(ring), ring, ISSUER, API)
    assert claims.app == "a_1"
    assert claims.env == "sandbox"
    assert claims.grant == ""


def test_media_type_in_full(ring: KeyRing) -> None:
    assert tokens.verify(forge(ring, header={"typ": "application/AT+JWT"}), ring, ISSUER, API).app == "a_1"


def test_at_alg_none(ring: KeyRing) -> None:
    _, payload, _ = issue(ring).split(b".")
    header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').rstrip(b"=")
    refused(header + b"." + payload + b".", ring)


def test_at_hs256_with_the_public_key(ring: KeyRing) -> None:
    _, payload, _ = issue(ring).split(b".")
    header = json.dumps({"alg": "HS256", "typ": "at+jwt", "kid": ring.signer.kid}).encode()
    signed = base64.urlsafe_b64encode(header).rstrip(b"=") + b"." + payload
    mac = base64.urlsafe_b64encode(hmac.new(ring.jwks, signed, hashlib.sha256).digest()).rstrip(b"=")
    refused(signed + b"." + mac, ring)


def test_at_tampered(ring: KeyRing) -> None:
    header, payload, signature = issue(ring).split(b".")
    claims = json.loads(decode_segment(payload)) | {"scope": "everything:all:write"}
    altered = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
    problem = refused(header + b"." + altered + b"." + signature, ring)
    assert isinstance(problem.facts["reason"], Text)


@pytest.mark.parametrize("typ", [None, "", "JWT", "jwt", "at+JW"], ids=repr)
def test_at_typ_missing(ring: KeyRing, typ: Any) -> None:
    refused(forge(ring, header={"typ": typ}), ring)


def test_critical_header(ring: KeyRing) -> None:
    _, payload, signature = issue(ring).split(b".")
    header = json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": ring.signer.kid, "crit": ["b64"]}).encode()
    refused(base64.urlsafe_b64encode(header).rstrip(b"=") + b"." + payload + b"." + signature, ring)


def test_foreign_key(ring: KeyRing) -> None:
    key = new_key()
    claims = json.loads(decode_segment(issue(ring).split(b".")[1]))
    refused(sign(key, claims, typ="at+jwt", kid=ring.signer.kid).encode(), ring)
    with pytest.raises(tokens.UnknownSigningKey):
        tokens.verify(sign(key, claims, typ="at+jwt").encode(), ring, ISSUER, API)


def test_at_aud_other_service(ring: KeyRing) -> None:
    refused(issue(ring, audience=PLATFORM), ring)
    refused(issue(ring), ring, audience=PLATFORM)
    refused(forge(ring, aud=[API]), ring)
    refused(forge(ring, aud=None), ring)


def test_other_issuer(ring: KeyRing) -> None:
    refused(forge(ring, iss="https://elsewhere.example"), ring)
    refused(forge(ring, iss=ISSUER + "/"), ring)


def test_token_of_the_other_plane_names_both(ring: KeyRing) -> None:
    problem = refused(issue(ring, issuer=LIVE, audience=LIVE + "/api"), ring, WRONG_ENVIRONMENT)
    assert problem.facts == {"presented": "live", "here": "sandbox", "other_base": LIVE + "/api"}


def test_expired(ring: KeyRing) -> None:
    problem = refused(issue(ring, seconds=0), ring, TOKEN_EXPIRED)
    assert problem.facts["token_endpoint"] == ISSUER + "/oauth/token"
    assert problem.facts["expired_at"].endswith("Z")


@pytest.mark.parametrize("claims", [
    {"iat": 4_000_000_000}, {"nbf": 4_000_000_000}, {"exp": None}, {"exp": "9999999999"},
    {"exp": 1e300}, {"exp": True}, {"iat": None}, {"jti": None}, {"sub": ["kt_a"]}, {"scope": None}, {"env": "live"},
    {"app": None},
], ids=repr)  # fmt: skip
def test_claims_that_do_not_hold(ring: KeyRing, claims: dict[str, Any]) -> None:
    refused(forge(ring, **claims), ring)


@pytest.mark.parametrize("token", [
    b"", b".", b"..", b"...", b"a.b.c", b"\xff.\xff.\xff", b"e30.e30.e30", b"x" * 9000, b"." * 8000, b"bnVsbA.bnVsbA.AA",
    "令牌".encode(), b"e30=.e30=.AAAA", b"e+/w.e30.AA",
], ids=range(13))  # fmt: skip
def test_garbage(ring: KeyRing, token: bytes) -> None:
    refused(token, ring)


def test_padding_and_other_alphabets_are_no_token(ring: KeyRing) -> None:
    token = issue(ring)
    refused(token + b"=", ring)
    refused(token + b"\n", ring)
    refused(b" " + token, ring)


async def test_client_assertion_as_access_token(plane: Plane) -> None:
    client = await plane.new_app(SCOPES[0], keys=[new_key()])
    assert client.key is not None
    assertion = sign(client.key, plane.claims(client))
    with pytest.raises(Refusal) as caught:
        tokens.verify(assertion.encode(), plane.service.ring, plane.issuer, plane.issuer + "/api")
    assert "client assertion" in caught.value.facts["reason"].en


def test_id_token_as_access_token(ring: KeyRing) -> None:
    problem = refused(forge(ring, header={"typ": "JWT"}, client_id=None, scope=None, nonce="n"), ring)
    assert "id token" in problem.facts["reason"].en


def test_one_changed_byte_is_refused(ring: KeyRing) -> None:
    """Each position in turn; the last character of a segment may hold bits that mean nothing."""
    token = issue(ring)
    signature_end = len(token) - 1
    for position in range(len(token)):
        changed = bytearray(token)
        changed[position] = ord("A") if changed[position] != ord("A") else ord("B")
        if position == signature_end:
            continue
        with pytest.raises(Refusal):
            tokens.verify(bytes(changed), ring, ISSUER, API)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | st.lists(st.binary(max_size=40), min_size=3, max_size=3).map(
    lambda parts: b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)))  # fmt: skip
def test_any_bytes_are_refused_and_nothing_else_happens(token: bytes) -> None:
    with pytest.raises(Refusal):
        tokens.verify(token, KeyRing("sandbox", VAULT), ISSUER, API)
