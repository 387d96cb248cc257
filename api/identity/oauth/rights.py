"""What the catalogue says about scopes: those that an app's subscriptions give, and those that are published."""

from typing import Protocol

from api.identity.oauth.scopes import GrantedScopes, PublishedScopes


class Rights(Protocol):
    """Where scopes come from: the catalogue (catalogue_rights), or what stands for it."""

    async def granted(self, app_id: str) -> GrantedScopes:
        """The scopes of the app's active subscriptions, as of now."""
        ...

    async def published(self) -> PublishedScopes:
        """The scopes of the services published in this environment, as of now."""
        ...
