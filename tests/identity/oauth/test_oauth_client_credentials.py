"""An app gets a token with its secret, as much as it is subscribed to, and every refusal says what to do."""

import base64
from datetime import timedelta

import httpx
import pytest

from api.core import clock, ids
from api.identity.oauth import tokens
from tests.identity.oauth.plane import SCOPES, Plane

COMPANY, REPORT, TAX = SCOPES


def assert_refused(answer: httpx.Response, error: str, *words: str, status: int = 400) -> str:
    """The RFC 6749 body of a refusal, its words in the description, and nothing cached."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["error"] == error
    description = body["error_description"]
    assert all(" " <= character <= "~" and character not in '"\\' for character in description)
    for word in words:
        assert word in description, description
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    return str(description)


async def test_basic_gives_every_granted_scope(plane: Plane) -> None:
    client = await plane.new_app(COMPANY, TAX)
    answer = await plane.ask(client)
    assert answer.status_code == 200
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 600
    assert body["scope"] == f"{COMPANY} {TAX}"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    claims = tokens.verify(
        body["access_token"].encode(), plane.service.ring, plane.issuer, plane.issuer + "/api"
    )
    assert (claims.sub, claims.client_id, claims.app) == (client.client_id, client.client_id, client.app_id)
    assert (claims.env, claims.scope) == ("sandbox", f"{COMPANY} {TAX}")
    assert claims.exp - claims.iat == 600


async def test_post_gives_the_same(plane: Plane) -> None:
    client = await plane.new_app(COMPANY)
    answer = await plane.http.post(
        "/oauth/token",
        data={
            "grant_type": "client_credentials",
            "client_id": client.client_id,
            "client_secret": client.secret,
        },
    )
    assert answer.status_code == 200
    assert answer.json()["scope"] == COMPANY


async def test_basic_credentials_may_be_form_encoded(plane: Plane) -> None:
    client = await plane.new_app(COMPANY)
    secret = "".join(f"%{ord(character):02X}" for character in client.secret)
    token = base64.b64encode(f"{client.client_id}:{secret}".encode()).decode()
    answer = await plane.http.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, headers={"Authorization": f"basic {token}"}
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("how", ["header", "body"])
async def test_wrong_secret_and_unknown_client_read_the_same(plane: Plane, how: str) -> None:
    client = await plane.new_app(COMPANY)
    stranger = ids.random_id("kt")
    seen = set()
    for client_id, secret in (
        (client.client_id, "kts_wrong"),
        (stranger, client.secret),
        (stranger, "kts_wrong"),
    ):
        if how == "header":
            answer = await plane.http.post(
                "/oauth/token", data={"grant_type": "client_credentials"}, auth=(client_id, secret)
            )
            assert answer.headers["www-authenticate"].startswith("Basic realm=")
            seen.add(assert_refused(answer, "invalid_client", status=401))
        else:
            form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
            answer = await plane.http.post("/oauth/token", data=form)
            assert "www-authenticate" not in answer.headers
            seen.add(assert_refused(answer, "invalid_client"))
    assert len(seen) == 1


async def test_no_credentials_names_the_methods(plane: Plane) -> None:
    answer = await plane.http.post("/oauth/token", data={"grant_type": "client_credentials"})
    assert_refused(answer, "invalid_client", "client_secret_basic", "private_key_jwt")


async def test_confidential_without_secret(plane: Plane) -> None:
    client = await plane.new_app(COMPANY)
    form = {"grant_type": "client_credentials", "client_id": client.client_id}
    assert_refused(await plane.http.post("/oauth/token", data=form), "invalid_client")
    assert_refused(
        await plane.http.post("/oauth/token", data={**form, "client_secret": ""}), "invalid_client"
    )


async def test_two_auth_methods(plane: Plane) -> None:
    client = await plane.new_app(COMPANY)
    answer = await plane.ask(client, client_secret=client.secret, client_id=client.client_id)
    assert_refused(answer, "invalid_request", "two authentication methods")
    answer = await plane.ask(client, client_assertion="a.b.c", client_assertion_type="x")
    assert_refused(answer, "invalid_request", "two authentication methods")


async def test_another_client_id_in_the_body(plane: Plane) -> None:
    client, other = await plane.new_app(COMPANY), await plane.new_app(COMPANY)
    answer = await plane.ask(client, client_id=other.client_id)
    assert_refused(answer, "invalid_client", "client_id in the body", status=401)
    assert (await plane.ask(client, client_id=client.client_id)).status_code == 200


async def test_scope_asked_for_is_scope_given(plane: Plane) -> None:
    client = await plane.new_app(COMPANY, REPORT, TAX)
    answer = await plane.ask(client, scope=f"{TAX}  {COMPANY}")
    assert answer.json()["scope"] == f"{COMPANY} {TAX}"


async def test_missing_scope_names_it_and_the_service(plane: Plane) -> None:
    client = await plane.new_app(COMPANY)
    answer = await plane.ask(client, scope=f"{COMPANY} {TAX}")
    assert_refused(answer, "invalid_scope", TAX, "Subscribe it to tax@v1", COMPANY)


async def test_scope_that_nobody_offers(plane: Plane) -> None:
    client = await plane.new_app(COMPANY)
    assert_refused(await plane.ask(client, scope="moon:phase:read"), "invalid_scope", "No published service")


@pytest.mark.parametrize("scope", ["读:公司", 'a"b', "a\\b", "\u00a0", "x" * 16000])
async def test_scope_with_other_characters(plane: Plane, scope: str) -> None:
    client = await plane.new_app(COMPANY)
    assert_refused(await plane.ask(client, scope=scope), "invalid_scope")


async def test_foreign_scope_is_mapped(plane: Plane) -> None:
    plane.rights.names |= {"vat:vat:read": "vat@v1", "vat:vat:write": "vat@v1"}
    plane.rights.aliases["read:vat"] = frozenset({"vat:vat:read"})
    await plane.publish()
    client = await plane.new_app("vat:vat:read")
    assert (await plane.ask(client, scope="read:vat")).json()["scope"] == "vat:vat:read"
    assert (await plane.ask(client)).json()["scope"] == "vat:vat:read"
    other = await plane.new_app(COMPANY)
    assert_refused(
        await plane.ask(other, scope="read:vat"), "invalid_scope", "read:vat", "Subscribe it to vat@v1"
    )


async def test_alias_with_the_name_of_another_service_opens_nothing_there(plane: Plane) -> None:
    plane.rights.names["evil:thing:read"] = "evil@v1"
    plane.rights.aliases[TAX] = frozenset({"evil:thing:read"})
    await plane.publish()
    client = await plane.new_app("evil:thing:read")
    assert (await plane.ask(client)).json()["scope"] == "evil:thing:read"
    assert (await plane.ask(client, scope=TAX)).json()["scope"] == "evil:thing:read"
    del plane.rights.aliases[TAX]
    await plane.publish()


async def test_a_contract_gives_no_platform_scope(plane: Plane) -> None:
    client = await plane.new_app(COMPANY)
    plane.rights.of_app[client.app_id] |= {"platform:apps:write"}
    assert_refused(await plane.ask(client, scope="platform:apps:write"), "invalid_scope", "owner of the app")


async def test_app_without_subscription_gets_an_empty_scope(plane: Plane) -> None:
    client = await plane.new_app()
    answer = await plane.ask(client)
    assert answer.status_code == 200
    assert answer.json()["scope"] == ""


async def test_platform_scopes_have_their_own_audience(plane: Plane) -> None:
    client = await plane.new_app(COMPANY, "platform:apps:read")
    assert (await plane.ask(client)).json()["scope"] == COMPANY
    token = await plane.token(client, scope="platform:apps:read")
    ring, issuer = plane.service.ring, plane.issuer
    assert tokens.verify(token.encode(), ring, issuer, issuer + "/platform").scope == "platform:apps:read"
    answer = await plane.ask(client, scope=f"{COMPANY} platform:apps:read")
    assert_refused(answer, "invalid_scope", "two tokens")


async def test_app_with_platform_scopes_alone(plane: Plane) -> None:
    client = await plane.new_app("platform:apps:read")
    assert (await plane.ask(client)).json()["scope"] == "platform:apps:read"


async def test_more_scopes_than_a_token_holds(plane: Plane) -> None:
    many = [f"service{number}:resource:read" for number in range(300)]
    client = await plane.new_app(*many)
    assert_refused(await plane.ask(client), "invalid_scope", "300 scopes")
    assert (await plane.ask(client, scope=many[7])).json()["scope"] == many[7]


async def test_credential_of_the_live_plane_is_refused_by_name(plane: Plane) -> None:
    client = await plane.new_app(COMPANY, environment="live")
    endpoint = plane.settings.issuer_of("live") + "/oauth/token"
    answer = await plane.ask(client)
    assert_refused(answer, "invalid_client", "live environment", "sandbox environment", endpoint, status=401)
    form = {"grant_type": "client_credentials", "client_id": client.client_id, "client_secret": client.secret}
    assert_refused(await plane.http.post("/oauth/token", data=form), "invalid_client", endpoint)


async def test_revoked_secret_is_refused_at_once_and_explained_to_its_owner_only(plane: Plane) -> None:
    client = await plane.new_app(COMPANY)
    assert (await plane.ask(client)).status_code == 200
    await plane.change_secret(client, revoked_at=clock.now())
    assert_refused(await plane.ask(client), "invalid_client", "revoked", client.secret[-4:], status=401)
    client.secret = "kts_wrong"
    assert "revoked" not in assert_refused(await plane.ask(client), "invalid_client", status=401)


async def test_expired_secret_tells_when(plane: Plane) -> None:
    client = await plane.new_app(COMPANY, expires_at=clock.now() - timedelta(seconds=1))
    assert_refused(await plane.ask(client), "invalid_client", "expired at 20", status=401)


@pytest.mark.parametrize(("status", "word"), [("suspended", "suspended"), ("deleted", "deleted")])
async def test_app_that_may_not_act(plane: Plane, status: str, word: str) -> None:
    client = await plane.new_app(COMPANY)
    assert (await plane.ask(client)).status_code == 200
    await plane.change_app(client, status=status)
    assert_refused(await plane.ask(client), "invalid_client", word, status=401)
    owner, client.secret = client.secret, "kts_wrong"
    assert word not in assert_refused(await plane.ask(client), "invalid_client", status=401)
    client.secret = owner
    await plane.change_app(client, status="active")
    assert (await plane.ask(client)).status_code == 200


async def test_app_that_signs_may_not_use_a_secret(plane: Plane) -> None:
    client = await plane.new_app(COMPANY)
    await plane.change_app(client, auth_method="private_key_jwt")
    assert_refused(await plane.ask(client), "invalid_client", "private_key_jwt", status=401)


@pytest.mark.parametrize("grant_type", ["password", "implicit", "码", 'a"b\\c'])
async def test_implicit_and_password_refused(plane: Plane, grant_type: str) -> None:
    client = await plane.new_app(COMPANY)
    answer = await plane.ask(client, grant_type=grant_type)
    assert_refused(answer, "unsupported_grant_type", "client_credentials")


async def test_no_grant_type(plane: Plane) -> None:
    client = await plane.new_app(COMPANY)
    answer = await plane.ask(client, grant_type="")
    assert_refused(answer, "invalid_request", "grant_type=client_credentials")


async def test_new_subscription_counts_at_once(plane: Plane) -> None:
    client = await plane.new_app(COMPANY)
    assert (await plane.ask(client)).json()["scope"] == COMPANY
    plane.rights.of_app[client.app_id] = frozenset({COMPANY, TAX})
    await plane.change_app(client)
    assert (await plane.ask(client)).json()["scope"] == f"{COMPANY} {TAX}"
