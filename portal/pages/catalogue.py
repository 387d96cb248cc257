"""The catalogue: finding a service, and the page of one."""

from litestar import Response, Router, get
from litestar.params import FromPath

from api.catalogue import browsing, parity
from api.catalogue.models import ServiceRecord
from api.contract.addresses import PLATFORM, public_prefix
from api.contract.model import Level
from api.core.dependencies import CurrentCaller
from api.core.problems import REGISTRY
from api.gateway.slo import slo_of
from api.identity.models import Organisation
from portal.frame import page, redirect
from portal.language import language_of
from portal.shelf import find_service
from portal.view import AnyRequest, Page, Words

_FILTERS = ("q", "department", "level", "open")


@get("/catalogue")
async def show_catalogue(request: AnyRequest, caller: CurrentCaller) -> Page:
    """Search and filters, all in the address, so that a result can be shared."""
    filters = {name: str(request.query_params.get(name, ""))[:100] for name in _FILTERS}
    entries = await browsing.browse(
        caller,
        query=filters["q"],
        department=filters["department"],
        level=filters["level"],
        open_=filters["open"],
    )
    return await page(
        request, caller, "catalogue.html", entries=entries, filters=filters, filtered=any(filters.values()),
        departments=await _departments(language_of(request)),
    )  # fmt: skip


async def _departments(language: str) -> list[tuple[str, str]]:
    """Those that own a service: (slug, name)."""
    owners = await ServiceRecord.all().values_list("organisation_id", flat=True)
    rows = (
        await Organisation.filter(id__in=list({str(one) for one in owners})).order_by("slug")
        if owners
        else []
    )
    words = Words(language)
    return [(row.slug, words.named(row)) for row in rows]


@get("/catalogue/{name:str}/{version:str}")
async def show_service(
    request: AnyRequest, caller: CurrentCaller, name: FromPath[str], version: FromPath[str]
) -> Page:
    """A published version: what it is, what it promises, its operations and scenarios."""
    shown = await find_service(caller, name, version)
    operations = shown.operations
    scenarios = [(one, scenario) for one in operations for scenario in one.scenarios][:100]
    organisation = await Organisation.get_or_none(id=shown.organisation_id)
    return await page(
        request, caller, "service.html", shown=shown, service=shown.service, operations=operations,
        level=max((one.level for one in operations), default=Level.L1).value, scenarios=scenarios,
        organisation=organisation, measured=await slo_of(shown.id),
        prefix=public_prefix(name, version), is_platform=name == PLATFORM,
        known_problems=REGISTRY, parity=parity.summary(shown.id), fidelity=parity.figures(shown.id),
    )  # fmt: skip


@get("/services/{version_id:str}")
async def find_by_id(version_id: FromPath[str]) -> Response[None]:
    """The address that mails name: on to the catalogue's page."""
    name, _, version = version_id.partition("@")
    return redirect(f"/catalogue/{name}/{version}")


router = Router("/", route_handlers=[show_catalogue, show_service, find_by_id])
