"""The gateway's part of the platform API: the request log."""

from api.gateway.requests import live_router, router

__all__ = ["live_router", "router"]
