"""Consent in the sandbox over HTTP: as a shell gives it, with a developer's session or the app's own secret."""

import base64
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from api.app import create_app
from api.core import clock
from api.core.caller import OPERATOR, Caller, CallerKind
from api.core.crypto import Vault, read_or_make_master_key
from api.core.models import JournalEntry
from api.identity.access import IdentityPlugin
from api.identity.apps.secrets import add_secret
from api.identity.installation import Installation, configure, current
from api.identity.models import App, AppSecret, Grant
from api.identity.oauth import tokens
from api.identity.oauth.rights import CatalogueRights
from api.identity.oauth.service import AuthorizationService
from api.identity.routes import router
from api.settings import Settings
from tests.identity.consents.conftest import World

DEVELOPER = "pretend-developer"
STRANGER = "pretend-stranger"


class Shell:
    """An HTTP client, and the callers that its bearer tokens stand for."""

    def __init__(self, http: httpx.AsyncClient, service: AuthorizationService) -> None:
        self.http = http
        self.service = service

    async def grant(self, world: World, auth: str = "", **body: object) -> httpx.Response:
        headers = {"Authorization": auth or f"Bearer {DEVELOPER}"}
        asked = {"persona": "lin-xi", "app_id": world.app.id, **body}
        return await self.http.post("/platform/v1/sandbox/grants", json=asked, headers=headers)


@pytest.fixture(scope="module")
async def shell(world: World, settings: Settings) -> AsyncIterator[Shell]:
    people = {
        DEVELOPER: Caller(
            CallerKind.PERSON,
            "p_1",
            "开发者",
            organisations={world.app.organisation_id: frozenset({"owner"})},
        ),
        STRANGER: Caller(CallerKind.PERSON, "p_2", "路人", organisations={"o_x": frozenset({"owner"})}),
    }

    async def caller_of(token: str, request: object = None) -> Caller | None:
        return people.get(token)

    before = current()
    installation = Installation(
        settings=settings, subjects=before.subjects, register=before.register, platform_caller=caller_of
    )
    vault = Vault(read_or_make_master_key(settings.home_path / "master.key"))
    service = AuthorizationService(settings, vault, CatalogueRights("sandbox"))
    door = create_app(settings, handlers=[router], plugins=[IdentityPlugin(installation)])
    async with service.lifespan(door.app):
        transport = httpx.ASGITransport(app=door)
        async with httpx.AsyncClient(transport=transport, base_url=service.issuer) as http:
            yield Shell(http, service)
    configure(before)


def basic(app: App, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{app.client_id}:{secret}".encode()).decode()


async def test_a_grant_with_a_token_that_names_it(shell: Shell, world: World) -> None:
    answer = await shell.grant(world, purpose="bank-credit")
    assert answer.status_code == 201, answer.text
    body = answer.json()
    row = await Grant.get(id=body["grant"]["id"])
    lin = await world.persona("lin-xi")
    assert (row.subject_id, row.environment, row.withdrawn_at) == (lin.id, "sandbox", None)
    claims = tokens.verify(
        body["token"]["access_token"].encode(),
        shell.service.ring,
        shell.service.issuer,
        f"{shell.service.issuer}/api",
    )
    assert (claims.sub, claims.grant, claims.consent) == (lin.id, row.id, row.text_hash)
    assert claims.mandate == row.mandate_id
    assert claims.scope == row.scope == "tax:tax-paid:read tax:vat:read", "all that rests on consent there"
    assert claims.authorization_details[0]["organisation"] == row.organisation
    assert body["text"]["hash"] == body["grant"]["text_hash"]
    assert lin.name not in answer.text, "neither grant nor text names a person"
    assert lin.national["number"] not in answer.text


async def test_the_only_purpose_need_not_be_named(shell: Shell, world: World) -> None:
    answer = await shell.grant(world)
    assert answer.status_code == 201
    assert answer.json()["grant"]["services"][0]["purpose"] == "bank-credit"


async def test_fields_can_be_refused(shell: Shell, world: World) -> None:
    answer = await shell.grant(
        world, refuse=["years.revenue_yuan", "tax@v1:bank-credit:field:total_unpaid_yuan"]
    )
    service = answer.json()["grant"]["services"][0]
    assert set(service["refused"]) == {"years.revenue_yuan", "total_unpaid_yuan"}
    assert "years.revenue_yuan" not in service["fields"]
    wrong = await shell.grant(world, refuse=["no-such-field"])
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (400, "/refuse/0")


async def test_the_app_itself_by_its_secret(shell: Shell, world: World) -> None:
    _, secret = await add_secret(OPERATOR, world.app.id, "shell")
    answer = await shell.grant(world, auth=basic(world.app, secret))
    assert answer.status_code == 201, answer.text
    for auth in (
        basic(world.app, "kts_wrong"), "Basic !!!", "Basic " + base64.b64encode(b"nobody").decode(),
        "Basic " + base64.b64encode(b"kt_\0:x").decode(), "Basic " + "A" * 2000,
    ):  # fmt: skip
        refused = await shell.grant(world, auth=auth)
        assert (refused.status_code, refused.json()["rule"]) == (401, "client-unknown"), auth
    await AppSecret.filter(app_id=world.app.id, label="shell").update(
        expires_at=clock.now() - timedelta(seconds=1)
    )
    assert (await shell.grant(world, auth=basic(world.app, secret))).status_code == 401


async def test_others_do_not_see_the_app(shell: Shell, world: World) -> None:
    assert (await shell.grant(world, auth=f"Bearer {STRANGER}")).status_code == 404
    answer = await shell.http.post(
        "/platform/v1/sandbox/grants", json={"persona": "lin-xi", "app_id": world.app.id}
    )
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        ({"persona": "nobody"}, 404, "not-found"),
        ({"persona": "wang-jianguo", "organisation": "91990103MA0000049U"}, 403, ""),
        ({"purpose": "gambling"}, 400, "/purpose"),
        ({"authorization_details": [{"type": "other"}]}, 400, "/authorization_details"),
        ({"until": "2020-01-01"}, 400, "/authorization_details"),
        ({"persona": "chen-xiaoman"}, 403, "guardian-required"),
        ({"persona": "lin-xi\0"}, 400, ""),
        ({"unknown": 1}, 400, ""),
        ({"scope": "tax:rating:read"}, 400, "/authorization_details"),
    ],
)
async def test_what_is_refused(
    shell: Shell, world: World, body: dict[str, object], status: int, where: str
) -> None:
    answer = await shell.grant(world, **body)
    assert answer.status_code == status, answer.text
    problem = answer.json()
    assert problem["next"]
    assert where in {"", problem["rule"], (problem.get("errors") or [{}])[0].get("pointer")}


