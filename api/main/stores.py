"""Which Tortoise apps there are, and where: the one list that `migrate`, `serve` and the commands use."""

from api.core.store import StoreApp, Stores
from api.settings import Settings

APPS = (
    StoreApp("core", "api.core.models"),
    StoreApp("identity", "api.identity.models"),
    StoreApp("catalogue", "api.catalogue.models"),
    StoreApp("endpoints", "api.events.endpoints.models"),
    StoreApp("downloads", "api.downloads.models"),
    StoreApp("graphql", "api.graphql.models"),
    StoreApp("mcp", "api.mcp.models"),
    StoreApp("oauth", "api.identity.oauth.models", is_plane=True),
    StoreApp("gateway", "api.gateway.models", is_plane=True),
    StoreApp("events", "api.events.models", is_plane=True),
    StoreApp("city", "sandbox.city.models", is_plane=True),
)


def stores_of(settings: Settings) -> Stores:
    """The stores that these settings name."""
    return Stores(home=settings.home_path.resolve(), url=settings.database_url, apps=APPS)


# `tortoise -c api.main.stores.TORTOISE makemigrations` reads this; only the labels matter to it.
TORTOISE = stores_of(Settings()).configuration("sandbox")
