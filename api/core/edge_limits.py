"""slowapi at the edge of the people's routes: so many requests from one address, told as problem+json.

A handler says `opt={"slowapi": "5/minute"}`; handlers that shall count together name the same
`"slowapi_scope"`. Not for the data plane: there `gateway.limit` counts by app and plan.

slowapi is made for Starlette, so each limited handler gets a gate of its own, a function decorated with
the public `Limiter.limit`, which is called with a Starlette request before the handler. What slowapi does
otherwise is mended here: one bucket for a route whatever its path parameters, the client's address by
trusted proxies only, streams left alone, no Retry-After on answers that are no refusal.
"""

from collections.abc import Callable
from typing import Any

from limits import RateLimitItem, parse_many
from litestar.config.app import AppConfig
from litestar.enums import ScopeType
from litestar.handlers import HTTPRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.plugins import InitPlugin, ReceiveRoutePlugin
from litestar.routes import BaseRoute, HTTPRoute
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from slowapi import Limiter
from slowapi.errors import RateLimitExceeded
from starlette.requests import Request
from starlette.responses import Response

from api.core import clock
from api.core import problem_types_platform as platform_types
from api.core.client_address import address_bucket, address_of_scope, read_networks
from api.core.problems import Refusal

OPT = "slowapi"
SCOPE_OPT = "slowapi_scope"
_SHOWN = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")

Gate = Callable[[Request], Response]


def _passed(request: Request) -> Response:
    return Response()


def share_of(limit: str, processes: int) -> str:
    """A limit's part for one of several processes that count apart, rounded down, at least 1.

    Raises ValueError for what is no limit (`5/minute; 50/day` is one).
    """
    items: list[RateLimitItem] = parse_many(limit)
    return "; ".join(
        f"{max(1, item.amount // processes)} per {item.multiples} {item.GRANULARITY.name}" for item in items
    )


class EdgeLimits(InitPlugin, ReceiveRoutePlugin):
    """The Litestar plugin. `trusted_proxies` is a CIDR list; `processes` share each limit among them."""

    def __init__(self, trusted_proxies: str = "", processes: int = 1) -> None:
        self._trusted = read_networks(trusted_proxies)
        self._processes = processes
        self._limiter = Limiter(
            key_func=self._bucket, headers_enabled=True, strategy="moving-window", key_style="endpoint"
        )
        self._gates: dict[HTTPRouteHandler, Gate] = {}

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        app_config.middleware.insert(0, _EdgeLimit(self))
        return app_config

    def receive_route(self, route: BaseRoute) -> None:
        """Makes the gate of each limited handler at start-up, so that a mistyped limit stops the start."""
        if not isinstance(route, HTTPRoute):
            return
        for handler in route.route_handlers:
            if OPT in handler.opt and handler not in self._gates:
                self._gates[handler] = self._make_gate(route.path_format, handler)

    def gate_of(self, handler: Any) -> Gate | None:
        return self._gates.get(handler)

    def _make_gate(self, path: str, handler: HTTPRouteHandler) -> Gate:
        limit = share_of(handler.opt[OPT], self._processes)

        def gate(request: Request) -> Response:
            return _passed(request)

        gate.__name__ = f"{'+'.join(sorted(handler.http_methods))} {path}"  # slowapi's key of the bucket
        shared = handler.opt.get(SCOPE_OPT)
        decorate = self._limiter.shared_limit(limit, scope=shared) if shared else self._limiter.limit(limit)
        decorated: Gate = decorate(gate)
        return decorated

    def _bucket(self, request: Request) -> str:
        return address_bucket(address_of_scope(request.scope, self._trusted))

    def refusal_of(self, request: Request, error: RateLimitExceeded) -> Refusal:
        """The 429 with Retry-After in whole seconds and the same X-RateLimit headers as any answer."""
        item, arguments = request.state.view_rate_limit
        reset_at, remaining = self._limiter.limiter.get_window_stats(item, *arguments)
        headers = {
            "Retry-After": str(max(1, int(reset_at - clock.unix_seconds()) + 1)),
            "X-RateLimit-Limit": str(item.amount),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset": str(int(reset_at) + 1),
        }
        return Refusal(platform_types.TOO_MANY_REQUESTS, limit=str(item), headers=headers)


class _EdgeLimit(ASGIMiddleware):
    scopes = (ScopeType.HTTP,)

    def __init__(self, limits: EdgeLimits) -> None:
        self._limits = limits

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        gate = self._limits.gate_of(scope.get("route_handler"))
        if gate is None:
            await next_app(scope, receive, send)
            return
        request = Request({**scope, "state": {}})  # slowapi writes into it
        try:
            passed = gate(request)
        except RateLimitExceeded as error:
            raise self._limits.refusal_of(request, error) from None
        shown = [(name.encode(), _whole(passed.headers[name])) for name in _SHOWN if name in passed.headers]

        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *shown]
            await send(message)

        await next_app(scope, receive, send_with_limits)


def _whole(text: str) -> bytes:
    """The time of reset, which slowapi gives with a fraction."""
    return text.partition(".")[0].encode()
