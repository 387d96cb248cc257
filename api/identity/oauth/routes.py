"""The addresses of the authorization server. Bodies and errors are those of RFC 6749, not problem+json.

`app.state.oauth` is the AuthorizationService of the process.
"""

from typing import Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.datastructures import State

from api.identity.oauth.errors import InputRefused
from api.identity.oauth.forms import read_body, read_form
from api.identity.oauth.server import Answer
from api.identity.oauth.service import AuthorizationService

PUBLIC_SECONDS = 300  # how long keys and metadata may be cached; a next key is published long before it signs
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}

OAuthRequest = Request[Any, Any, State]


async def _respond(request: OAuthRequest, endpoint: str) -> Response[bytes]:
    service: AuthorizationService = request.app.state.oauth
    headers = request.headers
    try:
        form = read_form(
            await read_body(request.stream(), headers.get("content-length", "")),
            content_type=headers.get("content-type", ""),
            authorization=headers.getall("authorization", []),
            query=request.scope["query_string"],
        )
    except InputRefused as error:
        answer = Answer(*error())
    else:
        answer = await service.respond(endpoint, form)
    content = msgspec.json.encode(answer.body) if answer.body else b""
    return Response(
        content=content,
        status_code=answer.status,
        media_type="application/json" if content else "text/plain",
        headers={
            **{name: value for name, value in answer.headers if name.lower() != "content-type"},
            **_NO_STORE,
        },
    )


@post("/token", status_code=200, opt={"slowapi": "600/minute"}, include_in_schema=False)
async def make_token(request: OAuthRequest) -> Response[bytes]:
    """A token for an app's credentials (RFC 6749 §3.2)."""
    return await _respond(request, "token")


@post("/revoke", status_code=200, opt={"slowapi": "600/minute"}, include_in_schema=False)
async def revoke_token(request: OAuthRequest) -> Response[bytes]:
    """Make a token invalid before its time (RFC 7009)."""
    return await _respond(request, "revocation")


@post("/introspect", status_code=200, opt={"slowapi": "600/minute"}, include_in_schema=False)
async def introspect_token(request: OAuthRequest) -> Response[bytes]:
    """What an app's own token says, and whether it still holds (RFC 7662)."""
    return await _respond(request, "introspection")


@get("/jwks", include_in_schema=False, sync_to_thread=False)
def show_keys(request: OAuthRequest) -> Response[bytes]:
    """The public keys of this plane: next, active and those whose tokens still live (RFC 7517)."""
    ring = request.app.state.oauth.ring
    headers = {"Cache-Control": f"public, max-age={PUBLIC_SECONDS}", "ETag": ring.jwks_etag}
    if ring.jwks_etag in request.headers.get("if-none-match", ""):
        return Response(content=b"", status_code=304, headers=headers)
    return Response(content=ring.jwks, media_type="application/jwk-set+json", headers=headers)


@get("/.well-known/oauth-authorization-server", include_in_schema=False)
async def show_metadata(request: OAuthRequest) -> Response[bytes]:
    """What this server can do (RFC 8414)."""
    service: AuthorizationService = request.app.state.oauth
    return Response(
        content=msgspec.json.encode(await service.metadata()),
        media_type="application/json",
        headers={"Cache-Control": f"public, max-age={PUBLIC_SECONDS}"},
    )


router = Router(
    "/",
    route_handlers=[
        Router("/oauth", route_handlers=[make_token, revoke_token, introspect_token, show_keys]),
        show_metadata,
    ],
)
