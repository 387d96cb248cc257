"""Tokens that are bound to a key or a certificate, and tokens whose consent was withdrawn, at the gateway."""

import base64
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from msgspec import structs

from api.gateway.rest import RestFace
from api.settings import Settings
from tests.gateway.made import World
from tests.gateway.prover import Holder, Prover
from tests.gateway.test_pipeline import Log

ORIGIN = "http://127.0.0.1:8000"
PATH = "/api/company/v1/companies/91"
URL = ORIGIN + PATH


class Place:
    """A world with a prover, and a token bound to its key."""

    def __init__(self, **settings: Any) -> None:
        made = structs.replace(Settings(), flood_per_second=1_000_000, **settings)
        log = Log()
        self.world = World(settings=made, recorder=log, metrics=log, evidence=log)
        self.gateway = self.world.gateway
        self.prover = Prover()
        self.token = self.bound(jkt=self.prover.jkt)
        # what httpx reaches is the peer of the connection
        transport = httpx.ASGITransport(app=RestFace(self.gateway), client=("10.0.0.7", 4711))
        self.http = httpx.AsyncClient(transport=transport, base_url=ORIGIN)

    def bound(self, **cnf: str) -> bytes:
        return self.world.tokens.give(
            self.world.app_id, cnf={name.replace("_", "#"): one for name, one in cnf.items()}
        )

    async def call(
        self,
        proof: str = "",
        *,
        path: str = PATH,
        scheme: str = "DPoP",
        token: bytes | None = None,
        **headers: str,
    ) -> httpx.Response:
        sent = {"authorization": f"{scheme} {(token or self.token).decode()}"} | headers
        if proof:
            sent["dpop"] = proof
        return await self.http.get(path, headers=sent)

    def proof(self, **changes: Any) -> str:
        return self.prover.proof("GET", changes.pop("url", URL), changes.pop("token", self.token), **changes)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    made = Place()
    async with made.http:
        yield made


def refused(answer: httpx.Response, slug: str, rule: str = "") -> None:
    assert answer.status_code == 401, answer.text
    problem = answer.json()
    assert problem["type"].endswith(f"/problems/{slug}/"), problem
    assert problem["rule"] == (rule or slug)
    assert problem["next"]
    assert answer.headers["www-authenticate"]


async def test_a_proof_for_this_request_is_good(place: Place) -> None:
    answer = await place.call(place.proof())
    assert answer.status_code == 200, answer.text
    assert place.world.tokens.verified == 1
    again = await place.call(place.proof())
    assert again.status_code == 200
    assert place.world.tokens.verified == 1  # the token is cached, the proof never is
    assert b"dpop" not in {
        name for request in place.world.connector.requests for name, _ in request.forward_headers
    }


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "Ed25519", "PS256"])
async def test_every_algorithm_of_proofs(place: Place, algorithm: str) -> None:
    prover = Prover.of(algorithm)
    token = place.bound(jkt=prover.jkt)
    for _ in range(2):
        answer = await place.call(prover.proof("GET", URL, token), token=token)
        assert answer.status_code == 200, answer.text


async def test_dpop_bearer_downgrade(place: Place) -> None:
    refused(await place.call(scheme="Bearer"), "proof-missing", "bearer-downgrade")
    answer = await place.call(place.proof(), scheme="Bearer")
    refused(answer, "proof-missing", "bearer-downgrade")
    assert answer.headers["www-authenticate"].startswith("DPoP ")
    assert 'algs="ES256 ' in answer.headers["www-authenticate"]
    answer = await place.call(place.proof())  # the refusals have left nothing behind
    assert answer.status_code == 200


async def test_dpop_missing_and_repeated(place: Place) -> None:
    refused(await place.call(), "proof-missing")
    twice = [
        ("authorization", "DPoP " + place.token.decode()),
        ("dpop", place.proof()),
        ("dpop", place.proof()),
    ]
    answer = await place.http.get(PATH, headers=twice)
    assert answer.status_code == 400
    assert answer.json()["rule"] == "header-repeated"


async def test_dpop_proof_replay(place: Place) -> None:
    proof = place.proof()
    assert (await place.call(proof)).status_code == 200
    for _ in range(3):
        answer = await place.call(proof)
        refused(answer, "proof-replayed")
        assert 'error="invalid_dpop_proof"' in answer.headers["www-authenticate"]
    assert len(place.world.connector.requests) == 1


