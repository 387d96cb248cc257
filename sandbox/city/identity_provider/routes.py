"""The pages and endpoints of the city's identity provider, and shutting its accounts out (for administrators)."""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Request, Response, Router, get, post, put
from litestar.params import JSONBody
from msgspec import Struct

from api.core import clock
from api.core.dependencies import CurrentCaller
from api.core.problem_responses import problem_responses
from api.core.problem_types_platform import CSRF_FAILED, NOT_FOUND, NOT_SIGNED_IN, PERMISSION_DENIED
from api.core.problems import Refusal, Text, preferred_language
from api.identity.access import check_same_origin
from api.identity.people.accounts import check_can_manage_people
from api.identity.schemas import OtherId
from sandbox.city.identity_provider import protocol
from sandbox.city.identity_provider.accounts import accounts, find_account, is_disabled, set_disabled
from sandbox.city.identity_provider.protocol import PATH, Client, Grant

FOLDER = Path(__file__).parent
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_REQUEST = ("client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "acr_values")  # fmt: skip
_pages = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
AnyRequest = Request[Any, Any, Any]


class AuthorizationError(Exception):
    """An authorization request that goes back to its client with an error."""


def _client_of(asked: dict[str, str]) -> Client | None:
    """The client, if the answer may go where the request wants it; None: tell the person, redirect nowhere."""
    client = protocol.clients().get(asked["client_id"])
    return client if client is not None and asked["redirect_uri"] == client.redirect_uri else None


def _check_request(asked: dict[str, str]) -> None:
    """Raises AuthorizationError with the error code of RFC 6749 §4.1.2.1."""
    if asked["response_type"] != "code":
        raise AuthorizationError("unsupported_response_type")
    if "openid" not in asked["scope"].split():
        raise AuthorizationError("invalid_scope")
    if asked["code_challenge_method"] != "S256" or not 43 <= len(asked["code_challenge"]) <= 128:
        raise AuthorizationError("invalid_request")


def _answer(client: Client, asked: dict[str, str], **said: str) -> Response[None]:
    query = {**said, "state": asked["state"], "iss": protocol.issuer()}
    address = f"{client.redirect_uri}?{urlencode(query)}"
    return Response(None, status_code=303, headers={"Location": address, **_NO_STORE})


def _read(values: Any) -> dict[str, str]:
    return {name: str(values.get(name, ""))[:2000] for name in _REQUEST}


def _is_text(values: dict[str, str]) -> bool:
    return all(value.isprintable() for value in values.values())


def _page(
    request: AnyRequest, name: str, client: Client | None, status: int = 200, **context: Any
) -> Response[str]:
    language = preferred_language(request.headers.get("accept-language", "zh"))
    body = _pages.get_template(name).render(zh=language == "zh", here=PATH, **context)
    headers = dict(_NO_STORE)
    if client is not None:  # the form's answer leads on to the client
        parts = urlsplit(client.redirect_uri)
        headers["Content-Security-Policy"] = (
            f"default-src 'none'; style-src 'self'; form-action 'self' {parts.scheme}://{parts.netloc}; "
            "frame-ancestors 'none'; base-uri 'none'"
        )
    return Response(body, status_code=status, media_type=MediaType.HTML, headers=headers)


@get(f"{PATH}/.well-known/openid-configuration", include_in_schema=False)
async def configuration() -> dict[str, Any]:
    """Discovery."""
    return protocol.configuration()


@get(f"{PATH}/jwks", include_in_schema=False)
async def jwks() -> dict[str, Any]:
    """The public key."""
    key = protocol.signing_key()
    return {"keys": [{**key.as_dict(private=False), "use": "sig", "alg": "ES256", "kid": key.kid}]}


@get(f"{PATH}/style.css", include_in_schema=False)
async def style() -> Response[str]:
    """The provider's own look: it is another site than the portal."""
    return Response((FOLDER / "style.css").read_text(), media_type="text/css")


@get(f"{PATH}/authorize", include_in_schema=False)
async def show_authorize(request: AnyRequest) -> Response[Any]:
    """Who are you, and how surely? The provider's sign-in page; nothing is secret in a simulated city."""
    asked = _read(request.query_params)
    client = _client_of(asked)
    if client is None or not _is_text(asked):
        return _page(request, "refused.html", None, 400)
    try:
        _check_request(asked)
    except AuthorizationError as error:
        return _answer(client, asked, error=str(error))
    wanted = [level for level in protocol.LEVELS if protocol.acr_of(level) in asked["acr_values"].split()]
    rows = [one for one in await accounts(client.audience) if not await is_disabled(one.id)]
    return _page(
        request, "authorize.html", client, asked=asked, accounts=rows, levels=protocol.LEVELS,
        wanted=wanted[0] if wanted else "substantial", audience=client.audience,
    )  # fmt: skip


@post(f"{PATH}/authorize", include_in_schema=False, opt={"slowapi": "60/minute"})
async def authorize(request: AnyRequest) -> Response[Any]:
    """Signed in: back to the client with a code, or with access_denied."""
    check_same_origin(request)
    form = await request.form()
    asked = _read(form)
    client = _client_of(asked)
    if client is None or not _is_text(asked):
        return _page(request, "refused.html", None, 400)
    try:
        _check_request(asked)
    except AuthorizationError as error:
        return _answer(client, asked, error=str(error))
    account = await find_account(str(form.get("account", ""))[:100])
    level = str(form.get("level", ""))
    if account is None or account.audience != client.audience or level not in protocol.LEVELS:
        return _answer(client, asked, error="access_denied")
    scope = " ".join(name for name in asked["scope"].split() if name in protocol.SCOPES)
    grant = Grant(
        account=account.id, scope=scope, acr=level, auth_time=int(clock.unix_seconds()), nonce=asked["nonce"],
        challenge=asked["code_challenge"], redirect_uri=asked["redirect_uri"],
    )  # fmt: skip
    return _answer(client, asked, code=await protocol.make_grant("code", client.id, grant))


def _refuse(error: str, status: int = 400) -> Response[dict[str, Any]]:
    headers = dict(_NO_STORE)
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="city"'
    return Response({"error": error}, status_code=status, headers=headers)


@post(f"{PATH}/token", include_in_schema=False, status_code=200)
async def token(request: AnyRequest) -> Response[dict[str, Any]]:
    """Codes and refresh tokens for tokens."""
    client = protocol.client_by_basic(request.headers.get("authorization", ""))
    if client is None:
        return _refuse("invalid_client", 401)
    form = {name: str(value) for name, value in (await request.form()).items()}
    kind = form.get("grant_type", "")
    if kind == "authorization_code":
        grant = await protocol.redeem_code(
            client, form.get("code", ""), form.get("redirect_uri", ""), form.get("code_verifier", "")
        )
        value = "" if grant is None else await protocol.make_grant("refresh", client.id, grant)
    elif kind == "refresh_token":
        value = form.get("refresh_token", "")
        grant = await protocol.refresh(client, value)
    else:
        return _refuse("unsupported_grant_type")
    made = None if grant is None else await protocol.tokens(client, grant, refresh_token=value)
    return _refuse("invalid_grant") if made is None else Response(made, headers=_NO_STORE)


@get(f"{PATH}/userinfo", include_in_schema=False)
async def userinfo(request: AnyRequest) -> Response[dict[str, Any]]:
    """What the account may tell."""
    said = await protocol.userinfo(request.headers.get("authorization", ""))
    if said is None:
        return Response({"error": "invalid_token"}, status_code=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"', **_NO_STORE})  # fmt: skip
    return Response(said, headers=_NO_STORE)


class AccountState(Struct, frozen=True, forbid_unknown_fields=True):
    is_disabled: bool


class IdentityAccount(Struct, frozen=True):
    """An account of the city's identity provider."""

    account_id: str
    audience: str
    name: Text
    is_disabled: bool


class IdentityAccountList(Struct, frozen=True):
    items: list[IdentityAccount]


@get(
    "/platform/v1/sandbox/identity-accounts", tags=["sandbox"], operation_id="listIdentityAccounts",
    summary="城市身份提供方的账户 Accounts of the city's identity provider", description="For administrators. 城市身份提供方的账户,供管理员使用。",
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED),
)  # fmt: skip
async def list_accounts(caller: CurrentCaller) -> IdentityAccountList:
    """Every account of the city's identity provider."""
    check_can_manage_people(caller)
    rows = [*await accounts("staff"), *await accounts("citizens")]
    return IdentityAccountList(
        [
            IdentityAccount(one.id, one.audience, Text(one.zh, one.en), await is_disabled(one.id))
            for one in rows
        ]
    )


@put(
    "/platform/v1/sandbox/identity-accounts/{account_id:str}", tags=["sandbox"], operation_id="setIdentityAccount",
    summary="停用或恢复城市身份提供方的账户 Shut an account of the city's identity provider out, or let it in",
    description="What came through it here ends within a minute. 停用后,经由它的会话在一分钟内结束。",
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND),
)  # fmt: skip
async def set_account(
    caller: CurrentCaller, account_id: OtherId, data: JSONBody[AccountState]
) -> IdentityAccount:
    """Disable or enable an account there."""
    check_can_manage_people(caller)
    known = [one for one in [*await accounts("staff"), *await accounts("citizens")] if one.id == account_id]
    if not known or not await set_disabled(account_id, is_out=data.is_disabled):
        raise Refusal(NOT_FOUND, what=Text("账户", "account"))
    one = known[0]
    return IdentityAccount(one.id, one.audience, Text(one.zh, one.en), data.is_disabled)


provider_router = Router(
    "/", route_handlers=[configuration, jwks, style, show_authorize, authorize, token, userinfo]
)
account_router = Router("/", route_handlers=[list_accounts, set_account])
