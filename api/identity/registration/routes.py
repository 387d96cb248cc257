"""`/platform/v1/registration-tokens`: who may let clients register themselves."""

from typing import Annotated

from litestar import Response, Router, delete, get, post
from litestar.params import JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from api.core.dependencies import CurrentCaller
from api.core.problem_responses import problem_responses
from api.core.problem_types_platform import (
    CONFLICT,
    CSRF_FAILED,
    NOT_FOUND,
    NOT_SIGNED_IN,
    PERMISSION_DENIED,
)
from api.core.problems import Refusal
from api.identity.installation import current
from api.identity.registration import tokens
from api.identity.registration.schemas import (
    NewRegistrationToken,
    NewRegistrationTokenRequest,
    RegistrationTokenItem,
    RegistrationTokenList,
    registration_token_item,
)
from api.identity.schemas import NO_STORE, OtherId


@get(
    "/registration-tokens", operation_id="listRegistrationTokens", tags=["apps"], summary="注册令牌列表 List registration tokens",
    description="Of an organisation, for its owners; never their values. 注册令牌(不含值),所有者可见。",
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, NOT_FOUND),
)  # fmt: skip
async def list_tokens(
    caller: CurrentCaller, organisation_id: Annotated[str, QueryParameter(max_length=64)] = ""
) -> RegistrationTokenList:
    """The registration tokens of an organisation."""
    if caller.kind == "anonymous":
        raise Refusal(NOT_SIGNED_IN)
    rows = await tokens.registration_tokens_of(caller, organisation_id or None)
    return RegistrationTokenList([registration_token_item(row) for row in rows])


@post(
    "/registration-tokens", operation_id="createRegistrationToken", tags=["apps"], summary="签发注册令牌 Make a registration token",
    description="The initial access token with which clients register themselves as sandbox apps (RFC 7591); owners "
    "make it, it is shown this once. 客户端凭此令牌自行注册为沙箱应用;由所有者签发,只显示这一次。",
    opt={"slowapi": "30/minute"},
    responses=problem_responses(
        NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT, is_limited=True
    ),
)  # fmt: skip
async def create_token(
    caller: CurrentCaller, data: JSONBody[NewRegistrationTokenRequest]
) -> Response[NewRegistrationToken]:
    """Make a registration token."""
    row, token = await tokens.create_registration_token(
        caller, organisation_id=data.organisation or None, label=data.label, days=data.days, max_uses=data.max_uses,
        profile=data.profile, subscribe=data.subscribe,
    )  # fmt: skip
    issuer = current().settings.issuer_of("sandbox")
    made = NewRegistrationToken(
        token_id=row.id, organisation_id=row.organisation_id, initial_access_token=token,
        registration_endpoint=f"{issuer}/oauth/register", max_uses=row.max_uses,
        expires_at=row.expires_at,
    )  # fmt: skip
    return Response(made, headers={"Location": f"/platform/v1/registration-tokens/{row.id}"})


@delete(
    "/registration-tokens/{token_id:str}", operation_id="revokeRegistrationToken", tags=["apps"],
    summary="吊销注册令牌 Revoke a registration token", description="At once; what it registered stays. 立即吊销;已注册的应用不受影响。",
    status_code=HTTP_200_OK, responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND),
)  # fmt: skip
async def revoke_token(caller: CurrentCaller, token_id: OtherId) -> RegistrationTokenItem:
    """Revoke a registration token."""
    if caller.kind == "anonymous":
        raise Refusal(NOT_SIGNED_IN)
    return registration_token_item(await tokens.revoke_registration_token(caller, token_id))


router = Router(
    "/platform/v1", cache_control=NO_STORE, route_handlers=[list_tokens, create_token, revoke_token]
)