async def test_dpop_htu_mismatch(place: Place) -> None:
    for url in (
        URL + "2", ORIGIN + "/api/company/v1/companies/", "http://elsewhere.example" + PATH,
        "https://127.0.0.1:8000" + PATH, "/api/company/v1/companies/91", "http://127.0.0.1:8001" + PATH, "http://[", "",
    ):  # fmt: skip
        refused(await place.call(place.proof(url=url)), "proof-invalid", "htu")


async def test_htu_is_compared_in_its_normal_form(place: Place) -> None:
    for url in (
        URL + "?a=b", URL + "#x", "HTTP://127.0.0.1:8000" + PATH, URL.replace("companies", "%63ompanies"),
    ):  # fmt: skip
        answer = await place.call(place.proof(url=url))
        assert answer.status_code == 200, (url, answer.text)
    answer = await place.call(place.proof(), path=PATH + "?fields=a")
    assert answer.status_code == 200


async def test_dpop_htm_mismatch(place: Place) -> None:
    proof = place.prover.proof("POST", URL, place.token)
    refused(await place.call(proof), "proof-invalid", "htm")


async def test_dpop_ath_mismatch(place: Place) -> None:
    other = place.bound(jkt=place.prover.jkt)
    refused(await place.call(place.proof(token=other)), "proof-invalid", "ath")
    refused(await place.call(place.proof(token=None)), "proof-invalid", "ath")


async def test_dpop_other_key(place: Place) -> None:
    proof = Prover().proof("GET", URL, place.token)
    refused(await place.call(proof), "proof-invalid", "other-key")
    # a foreign header segment before a good signature of another key
    good, foreign = place.proof(), Prover().proof("GET", URL, place.token)
    mixed = ".".join([good.split(".")[0], *foreign.split(".")[1:]])
    refused(await place.call(mixed), "proof-invalid", "signature")
    assert (await place.call(good)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"header": {"typ": "JWT"}}, "typ"), ({"header": {"typ": "at+jwt"}}, "typ"),
        ({"jti": ""}, "jti"), ({"jti": "x" * 257}, "jti"), ({"jti": None}, "unreadable"), ({"jti": 1}, "unreadable"),
        ({"iat": None}, "unreadable"), ({"iat": "now"}, "unreadable"), ({"htm": None}, "unreadable"),
        ({"iat": 0}, "iat"), ({"iat": 1e300}, "iat"), ({"iat": -1}, "iat"), ({"nonce": "made-up"}, "nonce"),
        ({"nonce": "é"}, "nonce"), ({"header": {"crit": ["x"], "x": 1}}, "alg"),
    ],
)  # fmt: skip
async def test_proofs_that_are_none(place: Place, changes: dict[str, Any], rule: str) -> None:
    header = changes.pop("header", None)
    refused(await place.call(place.proof(header=header, **changes)), "proof-invalid", rule)


@pytest.mark.parametrize(
    "proof", ["x", "a.b.c", "..", "e30.e30.e30", "e30.e30", "e30.e30.e30.e30", "z" * 5000]
)
async def test_nonsense_is_no_proof(place: Place, proof: str) -> None:
    refused(await place.call(proof), "proof-invalid", "unreadable")


async def test_the_key_of_a_proof_is_a_public_key_for_its_algorithm(place: Place) -> None:
    private = place.prover.key.as_dict(private=True)
    jwk = place.prover.key.as_dict(private=False)
    for changed in (
        private, {"kty": "oct", "k": "AAAA"}, {**jwk, "crv": "P-384"}, {**jwk, "x": "!!"}, {**jwk, "y": jwk["x"]},
        {"kty": "EC"}, {}, {**jwk, "alg": "ES512"}, {"kty": "RSA", "n": "AQAB", "e": "AQAB"}, {**jwk, "kty": ["EC"]},
    ):  # fmt: skip
        signed = place.proof().split(".")
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": changed}
        signed[0] = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
        refused(await place.call(".".join(signed)), "proof-invalid", "jwk")


async def test_a_clock_that_is_off_is_mended_by_the_nonce(place: Place) -> None:
    off = int(time.time()) - 4000
    answer = await place.call(place.proof(iat=off))
    refused(answer, "proof-invalid", "iat")
    assert 'error="use_dpop_nonce"' in answer.headers["www-authenticate"]
    nonce = answer.headers["dpop-nonce"]
    answer = await place.call(place.proof(iat=off, nonce=nonce))
    assert answer.status_code == 200, answer.text


async def test_an_unbound_token_is_none_for_dpop(place: Place) -> None:
    token = place.world.token
    answer = await place.call(place.proof(token=token), token=token)
    refused(answer, "token-invalid", "binding-missing")


