"""What the authorization endpoint and the consent page say to each other: shapes, and nothing that decides.

    /oauth/authorize ──▶ PendingRequest ──▶ the page asks its resource owner ──▶ complete | refuse ──▶ redirect

The page lives elsewhere (portal). It knows a request by its id, `ar_…`, and by the cookie COOKIE that the
authorization endpoint gave the browser; without that cookie the request is not there.
"""

from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

CITIZEN_COOKIE = (
    "kaimen_citizen"  # of the page that signs citizens in; where it is https with __Host- before it
)
COOKIE = "kaimen_authorize"  # path /, so that page and endpoint both get it; HttpOnly, SameSite=Lax
REQUEST_SECONDS = 600


class ResourceOwner(Protocol):
    """Who decides: a subject of consents (api.identity.consents.subjects.Subject)."""

    @property
    def id(self) -> str: ...
    @property
    def assurance(self) -> str: ...


class Consent(Protocol):
    """What was agreed to (api.identity.models.Grant)."""

    id: str
    scope: str
    details: Any
    text_hash: str
    mandate_id: str
    expires_at: datetime | None


class Asked(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A checked authorization request, as it is stored. `details` are the authorization_details as sent, parsed.

    `scope` is what the token may carry, `openid` scopes included; `audience` is its aud; `max_age` is -1 where
    nothing was asked.
    """

    redirect_uri: str
    scope: str
    audience: str
    challenge: str
    state: str | None = None
    nonce: str = ""
    jkt: str = ""
    details: list[dict[str, Any]] = []
    prompt: str = ""
    max_age: int = -1
    acr_values: str = ""
    login_hint: str = ""
    ui_locales: str = ""
    device: str = ""  # the waiting device that asks (RFC 8628), instead of a browser that brought the request


class PendingRequest(Struct, frozen=True, kw_only=True):
    """A request that waits for a decision, for the page. `locale` is zh or en, "" where the app asked for neither."""

    id: str
    app_id: str
    client_id: str
    asked: Asked
    locale: str
    expires_at: datetime
