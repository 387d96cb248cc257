"""/device: the code that a device shows, typed where there is a browser (RFC 8628). The usual decision follows.

verification_uri_complete brings the code along; it is shown for comparison and never taken without a press.
"""

from litestar import Response, Router, get, post

from api.core.problems import Refusal
from portal import deciding
from portal.citizen_frame import citizen_page
from portal.citizens import citizen_of
from portal.forms import Field, Filled, Form
from portal.frame import redirect
from portal.view import AnyRequest, Page

CODE = Form(Field("user_code", maximum=64))
_OUTCOMES = ("done", "refused")


async def _device_page(request: AnyRequest, form: Filled, status: int = 200) -> Page:
    return citizen_page(request, "device.html", citizen=await citizen_of(request), status=status, form=form)


@get("/device")
async def show_device(request: AnyRequest) -> Page:
    """The field for the code; after the decision, what became of it."""
    outcome = request.query_params.get("outcome", "")
    if outcome in _OUTCOMES:
        return citizen_page(request, "device_over.html", citizen=await citizen_of(request), outcome=outcome)
    return await _device_page(
        request, CODE.blank({"user_code": str(request.query_params.get("user_code", ""))[:64]})
    )


@post("/device", opt={"slowapi": "10/minute; 60/hour"})
async def enter_code(request: AnyRequest) -> Page | Response[None]:
    """On to the decision; a wrong code is told alike whatever is wrong with it (RFC 8628 §5.1: attempts are limited)."""
    form = await CODE.read(request)
    if form.is_valid:
        try:
            return redirect(*await deciding.claim_device(request, form.value("user_code")))
        except Refusal:
            form.fault("user_code", "device.unknown")
    return await _device_page(request, form, form.status)


router = Router("/", route_handlers=[show_device, enter_code])
