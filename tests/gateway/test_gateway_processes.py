"""Two gateway processes on one database: what is withdrawn, used, suspended or retired is so at both."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from api.core import audit, clock, ids, store
from api.core.crypto import Vault, read_or_make_master_key
from api.core.store import Stores
from api.gateway.evidence import verify_evidence
from api.gateway.models import AccessEvidence
from api.identity.models import App, Grant, Mandate
from api.identity.oauth import tokens
from api.identity.oauth.jose import encode_segment, sign_es256
from api.identity.oauth.keys import KeyRing
from tests import databases
from tests.gateway.prover import Prover
from tests.server import Installation, RunningServer

PROPAGATION_SECONDS = 10.0  # a bound for a loaded machine; the promise is one second
FIELDS = [
    "code", "name", "from_year", "to_year", "years.year", "years.revenue_yuan", "years.vat_due_yuan",
    "years.income_tax_due_yuan", "years.surcharges_due_yuan", "years.paid_yuan", "years.unpaid_yuan", "total_paid_yuan",
    "total_unpaid_yuan",
]  # fmt: skip


@dataclass
class Pair:
    """Two sandbox processes, an app with a subscription for consented data, and a company."""

    installation: Installation
    servers: tuple[RunningServer, RunningServer]
    app: dict[str, Any]
    code: str

    @property
    def issuer(self) -> str:
        return self.installation.sandbox_url

    @property
    def origins(self) -> list[str]:
        return [server.url for server in self.servers]

    @property
    def company(self) -> str:
        return f"/api/company/v1/companies/{self.code}"

    @property
    def tax_paid(self) -> str:
        return f"/api/tax/v1/taxpayers/{self.code}/tax-paid"


@pytest.fixture(scope="module")
def pair(migrated: Stores) -> Iterator[Pair]:
    installation = Installation(Path(migrated.home), extra={"KAIMEN_DATABASE_URL": migrated.url})
    installation.seed()
    app = installation.json(
        "app", "create", "--name", "bank", "--subscribe", "company@v1", "--subscribe", "tax@v1:bank-credit"
    )
    code = installation.company_in_business()
    with (
        installation.serving() as first,
        installation.serving(port=databases.free_port()) as second,
    ):
        yield Pair(installation, (first, second), app, code)


@pytest.fixture
async def ring(pair: Pair, stores: Stores) -> KeyRing:
    """The plane's own keys, so that a token can say what a test needs it to say."""
    made = KeyRing("sandbox", Vault(read_or_make_master_key(Path(stores.home) / "master.key")))
    await made.ensure()
    return made


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=30) as made:
        yield made


def token_for(pair: Pair, ring: KeyRing, scope: str = "company:profile:read", **more: Any) -> str:
    audience = more.pop("audience", f"{pair.issuer}/api")
    made = tokens.issue(
        ring, issuer=pair.issuer, audience=audience, client_id=pair.app["client_id"], app_id=pair.app["app_id"],
        scope=scope, seconds=300, **more,
    )  # fmt: skip
    return made.compact


async def consented(pair: Pair, ring: KeyRing, mandate: str = "m_test") -> tuple[Grant, str]:
    """A grant over the company's tax, and a token that rests on it."""
    detail = {
        "type": "kaimen-service", "service": "tax@v1", "operations": ["getTaxPaid"], "fields": FIELDS, "refused": [],
        "purpose": "bank-credit", "until": "2096-01-01T00:00:00Z", "organisation": pair.code, "mandate": mandate,
    }  # fmt: skip
    async with audit.write("citizen:c_test", "consent:give", "app/test") as entry:
        grant = await Grant.create(
            id=ids.random_id("g"), environment="sandbox", app_id=pair.app["app_id"], client_id=pair.app["client_id"],
            subject_id="c_test", organisation=pair.code, mandate_id=mandate, details=[detail], basis="consent",
            created_at=clock.now(),
        )  # fmt: skip
        entry.changed("grant", grant.id)
    token = token_for(
        pair, ring, "tax:tax-paid:read", sub="c_test", grant=grant.id, consent="intl$sha256:0", mandate=mandate,
        authorization_details=(detail,),
    )  # fmt: skip
    return grant, token


async def withdraw(grant: Grant) -> None:
    async with audit.write("citizen:c_test", "consent:withdraw", "app/test") as entry:
        await Grant.filter(id=grant.id, withdrawn_at=None).update(
            withdrawn_at=clock.now(), withdrawn_by="test"
        )
        entry.changed("grant", grant.id)


