"""The composition root: which parts make the application of a process, and in which order they start and stop.

    sandbox process  control plane (portal, platform API, catalogue, docs) and the sandbox's data plane
    live process     the live data plane, and the pages on which citizens consent
    local command    the control plane without portal and data plane, in the command's own process

Parts ask upwards through `outside` (catalogue) and `Installation` (identity); the answers are given here.
"""

import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar

from api.app import FrontDoor, create_app
from api.catalogue import outside
from api.catalogue.plans import ensure_plans
from api.core import store
from api.core.crypto import Vault, read_or_make_master_key
from api.core.edge_limits import EdgeLimits
from api.identity.consents import routes as consent_routes
from api.identity.consents.signed_in import SignedInSubjects
from api.identity.oauth import provider_routes
from api.identity.oauth import routes as oauth_routes
from api.main import health
from api.main.answers import outside_of
from api.main.data_plane import DataPlane
from api.main.faces import Faces
from api.main.stores import stores_of
from api.settings import Settings


def vault_of(settings: Settings) -> Vault:
    """The vault of this installation; its key is made at first use, never a default."""
    return Vault(read_or_make_master_key(settings.home_path.resolve() / "master.key"))


def _stores_lifespan(settings: Settings) -> Any:
    @asynccontextmanager
    async def opened(app: Litestar) -> AsyncIterator[None]:
        async with store.open_stores(stores_of(settings), settings.environment):
            await ensure_plans()  # without them no app could call
            yield

    return opened


def compose(settings: Settings) -> FrontDoor:
    """The application of a server process."""
    plane = DataPlane(settings, vault_of(settings))
    faces = Faces(plane)
    lifespan = [_stores_lifespan(settings), plane.lifespan, faces.running]
    edge = EdgeLimits(settings.trusted_proxies, settings.workers)
    if settings.environment == "live":
        outside.use(outside_of(settings))  # the token endpoint asks the catalogue what an app may have
        plane.register_http()
        pages = importlib.import_module("portal.consent_site")  # kept out of commands: they start sooner
        site = pages.ConsentSite(settings, plane.vault)
        known = SignedInSubjects()
        door = create_app(
            settings,
            gateway=plane,
            handlers=[
                oauth_routes.router,
                provider_routes.router,
                consent_routes.live_router,
                *plane.handlers(),
                *faces.handlers(),
                *health.handlers(),
            ],
            plugins=[edge, plane.identity(subjects=known, register=known), site],
            lifespan=lifespan,
            render_page=site.render_page,
            page_headers=pages.page_headers,
        )
        door.faces.update(faces.by_path())
        door.sockets.update(faces.sockets())
        return door
    sandbox = importlib.import_module("api.main.sandbox_process")  # kept out of live processes: memory
    return sandbox.compose_sandbox(settings, plane, faces=faces, lifespan=lifespan, edge=edge)  # type: ignore[no-any-return]


@asynccontextmanager
async def compose_local(settings: Settings) -> AsyncIterator[FrontDoor]:
    """The control plane for one command, with its stores open, serving nobody else."""
    control = importlib.import_module("api.main.control_plane")
    door: FrontDoor = control.compose_commands(settings, _stores_lifespan(settings))
    async with door.app.lifespan():
        yield door


def platform_openapi() -> dict[str, Any]:
    """The platform API's own contract, generated from its handlers."""
    control = importlib.import_module("api.main.control_plane")
    door: FrontDoor = control.compose_commands(Settings(), None)
    document: dict[str, Any] = door.app.openapi_schema.to_schema()
    return document
