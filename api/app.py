"""create_app: routers, mounts and error rendering put together into one ASGI application.

It decides nothing about services or people; api.main hands in what is to be served. The data plane comes
first: `/api/…` goes straight to the gateway, before Litestar's router (docs/decisions/0003).
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import Any

from litestar import Litestar, Request, Response, asgi
from litestar.config.app import AppConfig
from litestar.di import Provide
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Components,
    Contact,
    License,
    OAuthFlow,
    OAuthFlows,
    Reference,
    SecurityScheme,
)
from litestar.plugins import InitPlugin
from litestar.types import ControllerRouterHandler, Receive, Scope, Send

from api.core import ids, problem_types, problems
from api.core import problem_types_platform as platform_types
from api.core.logging import log_failure
from api.core.problems import CONTENT_TYPE, Failure, Problem, Refusal, Text, preferred_language
from api.settings import Settings

ASGIApplication = Callable[[Scope, Receive, Send], Awaitable[None]]
PageRenderer = Callable[[Request[Any, Any, Any], Problem, str, str], Response[Any] | None]
_NAMED_FIELD = re.compile(r"field `([^`]*)`$")  # msgspec: "Object missing required field `name`"
_INTERACTION = re.compile(rb"[A-Za-z0-9-]{1,64}")
Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


def create_app(
    settings: Settings,
    *,
    gateway: ASGIApplication | None = None,
    handlers: Sequence[ControllerRouterHandler] = (),
    plugins: Sequence[InitPlugin] = (),
    dependencies: dict[str, Provide] | None = None,
    lifespan: Sequence[Lifespan] = (),
    render_page: PageRenderer | None = None,
    page_headers: Callable[[str], list[tuple[bytes, bytes]]] | None = None,
) -> "FrontDoor":
    """The application of one process.

    `gateway` serves /api; `handlers` are Litestar routers and handlers; `render_page` turns a problem into
    a page for people (None: not a page, so problem+json); `page_headers` gives the security headers of a path.
    """
    mounts: list[ControllerRouterHandler] = []
    if gateway is not None:

        @asgi("/api", is_mount=True, copy_scope=True)
        async def api_mount(scope: Scope, receive: Receive, send: Send) -> None:
            await gateway(scope, receive, send)

        mounts.append(api_mount)
    handle = _problem_handler(settings, render_page)
    config = AppConfig(
        route_handlers=[*handlers, *mounts],
        plugins=list(plugins),
        dependencies=dict(dependencies or {}),
        lifespan=list(lifespan),
        exception_handlers={Exception: handle, HTTPException: handle, Problem: handle},
        request_max_body_size=24 * 1024 * 1024,
        openapi_config=OpenAPIConfig(
            title="Kaimen Platform API",
            version="1.0.0",
            description="Everything the portal can do, as an API. 门户能做的一切,都有接口。",
            license=License(name="Apache-2.0", identifier="Apache-2.0"),
            contact=Contact(name="Kaimen", url=settings.docs_url),
            path="/platform",
            components=Components(security_schemes=_security_schemes(settings)),
            security=[{"session": []}, {"token": []}, {"oauth2": []}],
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        ),
        debug=False,
    )
    app = Litestar.from_config(config)
    return FrontDoor(app, gateway, page_headers, is_https=settings.issuer.startswith("https://"))


def _security_schemes(settings: Settings) -> dict[str, SecurityScheme | Reference]:
    """The three ways in: a browser's session (with its CSRF token), a personal token, an app's access token."""
    flow = OAuthFlow(token_url=f"{settings.sandbox_url}/oauth/token", scopes={})
    return {
        "session": SecurityScheme(
            type="apiKey", name="kaimen_session", security_scheme_in="cookie",
            description="A browser session; requests that change something send its X-CSRF-Token.",
        ),
        "token": SecurityScheme(type="http", scheme="bearer", description="A personal token, `kp_…`."),
        "oauth2": SecurityScheme(
            type="oauth2", flows=OAuthFlows(client_credentials=flow),
            description="An app's access token with `platform:` scopes.",
        ),
    }  # fmt: skip


class FrontDoor:
    """The outermost ASGI callable: data plane first, then Litestar, with a Request-Id on every answer."""

    def __init__(
        self,
        app: Litestar,
        gateway: ASGIApplication | None,
        page_headers: Callable[[str], list[tuple[bytes, bytes]]] | None,
        *,
        is_https: bool = False,
    ) -> None:
        self.app = app
        self.faces: dict[str, ASGIApplication] = {}  # by whole path, served without Litestar: data plane
        self.sockets: dict[str, ASGIApplication] = {}  # WebSockets, by whole path
        self._gateway = gateway
        self._page_headers = page_headers
        self._always = [_TRANSPORT] if is_https else []

    @property
    def plain_face(self) -> Any:
        """What takes a plain GET below /api/ straight from the server (api.gateway.server); None: ASGI alone."""
        return getattr(self._gateway, "face", None)

    def end_waiting(self) -> None:
        """The server begins to go down: nobody is kept waiting for something to happen (api.gateway.server)."""
        end = getattr(self._gateway, "end_waiting", None)
        if end is not None:
            end()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self.sockets.get(str(scope.get("path")), self.app)(scope, receive, send)
            return
        if self._gateway is not None and scope["path"].startswith("/api/"):
            await self._gateway(scope, receive, send)
            return
        face = self.faces.get(scope["path"])
        if face is not None:
            await face(scope, receive, send)
            return
        request_id = ids.random_id("rp")
        scope.setdefault("state", {})["request_id"] = request_id
        extra = [(b"request-id", request_id.encode()), *self._always]
        if scope["path"].startswith("/oauth/"):
            extra += [pair for pair in scope["headers"] if _is_interaction(pair)][:1]
        if self._page_headers is not None:
            extra += self._page_headers(scope["path"])

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(pair for pair in extra if pair[0] not in present),
                ]
            await send(message)

        await self.app(scope, receive, send_with_headers)


# two years in which a browser comes by TLS only, where the public address is https (RFC 6797)
_TRANSPORT = (b"strict-transport-security", b"max-age=63072000")


def _is_interaction(pair: tuple[bytes, bytes]) -> bool:
    """FAPI's id of an interaction, which is echoed; anything else under its name is not."""
    return pair[0] == b"x-fapi-interaction-id" and _INTERACTION.fullmatch(pair[1]) is not None


