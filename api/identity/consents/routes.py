"""`/platform/v1/apps/{app}/grants` and `/platform/v1/sandbox/grants`: the consents of an app, and giving one in the sandbox.

Citizens do not call these: they use the consent pages.
"""

from typing import Any

from litestar import Request, Response, Router, delete, get, post
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from api.core import clock
from api.core.dependencies import CurrentCaller
from api.core.paging import next_link
from api.core.problem_responses import problem_responses
from api.core.problem_types import MANDATE_REFUSED
from api.core.problem_types_consent import (
    CONSENT_NOTHING_AGREED,
    CONSENT_TEXT_CHANGED,
    GUARDIAN_REQUIRED,
    ORGANISATION_REQUIRED,
)
from api.core.problem_types_platform import (
    CONFLICT,
    CSRF_FAILED,
    INPUT_INVALID,
    NOT_FOUND,
    NOT_SIGNED_IN,
    PERMISSION_DENIED,
)
from api.core.problems import Text
from api.identity.access import provide_caller
from api.identity.consents import listing
from api.identity.consents.rehearsing import Rehearsed, Wish, app_for, app_of_secret, check_plane, rehearse
from api.identity.consents.schemas import (
    GrantList,
    SandboxGrant,
    SandboxGrantRequest,
    SandboxToken,
    WithdrawnNotice,
    grant_item,
)
from api.identity.installation import current
from api.identity.models import App
from api.identity.oauth import tokens
from api.identity.schemas import NO_STORE, AppId, Cursor, Limit, OtherId

AnyRequest = Request[Any, Any, Any]


@get(
    "/apps/{app_id:str}/grants", operation_id="listGrants", tags=["consents"], summary="应用获得的同意 List an app's consents",
    description="Which consents the app holds, ended ones included, newest first; without whose they are. "
    "应用持有的授权,含已终止的,不含数据主体的身份。",
    responses=problem_responses(NOT_SIGNED_IN, NOT_FOUND),
)  # fmt: skip
async def list_grants(
    request: AnyRequest, caller: CurrentCaller, app_id: AppId, limit: Limit = 50, cursor: Cursor = ""
) -> Response[GrantList]:
    """A page of consents."""
    page = await listing.grants_of_app(caller, app_id, limit=limit, cursor=cursor)
    body = GrantList([grant_item(one) for one in page.items], page.next or None)
    return Response(body, headers=next_link(request.url.path, page, limit=limit))


@post(
    "/sandbox/grants", operation_id="createSandboxGrant", tags=["consents"], status_code=HTTP_201_CREATED,
    summary="以沙箱人物身份同意 Consent as a persona, without a browser",
    description="Sandbox only. The persona agrees at once, by the rules of the consent page, and a token comes with it. "
    "By owners and developers of the app, or by the app itself with its client id and secret (HTTP Basic). "
    "仅限沙箱:以人物身份同意并取得令牌。由应用的所有者、开发者,或应用自身(HTTP Basic)调用。",
    opt={"slowapi": "300/minute"},
    responses=problem_responses(
        INPUT_INVALID, NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT, MANDATE_REFUSED,
        GUARDIAN_REQUIRED, ORGANISATION_REQUIRED, CONSENT_TEXT_CHANGED, CONSENT_NOTHING_AGREED, is_limited=True,
    ),
)  # fmt: skip
async def create_sandbox_grant(
    request: AnyRequest, data: JSONBody[SandboxGrantRequest]
) -> Response[SandboxGrant]:
    """Give consent as a persona."""
    check_plane()
    app = await _app(request, data.app_id)
    wish = Wish(
        persona=data.persona,
        purpose=data.purpose,
        details=data.authorization_details,
        organisation=data.organisation,
        guardian=data.guardian,
        until=data.until,
        refuse=tuple(data.refuse),
        scope=data.scope,
    )
    made = await rehearse(app, wish, data.locale)
    body = SandboxGrant(grant_item(made.grant), made.text, _token(request, app, made))
    return Response(body, headers={"Location": f"/platform/v1/sandbox/grants/{made.grant.id}"})


@delete(
    "/sandbox/grants/{grant_id:str}", operation_id="withdrawSandboxGrant", tags=["consents"], status_code=HTTP_200_OK,
    summary="撤回沙箱人物的同意 Withdraw a persona's consent",
    description="Sandbox only: what the citizen does at /consents. Calls under it are refused within a second. "
    "仅限沙箱:代人物撤回,一秒内生效。",
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT),
)  # fmt: skip
async def withdraw_sandbox_grant(request: AnyRequest, grant_id: OtherId) -> WithdrawnNotice:
    """Withdraw as the persona who gave it."""
    app = await _app(request, "", grant_id)
    grant = await listing.withdraw_in_sandbox(app, grant_id)
    return WithdrawnNotice(
        grant_item(grant),
        Text(
            "授权已撤回，一秒内在所有进程生效。",
            "Withdrawn; every process refuses calls under it within a second.",
        ),
    )


async def _app(request: AnyRequest, app_id: str, grant_id: str = "") -> App:
    """The app meant: by its own credentials, or one that the caller may change."""
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        return await app_of_secret(credential.strip())
    caller = await provide_caller(request)
    return await app_for(caller, await listing.app_of_grant(grant_id) if grant_id else app_id)


def _token(request: AnyRequest, app: App, made: Rehearsed) -> SandboxToken | None:
    """An access token under the grant, from the plane's authorization server; none in a process without one."""
    server = getattr(request.app.state, "oauth", None)
    if server is None:
        return None
    grant = made.grant
    now = int(clock.unix_seconds())
    until = int(grant.expires_at.timestamp()) if grant.expires_at else now
    issued = tokens.issue(
        server.ring,
        issuer=server.issuer,
        audience=f"{server.issuer}/api",
        client_id=app.client_id,
        app_id=app.id,
        scope=grant.scope,
        seconds=max(1, min(current().settings.access_token_seconds, until - now)),
        sub=grant.subject_id,
        grant=grant.id,
        authorization_details=tuple(grant.details),
        consent=grant.text_hash,
        mandate=grant.mandate_id,
        acr=made.subject.assurance,
        auth_time=now,
    )
    return SandboxToken(
        access_token=issued.compact,
        token_type="Bearer",  # noqa: S106 - a kind, no secret
        expires_in=issued.claims.exp - now,
        scope=grant.scope,
        authorization_details=list(grant.details),
    )


router = Router(
    "/platform/v1",
    cache_control=NO_STORE,
    route_handlers=[list_grants, create_sandbox_grant, withdraw_sandbox_grant],
)
# what a live process serves of it: the refusal that says why
live_router = Router("/platform/v1", cache_control=NO_STORE, route_handlers=[create_sandbox_grant])