async def test_a_binding_that_nobody_can_check_is_refused(place: Place) -> None:
    token = place.bound(kid="x")
    refused(await place.call(scheme="Bearer", token=token), "token-invalid", "binding-unknown")


# --- certificates -----------------------------------------------------------------------------------
HEADER = "x-client-certificate"


@pytest.fixture
async def behind() -> AsyncIterator[Place]:
    """Behind a TLS terminator at 10.0.0.7."""
    made = Place(client_certificate_header=HEADER, trusted_proxies="10.0.0.0/8")
    async with made.http:
        yield made


async def test_a_certificate_bound_token_with_its_certificate(behind: Place) -> None:
    holder = Holder()
    token = behind.bound(x5t_S256=holder.thumbprint)
    for text in (holder.as_pem, holder.as_rfc9440):
        answer = await behind.call(scheme="Bearer", token=token, **{HEADER: text})
        assert answer.status_code == 200, answer.text
    names = {name for request in behind.world.connector.requests for name, _ in request.forward_headers}
    assert HEADER.encode() not in names


async def test_mtls_other_certificate(behind: Place) -> None:
    holder, other, expired = Holder(), Holder("other.example"), Holder(days=-1)
    token = behind.bound(x5t_S256=holder.thumbprint)
    for headers, rule in (
        ({}, "certificate-missing"), ({HEADER: ""}, "certificate-missing"), ({HEADER: other.as_pem}, "certificate-other"),
        ({HEADER: "nonsense"}, "certificate-refused"), ({"client-cert": holder.as_rfc9440}, "certificate-missing"),
    ):  # fmt: skip
        refused(await behind.call(scheme="Bearer", token=token, **headers), "certificate-mismatch", rule)
    expired_token = behind.bound(x5t_S256=expired.thumbprint)
    answer = await behind.call(scheme="Bearer", token=expired_token, **{HEADER: expired.as_pem})
    refused(answer, "certificate-mismatch", "certificate-refused")


async def test_a_certificate_that_the_client_claims_itself_counts_nothing() -> None:
    holder = Holder()
    direct = Place(client_certificate_header=HEADER, trusted_proxies="192.168.0.0/16")
    async with direct.http:
        token = direct.bound(x5t_S256=holder.thumbprint)
        answer = await direct.call(
            scheme="Bearer", token=token, **{HEADER: holder.as_pem, "x-forwarded-for": "192.168.0.1"}
        )
        refused(answer, "certificate-mismatch", "certificate-missing")
    nowhere = Place(trusted_proxies="10.0.0.0/8")  # no terminator is configured
    async with nowhere.http:
        token = nowhere.bound(x5t_S256=holder.thumbprint)
        answer = await nowhere.call(scheme="Bearer", token=token, **{HEADER: holder.as_pem})
        refused(answer, "certificate-mismatch", "certificate-missing")


async def test_both_bindings_hold_at_once(behind: Place) -> None:
    holder = Holder()
    token = behind.bound(x5t_S256=holder.thumbprint, jkt=behind.prover.jkt)
    refused(
        await behind.call(behind.proof(token=token), token=token),
        "certificate-mismatch",
        "certificate-missing",
    )
    answer = await behind.call(behind.proof(token=token), token=token, **{HEADER: holder.as_pem})
    assert answer.status_code == 200, answer.text


# --- consents that were withdrawn --------------------------------------------------------------------
async def test_a_withdrawn_consent_ends_its_tokens_though_they_are_cached(place: Place) -> None:
    token = place.world.tokens.give(place.world.app_id, grant="g_1", sub="c_1")
    other = place.world.tokens.give(place.world.app_id, grant="g_2", sub="c_1")
    for one in (token, other):
        assert (await place.call(scheme="Bearer", token=one)).status_code == 200
    place.gateway.withdrawals.grants["g_1"] = time.monotonic() + 60
    refused(await place.call(scheme="Bearer", token=token), "consent-withdrawn")
    assert (await place.call(scheme="Bearer", token=other)).status_code == 200


# --- the rest of the protocol ------------------------------------------------------------------------
async def test_the_interaction_id_is_echoed_whatever_the_answer(place: Place) -> None:
    name, value = "x-fapi-interaction-id", "93bac548-d2de-4546-b106-880a5018460d"
    good = await place.call(place.proof(), **{name: value})
    bad = await place.call(**{name: value})
    assert (good.status_code, bad.status_code) == (200, 401)
    assert good.headers[name] == bad.headers[name] == value
    assert name not in (await place.call(place.proof())).headers
    assert name not in (await place.call(place.proof(), **{name: "x" * 200})).headers
