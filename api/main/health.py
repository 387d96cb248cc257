"""/healthz, /readyz and /metrics: for load balancers and Prometheus, not for people."""

from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from tortoise.exceptions import BaseORMException

from api.core import clock, store


@get("/healthz", include_in_schema=False, sync_to_thread=False)
def show_health() -> dict[str, str]:
    """The process runs."""
    return {"status": "ok", "at": clock.to_text(clock.now())}


@get("/readyz", include_in_schema=False)
async def show_readiness(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    """Whether this process may be sent requests: stores open, snapshot loaded, keys there. 503 says what is not."""
    faults = []
    try:
        await store.control().execute_query("SELECT 1")
    except (BaseORMException, OSError) as error:
        faults.append(f"control store: {type(error).__name__}")
    plane = getattr(request.app.state, "data_plane", None)
    if plane is None or not plane.is_ready:
        faults.append("data plane: starting")
    return Response(
        {"status": "unready" if faults else "ready", "faults": faults}, status_code=503 if faults else 200
    )


@get("/metrics", include_in_schema=False, sync_to_thread=False)
def show_metrics(request: Request[Any, Any, Any]) -> Response[str]:
    """Counters of this process in the Prometheus text format."""
    text: str = request.app.state.data_plane.metrics_text()
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def handlers() -> list[HTTPRouteHandler]:
    """All three."""
    return [show_health, show_readiness, show_metrics]
