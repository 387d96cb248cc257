"""An authorization server on each database, spoken to over HTTP as its clients do."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.core.crypto import Vault, read_or_make_master_key
from api.core.store import Stores
from api.identity.oauth import provider_routes
from api.identity.oauth.routes import router
from api.identity.oauth.service import AuthorizationService
from api.settings import Settings
from tests.identity.oauth.plane import Plane, TableRights


@pytest.fixture(scope="module")
async def plane(stores: Stores, settings: Settings) -> AsyncIterator[Plane]:
    """The sandbox plane: its service, and an HTTP client to it."""
    rights = TableRights()
    vault = Vault(read_or_make_master_key(Path(settings.home) / "master.key"))
    service = AuthorizationService(settings, vault, rights)
    door = create_app(settings, handlers=[router, provider_routes.router])
    async with service.lifespan(door.app):
        transport = httpx.ASGITransport(app=door)
        async with httpx.AsyncClient(transport=transport, base_url=service.issuer) as http:
            yield Plane(service=service, http=http, rights=rights, settings=settings, vault=vault)
