"""What the catalogue says about scopes: those that an app's subscriptions give, and those that are published."""

from collections import defaultdict
from typing import Protocol

from api.catalogue import rights as catalogue
from api.catalogue.models import Publication
from api.identity.oauth.scopes import PublishedScopes


class Rights(Protocol):
    """Where scopes come from."""

    async def granted(self, app_id: str) -> frozenset[str]:
        """The scopes that the app's active subscriptions open now, under the platform's own names only."""
        ...

    async def published(self) -> PublishedScopes:
        """The scopes of the services that are published in this environment now."""
        ...


class CatalogueRights:
    """The catalogue's answer, for one environment."""

    def __init__(self, environment: str) -> None:
        self._environment = environment

    async def granted(self, app_id: str) -> frozenset[str]:
        """Not catalogue.granted_scopes, where an alias could pass for another service's scope."""
        rows = await catalogue.subscriptions_of(app_id)
        return frozenset(
            [scope for row in rows for one in await catalogue.opened(row) for scope in one.scopes]
        )

    async def published(self) -> PublishedScopes:
        rows = Publication.filter(environment=self._environment, state="published").order_by("id")
        offered_by: dict[str, str] = {}
        aliases: defaultdict[str, set[str]] = defaultdict(set)
        for row in await rows.only("id", "version_id", "offer"):  # a document may be megabytes
            offer = catalogue.decode_offer(row.offer)
            for scope in {scope for operation in offer.operations for scope in operation.scopes}:
                offered_by[scope] = row.version_id
                for alias in offer.aliases.get(scope, ()):
                    aliases[alias].add(scope)
        return PublishedScopes(offered_by, {alias: frozenset(names) for alias, names in aliases.items()})
