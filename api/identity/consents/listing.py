"""An app's consents for who answers for the app. What is told of them leaves out whose they are."""

from api.core.caller import Caller
from api.core.paging import Page, page_of
from api.core.problem_types_platform import NOT_FOUND
from api.core.problems import Refusal
from api.identity.apps.rows import get_app
from api.identity.consents.rehearsing import check_in_sandbox
from api.identity.consents.withdrawing import WHAT, end_grant
from api.identity.inputs import check_id
from api.identity.models import App, Grant


async def grants_of_app(caller: Caller, app_id: str, *, limit: int = 50, cursor: str = "") -> Page[Grant]:
    """The consents that an app holds or held, newest first. Raises not-found for an app that the caller may not see."""
    app = await get_app(caller, app_id)
    return await page_of(Grant.filter(app_id=app.id), limit=limit, cursor=cursor)


async def app_of_grant(grant_id: str) -> str:
    """Which app a grant is for. Raises not-found."""
    grant = await Grant.get_or_none(id=check_id(grant_id, "g", WHAT))
    if grant is None:
        raise Refusal(NOT_FOUND, what=WHAT)
    return grant.app_id


async def withdraw_in_sandbox(app: App, grant_id: str) -> Grant:
    """End a grant of a sandbox app as the persona who gave it. Raises conflict (sandbox-only), not-found."""
    check_in_sandbox(app)
    grant = await Grant.get_or_none(id=check_id(grant_id, "g", WHAT), app_id=app.id)
    if grant is None:
        raise Refusal(NOT_FOUND, what=WHAT)
    return await end_grant(grant, f"citizen:{grant.guardian_id or grant.subject_id}")
