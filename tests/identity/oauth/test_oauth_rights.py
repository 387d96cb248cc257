"""Scopes as the real catalogue gives them: a foreign document's own names work, and mean no more than ours."""

from collections.abc import AsyncIterator

import httpx
import pytest

from api.app import create_app
from api.catalogue import outside
from api.catalogue import service as catalogue
from api.contract.load import load_files
from api.core.caller import OPERATOR
from api.core.crypto import Vault
from api.core.store import Stores
from api.identity.apps import service as apps
from api.identity.installation import Installation, configure, current
from api.identity.oauth.rights import CatalogueRights
from api.identity.oauth.routes import router
from api.identity.oauth.service import AuthorizationService
from api.main.answers import outside_of
from api.settings import Settings

FOREIGN = b"""
openapi: 3.0.3
info: {title: Harbour Berths, version: "1.2", description: A foreign document with scopes of its own.}
paths:
  /berths:
    get:
      operationId: listBerths
      summary: Berths
      security: [{user: [read:berths]}]
      responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {type: string}}}}}}
    post:
      operationId: bookBerth
      summary: Book a berth
      security: [{user: [write:berths]}]
      requestBody: {content: {application/json: {schema: {type: object}}}}
      responses: {'201': {description: made}}
components:
  securitySchemes:
    user:
      type: oauth2
      flows:
        clientCredentials:
          tokenUrl: https://elsewhere.example/token
          scopes: {read:berths: Read, write:berths: Write}
"""


@pytest.fixture
async def http(stores: Stores, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    asked, installed = outside.ask(), current()
    outside.use(outside_of(settings))
    configure(Installation(settings=settings))
    await catalogue.ensure_plans()
    service = AuthorizationService(settings, Vault(b"m" * 32), CatalogueRights("sandbox"))
    door = create_app(settings, handlers=[router])
    async with service.lifespan(door.app):
        transport = httpx.ASGITransport(app=door)
        async with httpx.AsyncClient(transport=transport, base_url=service.issuer) as client:
            yield client
    outside.use(asked)
    configure(installed)


async def test_scopes_of_a_foreign_document(http: httpx.AsyncClient) -> None:
    report = await catalogue.import_contract(
        OPERATOR, organisation_id="", loaded=load_files({"berths.yaml": FOREIGN}, "berths.yaml")
    )
    version_id = f"{report.service}@{report.version}"
    await catalogue.publish(OPERATOR, version_id, "sandbox")
    made = await apps.create_app(OPERATOR, name="sailor", environment="sandbox")
    credentials = (made.app.client_id, made.secret)

    async def ask(**form: str) -> httpx.Response:
        return await http.post(
            "/oauth/token", data={"grant_type": "client_credentials", **form}, auth=credentials
        )

    assert (await ask()).json()["scope"] == ""
    refused = await ask(scope="read:berths")
    assert f"Subscribe it to {version_id}" in refused.json()["error_description"]

    subscription = await catalogue.subscribe(
        OPERATOR, app_id=made.app.id, organisation_id=made.app.organisation_id, environment="sandbox",
        version_id=version_id,
    )  # fmt: skip
    everything = (await ask()).json()["scope"].split()
    assert len(everything) == 2
    assert all(scope.startswith(f"{report.service}:") for scope in everything)
    reading = (await ask(scope="read:berths")).json()["scope"]
    assert reading in everything
    assert reading.endswith(":read")
    assert set(everything) <= set(
        (await http.get("/.well-known/oauth-authorization-server")).json()["scopes_supported"]
    )

    await catalogue.unsubscribe(OPERATOR, subscription.id)
    assert (await ask()).json()["scope"] == ""
