"""The sandbox process: control plane, portal, documentation and the sandbox's data plane. Live processes load none of it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Router
from litestar.static_files import create_static_files_router

from api.app import FrontDoor, create_app
from api.catalogue import outside
from api.catalogue.lifecycle import retire_due
from api.core import jobs
from api.core.edge_limits import EdgeLimits
from api.gateway import callbacks
from api.gateway.agents import routes as agent_routes
from api.identity.consents.register import follow_everybody
from api.identity.oauth import provider_routes
from api.identity.oauth import routes as oauth_routes
from api.identity.registration import endpoint as registration_endpoint
from api.main import health
from api.main.answers import SandboxCallCounter, outside_of
from api.main.city_upstreams import native_side, register_city
from api.main.control_plane import city_answers, city_side, downloads, platform_routers
from api.main.data_plane import DataPlane
from api.main.faces import Faces
from api.main.judges import register_judges
from api.settings import Settings
from portal.site import page_headers, portal_plugin
from sandbox.city.app_clocks import LOOK_AGAIN_SECONDS
from sandbox.city.identity_provider.routes import provider_router
from sandbox.synthetic import synthetic_connector

CALENDAR_SECONDS = 60.0


def compose_sandbox(
    settings: Settings, plane: DataPlane, *, faces: Faces, lifespan: Sequence[Any], edge: EdgeLimits
) -> FrontDoor:
    """The sandbox process: control plane and sandbox plane."""
    register_judges()
    outside.use(outside_of(settings))
    is_sole = settings.workers == 1 and not settings.limit_share and not settings.redis_url
    side = city_side(settings, is_sole=is_sole)
    plane.register_http()
    native = native_side(settings, side)
    register_city(plane.connectors, settings, side, native, plane.callbacks)
    plane.clocks, plane.clock_of = side.clocks, side.clocks.text_of
    plane.connectors.register("", synthetic_connector)
    portal = portal_plugin(settings, gateway=plane, ring=plane.oauth.ring, vault=plane.vault)
    door = create_app(
        settings,
        gateway=plane,
        handlers=[
            oauth_routes.router,
            provider_routes.router,
            registration_endpoint.router,
            *platform_routers(),
            provider_router,
            agent_routes.router,
            callbacks.router,
            *faces.handlers(),
            *health.handlers(),
            *_documentation(settings),
        ],
        plugins=[
            edge,
            plane.identity(sandbox_calls=SandboxCallCounter(), **city_answers(settings, side)),
            downloads(settings),
            portal,
        ],
        lifespan=[native.running, *lifespan, _calendar, _app_clocks],
        render_page=portal.render_page,
        page_headers=page_headers,
    )
    door.faces.update(faces.by_path())
    door.sockets.update(faces.sockets())
    door.app.state.city = side
    door.app.on_shutdown.append(side.close)
    return door


@asynccontextmanager
async def _calendar(app: Litestar) -> AsyncIterator[None]:
    """Sunsets that have come, also those that came while nothing ran, and who speaks for companies now."""
    await retire_due()
    await follow_everybody()
    async with jobs.running(
        jobs.Job("catalogue.retire_due", CALENDAR_SECONDS, retire_due),
        jobs.Job("consents.follow_register", CALENDAR_SECONDS, follow_everybody),
    ):
        yield


@asynccontextmanager
async def _app_clocks(app: Litestar) -> AsyncIterator[None]:
    """The clocks that apps set in the sandbox, also those that another process has just set."""
    clocks = app.state.city.clocks
    await clocks.refresh()
    async with jobs.running(jobs.Job("sandbox.clocks", LOOK_AGAIN_SECONDS, clocks.refresh)):
        yield


def _documentation(settings: Settings) -> list[Router]:
    site = settings.home_path.resolve() / "site"
    site.mkdir(parents=True, exist_ok=True)
    return [
        create_static_files_router(path="/docs", directories=[site], html_mode=True, include_in_schema=False)
    ]
