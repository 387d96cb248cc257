"""The pages for citizens: authorization, consents, mandates, devices. Both planes serve them.

The sandbox process shows them beside the developers' portal. A live process has nothing else for people, so there
`ConsentSite` brings the pages, their static files and how problems look; it imports no page of the portal.
"""

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response, Router
from litestar.config.app import AppConfig
from litestar.plugins import InitPlugin

from api.core.crypto import Vault
from api.core.problems import Problem
from api.settings import Settings
from portal import assets
from portal.citizen_frame import citizen_page
from portal.csrf import check_form
from portal.language import language_of
from portal.pages import authorize, citizen_outside, citizen_sign_in, consents, device, mandates
from portal.security_headers import page_headers as page_headers  # noqa: PLC0414 - for the composition root
from portal.view import explain

PATHS = ("/authorize/", "/consents", "/device")
_PAGES = (authorize, citizen_sign_in, citizen_outside, mandates, consents, device)


def citizen_routers() -> list[Router]:
    """The routers of the pages; whoever serves them puts `check_form` before."""
    return [one.router for one in _PAGES]


def is_citizens(path: str) -> bool:
    """Whether a path is one of these pages."""
    return path.startswith(PATHS)


def problem_page(
    request: Request[Any, Any, Any], problem: Problem, request_id: str, docs_url: str
) -> Response[Any]:
    """A problem in the frame of these pages."""
    return citizen_page(
        request, "problem.html", status=problem.status, problem=problem, request_id=request_id,
        words=explain(problem, language_of(request), docs_url), next=request.url.path, back=request.url.path,
        frame="citizen.html",
    )  # fmt: skip


class ConsentSite(InitPlugin):
    """The pages in a process that has no other pages."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self.settings = settings
        self.vault = vault
        self.stories: Mapping[str, Mapping[str, str]] = {}

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        app_config.state.portal = self
        pages = Router(
            "/", route_handlers=citizen_routers(), before_request=check_form, include_in_schema=False
        )
        app_config.route_handlers = [*app_config.route_handlers, assets.router, pages]
        return app_config

    def render_page(
        self, request: Request[Any, Any, Any], problem: Problem, request_id: str, language: str
    ) -> Response[Any] | None:
        """A problem as a page, on the pages of this site alone."""
        if not is_citizens(request.url.path) or "text/html" not in request.headers.get("accept", ""):
            return None
        return problem_page(request, problem, request_id, self.settings.docs_url)
