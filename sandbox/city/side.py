"""The city in a server process: opened by the composition root, closed with the application.

side = open_side(home, "sandbox", docs_url, is_sole=True)
registry.register("city", side.connector)          # upstreams city:DEPARTMENT
create_app(…, handlers=[city.routes.router], plugins=[CityPlugin(side)])
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from litestar import Litestar
from litestar.config.app import AppConfig
from litestar.plugins import InitPlugin

from sandbox.city.base import CityFile
from sandbox.city.connector import CitySide
from sandbox.city.departments import DEPARTMENTS
from sandbox.city.state import States


def open_side(home: Path, environment: str, docs_url: str, *, is_sole: bool = False) -> CitySide:
    """The city of this process. `is_sole`: no other process writes the states of this plane (one worker)."""
    return CitySide(DEPARTMENTS, CityFile(home), States(environment, is_sole=is_sole), docs_url)


class CityPlugin(InitPlugin):
    """Gives the routes their city (`app.state.city`) and closes it with the application."""

    def __init__(self, side: CitySide) -> None:
        self._side = side

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        app_config.state["city"] = self._side
        app_config.lifespan = [*app_config.lifespan, self._closing]
        return app_config

    @asynccontextmanager
    async def _closing(self, app: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await self._side.close()
