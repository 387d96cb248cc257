"""A department's agents: how each fares, making one, its credential shown once, rotating, revoking."""

from typing import Any

from litestar import Response, Router, get, post
from litestar.params import FromPath

from api.catalogue.agents import service
from api.catalogue.permissions import can_keep_agents
from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.problems import Refusal
from api.gateway.agents import keeping
from api.identity.installation import current
from portal import flash, shown_once
from portal.forms import Field, Filled, Form
from portal.frame import page, redirect
from portal.pages.departments import find_department
from portal.view import AnyRequest, Page

NEW = Form(
    Field("name", maximum=40, pattern=r"[a-z][a-z0-9]*(-[a-z0-9]+)*", hint_key="form.slug"),
    Field("environment", kind="choice", maximum=8),
    Field("description", required=False, maximum=200),
)
OVERLAP_HOURS = 24


def _place(slug: str) -> str:
    return f"/departments/{slug}/agents"


async def _agents_page(
    request: AnyRequest, caller: Caller, slug: str, *, form: Filled | None = None, status: int = 200
) -> Page:
    department = await find_department(caller, slug)
    kept, spent = shown_once.take(request, _place(slug))
    name, _, rest = kept.partition(" ")
    environment, _, secret = rest.partition(" ")
    context: dict[str, Any] = {
        "department": department,
        "agents": await keeping.agents_of(caller, department.id),
        "may_keep": can_keep_agents(caller, department.id),
        "form": form or NEW.blank({"environment": "sandbox"}),
        "secret": secret,
        "secret_name": name,
        "server": current().settings.issuer_of(environment) if secret else "",
    }
    return await page(
        request, caller, "agents.html", status=status, cookies=[spent] if spent else (), **context
    )


@get("/departments/{slug:str}/agents")
async def list_agents(request: AnyRequest, caller: CurrentCaller, slug: FromPath[str]) -> Page:
    """The agents, and a form for one more."""
    return await _agents_page(request, caller, slug)


@post("/departments/{slug:str}/agents", opt={"slowapi": "20/minute"})
async def create_agent(
    request: AnyRequest, caller: CurrentCaller, slug: FromPath[str]
) -> Page | Response[None]:
    """Make one; its credential is shown on the page that follows, once."""
    department = await find_department(caller, slug)
    form = await NEW.read(request)
    if form.is_valid:
        try:
            row, _, secret = await service.create_agent(
                caller, organisation_id=department.id, name=form.value("name"),
                environment="live" if form.value("environment") == "live" else "sandbox",
                description=form.value("description"),
            )  # fmt: skip
        except Refusal as problem:
            form.take(problem)
        else:
            shown = f"{row.name} {row.environment} {secret}"
            return redirect(_place(slug), shown_once.put(request, _place(slug), shown))
    return await _agents_page(request, caller, slug, form=form, status=form.status)


@post("/departments/{slug:str}/agents/{agent_id:str}/rotate", opt={"slowapi": "20/minute"})
async def rotate(
    request: AnyRequest, caller: CurrentCaller, slug: FromPath[str], agent_id: FromPath[str]
) -> Response[None]:
    """A new credential, shown once; the present ones work for a day more."""
    await find_department(caller, slug)
    row, _, secret = await service.rotate_credential(caller, agent_id, overlap_hours=OVERLAP_HOURS)
    shown = f"{row.name} {row.environment} {secret}"
    return redirect(_place(slug), shown_once.put(request, _place(slug), shown))


@post("/departments/{slug:str}/agents/{agent_id:str}/revoke")
async def revoke(caller: CurrentCaller, slug: FromPath[str], agent_id: FromPath[str]) -> Response[None]:
    """End it at once."""
    await find_department(caller, slug)
    row = await service.revoke_agent(caller, agent_id)
    return redirect(_place(slug), flash.put("agent.was_revoked", name=row.name))


router = Router("/", route_handlers=[list_agents, create_agent, rotate, revoke])
