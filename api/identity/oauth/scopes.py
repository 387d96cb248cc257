"""Which scopes a token may carry: those of the app's active subscriptions, under the platform's own names."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from api.identity.oauth.errors import ScopeRefused

PLATFORM = "platform:"
MAX_SCOPE_BYTES = 5000  # a token with more would not fit the header line that proxies take
_SHOWN = 8


class GrantedScopes(Struct, frozen=True):
    """The scopes that an app may have, and the foreign names under which it may ask for them."""

    names: frozenset[str] = frozenset()
    aliases: dict[str, str] = {}


class PublishedScopes(Struct, frozen=True):
    """The scopes of published services. `offered_by` maps them, and their foreign names, to `company@v1`."""

    names: frozenset[str] = frozenset()
    offered_by: dict[str, str] = {}


def audience_of(scope: str, issuer: str) -> str:
    """Who a token with this scope is for: the platform API, or the services."""
    return f"{issuer}/platform" if scope.startswith(PLATFORM) else f"{issuer}/api"


def allowed_scope(requested: str, granted: GrantedScopes, published: Mapping[str, str]) -> str:
    """The scope of the token: what was asked for, or everything granted where nothing was.

    Raises ScopeRefused naming what is missing and what to do. `published` maps scopes to service versions.
    Platform scopes and service scopes have different audiences and never share a token.
    """
    if not requested:
        names = {name for name in granted.names if not name.startswith(PLATFORM)} or granted.names
    else:
        asked = [part for part in requested.split(" ") if part]
        if any(not part.isascii() or '"' in part or "\\" in part for part in asked):
            raise ScopeRefused("A scope holds characters that no scope may hold (RFC 6749, section 3.3).")
        names = {granted.aliases.get(part, part) for part in asked}
        missing = sorted(names - granted.names)
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


def _explain(missing: list[str], granted: Iterable[str], published: Mapping[str, str]) -> str:
    first = missing[0]
    if first in published:
        service = published[first]
        remedy = f"Subscribe it to {service} in the portal, or run: kaimen subscription add {service}"
    elif first.startswith(PLATFORM):
        remedy = "Use a personal token for the platform API"
    else:
        remedy = "No published service offers it here; check the name against the catalogue"
    return (
        f"The app lacks: {_list(missing)} {remedy}. It has: {_list(granted) if granted else 'no scope yet.'}"
    )


def _list(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else ""
    return ", ".join(ordered[:_SHOWN]) + more + "."
