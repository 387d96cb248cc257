"""The home page: what this is, how to begin, and what can be called."""

from litestar import Router, get

from api.catalogue import browsing
from api.core.dependencies import CurrentCaller
from portal.frame import page
from portal.view import AnyRequest, Page

STEPS = ("admit", "route", "authenticate", "authorise", "limit", "validate", "call", "record")
_FEATURED = 6


@get("/")
async def show_home(request: AnyRequest, caller: CurrentCaller) -> Page:
    """`/`: figures are those of the catalogue as it stands, services that it offers in the sandbox come first."""
    entries = await browsing.browse(caller)
    featured = sorted(entries, key=lambda one: ("sandbox" not in one.environments, one.card.level))[
        :_FEATURED
    ]
    numbers = {
        "services": len(entries),
        "operations": sum(one.card.operations for one in entries),
        "departments": len({one.organisation_id for one in entries}),
    }
    return await page(request, caller, "home.html", steps=STEPS, numbers=numbers, featured=featured)


router = Router("/", route_handlers=[show_home])
