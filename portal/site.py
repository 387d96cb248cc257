"""The portal as the composition root sees it: one plugin with the pages, and how problems look to people."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from litestar import Request, Response, Router
from litestar.config.app import AppConfig
from litestar.plugins import InitPlugin
from litestar.types import Receive, Scope, Send

from api.core.caller import Caller
from api.core.crypto import Vault
from api.core.problems import Problem
from api.identity.oauth.keys import KeyRing
from api.settings import Settings
from portal import assets
from portal.consent_site import citizen_routers, is_citizens, problem_page
from portal.csrf import check_form
from portal.language import language_of
from portal.pages import (
    account,
    administration,
    agents,
    app,
    app_oauth,
    app_sdk,
    approvals,
    apps,
    catalogue,
    contracts,
    departments,
    going_live,
    home,
    lifecycle,
    operations,
    organisations,
    outside,
    people,
    providers,
    requests,
    sandbox,
    security,
    sign,
    webhooks,
)
from portal.security_headers import page_headers as page_headers  # noqa: PLC0414 - for the composition root
from portal.view import Navigation, came_from, draw, explain, is_person
from sandbox.city.casting import cast

_PAGES = (
    home, sign, catalogue, operations, apps, app, app_oauth, app_sdk, going_live, requests, account, organisations, departments, agents, contracts, lifecycle, approvals, administration, security, people, outside, providers, sandbox, webhooks,
)  # fmt: skip

ASGIApplication = Callable[[Scope, Receive, Send], Awaitable[None]]

# Paths whose problems are for programs, whatever the Accept header says.
_MACHINE = ("/platform/", "/oauth/", "/api/", "/.well-known/", "/graphql", "/mcp", "/sdk/", "/agent/", "/healthz", "/readyz", "/metrics", "/static/")  # fmt: skip


class Portal(InitPlugin):
    """The pages for people. `gateway` and `ring` are those of the sandbox plane: trying an operation goes through them."""

    def __init__(self, settings: Settings, gateway: ASGIApplication, ring: KeyRing, vault: Vault) -> None:
        self.settings = settings
        self.gateway = gateway
        self.ring = ring
        self.vault = vault
        self.stories = {one.id: one.story for one in cast() if one.kind == "person"}

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        app_config.state.portal = self
        app_config.route_handlers = [*app_config.route_handlers, *routers()]
        return app_config

    def render_page(
        self, request: Request[Any, Any, Any], problem: Problem, request_id: str, language: str
    ) -> Response[Any] | None:
        """A problem as a page, for whoever asks for HTML; None leaves it to problem+json."""
        if request.url.path.startswith(_MACHINE) or "text/html" not in request.headers.get("accept", ""):
            return None
        if problem.kind.slug == "not-signed-in" and request.method == "GET":
            return Response(None, status_code=303, headers={"Location": f"/sign-in?next={_quoted(request)}"})
        way_out = _way_to_a_factor(request, problem)
        if way_out and request.method == "GET":
            return Response(None, status_code=303, headers={"Location": way_out})
        if is_citizens(request.url.path):
            return problem_page(request, problem, request_id, self.settings.docs_url)
        chosen = language_of(request)
        return draw(
            request,
            "problem.html",
            navigation=_navigation(request),
            status=problem.status,
            headers=dict(problem.headers),
            problem=problem,
            words=explain(problem, chosen, self.settings.docs_url),
            request_id=request_id,
            next=request.url.path,
            back=came_from(request),
            way_out=way_out,
        )


def _way_to_a_factor(request: Request[Any, Any, Any], problem: Problem) -> str:
    """Where a second factor is set up or shown, and the way back from there; "" for any other problem."""
    where = {"mfa-required": security.HOME, "confirmation-required": f"{security.HOME}/confirm"}
    page = where.get(problem.kind.slug, "")
    if not page:
        return ""
    return f"{page}?next={quote(came_from(request), safe='')}"


def portal_plugin(settings: Settings, *, gateway: ASGIApplication, ring: KeyRing, vault: Vault) -> Portal:
    """The plugin for `create_app(plugins=[…], render_page=plugin.render_page, page_headers=page_headers)`.

    `gateway` serves /api of the sandbox plane and `ring` signs its tokens (for trying operations); `vault` seals
    what goes through a cookie.
    """
    return Portal(settings, gateway, ring, vault)


def routers() -> list[Router]:
    """All pages, as one router whose forms come from our own pages only."""
    handlers = [*(one.router for one in _PAGES), *citizen_routers()]
    pages = Router("/", route_handlers=handlers, before_request=check_form, include_in_schema=False)
    return [assets.router, pages]


def _navigation(request: Request[Any, Any, Any]) -> Navigation:
    """What is known of the caller when a problem comes up; nothing is looked up for it."""
    caller = request.scope.get("state", {}).get("caller")
    if not isinstance(caller, Caller) or not is_person(caller):
        return Navigation()
    return Navigation(is_signed_in=True, name=caller.name, is_administrator=caller.is_administrator)


def _quoted(request: Request[Any, Any, Any]) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return quote(request.url.path + query, safe="")
