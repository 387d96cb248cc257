"""What the GraphQL face of a process is made of. Imported at its first request: a process asked for REST alone has none of it."""

from typing import Any

from api.events.watch import FeedWatch
from api.gateway.plane import Gateway
from api.graphql import pages
from api.graphql.documents import Documents
from api.graphql.face import GraphqlFace
from api.graphql.service import load
from api.main.data_plane import DataPlane, answer_starting


class GraphqlParts:
    """The GraphQL face of a plane."""

    def __init__(self, plane: DataPlane) -> None:
        self._settings = plane.settings
        self._watch = FeedWatch(plane.settings.environment)
        self.face = GraphqlFace(Documents(load), self._watch)

    async def serve(self, gateway: Gateway | None, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request or a socket; 503 until calls are served."""
        if scope["type"] == "websocket":
            if gateway is None:
                await send({"type": "websocket.close", "code": 1013})
            else:
                await self.face.serve(gateway, scope, receive, send)
            return
        head = dict(scope["headers"])
        if pages.is_asked(scope["path"], scope["method"], head.get(b"accept", b"")):
            body, headers = pages.page(scope["path"], is_packed=b"gzip" in head.get(b"accept-encoding", b""))
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body if scope["method"] == "GET" else b""})
            return
        if gateway is None:
            await answer_starting(self._settings, send)
            return
        await self.face.serve(gateway, scope, receive, send)

    async def close(self) -> None:
        """The process ends."""
        await self._watch.close()


def make_face(plane: DataPlane) -> GraphqlParts:
    """The face of a plane."""
    return GraphqlParts(plane)