async def call(
    http: httpx.AsyncClient, origin: str, path: str, token: str, proof: str = ""
) -> httpx.Response:
    headers = {"Authorization": f"{'DPoP' if proof else 'Bearer'} {token}"} | (
        {"DPoP": proof} if proof else {}
    )
    return await http.get(origin + path, headers=headers)


def slug(answer: httpx.Response) -> str:
    return str(answer.json()["type"].split("/")[-2])


async def until_refused(http: httpx.AsyncClient, origin: str, path: str, token: str) -> httpx.Response:
    deadline = time.monotonic() + PROPAGATION_SECONDS
    answer = await call(http, origin, path, token)
    while answer.status_code == 200:
        assert time.monotonic() < deadline, "it is still good at this process"
        await asyncio.sleep(0.02)
        answer = await call(http, origin, path, token)
    return answer


async def test_a_withdrawn_consent_ends_at_every_process(
    pair: Pair, ring: KeyRing, http: httpx.AsyncClient
) -> None:
    grant, token = await consented(pair, ring)
    for origin in pair.origins:
        answer = await call(http, origin, pair.tax_paid, token)
        assert answer.status_code == 200, answer.text
        assert answer.json()["code"] == pair.code
    rows = await AccessEvidence.filter(grant=grant.id).using_db(store.plane("sandbox"))
    assert [(row.person, row.consent, row.mandate, row.purpose, row.basis) for row in rows] == [
        ("c_test", "intl$sha256:0", "m_test", "bank-credit", "consent")
    ] * 2
    assert (await verify_evidence("sandbox"))[1] is None
    await withdraw(grant)
    refused = await asyncio.gather(
        *(until_refused(http, origin, pair.tax_paid, token) for origin in pair.origins)
    )
    assert [(answer.status_code, slug(answer)) for answer in refused] == [(401, "consent-withdrawn")] * 2
    with pair.installation.serving(port=databases.free_port()) as third:  # it was not there when it happened
        answer = await call(http, third.url, pair.tax_paid, token)
        assert (answer.status_code, slug(answer)) == (401, "consent-withdrawn")
        _, fresh = await consented(pair, ring)
        assert (await call(http, third.url, pair.tax_paid, fresh)).status_code == 200


async def test_an_ended_mandate_ends_at_every_process(
    pair: Pair, ring: KeyRing, http: httpx.AsyncClient
) -> None:
    mandate = ids.random_id("m")
    async with audit.write("test", "mandate:delegate", "organisation/test"):
        await Mandate.create(
            id=mandate, environment="sandbox", subject_id="c_test", organisation=pair.code, role="agent", scope="*",
            source="delegation", created_at=clock.now(), created_by="test",
        )  # fmt: skip
    _, token = await consented(pair, ring, mandate)
    for origin in pair.origins:
        assert (await call(http, origin, pair.tax_paid, token)).status_code == 200
    async with audit.write("test", "mandate:revoke", "organisation/test") as entry:
        await Mandate.filter(id=mandate).update(revoked_at=clock.now())
        entry.changed("mandate", mandate)
    for origin in pair.origins:
        answer = await until_refused(http, origin, pair.tax_paid, token)
        assert (answer.status_code, slug(answer)) == (403, "mandate-refused")


async def test_a_proof_is_good_once_over_all_processes(
    pair: Pair, ring: KeyRing, http: httpx.AsyncClient
) -> None:
    prover = Prover()
    token = token_for(pair, ring, cnf={"jkt": prover.jkt})
    address = pair.issuer + pair.company  # the public one, whichever process answers
    for _ in range(5):
        proof = prover.proof("GET", address, token.encode())
        answers = await asyncio.gather(
            *(call(http, origin, pair.company, token, proof) for origin in pair.origins * 4)
        )
        assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7, [
            a.text for a in answers
        ]
        assert {slug(answer) for answer in answers if answer.status_code == 401} == {"proof-replayed"}
    for origin in pair.origins:
        assert (
            await call(http, origin, pair.company, token, prover.proof("GET", address, token.encode()))
        ).status_code == 200
        assert slug(await call(http, origin, pair.company, token)) == "proof-missing"  # bearer downgrade


