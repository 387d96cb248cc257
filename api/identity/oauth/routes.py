"""The addresses of the authorization server. Bodies and errors are those of RFC 6749, not problem+json.

`app.state.oauth` is the AuthorizationService of the process.
"""

import secrets
from typing import Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.datastructures import Cookie, State

from api.core.problem_types_platform import AUTHORIZATION_REFUSED
from api.core.problems import Refusal, Text
from api.identity.oauth.authorization import COOKIE
from api.identity.oauth.deciding import is_browser
from api.identity.oauth.errors import InputRefused, RedirectRefused
from api.identity.oauth.forms import Form, read_body, read_form, read_parameters
from api.identity.oauth.mtls import CertificateRefused
from api.identity.oauth.server import Answer
from api.identity.oauth.service import AuthorizationService

PUBLIC_SECONDS = 300  # how long keys and metadata may be cached; a next key is published long before it signs
COOKIE_SECONDS = 3600
_AS_FORM = Text(
    "授权请求须以 GET,或以 application/x-www-form-urlencoded 表单 POST 发送。",
    "Send an authorization request by GET, or by POST as application/x-www-form-urlencoded without a query string.",
)
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}

OAuthRequest = Request[Any, Any, State]


async def read_request(request: OAuthRequest) -> Form:
    """The checked form of a POST, with what its headers prove. Raises InputRefused."""
    service: AuthorizationService = request.app.state.oauth
    headers = request.headers
    form = read_form(
        await read_body(request.stream(), headers.get("content-length", "")),
        content_type=headers.get("content-type", ""),
        authorization=headers.getall("authorization", []),
        query=request.scope["query_string"],
    )
    proofs, certificate = headers.getall("dpop", []), None
    if service.certificates.header:
        peer = request.scope.get("client")
        try:
            certificate = service.certificates.read(peer[0] if peer else None, request.scope["headers"])
        except CertificateRefused as error:
            raise InputRefused(error.reason.en) from None
    if proofs or certificate is not None:
        form = msgspec.structs.replace(form, proofs=tuple(proofs), certificate=certificate)
    return form


def response_of(answer: Answer) -> Response[bytes]:
    """An answer of the core over HTTP, never to be stored."""
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


async def _respond(request: OAuthRequest, endpoint: str) -> Response[bytes]:
    service: AuthorizationService = request.app.state.oauth
    try:
        form = await read_request(request)
    except InputRefused as error:
        return response_of(Answer(*error()))
    return response_of(await service.respond(endpoint, form))


async def _authorize(request: OAuthRequest, data: bytes) -> Response[bytes]:
    service: AuthorizationService = request.app.state.oauth
    sent = request.cookies.get(COOKIE, "")
    browser = sent if is_browser(sent) else secrets.token_urlsafe(32)
    try:
        location = await service.authorize(read_parameters(data), browser)
    except RedirectRefused as error:
        raise Refusal(AUTHORIZATION_REFUSED, reason=error.reason, error=error.error) from None
    except InputRefused as error:
        said = Text(f"请求参数有误:{error.description}", str(error.description))
        raise Refusal(AUTHORIZATION_REFUSED, reason=said, error=error.error) from None
    is_https = service.issuer.startswith("https://")
    cookie = Cookie(
        key=COOKIE, value=browser, path="/", httponly=True, samesite="lax", secure=is_https, max_age=COOKIE_SECONDS
    )  # fmt: skip
    headers = {"Location": location, "Referrer-Policy": "no-referrer", **_NO_STORE}
    return Response(content=b"", status_code=303, headers=headers, cookies=[cookie])


@get("/authorize", opt={"slowapi": "600/minute"}, include_in_schema=False)
async def start_authorization(request: OAuthRequest) -> Response[bytes]:
    """A browser that an app sends here for its person's consent (RFC 6749 §4.1.1)."""
    return await _authorize(request, request.scope["query_string"])


@post("/authorize", status_code=303, opt={"slowapi": "600/minute"}, include_in_schema=False)
async def post_authorization(request: OAuthRequest) -> Response[bytes]:
    """The same, by a form (OpenID Connect Core §3.1.2.1)."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded" or request.scope["query_string"]:
        raise Refusal(AUTHORIZATION_REFUSED, reason=_AS_FORM, error="invalid_request")
    try:
        data = await read_body(request.stream(), request.headers.get("content-length", ""))
    except InputRefused as error:
        said = Text(f"请求参数有误:{error.description}", str(error.description))
        raise Refusal(AUTHORIZATION_REFUSED, reason=said, error=error.error) from None
    return await _authorize(request, data)


@post("/par", status_code=201, opt={"slowapi": "600/minute"}, include_in_schema=False)
async def push_request(request: OAuthRequest) -> Response[bytes]:
    """An authorization request pushed by the app itself (RFC 9126)."""
    service: AuthorizationService = request.app.state.oauth
    try:
        form = await read_request(request)
    except InputRefused as error:
        return response_of(Answer(*error()))
    return response_of(await service.push(form))


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
        Router(
            "/oauth",
            route_handlers=[
                start_authorization,
                post_authorization,
                push_request,
                make_token,
                revoke_token,
                introspect_token,
                show_keys,
            ],
        ),
        show_metadata,
    ],
)
