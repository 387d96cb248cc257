"""The control plane for a command: the platform API, in the command's own process, with no data plane or portal."""

from typing import Any

from litestar import Router

from api.app import FrontDoor, create_app
from api.catalogue import outside
from api.catalogue import routes as catalogue_routes
from api.core.crypto import Vault, read_or_make_master_key
from api.downloads.plugin import Downloads
from api.events import routes as event_routes
from api.gateway import routes as gateway_routes
from api.gateway.agents import platform_routes as agent_routes
from api.gateway.cases import Cases
from api.gateway.kept_answers import KeptAnswers
from api.graphql import routes as graphql_routes
from api.identity import routes as identity_routes
from api.identity.access import IdentityPlugin
from api.identity.consents.subjects import SubjectIds
from api.identity.installation import Installation
from api.main.answers import SandboxCallCounter, outside_of
from api.main.judges import register_judges
from api.main.sdk_builder import WorkerBuilder
from api.mcp import routes as mcp_routes
from api.settings import Settings
from sandbox.city import routes as city_routes
from sandbox.city.base import CityFile
from sandbox.city.connector import CitySide
from sandbox.city.departments import DEPARTMENTS
from sandbox.city.identity_provider.routes import account_router
from sandbox.city.state import States
from sandbox.city.subjects import CitySubjects


def platform_routers() -> list[Router]:
    """The platform API, whole."""
    return [
        identity_routes.router,
        catalogue_routes.router,
        gateway_routes.router,
        agent_routes.router,
        event_routes.router,
        graphql_routes.router,
        mcp_routes.router,
        city_routes.router,
        account_router,
    ]


def city_side(settings: Settings, *, is_sole: bool = False) -> CitySide:
    """The city's part of a process."""
    home = settings.home_path.resolve()
    side = CitySide(DEPARTMENTS, CityFile(home), States("sandbox", is_sole=is_sole), settings.docs_url)
    vault = Vault(read_or_make_master_key(home / "master.key"))
    side.when_forgotten = [Cases("sandbox", vault).forget, KeptAnswers("sandbox", vault).forget]
    return side


def city_answers(settings: Settings, side: CitySide) -> dict[str, Any]:
    """What the city answers identity in the sandbox: who its people are, and who speaks for its companies."""
    vault = Vault(read_or_make_master_key(settings.home_path.resolve() / "master.key"))
    known = CitySubjects(side.file, SubjectIds(vault, "sandbox"))
    return {"subjects": known, "register": known}


def downloads(settings: Settings) -> Downloads:
    """SDKs: built by workers, named by a key of this installation."""
    home = settings.home_path.resolve()

    def vault() -> Vault:
        return Vault(read_or_make_master_key(home / "master.key"))

    return Downloads(settings, WorkerBuilder(home / "sdk", vault), lambda: vault().derive("sdk:names"))


def compose_commands(settings: Settings, stores: Any | None) -> FrontDoor:
    """The platform API for one command: no data plane, no portal. `stores` is the lifespan that opens the stores."""
    register_judges()
    outside.use(outside_of(settings))
    side = city_side(settings)
    installation = Installation(
        settings=settings, sandbox_calls=SandboxCallCounter(), **city_answers(settings, side)
    )
    door = create_app(
        settings,
        handlers=platform_routers(),
        plugins=[IdentityPlugin(installation), downloads(settings)],
        lifespan=[stores] if stores is not None else [],
    )
    door.app.state.city = side
    door.app.on_shutdown.append(side.close)
    return door
