"""The faces beside REST of one data plane: where they are mounted, and which tokens they take.

Nothing of them is imported by a process that is asked for REST alone.
"""

import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Router, asgi
from litestar.handlers import ASGIRouteHandler

from api.core import problem_types
from api.core.problems import Refusal
from api.gateway.inside import gateway_of_face
from api.gateway.plane import Gateway
from api.identity.oauth import tokens
from api.main.data_plane import DataPlane
from api.mcp import metadata
from api.mcp.face import PATH, McpFace

GRAPHQL_PATHS = (
    "/graphql", "/graphql/schema", "/catalogue/schema.graphql",
    *(f"/graphql/console/{name}" for name in (
        "console.js", "console.css", "graphiql.js", "graphiql.css", "react.js", "react-dom.js", "licenses.txt",
    )),
)  # fmt: skip


class Faces:
    """The faces of a plane."""

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane
        self._gateways: dict[str, tuple[Gateway, Gateway]] = {}
        self._graphql: Any = None
        self._mcp = (
            McpFace(plane.settings, lambda: self.gateway_of("mcp")) if plane.settings.mcp_face else None
        )

    def handlers(self) -> list[Router | ASGIRouteHandler]:
        """What Litestar serves of them."""
        made: list[Router | ASGIRouteHandler] = [metadata.router]
        face = self._mcp
        if face is not None:

            @asgi(PATH, is_mount=True, copy_scope=True)
            async def mcp_mount(scope: Any, receive: Any, send: Any) -> None:
                await face(scope, receive, send)

            made.append(mcp_mount)
        return made

    def by_path(self) -> dict[str, Any]:
        """What the front door serves by itself: every GraphQL request counts."""
        return dict.fromkeys(GRAPHQL_PATHS if self._plane.settings.graphql_face else (), self._serve_graphql)

    def sockets(self) -> dict[str, Any]:
        """What the front door serves of WebSockets: subscriptions."""
        return {"/graphql": self._serve_graphql} if self._plane.settings.graphql_face else {}

    async def _serve_graphql(self, scope: Any, receive: Any, send: Any) -> None:
        if self._graphql is None:  # its modules come with the first request: memory
            self._graphql = importlib.import_module("api.main.graphql_parts").make_face(self._plane)
        await self._graphql.serve(self.gateway_of("graphql"), scope, receive, send)

    def gateway_of(self, face: str) -> Gateway | None:
        """The plane's gateway for a face: it takes tokens for all services, and those for this face alone."""
        gateway = self._plane.gateway
        if gateway is None or not self._plane.is_ready:
            return None
        known = self._gateways.get(face)
        if known is None or known[0] is not gateway:
            made = gateway_of_face(gateway, self._verifier(face, gateway))
            known = self._gateways[face] = (gateway, made)
            self._forget_with(gateway, made)
        return known[1]

    def _verifier(self, face: str, gateway: Gateway) -> Any:
        issuer = self._plane.settings.issuer
        audience = f"{issuer}/{face}"

        def verify(token: bytes) -> Any:
            try:
                return gateway.verify_token(token)
            except Refusal as refusal:
                if refusal.kind is not problem_types.TOKEN_INVALID:
                    raise
                try:
                    return tokens.verify(token, self._plane.oauth.ring, issuer, audience)
                except Refusal:
                    raise refusal from None

        return verify

    def _forget_with(self, gateway: Gateway, made: Gateway) -> None:
        """A key that is trusted no longer is forgotten by every face."""

        def forget() -> None:
            gateway.tokens.clear()
            made.tokens.clear()
            for _, other in self._gateways.values():
                other.tokens.clear()

        self._plane.oauth.ring.when_revoked = forget

    @asynccontextmanager
    async def running(self, app: Litestar) -> AsyncIterator[None]:
        """For the life of the application."""
        try:
            yield
        finally:
            if self._mcp is not None:
                await self._mcp.close()
            if self._graphql is not None:
                await self._graphql.close()
            self._gateways.clear()
