"""Client assertions (RFC 7523): the good ones, and every forgery that notes and specifications name."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from typing import Any

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import Key, OKPKey, RSAKey

from api.identity.oauth.client_authentication import ASSERTION_TYPE
from tests.identity.oauth.plane import SCOPES, Client, Plane, new_key, sign

COMPANY = SCOPES[0]
RSA_KEY = RSAKey.generate_key(2048, auto_kid=True, private=True)
ED_KEY = OKPKey.generate_key("Ed25519", auto_kid=True, private=True)


def assert_refused(answer: httpx.Response, *words: str) -> None:
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] == "invalid_client"
    for word in words:
        assert word in answer.json()["error_description"], answer.json()


def _segment(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.fixture(scope="module")
async def client(plane: Plane) -> Client:
    return await plane.new_app(COMPANY, keys=[new_key()])


@pytest.mark.parametrize("audience", ["issuer", "token endpoint"])
async def test_a_good_assertion(plane: Plane, client: Client, audience: str) -> None:
    aud = plane.issuer if audience == "issuer" else plane.issuer + "/oauth/token"
    answer = await plane.ask_signed(client, claims={"aud": aud, "exp": int(time.time()) + 3600})
    assert answer.status_code == 200, answer.text
    assert answer.json()["scope"] == COMPANY


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA_KEY, "RS256"), (RSA_KEY, "PS256"), (ED_KEY, "Ed25519")],
    ids=lambda value: str(value)[:9],
)
async def test_other_algorithms(plane: Plane, key: Key, algorithm: str) -> None:
    signer = await plane.new_app(COMPANY, keys=[key])
    answer = await plane.ask_with(sign(key, plane.claims(signer), algorithm))
    assert answer.status_code == 200, answer.text


async def test_eddsa_under_its_older_name(plane: Plane) -> None:
    named = OKPKey.import_key({**ED_KEY.as_dict(private=True), "alg": "EdDSA"})
    signer = await plane.new_app(COMPANY, keys=[named])
    assert (await plane.ask_with(sign(ED_KEY, plane.claims(signer), "Ed25519"))).status_code == 200
    signed = _segment({"alg": "EdDSA"}) + "." + _segment(plane.claims(signer))
    signature = ED_KEY.get_op_key("sign").sign(signed.encode())
    answer = await plane.ask_with(f"{signed}.{_segment(signature)}")
    assert answer.status_code == 200, answer.text


async def test_without_kid_every_key_is_tried(plane: Plane) -> None:
    keys = [new_key(), new_key()]
    signer = await plane.new_app(COMPANY, keys=keys)
    for key in keys:
        assertion = (
            sign(key, plane.claims(signer), kid=None) if False else _without_kid(key, plane.claims(signer))
        )
        assert (await plane.ask_with(assertion)).status_code == 200


def _without_kid(key: Key, claims: dict[str, Any]) -> str:

    return jws.serialize_compact({"alg": "ES256"}, json.dumps(claims).encode(), key)


async def test_replaced_keys_count_at_once(plane: Plane) -> None:
    old, new = new_key(), new_key()
    signer = await plane.new_app(COMPANY, keys=[old])
    assert (await plane.ask_signed(signer)).status_code == 200
    await plane.change_app(signer, jwks={"keys": [new.as_dict(private=False)]})
    assert_refused(await plane.ask_signed(signer), "fits no key")
    signer.key = new
    assert (await plane.ask_signed(signer)).status_code == 200


async def test_alg_none(plane: Plane, client: Client) -> None:
    signed = _segment({"alg": "none"}) + "." + _segment(plane.claims(client))
    assert_refused(await plane.ask_with(signed + "."), "signed with one of")


async def test_hs256_confusion(plane: Plane, client: Client) -> None:
    """The public key, which everyone knows, used as an HMAC secret."""
    assert client.key is not None
    signed = _segment({"alg": "HS256", "kid": client.key.kid}) + "." + _segment(plane.claims(client))
    for secret in (client.key.as_pem(private=False), json.dumps(client.key.as_dict(private=False)).encode()):
        mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        assert_refused(await plane.ask_with(f"{signed}.{_segment(mac)}"), "signed with one of")


async def test_algorithm_of_another_key_type(plane: Plane) -> None:
    signer = await plane.new_app(COMPANY, keys=[new_key()])
    assertion = sign(RSA_KEY, plane.claims(signer), "RS256", kid=signer.key.kid if signer.key else "")
    assert_refused(await plane.ask_with(assertion), "fits no key")


async def test_key_that_names_another_algorithm(plane: Plane) -> None:
    key = RSAKey.generate_key(2048, {"alg": "PS256"}, auto_kid=True, private=True)
    signer = await plane.new_app(COMPANY, keys=[key])
    assert (await plane.ask_with(sign(key, plane.claims(signer), "PS256"))).status_code == 200
    plain = RSAKey.import_key({k: v for k, v in key.as_dict(private=True).items() if k != "alg"})
    assert_refused(await plane.ask_with(sign(plain, plane.claims(signer), "RS256")), "fits no key")


async def test_foreign_key(plane: Plane, client: Client) -> None:
    other = new_key()
    assert_refused(await plane.ask_with(sign(other, plane.claims(client))), "fits no key")
    assert client.key is not None
    assert_refused(await plane.ask_with(sign(other, plane.claims(client), kid=client.key.kid)), "fits no key")


async def test_stranger_and_foreign_key_read_the_same(plane: Plane, client: Client) -> None:
    stranger = Client("a_x", "kt_00000000000000000000000000", "", "")
    unknown = await plane.ask_with(sign(new_key(), plane.claims(stranger)))
    wrong = await plane.ask_with(sign(new_key(), plane.claims(client)))
    assert unknown.json() == wrong.json()


@pytest.mark.parametrize(
    ("name", "claims", "word"),
    [
        ("aud_other", {"aud": "https://elsewhere.example"}, "aud"),
        ("aud_prefix", {"aud": "http://127.0.0.1:8000/"}, "aud"),
        ("aud_missing", {"aud": None}, "aud"),
        ("aud_array", {"aud": ["http://127.0.0.1:8000", "https://elsewhere.example"]}, "aud"),
        ("aud_array_of_one", {"aud": ["http://127.0.0.1:8000"]}, "aud"),
        ("expired", {"exp": 1_600_000_000}, "expired"),
        ("exp_far", {"exp": 9_999_999_999}, "3600 seconds ahead"),
        ("exp_1e300", {"exp": 1e300}, "exp"),
        ("exp_huge_integer", {"exp": 10**400}, ""),
        ("exp_text", {"exp": "1999999999"}, "exp"),
        ("exp_true", {"exp": True}, "exp"),
        ("exp_null", {"exp": None}, "exp"),
        ("no_exp", {"exp": None}, "exp"),
        ("no_jti", {"jti": None}, "jti"),
        ("jti_empty", {"jti": ""}, "jti"),
        ("jti_number", {"jti": 7}, "jti"),
        ("jti_long", {"jti": "x" * 257}, "jti"),
        ("iss_ne_sub", {"iss": "someone-else"}, "iss and sub"),
        ("no_iss", {"iss": None}, "iss and sub"),
        ("nbf_future", {"nbf": 9_999_999_999}, "nbf"),
        ("nbf_text", {"nbf": "soon"}, "nbf"),
        ("iat_future", {"iat": 9_999_999_999}, "iat"),
        ("iat_1e300", {"iat": 1e300}, "iat"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
async def test_claims(plane: Plane, client: Client, name: str, claims: dict[str, Any], word: str) -> None:
    assert_refused(await plane.ask_signed(client, claims=claims), word)


@pytest.mark.parametrize(
    "subject",
    [["kt_a"], {"a": 1}, 7, None, "", "x" * 2000, "码", "kt_\x00"],
    ids=lambda value: repr(value)[:9],
)
async def test_sub_list(plane: Plane, client: Client, subject: Any) -> None:
    claims = {**plane.claims(client), "sub": subject, "iss": subject}
    assert client.key is not None
    assert_refused(await plane.ask_with(sign(client.key, claims)))


GARBAGE = ["x", ".", "..", "...", "a.b.c", "é.è.ü", "e30.e30.e30", "e30.e30.", "W10.W10.W10", "bnVsbA.bnVsbA.AA",
           "=.=.=", "A" * 8000, ".".join(["A" * 2700] * 3), "e30=.e30=.AA==", "e30.e30.AA.AA.AA", "\u202e.a.b"]  # fmt: skip


@pytest.mark.parametrize("assertion", GARBAGE, ids=range(len(GARBAGE)))
async def test_garbage(plane: Plane, assertion: str) -> None:
    assert_refused(await plane.ask_with(assertion))


async def test_non_ascii(plane: Plane, client: Client) -> None:
    assert client.key is not None
    assertion = sign(client.key, plane.claims(client))
    for broken in ("码" + assertion, assertion + "é", assertion.replace(".", "。")):
        assert_refused(await plane.ask_with(broken))
    assert (await plane.ask_signed(client, claims={"jti": "标识 " + assertion[-20:]})).status_code == 200


async def test_too_long(plane: Plane) -> None:
    answer = await plane.ask_with("A" * 8193)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


async def test_critical_header_and_odd_kid(plane: Plane, client: Client) -> None:
    assert client.key is not None
    for header in (
        {"alg": "ES256", "crit": ["b64"], "b64": False},
        {"alg": "ES256", "kid": 7},
        {"alg": ["ES256"]},
    ):
        signed = _segment(header) + "." + _segment(plane.claims(client))
        assert_refused(await plane.ask_with(signed + "." + _segment(b"x" * 64)))


async def test_key_in_the_header_is_not_believed(plane: Plane, client: Client) -> None:
    own = new_key()
    assertion = sign(own, plane.claims(client), jwk=own.as_dict(private=False))
    assert_refused(await plane.ask_with(assertion), "fits no key")


async def test_tampered_payload(plane: Plane, client: Client) -> None:
    assert client.key is not None
    header, _, signature = sign(client.key, plane.claims(client)).split(".")
    assert_refused(
        await plane.ask_with(f"{header}.{_segment(plane.claims(client))}.{signature}"), "fits no key"
    )


async def test_jti_replay(plane: Plane, client: Client) -> None:
    assert client.key is not None
    assertion = sign(client.key, plane.claims(client))
    assert (await plane.ask_with(assertion)).status_code == 200
    assert_refused(await plane.ask_with(assertion), "used before")


async def test_same_jti_of_two_apps_is_no_replay(plane: Plane) -> None:
    for _ in range(2):
        one = await plane.new_app(COMPANY, keys=[new_key()])
        assert (await plane.ask_signed(one, claims={"jti": "the-same-for-both"})).status_code == 200


async def test_jti_concurrent(plane: Plane, client: Client) -> None:
    assert client.key is not None
    for _ in range(5):
        assertion = sign(client.key, plane.claims(client))
        answers = await asyncio.gather(*(plane.ask_with(assertion) for _ in range(8)))
        assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7


async def test_a_refused_request_does_not_spend_the_assertion_of_a_stranger(
    plane: Plane, client: Client
) -> None:
    """What a thief without the key sends must not make the owner's jti used."""
    jti = "owned-" + str(time.time())
    assert_refused(await plane.ask_with(sign(new_key(), plane.claims(client, jti=jti))))
    assert (await plane.ask_signed(client, claims={"jti": jti})).status_code == 200


