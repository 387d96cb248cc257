"""People, for administrators: shutting accounts out, and resetting the second factors of someone who is locked out."""

from litestar import Response, Router, get, post
from litestar.params import FromPath

from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.problems import Refusal
from api.identity.people import service as people
from api.identity.security import service as security
from api.identity.security.factors import people_with_factors
from portal import flash
from portal.forms import Field, Filled, Form
from portal.frame import check_signed_in, page, redirect
from portal.view import AnyRequest, Page

HOME = "/administration/people"
RESET = Form(Field("reason", minimum=5, maximum=500))


async def _people_page(
    request: AnyRequest, caller: Caller, *, status: int = 200, reset: Filled | None = None, whose: str = ""
) -> Page:
    rows = await people.people(caller, limit=50, cursor=str(request.query_params.get("cursor", ""))[:300])
    return await page(
        request, caller, "people.html", status=status, rows=rows, reset=reset or RESET.blank(), whose=whose,
        with_factors=await people_with_factors([row.id for row in rows.items]),
    )  # fmt: skip


@get("/administration/people")
async def show_people(request: AnyRequest, caller: CurrentCaller) -> Page:
    """Everyone, the newest first."""
    check_signed_in(caller)
    return await _people_page(request, caller)


@post("/administration/people/{person_id:str}/reset")
async def reset(
    request: AnyRequest, caller: CurrentCaller, person_id: FromPath[str]
) -> Page | Response[None]:
    """Take a locked-out person's factors away, with a reason."""
    check_signed_in(caller)
    form = await RESET.read(request)
    if form.is_valid:
        try:
            person = await security.reset_factors(caller, person_id, form.value("reason"))
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect(HOME, flash.put("people.was_reset", name=person.name))
    return await _people_page(request, caller, status=form.status, reset=form, whose=person_id)


@post("/administration/people/{person_id:str}/{deed:str}")
async def shut_out_or_let_in(
    caller: CurrentCaller, person_id: FromPath[str], deed: FromPath[str]
) -> Response[None]:
    """Disable an account, or enable it again."""
    check_signed_in(caller)
    if deed == "disable":
        person = await people.disable_person(caller, person_id)
        return redirect(HOME, flash.put("people.disabled", name=person.name))
    person = await people.enable_person(caller, person_id)
    return redirect(HOME, flash.put("people.enabled", name=person.name))


router = Router("/", route_handlers=[show_people, reset, shut_out_or_let_in])
