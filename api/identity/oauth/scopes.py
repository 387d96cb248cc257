"""Which scopes a token may carry: those of the app's active subscriptions, under the platform's own names."""

from collections.abc import Iterable

from msgspec import Struct

from api.identity.oauth.errors import ScopeRefused

PLATFORM = "platform:"
OF_EVERY_APP = frozenset({"platform:events:read"})  # its own events: nobody has to give it that
IDENTITY = frozenset({"openid", "profile", "offline_access"})  # of OpenID Connect: they open no service
# Everything that the app is subscribed to. An agent learns the name from /mcp's metadata (RFC 9728) and needs to know no other.
SUBSCRIPTIONS = "subscriptions"
MAX_SCOPE_BYTES = 5000  # a token with more would not fit the header line that proxies take
_SHOWN = 8


class PublishedScopes(Struct, frozen=True):
    """Published scopes with the version that offers each (`company@v1`), and the foreign names for them."""

    offered_by: dict[str, str] = {}
    aliases: dict[str, frozenset[str]] = {}


class GrantedScopes(Struct, frozen=True):
    """The scopes that an app may have, and the foreign names under which it may ask for them."""

    names: frozenset[str] = frozenset()
    aliases: dict[str, frozenset[str]] = {}


def grant_scopes(granted: frozenset[str], platform_scopes: str, published: PublishedScopes) -> GrantedScopes:
    """What an app may have: the scopes of its subscriptions, and the platform scopes that its owner gave it.

    A contract cannot give platform scopes, whatever it calls its own.
    """
    of_services = frozenset(scope for scope in granted if not scope.startswith(PLATFORM))
    platform = frozenset(scope for scope in platform_scopes.split() if scope.startswith(PLATFORM))
    aliases = {
        alias: names & of_services for alias, names in published.aliases.items() if names & of_services
    }
    return GrantedScopes(of_services | platform, aliases)


def audience_of(scope: str, issuer: str) -> str:
    """Who a token with this scope is for: the platform API, or the services."""
    return f"{issuer}/platform" if scope.startswith(PLATFORM) else f"{issuer}/api"


def allowed_authorization(requested: str, granted: GrantedScopes, published: PublishedScopes) -> str:
    """The scope that an app may ask a person for; "" for none, where authorization details have to say what.

    Raises ScopeRefused. Nothing is given that was not asked for, and no platform scope: those act for organisations.
    """
    asked = [part for part in requested.split(" ") if part]
    identity = {part for part in asked if part in IDENTITY}
    others = [part for part in asked if part not in IDENTITY]
    if any(part.startswith(PLATFORM) for part in others):
        raise ScopeRefused(
            "Platform scopes act for the app's organisation; ask for them with client_credentials, not from a person."
        )
    services = allowed_scope(" ".join(others), granted, published).split() if others else []
    return " ".join(sorted({*identity, *services}))


def family_scope(requested: str, given: str, granted: GrantedScopes) -> str:
    """The scope of one token where a person agreed to `given`: no more than that, and what the app may still have.

    Raises ScopeRefused.
    """
    agreed = set(given.split())
    asked = {
        name
        for part in requested.split(" ")
        if part
        for name in (agreed if part == SUBSCRIPTIONS else {part} & agreed or _own_names(part, granted))
    }
    if asked - agreed:
        raise ScopeRefused(
            f"The person agreed to: {_list(agreed)} Ask for no more, or start a new authorization. "
            f"Not agreed to: {_list(asked - agreed)}"
        )
    names = {name for name in asked or agreed if name in IDENTITY or name in granted.names}
    if agreed and not names:
        raise ScopeRefused(
            "The app is no longer subscribed to what the person agreed to; subscribe it again."
        )
    return " ".join(sorted(names))


def allowed_scope(requested: str, granted: GrantedScopes, published: PublishedScopes) -> str:
    """The scope of the token: what was asked for, or everything granted where nothing was.

    Raises ScopeRefused naming what is missing and what to do.
    Platform scopes and service scopes have different audiences and never share a token.
    """
    if not requested:
        names = {name for name in granted.names if not name.startswith(PLATFORM)} or granted.names
    else:
        asked = _without_collective(requested.split(" "), granted)
        if any(not part.isascii() or '"' in part or "\\" in part for part in asked):
            raise ScopeRefused("A scope holds characters that no scope may hold (RFC 6749, section 3.3).")
        names = {name for part in asked for name in _own_names(part, granted)}
        missing = sorted(names - granted.names - OF_EVERY_APP)
        if missing:
            raise ScopeRefused(_explain(missing, granted.names, published))
    platform = {name for name in names if name.startswith(PLATFORM)}
    if platform and platform != names:
        raise ScopeRefused(
            "Platform scopes and service scopes do not go into one token; ask for two tokens. "
            f"Platform scopes here: {_list(platform)}"
        )
    scope = " ".join(sorted(names))
    if len(scope) > MAX_SCOPE_BYTES:
        raise ScopeRefused(
            f"The app has {len(names)} scopes, too many for one token. Name those you need in the scope parameter."
        )
    return scope


def _without_collective(asked: list[str], granted: GrantedScopes) -> list[str]:
    """The parts asked for, with all scopes of services in place of `subscriptions`, where the app has any."""
    services = sorted(name for name in granted.names if not name.startswith(PLATFORM))
    made: list[str] = []
    for part in asked:
        made += services if part == SUBSCRIPTIONS and services else [part] if part else []
    return made


def _own_names(asked: str, granted: GrantedScopes) -> Iterable[str]:
    """A name of ours stands for itself, whatever another contract uses it for as an alias."""
    return (asked,) if asked in granted.names | OF_EVERY_APP else granted.aliases.get(asked, (asked,))


def _explain(missing: list[str], granted: Iterable[str], published: PublishedScopes) -> str:
    first = missing[0]
    own = min(published.aliases.get(first, {first}))
    if own in published.offered_by:
        service = published.offered_by[own]
        remedy = f"Subscribe it to {service} in the portal, or run: kaimen subscription add {service}"
    elif first.startswith(PLATFORM):
        remedy = "An owner of the app can give it platform scopes; people use a personal token"
    else:
        remedy = "No published service offers it here; check the name against the catalogue"
    return (
        f"The app lacks: {_list(missing)} {remedy}. It has: {_list(granted) if granted else 'no scope yet.'}"
    )


def _list(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else ""
    return ", ".join(ordered[:_SHOWN]) + more + "."
