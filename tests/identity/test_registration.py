"""Clients that register themselves (RFC 7591, 7592): behind an owner's token, and never with what others have taken."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient, Response

from api.app import create_app
from api.core.crypto import Vault, read_or_make_master_key
from api.identity.models import App, AppSecret, RegistrationToken
from api.identity.oauth import routes as oauth_routes
from api.identity.oauth.rights import CatalogueRights
from api.identity.oauth.service import AuthorizationService
from api.identity.registration import endpoint
from api.identity.registration.service import describe
from tests.identity.conftest import Browser, Platform
from tests.identity.oauth.plane import new_key

CALLBACK = "https://bank.example/callback"
SECRET = {"client_name": "示例银行 Sample Bank", "grant_types": ["client_credentials"]}
CODE = {"client_name": "Sample Bank", "redirect_uris": [CALLBACK]}


@pytest.fixture(scope="module")
async def endpoints(platform: Platform) -> AsyncIterator[AsyncClient]:
    """The authorization server with the registration endpoint."""
    vault = Vault(read_or_make_master_key(platform.settings.home_path / "master.key"))
    service = AuthorizationService(platform.settings, vault, CatalogueRights("sandbox"))
    door = create_app(platform.settings, handlers=[oauth_routes.router, endpoint.router])
    transport = ASGITransport(app=door)
    async with service.lifespan(door.app), AsyncClient(transport=transport, base_url=service.issuer) as http:
        yield http


@pytest.fixture(scope="module")
async def owner(platform: Platform) -> Browser:
    return await platform.person()


async def initial_token(owner: Browser, **options: Any) -> str:
    answer = await owner.post("/registration-tokens", {"label": "tests", **options})
    assert answer.status_code == 201, answer.text
    assert answer.json()["registration_endpoint"].endswith("/oauth/register")
    return str(answer.json()["initial_access_token"])


async def register(http: AsyncClient, token: str, metadata: Any) -> Response:
    return await http.post("/oauth/register", json=metadata, headers={"Authorization": f"Bearer {token}"})


def public_jwks() -> dict[str, Any]:
    return {"keys": [new_key().as_dict(private=False)]}


async def test_a_client_registers_gets_a_token_and_ends_itself(
    owner: Browser, endpoints: AsyncClient
) -> None:
    answer = await register(endpoints, await initial_token(owner), SECRET)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    made = answer.json()
    assert made["client_name"] == SECRET["client_name"]
    assert made["client_secret_expires_at"] == 0
    assert made["registration_client_uri"] == f"{endpoints.base_url}/oauth/register/{made['client_id']}"
    listed = (await owner.get("/apps")).json()["items"]
    assert made["client_id"] in {one["client_id"] for one in listed}  # an app like any other

    credentials = (made["client_id"], made["client_secret"])
    form = {"grant_type": "client_credentials"}
    assert (await endpoints.post("/oauth/token", data=form, auth=credentials)).status_code == 200

    bearer = {"Authorization": f"Bearer {made['registration_access_token']}"}
    shown = await endpoints.get(made["registration_client_uri"], headers=bearer)
    assert shown.status_code == 200
    assert "client_secret" not in shown.json()
    changed = {**SECRET, "client_id": made["client_id"], "contacts": ["help@bank.example"]}
    answer = await endpoints.put(made["registration_client_uri"], json=changed, headers=bearer)
    assert answer.json()["contacts"] == ["help@bank.example"]

    assert (await endpoints.delete(made["registration_client_uri"], headers=bearer)).status_code == 204
    assert (await endpoints.post("/oauth/token", data=form, auth=credentials)).status_code == 401
    gone = await endpoints.get(made["registration_client_uri"], headers=bearer)
    assert gone.status_code == 401
    assert gone.json()["error"] == "invalid_token"


async def test_only_hashes_are_stored(owner: Browser, endpoints: AsyncClient) -> None:
    token = await initial_token(owner)
    made = (await register(endpoints, token, SECRET)).json()
    app = await App.get(client_id=made["client_id"])
    secret = await AppSecret.get(app_id=app.id)
    row = await RegistrationToken.get(hint=token[-4:], organisation_id=app.organisation_id)
    for stored, value in (
        (app.registration_hash, made["registration_access_token"]),
        (secret.hash, made["client_secret"]),
        (row.hash, token),
    ):
        assert stored.startswith("intl$")
        assert value not in stored


async def test_a_fapi_client_registers_with_keys_and_no_secret(
    owner: Browser, endpoints: AsyncClient
) -> None:
    token = await initial_token(owner, profile="fapi2", max_uses=2)
    weak = await register(endpoints, token, CODE)
    assert (weak.status_code, weak.json()["error"]) == (400, "invalid_client_metadata")
    metadata = {**CODE, "token_endpoint_auth_method": "private_key_jwt", "jwks": public_jwks()}
    answer = await register(endpoints, token, metadata)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["kaimen_profile"] == "fapi2"
    assert made["dpop_bound_access_tokens"] is True
    assert made["require_pushed_authorization_requests"] is True
    assert "client_secret" not in made
    assert not await AppSecret.filter(app_id=made["kaimen_app_id"]).exists()
    # the profile never weakens
    bearer = {"Authorization": f"Bearer {made['registration_access_token']}"}
    weaker = {**metadata, "client_id": made["client_id"], "kaimen_profile": "baseline"}
    assert (
        await endpoints.put(made["registration_client_uri"], json=weaker, headers=bearer)
    ).status_code == 400


HOSTILE: dict[str, dict[str, Any]] = {
    "custom-scheme": {"redirect_uris": ["myapp://cb"]},
    "wildcard": {"redirect_uris": ["https://*.a.example/cb"]},
    "metadata-address": {"redirect_uris": ["https://169.254.169.254/"]},
    "metadata-address-mapped": {"redirect_uris": ["https://[::ffff:169.254.169.254]/"]},
    "metadata-address-as-number": {"redirect_uris": ["https://2852039166/"]},
    "metadata-name": {"redirect_uris": ["https://metadata.google.internal/"]},
    "plain-http": {"redirect_uris": ["http://bank.example/cb"]},
    "script": {"redirect_uris": ["javascript:alert(1)"]},
    "fragment": {"redirect_uris": ["https://bank.example/cb#x"]},
    "user-name": {"redirect_uris": ["https://a@bank.example/cb"]},
    "dot-segments": {"redirect_uris": ["https://bank.example/a/%2e%2e/cb"]},
    "nul": {"redirect_uris": ["https://bank.example/\x00"]},
    "no-list": {"redirect_uris": "https://bank.example/cb"},
    "no-texts": {"redirect_uris": [1]},
    "none-needed-but-missing": {"redirect_uris": []},
    "logout": {"post_logout_redirect_uris": ["http://bank.example/"]},
    "jwks-uri-private": {"jwks_uri": "http://169.254.169.254/latest"},
    "jwks-uri": {"jwks_uri": "https://bank.example/jwks"},
    "symmetric-key": {"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}, "token_endpoint_auth_method": "private_key_jwt"},
    "private-key": {"jwks": {"keys": [new_key().as_dict(private=True)]}},
    "key-method-without-key": {"token_endpoint_auth_method": "private_key_jwt"},
    "unknown-method": {"token_endpoint_auth_method": "zzz"},
    "hmac-method": {"token_endpoint_auth_method": "client_secret_jwt"},
    "method-no-text": {"token_endpoint_auth_method": ["none"]},
    "public-acts-for-itself": {"token_endpoint_auth_method": "none", "grant_types": ["client_credentials"]},
    "implicit": {"grant_types": ["implicit"]},
    "implicit-response": {"response_types": ["token"]},
    "refresh-alone": {"grant_types": ["refresh_token"]},
    "statement": {"software_statement": "a.b.c"},
    "other-signature": {"id_token_signed_response_alg": "HS256"},
    "pairwise": {"subject_type": "pairwise"},
    "fapi-with-secret": {"kaimen_profile": "fapi2"},
    "two-bindings": {"dpop_bound_access_tokens": True, "tls_client_certificate_bound_access_tokens": True},
    "flag-no-bool": {"dpop_bound_access_tokens": "yes"},
    "certificate-without-subject": {"token_endpoint_auth_method": "tls_client_auth"},
    "name-with-address": {"client_name": "see https://evil.example"},
    "name-with-override": {"client_name": "\u202eknab"},
    "name-no-text": {"client_name": {"a": 1}},
    "contacts-no-list": {"contacts": "a@b.example"},
}  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_metadata_is_refused_and_costs_nothing(
    owner: Browser, endpoints: AsyncClient, unspent: str, hostile: dict[str, Any]
) -> None:
    apps = await App.all().count()
    answer = await register(endpoints, unspent, {**CODE, **hostile})
    assert answer.status_code == 400, answer.text
    body = answer.json()
    about_redirects = any(name == "redirect_uris" for name in hostile)
    expected = "invalid_redirect_uri" if about_redirects else "invalid_client_metadata"
    assert body["error"] == ("invalid_software_statement" if "software_statement" in hostile else expected)
    assert len(body["error_description"]) > 15
    assert await App.all().count() == apps


@pytest.fixture(scope="module")
async def unspent(owner: Browser) -> str:
    return await initial_token(owner)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'"x"', b"\xff", b"[" * 5000, b'{"client_name":"\\ud800"}']
)
async def test_a_body_that_is_no_metadata(
    owner: Browser, endpoints: AsyncClient, unspent: str, body: bytes
) -> None:
    headers = {"Authorization": f"Bearer {unspent}", "Content-Type": "application/json"}
    answer = await endpoints.post("/oauth/register", content=body, headers=headers)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] == "invalid_client_metadata"


async def test_the_token_was_not_spent_by_refusals(endpoints: AsyncClient, unspent: str) -> None:
    assert (await register(endpoints, unspent, CODE)).status_code == 201
    assert (await register(endpoints, unspent, CODE)).status_code == 401  # but by this


async def test_eight_racers_spend_one_token_once(owner: Browser, endpoints: AsyncClient) -> None:
    token = await initial_token(owner)
    answers = await asyncio.gather(*(register(endpoints, token, SECRET) for _ in range(8)))
    assert sorted(one.status_code for one in answers) == [201] + [401] * 7


async def test_a_revoked_token_registers_nothing(owner: Browser, endpoints: AsyncClient) -> None:
    made = (await owner.post("/registration-tokens", {"label": "gone"})).json()
    revoked = await owner.send("DELETE", f"/registration-tokens/{made['token_id']}")
    assert revoked.json()["is_active"] is False
    answer = await register(endpoints, made["initial_access_token"], SECRET)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    listed = (await owner.get("/registration-tokens")).json()["items"]
    assert made["token_id"] not in {one["token_id"] for one in listed}


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x", "Basic eDp4", "Bearer \x7f", "Bearer " + "a" * 5000]
)
async def test_nobody_registers_without_a_token(endpoints: AsyncClient, header: str) -> None:
    answer = await endpoints.post("/oauth/register", json=SECRET, headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_token"


async def test_only_owners_make_tokens(platform: Platform, owner: Browser) -> None:
    stranger, anonymous = await platform.person(), platform.browser()
    organisation = (await owner.get("/organisations")).json()["items"][0]["organisation_id"]
    body = {"label": "x", "organisation": organisation}
    assert (await stranger.post("/registration-tokens", body)).status_code in {403, 404}
    assert (await anonymous.post("/registration-tokens", body)).status_code == 401
    assert (await anonymous.get("/registration-tokens")).status_code == 401
    made = (await owner.post("/registration-tokens", body)).json()
    assert (await stranger.send("DELETE", f"/registration-tokens/{made['token_id']}")).status_code == 404


async def test_an_update_is_of_the_client_by_the_client(owner: Browser, endpoints: AsyncClient) -> None:
    token = await initial_token(owner, max_uses=2)
    first, second = [(await register(endpoints, token, SECRET)).json() for _ in range(2)]
    bearer = {"Authorization": f"Bearer {first['registration_access_token']}"}
    uri = first["registration_client_uri"]
    good = {**SECRET, "client_id": first["client_id"]}
    assert (await endpoints.get(second["registration_client_uri"], headers=bearer)).status_code == 401
    for bad in (
        SECRET,
        {**good, "client_id": second["client_id"]},
        {**good, "client_secret": "mine"},
        {**good, "client_secret": second["client_secret"]},
        {**good, "registration_access_token": "x"},
        {**good, "client_id_issued_at": 1},
    ):
        answer = await endpoints.put(uri, json=bad, headers=bearer)
        assert answer.status_code == 400, bad
    own = {**good, "client_secret": first["client_secret"]}
    assert (await endpoints.put(uri, json=own, headers=bearer)).status_code == 200
    # to keys and back: the secrets go, and a new one comes
    keys = {**good, "token_endpoint_auth_method": "private_key_jwt", "jwks": public_jwks()}
    assert (await endpoints.put(uri, json=keys, headers=bearer)).status_code == 200
    form = {"grant_type": "client_credentials"}
    old = (first["client_id"], first["client_secret"])
    assert (await endpoints.post("/oauth/token", data=form, auth=old)).status_code == 401
    back = (await endpoints.put(uri, json=good, headers=bearer)).json()
    fresh = (first["client_id"], back["client_secret"])
    assert (await endpoints.post("/oauth/token", data=form, auth=fresh)).status_code == 200
    assert (await endpoints.post("/oauth/token", data=form, auth=old)).status_code == 401


@pytest.mark.parametrize("client_id", ["kt_0", "%00", "a" * 200, "..", "kl_0123", "码"])
async def test_strange_client_ids_are_no_failure(endpoints: AsyncClient, client_id: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = await endpoints.request(
            method, f"/oauth/register/{client_id}", headers={"Authorization": "Bearer kra_x"}
        )
        assert answer.status_code in {400, 401, 404, 405}, answer.text


async def test_what_is_described_registers_again(owner: Browser, endpoints: AsyncClient) -> None:
    """The answer is metadata itself: sent back, it gives the same client."""
    token = await initial_token(owner, max_uses=2)
    metadata = {
        **CODE, "token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "refresh_token"],
        "kaimen_retention": "30 天 days", "contacts": ["help@bank.example"],
    }  # fmt: skip
    first = (await register(endpoints, token, metadata)).json()
    again = await register(endpoints, token, first)
    assert again.status_code == 201, again.text
    varying = {"client_id", "client_id_issued_at", "kaimen_app_id"}
    shapes = [describe(await App.get(client_id=one["client_id"])) for one in (first, again.json())]
    assert {k: v for k, v in shapes[0].items() if k not in varying} == {
        k: v for k, v in shapes[1].items() if k not in varying
    }