async def test_a_nonce_of_one_process_is_good_at_the_other(
    pair: Pair, ring: KeyRing, http: httpx.AsyncClient
) -> None:
    prover = Prover()
    token = token_for(pair, ring, cnf={"jkt": prover.jkt})
    address = pair.issuer + pair.company
    late = int(time.time()) - 9000
    answer = await call(
        http, pair.origins[0], pair.company, token, prover.proof("GET", address, token.encode(), iat=late)
    )
    nonce = answer.headers["dpop-nonce"]
    proof = prover.proof("GET", address, token.encode(), iat=late, nonce=nonce)
    answer = await call(http, pair.origins[1], pair.company, token, proof)
    assert answer.status_code == 200, answer.text


async def test_at_aud_other_service(pair: Pair, ring: KeyRing, http: httpx.AsyncClient) -> None:
    for audience in ("/platform", "/graphql", "/mcp", "", "/api/", "/api2"):
        token = token_for(pair, ring, audience=pair.issuer + audience)
        answer = await call(http, pair.origins[0], pair.company, token)
        assert (answer.status_code, slug(answer)) == (401, "token-invalid"), audience
    token = token_for(pair, ring, audience=pair.installation.live_url + "/api")
    assert slug(await call(http, pair.origins[0], pair.company, token)) == "token-invalid"


async def test_at_typ_missing(pair: Pair, ring: KeyRing, http: httpx.AsyncClient) -> None:
    good = token_for(pair, ring)
    payload = good.split(".")[1].encode()
    for typ in ({}, {"typ": ""}, {"typ": "JWT"}, {"typ": "dpop+jwt"}, {"typ": "at+jwt", "crit": ["x"]}):
        header = {"alg": "ES256", "kid": ring.signer.kid, **typ}
        signed = encode_segment(msgspec.json.encode(header)) + b"." + payload
        token = signed + b"." + encode_segment(sign_es256(signed, ring.signer.private_key))
        answer = await call(http, pair.origins[0], pair.company, token.decode())
        assert (answer.status_code, slug(answer)) == (401, "token-invalid"), typ
    assert (await call(http, pair.origins[0], pair.company, good)).status_code == 200


async def test_a_suspended_app_is_refused_at_every_process(
    pair: Pair, ring: KeyRing, http: httpx.AsyncClient
) -> None:
    token = token_for(pair, ring)
    for origin in pair.origins:
        assert (await call(http, origin, pair.company, token)).status_code == 200

    async def set_status(status: str) -> None:
        async with audit.write("test", "app:change", "app/test") as entry:
            await App.filter(id=pair.app["app_id"]).update(status=status)
            entry.changed("app", pair.app["app_id"])

    await set_status("suspended")
    for origin in pair.origins:
        answer = await until_refused(http, origin, pair.company, token)
        assert (answer.status_code, slug(answer)) == (401, "token-revoked")
    await set_status("active")
    for origin in pair.origins:
        assert (await call(http, origin, pair.company, token)).status_code == 200


async def test_a_retired_key_is_trusted_by_no_process_though_its_tokens_were_cached(
    pair: Pair, ring: KeyRing, http: httpx.AsyncClient
) -> None:
    token = token_for(pair, ring)
    for origin in pair.origins:
        assert (await call(http, origin, pair.company, token)).status_code == 200
    kept = token_for(pair, ring)
    shown = await asyncio.to_thread(pair.installation.json, "keys", "rotate")
    assert [row["state"] for row in shown["keys"]].count("active") == 1
    assert (
        await call(http, pair.origins[0], pair.company, kept)
    ).status_code == 200  # rotation refuses nothing
    done = await asyncio.to_thread(pair.installation.json, "keys", "retire", ring.signer.kid)
    assert {row["kid"]: row["state"] for row in done["keys"]}[ring.signer.kid] == "revoked"
    for origin in pair.origins:
        for one in (token, kept):
            answer = await until_refused(http, origin, pair.company, one)
            assert (answer.status_code, slug(answer)) == (401, "token-invalid")
        keys = (await http.get(origin + "/oauth/jwks")).json()["keys"]
        assert ring.signer.kid not in {key["kid"] for key in keys}
    await ring.refresh()
    for origin in pair.origins:
        assert (await call(http, origin, pair.company, token_for(pair, ring))).status_code == 200
    again = pair.installation.command("keys", "retire", "-2no-such-key", check=False)  # as one in 64 begins
    assert again.returncode != 0
    assert "kaimen keys list" in again.stderr + again.stdout