def problem_of(error: Exception) -> Problem:
    """The problem that stands for any exception: ours as it is, Litestar's translated, the rest internal."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, ValidationException):
        extra = error.extra if isinstance(error.extra, list) else []
        errors = tuple(_field_error(item) for item in extra if isinstance(item, dict)) or (
            {"pointer": "", "message": str(error.detail)},
        )
        return Refusal(platform_types.INPUT_INVALID, errors=errors, count=len(errors))
    if isinstance(error, HTTPException):
        return _problem_of_status(error)
    if isinstance(error, UnicodeDecodeError | LookupError) and _is_from(error, "litestar._multipart"):
        message = Text("表单的编码有误。", "The form is not in the encoding that it says.")
        return Refusal(platform_types.INPUT_INVALID, errors=({"pointer": "", "message": message},), count=1)
    if isinstance(error, RecursionError) and "deserializing" in str(error):  # msgspec, over a body of "[[[[…"
        message = Text("嵌套过深。", "It is nested too deeply.")
        return Refusal(platform_types.INPUT_INVALID, errors=({"pointer": "", "message": message},), count=1)
    return Failure(problem_types.INTERNAL_ERROR)


def _is_from(error: BaseException, module: str) -> bool:
    """Whether it went up through this module: the library leaves some faults of a body untranslated."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") == module:
            return True
        trace = trace.tb_next
    return False


def _field_error(item: dict[str, Any]) -> dict[str, Any]:
    """Litestar's fault as a JSON pointer and a message: `b[0].c` is /b/0/c, `data` the body itself."""
    key, message = str(item.get("key", "")), str(item.get("message", ""))
    if str(item.get("source", "")) == "body" and key == "data":
        if message == "'data'":
            return {"pointer": "", "message": Text("缺少 JSON 请求体。", "The request needs a JSON body.")}
        named = _NAMED_FIELD.search(message)
        return {"pointer": f"/{named[1]}" if named else "", "message": message}
    return {"pointer": "/" + key.replace("[", "/").replace("]", "").replace(".", "/"), "message": message}


def _problem_of_status(error: HTTPException) -> Problem:
    headers = {str(name): str(value) for name, value in (error.headers or {}).items()}
    status = error.status_code
    if status == HTTPStatus.NOT_FOUND:
        return Refusal(platform_types.PAGE_NOT_FOUND)
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = headers.get("allow") or headers.get("Allow") or "…"
        return Refusal(problem_types.METHOD_NOT_ALLOWED, allowed=allowed, headers=headers)
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Refusal(problem_types.REQUEST_TOO_LARGE, limit_bytes=24 * 1024 * 1024)
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        errors = ({"pointer": "", "message": str(error.detail)},)
        return Refusal(platform_types.INPUT_INVALID, errors=errors, count=1)
    return Failure(problem_types.INTERNAL_ERROR)


def _problem_handler(
    settings: Settings, render_page: PageRenderer | None
) -> Callable[[Request[Any, Any, Any], Exception], Response[Any]]:
    def handle(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        problem = problem_of(error)
        request_id = str(request.scope.get("state", {}).get("request_id") or ids.random_id("rp"))
        if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log_failure("platform.failure", error, request_id=request_id, path=request.url.path)
        problem.facts.setdefault("path", request.url.path)
        problem.facts.setdefault("method", request.method)
        language = preferred_language(request.headers.get("accept-language", ""))
        if render_page is not None:
            page = render_page(request, problem, request_id, language)
            if page is not None:
                return page
        body = problems.render(
            problem, language=language, docs_url=settings.docs_url, request_id=request_id, instance=f"urn:kaimen:request:{request_id}"
        )  # fmt: skip
        headers = dict(problem.headers)
        if problem.status == HTTPStatus.UNAUTHORIZED:
            headers.setdefault("WWW-Authenticate", 'Bearer realm="kaimen"')
        return Response(
            content=body,
            status_code=problem.status,
            media_type=CONTENT_TYPE,
            headers=headers,
        )

    return handle
