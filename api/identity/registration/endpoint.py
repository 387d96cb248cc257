"""`/oauth/register`: dynamic client registration (RFC 7591) and its management (RFC 7592), over HTTP.

Bodies and errors are those of the RFCs, not problem+json. Served by the sandbox process only.
"""

from typing import Annotated, Any

import msgspec
from authlib.oauth2 import OAuth2Error
from litestar import Request, Response, Router, delete, get, post, put
from litestar.datastructures import State
from litestar.params import PathParameter

from api.identity.oauth.errors import InputRefused
from api.identity.oauth.forms import read_body
from api.identity.registration import service
from api.identity.registration.metadata import read_document

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_LIMIT = {"slowapi": "60/minute", "slowapi_scope": "client-registration"}

RegistrationRequest = Request[Any, Any, State]
ClientId = Annotated[str, PathParameter()]


def _bearer(request: RegistrationRequest) -> str:
    """The token of the one Authorization header, "" where there is none."""
    values = request.headers.getall("authorization", [])
    scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    return token.strip() if scheme.lower() == "bearer" else ""


async def _document(request: RegistrationRequest) -> dict[str, Any]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise InputRefused("Send the client metadata as application/json and say so in Content-Type.")
    return read_document(await read_body(request.stream(), request.headers.get("content-length", "")))


def _answer(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(
        content=msgspec.json.encode(body), status_code=status, media_type="application/json",
        headers={**_NO_STORE, **(headers or {})},
    )  # fmt: skip


def _refusal(error: OAuth2Error) -> Response[bytes]:
    status, body, headers = error()
    extra = {name: value for name, value in headers if name.lower() == "www-authenticate"}
    return _answer(status, dict(body), extra)


def _with_address(request: RegistrationRequest, described: dict[str, Any]) -> dict[str, Any]:
    issuer = request.app.state.oauth.issuer
    return {**described, "registration_client_uri": f"{issuer}/oauth/register/{described['client_id']}"}


@post("/register", status_code=201, opt=_LIMIT, include_in_schema=False)
async def register_client(request: RegistrationRequest) -> Response[bytes]:
    """A new client, for whoever has an initial access token (RFC 7591 §3)."""
    try:
        _, described = await service.register(_bearer(request), await _document(request))
    except OAuth2Error as error:
        return _refusal(error)
    return _answer(201, _with_address(request, described))


@get("/register/{client_id:str}", opt=_LIMIT, include_in_schema=False)
async def read_client(request: RegistrationRequest, client_id: ClientId) -> Response[bytes]:
    """The registration as it stands (RFC 7592 §2.1)."""
    token = _bearer(request)
    try:
        described = await service.read(token, client_id)
    except OAuth2Error as error:
        return _refusal(error)
    return _answer(200, {**_with_address(request, described), "registration_access_token": token})


@put("/register/{client_id:str}", opt=_LIMIT, include_in_schema=False)
async def update_client(request: RegistrationRequest, client_id: ClientId) -> Response[bytes]:
    """Replace the registration (RFC 7592 §2.2)."""
    token = _bearer(request)
    try:
        await service.read(token, client_id)  # who has no right to it is not told what is wrong with the body
        described = await service.update(token, client_id, await _document(request))
    except OAuth2Error as error:
        return _refusal(error)
    return _answer(200, {**_with_address(request, described), "registration_access_token": token})


@delete("/register/{client_id:str}", status_code=200, opt=_LIMIT, include_in_schema=False)
async def delete_client(request: RegistrationRequest, client_id: ClientId) -> Response[bytes]:
    """End the client (RFC 7592 §2.3): 204."""
    try:
        await service.delete(_bearer(request), client_id)
    except OAuth2Error as error:
        return _refusal(error)
    return Response(content=b"", status_code=204, headers=_NO_STORE)


router = Router("/oauth", route_handlers=[register_client, read_client, update_client, delete_client])
