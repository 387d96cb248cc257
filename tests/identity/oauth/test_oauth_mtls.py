"""Client certificates (RFC 8705) from a TLS terminator's header: who is believed, and what is bound."""

import base64
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from msgspec.structs import replace

from api.app import create_app
from api.core import clock
from api.core.crypto import Vault, read_or_make_master_key
from api.core.store import Stores
from api.identity.oauth.routes import router
from api.identity.oauth.service import AuthorizationService
from api.settings import Settings
from tests.identity.oauth.journeys import Journey, assert_error, new_journey
from tests.identity.oauth.plane import Plane, TableRights, new_key

HEADER = "x-client-certificate"
FORM = {"grant_type": "client_credentials"}


@pytest.fixture(scope="module")
def settings(migrated: Stores) -> Settings:
    made = Settings(home=str(migrated.home), database_url=migrated.url, embedded=True)
    return replace(made, client_certificate_header=HEADER, trusted_proxies="127.0.0.0/8")


@pytest.fixture(scope="module")
async def stranger(plane: Plane, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who is no trusted proxy."""
    app = create_app(settings, handlers=[router])
    vault = Vault(read_or_make_master_key(Path(settings.home) / "master.key"))
    service = AuthorizationService(settings, vault, plane.rights)
    async with service.lifespan(app.app):
        transport = httpx.ASGITransport(app=app, client=("192.0.2.7", 1))
        async with httpx.AsyncClient(transport=transport, base_url=plane.issuer) as http:
            yield http


def make_certificate(name: str = "bank", days: int = 30, start: int = -1) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "示例银行"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    )
    builder = builder.serial_number(x509.random_serial_number())
    moment = clock.now() + timedelta(days=start)
    builder = builder.not_valid_before(moment).not_valid_after(moment + timedelta(days=days))
    return builder.sign(key, hashes.SHA256())


def x5t(certificate: x509.Certificate) -> str:
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def header_of(certificate: x509.Certificate, form: str = "nginx") -> dict[str, str]:
    der = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
    values = {
        "nginx": quote(certificate.public_bytes(Encoding.PEM).decode()), "rfc9440": f":{der}:", "plain": quote(der),
    }  # fmt: skip
    return {HEADER: values[form]}


async def new_bank(plane: Plane, certificate: x509.Certificate, **columns: str) -> Journey:
    """An app that authenticates with this certificate, and whose tokens are bound to it."""
    columns = columns or {"certificate_thumbprint": x5t(certificate)}
    journey = await new_journey(plane, auth_method="tls_client_auth", token_binding="mtls", **columns)
    journey.certificate = header_of(certificate)
    return journey


@pytest.mark.parametrize("form", ["nginx", "rfc9440", "plain"])
async def test_the_whole_way(plane: Plane, form: str) -> None:
    certificate = make_certificate()
    bank = await new_bank(plane, certificate)
    bank.certificate = header_of(certificate, form)
    body = (await bank.redeem(await bank.pushed_code())).json()
    assert body["token_type"] == "Bearer"
    claims = await plane.service.claims_of(body["access_token"])
    assert claims is not None
    assert claims.cnf == {"x5t#S256": x5t(certificate)}
    assert (await bank.refresh(body["refresh_token"])).status_code == 200


async def test_by_name(plane: Plane) -> None:
    certificate = make_certificate("by-name")
    bank = await new_bank(plane, certificate, certificate_subject=certificate.subject.rfc4514_string())
    assert (await bank.send("/oauth/token", FORM)).status_code == 200
    bank.certificate = header_of(make_certificate("other-name"))
    assert_error(await bank.send("/oauth/token", FORM), "invalid_client", "another one")
    bank.certificate = header_of(make_certificate("by-name"))  # renewed: another thumbprint, the same name
    assert (await bank.send("/oauth/token", FORM)).status_code == 200


async def test_another_certificate(plane: Plane) -> None:
    bank = await new_bank(plane, make_certificate())
    bank.certificate = header_of(make_certificate())
    assert_error(await bank.send("/oauth/token", FORM), "invalid_client", "another one")


async def test_no_certificate(plane: Plane) -> None:
    bank = await new_bank(plane, make_certificate())
    answer = await plane.http.post("/oauth/token", data={**FORM, "client_id": bank.client.client_id})
    assert_error(answer, "invalid_client", "no client certificate")


async def test_nothing_registered_fits_nothing(plane: Plane) -> None:
    bank = await new_bank(plane, make_certificate(), certificate_thumbprint="")
    assert_error(await bank.send("/oauth/token", FORM), "invalid_client")


async def test_a_stranger_is_not_believed(plane: Plane, stranger: httpx.AsyncClient) -> None:
    certificate = make_certificate()
    bank = await new_bank(plane, certificate)
    form = {**FORM, "client_id": bank.client.client_id}
    answer = await stranger.post("/oauth/token", data=form, headers=header_of(certificate))
    assert_error(answer, "invalid_client", "no client certificate")
    assert (
        await plane.http.post("/oauth/token", data=form, headers=header_of(certificate))
    ).status_code == 200


@pytest.mark.parametrize(
    "value", ["x", ":x:", "::", "%", "-----BEGIN CERTIFICATE-----", "A" * 20000, ":" + "A" * 400 + ":"]
)
async def test_unreadable(plane: Plane, value: str) -> None:
    bank = await new_bank(plane, make_certificate())
    bank.certificate = {HEADER: value}
    assert_error(await bank.send("/oauth/token", FORM), "invalid_request", "terminator")


@pytest.mark.parametrize(("start", "days"), [(-30, 29), (1, 30)], ids=["expired", "not yet valid"])
async def test_not_valid_now(plane: Plane, start: int, days: int) -> None:
    bank = await new_bank(plane, make_certificate(start=start, days=days))
    bank.certificate = header_of(make_certificate(start=start, days=days))
    assert_error(await bank.send("/oauth/token", FORM), "invalid_request", "not valid now")


async def test_two_certificates(plane: Plane) -> None:
    certificate = make_certificate()
    bank = await new_bank(plane, certificate)
    headers = [*header_of(certificate).items()] * 2
    answer = await plane.http.post(
        "/oauth/token", data={**FORM, "client_id": bank.client.client_id}, headers=headers
    )
    assert_error(answer, "invalid_request", "terminator")


async def test_keys_to_prove_and_a_certificate_to_bind(plane: Plane) -> None:
    certificate = make_certificate()
    journey = await new_journey(plane, keys=[new_key()], profile="fapi2", token_binding="mtls")
    journey.proof_key = None
    form = {**FORM}
    answer = await journey.send("/oauth/token", form, headers=header_of(certificate))
    assert answer.status_code == 200, answer.text
    claims = await plane.service.claims_of(answer.json()["access_token"])
    assert claims is not None
    assert claims.cnf == {"x5t#S256": x5t(certificate)}
    assert_error(await journey.send("/oauth/token", form), "invalid_request", "certificate")


async def test_metadata_says_so(plane: Plane) -> None:
    body = (await plane.http.get("/.well-known/oauth-authorization-server")).json()
    assert body["tls_client_certificate_bound_access_tokens"] is True
    assert "tls_client_auth" in body["token_endpoint_auth_methods_supported"]


async def test_where_no_header_is_configured_none_is_read(plane: Plane, stores: Stores) -> None:
    settings = Settings(
        home=plane.settings.home, database_url=plane.settings.database_url, trusted_proxies="127.0.0.0/8"
    )
    certificate = make_certificate()
    bank = await new_bank(plane, certificate)
    service = AuthorizationService(settings, plane.vault, TableRights())
    door = create_app(settings, handlers=[router])
    async with service.lifespan(door.app):
        transport = httpx.ASGITransport(app=door)
        async with httpx.AsyncClient(transport=transport, base_url=plane.issuer) as http:
            form = {**FORM, "client_id": bank.client.client_id}
            answer = await http.post("/oauth/token", data=form, headers=header_of(certificate))
            assert_error(answer, "invalid_client", "no client certificate")
