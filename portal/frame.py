"""The frame around every page: who is signed in, what waits for them, and where they may go.

return await page(request, caller, "apps.html", apps=apps)
return redirect("/apps", flash.put("app.created"))
"""

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Response
from litestar.datastructures import Cookie

from api.catalogue.models import Approval
from api.core import problem_types_platform as platform_types
from api.core.caller import Caller
from api.core.problems import Refusal
from api.identity.models import Organisation
from portal.view import AnyRequest, Navigation, Page, draw, is_person

DEPARTMENT_ROLES = ("owner", "publisher", "approver", "viewer")


async def navigation_of(caller: Caller) -> Navigation:
    """What the bar offers; two small queries for somebody signed in, none for nobody."""
    if not is_person(caller):
        return Navigation()
    ids = list(caller.organisations)
    departments = await Organisation.filter(id__in=ids, kind="department").order_by("slug") if ids else []
    decides = [one for one in ids if caller.has_role(one, "owner", "approver")]
    pending = await Approval.filter(organisation_id__in=decides, status="pending").count() if decides else 0
    return Navigation(
        is_signed_in=True,
        name=caller.name,
        departments=tuple(departments),
        pending=pending,
        is_administrator=caller.is_administrator,
    )


async def page(
    request: AnyRequest,
    caller: Caller,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    cookies: Sequence[Cookie] = (),
    **context: Any,
) -> Page:
    """The page as this caller sees it."""
    return draw(
        request, template, navigation=await navigation_of(caller), status=status, headers=headers,
        cookies=cookies, caller=caller, **context,
    )  # fmt: skip


def redirect(address: str, *cookies: Cookie) -> Response[None]:
    """Go on with GET (303), so that reloading repeats no deed. Source: RFC 9110 §15.4.4."""
    return Response(None, status_code=303, headers={"Location": address}, cookies=list(cookies))


def check_signed_in(caller: Caller) -> None:
    """Raises NOT_SIGNED_IN, which the portal shows as the way to the sign-in page and back."""
    if not is_person(caller):
        raise Refusal(platform_types.NOT_SIGNED_IN)
