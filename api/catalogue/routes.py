"""The catalogue's routes in one router: contracts as published, services, drafts, subscriptions, approvals, plans."""

from litestar import Router

from api.catalogue import (
    parity,
    routes_contracts,
    routes_directory,
    routes_recording,
    routes_rights,
    routes_services,
)

router = Router(
    path="/",
    route_handlers=[
        *routes_services.HANDLERS,
        *routes_directory.HANDLERS,
        *routes_contracts.HANDLERS,
        *routes_rights.HANDLERS,
        *routes_recording.HANDLERS,
        *parity.HANDLERS,
    ],
)
