"""The addresses of OpenID Connect and of the device grant."""

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.datastructures import Cookie

from api.core.problem_types_platform import AUTHORIZATION_REFUSED
from api.core.problems import Refusal, Text
from api.identity.oauth.authorization import CITIZEN_COOKIE
from api.identity.oauth.errors import InputRefused, RedirectRefused
from api.identity.oauth.forms import read_body, read_parameters
from api.identity.oauth.mtls import CertificateRefused
from api.identity.oauth.requests import PUBLIC_SECONDS, OAuthRequest, certificate_of, read_request, response_of
from api.identity.oauth.server import Answer
from api.identity.oauth.service import AuthorizationService
from api.identity.oauth.userinfo import Presented

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@get("/.well-known/openid-configuration", include_in_schema=False)
async def show_provider(request: OAuthRequest) -> Response[bytes]:
    """What this provider can do (OpenID Connect Discovery §4)."""
    service: AuthorizationService = request.app.state.oauth
    return Response(
        content=msgspec.json.encode(await service.provider.metadata()),
        media_type="application/json",
        headers={"Cache-Control": f"public, max-age={PUBLIC_SECONDS}"},
    )
