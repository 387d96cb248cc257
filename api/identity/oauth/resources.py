"""Resource indicators (RFC 8707): which audience a token is for.

`{issuer}/api` covers the services on every face; a client may name one face alone, and gets a token that the others
refuse. `{issuer}/platform` is the platform API. Every other name is `invalid_target`.
"""

from api.identity.oauth.errors import TargetRefused
from api.identity.oauth.scopes import audience_of

FACES = ("api", "graphql", "mcp")


def audience_for(resource: str, scope: str, issuer: str) -> str:
    """The audience of a token with this scope; `resource` is what the client named, "" for nothing.

    Raises TargetRefused.
    """
    natural = audience_of(scope, issuer)
    if not resource or resource == natural:
        return natural
    known = [f"{issuer}/{face}" for face in FACES]
    if resource in known and natural == known[0]:
        return resource
    if resource in {*known, f"{issuer}/platform"}:
        raise TargetRefused(f"The scope asked for belongs to {natural}, not to the resource that was named.")
    raise TargetRefused(
        f"There is no such resource here. Name one of: {', '.join(known)}, or leave resource out for all of them."
    )


def narrowed_audience(resource: str, audience: str, issuer: str) -> str:
    """The audience of one token where the whole authorization is for `audience`. Raises TargetRefused."""
    if not resource or resource == audience:
        return audience
    if audience == f"{issuer}/api" and resource in {f"{issuer}/{face}" for face in FACES}:
        return resource
    raise TargetRefused(f"The authorization was given for {audience}; name that, or leave resource out.")
