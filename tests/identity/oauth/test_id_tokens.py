"""ID tokens: read by a library that we did not write, and never taken for what they are not."""

import hashlib
import json
from base64 import urlsafe_b64encode

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from api.core.problems import Refusal
from api.identity.oauth import tokens
from api.identity.oauth.id_tokens import issue_id_token, read_hint
from tests.identity.oauth.plane import Plane, new_key, sign

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")


def made(plane: Plane, **options: object) -> str:
    claims = {"client_id": "kt_a", "subject": "c_a", "access_token": "abc", "seconds": 600, **options}
    return issue_id_token(plane.service.ring, issuer=plane.issuer, **claims)  # type: ignore[arg-type]  # bent on purpose


async def test_a_library_reads_it_by_the_published_keys(plane: Plane) -> None:
    token = made(plane, nonce="n-0", auth_time=1_700_000_000, acr="substantial")
    keys = KeySet.import_key_set(json.loads(plane.service.ring.jwks))
    read = jwt.decode(token, keys, algorithms=["ES256"])
    assert read.header["typ"] == "JWT"
    half = hashlib.sha256(b"abc").digest()[:16]
    assert read.claims["at_hash"] == urlsafe_b64encode(half).rstrip(b"=").decode()
    assert {name: read.claims[name] for name in ("iss", "sub", "aud", "nonce", "auth_time", "acr")} == {
        "iss": plane.issuer, "sub": "c_a", "aud": "kt_a", "nonce": "n-0", "auth_time": 1_700_000_000,
        "acr": "substantial",
    }  # fmt: skip
    assert read.claims["exp"] - read.claims["iat"] == 600


async def test_what_is_unknown_is_left_out(plane: Plane) -> None:
    keys = KeySet.import_key_set(json.loads(plane.service.ring.jwks))
    claims = jwt.decode(made(plane), keys, algorithms=["ES256"]).claims
    assert not {"nonce", "auth_time", "acr"} & claims.keys()


async def test_id_token_as_access_token(plane: Plane) -> None:
    with pytest.raises(Refusal) as caught:
        tokens.verify(made(plane).encode(), plane.service.ring, plane.issuer, f"{plane.issuer}/api")
    assert caught.value.kind.slug == "token-invalid"


async def test_a_hint_is_ours_or_nothing(plane: Plane) -> None:
    ring = plane.service.ring
    own = made(plane)
    assert read_hint(own, ring, plane.issuer).sub == "c_a"  # type: ignore[union-attr]  # it is there
    assert read_hint(made(plane, seconds=-1000), ring, plane.issuer) is not None  # expired ones count too
    assert read_hint(own, ring, "https://other.example") is None
    key = new_key()
    forged = {"iss": plane.issuer, "sub": "c_a", "aud": "kt_a"}
    client = await plane.new_app("company:profile:read")
    for bad in (
        "", "a.b.c", "码", own[:-2] + "AA", sign(key, forged), sign(key, forged, kid=ring.signer.kid),
        await plane.token(client), "e30." * 2 + "e30", "[" * 9000,
    ):  # fmt: skip
        assert read_hint(bad, ring, plane.issuer) is None, bad
