"""The addresses of OpenID Connect and of the device grant."""

import msgspec
from litestar import Response, Router, get, post
from litestar.datastructures import Cookie

from api.core.problem_types_platform import AUTHORIZATION_REFUSED
from api.core.problems import Refusal, Text
from api.identity.oauth.authorization import CITIZEN_COOKIE
from api.identity.oauth.errors import InputRefused, RedirectRefused
from api.identity.oauth.forms import read_body, read_parameters
from api.identity.oauth.mtls import CertificateRefused
from api.identity.oauth.routes import PUBLIC_SECONDS, OAuthRequest, read_request, response_of
from api.identity.oauth.server import Answer
from api.identity.oauth.service import AuthorizationService
from api.identity.oauth.userinfo import Presented

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_LIMIT = {"slowapi": "600/minute"}
_AS_FORM = Text(
    "注销请求须以 GET,或以 application/x-www-form-urlencoded 表单 POST 发送。",
    "Send a logout request by GET, or by POST as application/x-www-form-urlencoded.",
)


@get("/.well-known/openid-configuration", include_in_schema=False)
async def show_provider(request: OAuthRequest) -> Response[bytes]:
    """What this provider can do (OpenID Connect Discovery §4)."""
    service: AuthorizationService = request.app.state.oauth
    return Response(
        content=msgspec.json.encode(await service.provider.metadata()),
        media_type="application/json",
        headers={"Cache-Control": f"public, max-age={PUBLIC_SECONDS}"},
    )


@post("/oauth/device", status_code=200, opt=_LIMIT, include_in_schema=False)
async def start_device(request: OAuthRequest) -> Response[bytes]:
    """Codes for a device without a browser (RFC 8628 §3.1)."""
    service: AuthorizationService = request.app.state.oauth
    try:
        form = await read_request(request)
    except InputRefused as error:
        return response_of(Answer(*error()))
    return response_of(await service.provider.start_device(form))


async def _userinfo(request: OAuthRequest) -> Response[bytes]:
    service: AuthorizationService = request.app.state.oauth
    certificate = None
    if service.certificates.header:
        peer = request.scope.get("client")
        try:
            certificate = service.certificates.read(peer[0] if peer else None, request.scope["headers"])
        except CertificateRefused as error:
            return response_of(Answer(*InputRefused(error.reason.en)()))
    answer = await service.provider.userinfo.answer(
        Presented(
            method=str(request.method),
            authorization=tuple(request.headers.getall("authorization", [])),
            proofs=tuple(request.headers.getall("dpop", [])),
            certificate=certificate,
        )
    )
    return Response(
        content=msgspec.json.encode(answer.body),
        status_code=answer.status,
        media_type="application/json",
        headers={**answer.headers, **_NO_STORE},
    )


@get("/oauth/userinfo", opt=_LIMIT, include_in_schema=False)
async def show_userinfo(request: OAuthRequest) -> Response[bytes]:
    """Who the subject of the presented access token is (OpenID Connect Core §5.3)."""
    return await _userinfo(request)


@post("/oauth/userinfo", status_code=200, opt=_LIMIT, include_in_schema=False)
async def post_userinfo(request: OAuthRequest) -> Response[bytes]:
    """The same; the token in the Authorization header here too, never in the body."""
    return await _userinfo(request)


async def _log_out(request: OAuthRequest, data: bytes) -> Response[bytes]:
    service: AuthorizationService = request.app.state.oauth
    try:
        location, is_signed_out = await service.provider.log_out(read_parameters(data))
    except RedirectRefused as error:
        raise Refusal(AUTHORIZATION_REFUSED, reason=error.reason, error=error.error) from None
    except InputRefused as error:
        raise _unreadable(error) from None
    is_https = service.issuer.startswith("https://")
    name = f"__Host-{CITIZEN_COOKIE}" if is_https else CITIZEN_COOKIE
    gone = Cookie(key=name, value="", path="/", httponly=True, samesite="lax", secure=is_https, max_age=0)
    headers = {"Location": location, "Referrer-Policy": "no-referrer", **_NO_STORE}
    return Response(content=b"", status_code=303, headers=headers, cookies=[gone] if is_signed_out else [])


def _unreadable(error: InputRefused) -> Refusal:
    said = Text(f"请求参数有误:{error.description}", str(error.description))
    return Refusal(AUTHORIZATION_REFUSED, reason=said, error=error.error)


@get("/oauth/logout", opt=_LIMIT, include_in_schema=False)
async def log_out(request: OAuthRequest) -> Response[bytes]:
    """The end of a citizen's session, asked for by an app (OpenID Connect RP-Initiated Logout §2)."""
    return await _log_out(request, request.scope["query_string"])


@post("/oauth/logout", status_code=303, opt=_LIMIT, include_in_schema=False)
async def post_log_out(request: OAuthRequest) -> Response[bytes]:
    """The same, by a form."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded" or request.scope["query_string"]:
        raise Refusal(AUTHORIZATION_REFUSED, reason=_AS_FORM, error="invalid_request")
    try:
        data = await read_body(request.stream(), request.headers.get("content-length", ""))
    except InputRefused as error:
        raise _unreadable(error) from None
    return await _log_out(request, data)


router = Router(
    "/",
    route_handlers=[show_provider, start_device, show_userinfo, post_userinfo, log_out, post_log_out],
)