async def test_no_persona_consents_live(shell: Shell, world: World) -> None:
    live = await world.bank_app()
    await App.filter(id=live.id).update(
        environment="live",
        client_id=live.client_id.replace("kt_", "kl_"),
        organisation_id=world.app.organisation_id,
    )
    answer = await shell.grant(world, app_id=live.id)
    assert (answer.status_code, answer.json()["rule"]) == (409, "sandbox-only")
    before = current()
    configure(
        Installation(
            settings=Settings(environment="live"),
            subjects=before.subjects,
            platform_caller=before.platform_caller,
        )
    )
    try:
        answer = await shell.grant(world)
        assert (answer.status_code, answer.json()["rule"]) == (409, "sandbox-only")
    finally:
        configure(before)


async def test_an_app_with_bound_tokens_gets_none_here(shell: Shell, world: World) -> None:
    bound = await world.bank_app("tax@v1:bank-credit", token_binding="dpop")
    await App.filter(id=bound.id).update(organisation_id=world.app.organisation_id)
    answer = await shell.grant(world, app_id=bound.id)
    assert (answer.status_code, answer.json()["rule"]) == (409, "token-bound")


async def test_withdrawing_and_listing(shell: Shell, world: World) -> None:
    made = (await shell.grant(world)).json()["grant"]
    headers = {"Authorization": f"Bearer {DEVELOPER}"}
    address = f"/platform/v1/sandbox/grants/{made['id']}"
    assert (
        await shell.http.delete(address, headers={"Authorization": f"Bearer {STRANGER}"})
    ).status_code == 404
    ended = await shell.http.delete(address, headers=headers)
    assert (ended.status_code, ended.json()["grant"]["state"]) == (200, "withdrawn")
    entries = await JournalEntry.filter(action="consent:withdraw").count()
    assert (await shell.http.delete(address, headers=headers)).status_code == 200
    assert await JournalEntry.filter(action="consent:withdraw").count() == entries, "once"
    assert (await shell.http.delete(f"{address}x", headers=headers)).status_code == 404
    listed = await shell.http.get(f"/platform/v1/apps/{world.app.id}/grants?limit=2", headers=headers)
    assert listed.status_code == 200
    assert len(listed.json()["items"]) == 2
    assert listed.json()["next"]
    assert made["id"] in {one["id"] for one in listed.json()["items"]}
    assert "subject" not in listed.text
    hidden = await shell.http.get(
        f"/platform/v1/apps/{world.app.id}/grants", headers={"Authorization": f"Bearer {STRANGER}"}
    )
    assert hidden.status_code == 404
