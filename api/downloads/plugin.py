"""Downloads as the composition root sees them: one plugin with the workshop and the routes."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from litestar import Litestar
from litestar.config.app import AppConfig
from litestar.plugins import InitPlugin

from api.core import jobs
from api.downloads import routes
from api.downloads.builder import SdkBuilder
from api.downloads.retention import Keep, sweeping
from api.downloads.shelf import Shelf
from api.downloads.workshop import Workshop
from api.settings import Settings


class Downloads(InitPlugin):
    """`name_key` is a secret of the installation: it makes the names of app packages."""

    def __init__(self, settings: Settings, builder: SdkBuilder, name_key: Callable[[], bytes]) -> None:
        shelf = Shelf(settings.home_path.resolve() / "sdk")
        self.workshop = Workshop(shelf, builder, name_key)
        self._retention = sweeping(shelf, Keep(settings.sdk_days, settings.sdk_megabytes * 1_000_000))

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        app_config.state.sdk_workshop = self.workshop
        app_config.route_handlers = [*app_config.route_handlers, *routes.routers]
        app_config.lifespan = [*app_config.lifespan, self._open]
        return app_config

    @asynccontextmanager
    async def _open(self, app: Litestar) -> AsyncIterator[None]:
        async with jobs.running(self._retention):
            try:
                yield
            finally:
                await self.workshop.close()
