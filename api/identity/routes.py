"""Everything that identity serves below `/platform/v1`, as one router."""

from litestar import Router

from api.identity.apps.routes import router as apps_router
from api.identity.consents.routes import router as consents_router
from api.identity.organisations.routes import router as organisations_router
from api.identity.outside.routes import router as outside_router
from api.identity.people.routes import router as people_router
from api.identity.registration.routes import router as registration_router
from api.identity.security.routes import router as security_router

router = Router(
    "/",
    route_handlers=[
        people_router,
        security_router,
        outside_router,
        organisations_router,
        apps_router,
        registration_router,
        consents_router,
    ],
)