async def test_other_assertion_type(plane: Plane, client: Client) -> None:
    assert client.key is not None
    assertion = sign(client.key, plane.claims(client))
    for kind in ("urn:ietf:params:oauth:client-assertion-type:saml2-bearer", ""):
        assert_refused(await plane.ask_with(assertion, client_assertion_type=kind), ASSERTION_TYPE)


async def test_another_client_id_in_the_body(plane: Plane, client: Client) -> None:
    other = await plane.new_app(COMPANY)
    assert_refused(await plane.ask_signed(client, client_id=other.client_id), "client_id in the body")
    assert (await plane.ask_signed(client, client_id=client.client_id)).status_code == 200


async def test_app_with_a_secret_may_not_sign(plane: Plane) -> None:
    key = new_key()
    signer = await plane.new_app(COMPANY, keys=[key])
    await plane.change_app(signer, auth_method="client_secret")
    assert_refused(await plane.ask_signed(signer), "client secret")


async def test_credential_of_the_live_plane(plane: Plane) -> None:
    signer = await plane.new_app(COMPANY, environment="live", keys=[new_key()])
    assert_refused(await plane.ask_signed(signer), "live environment", plane.settings.issuer_of("live"))


async def test_suspended_app(plane: Plane) -> None:
    signer = await plane.new_app(COMPANY, keys=[new_key()], status="suspended")
    assert_refused(await plane.ask_signed(signer), "suspended")


async def test_access_token_is_no_assertion(plane: Plane, client: Client) -> None:
    assert_refused(await plane.ask_with(await plane.token(client)))
