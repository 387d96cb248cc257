"""What the routes of registration tokens take and give."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct, field

from api.core import clock
from api.identity.models import RegistrationToken


class NewRegistrationTokenRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """With `profile` fapi2 nothing weaker registers; the apps are subscribed to the services in `subscribe`."""

    label: Annotated[str, Meta(min_length=1, max_length=100, examples=["conformance run"])]
    organisation: Annotated[str, Meta(max_length=64, description="Id or slug; empty: one's own.")] = ""
    days: Annotated[int, Meta(ge=1, le=90, description="How long it lives.")] = 7
    max_uses: Annotated[int, Meta(ge=1, le=100, description="How many clients it registers.")] = 1
    profile: Annotated[str, Meta(pattern="^(baseline|fapi2)?$")] = ""
    subscribe: Annotated[
        list[Annotated[str, Meta(max_length=160)]], Meta(max_length=50, examples=[["company@v1"]])
    ] = field(default_factory=list)


class RegistrationTokenItem(Struct, frozen=True):
    """`hint` are the token's last characters."""

    token_id: str
    organisation_id: str
    label: str
    hint: str
    profile: str
    subscribe: list[str]
    max_uses: int
    uses: int
    is_active: bool
    created_at: datetime
    expires_at: datetime


class NewRegistrationToken(Struct, frozen=True):
    """The token is shown this once; the registration endpoint takes it as Bearer (RFC 7591 §3)."""

    token_id: str
    organisation_id: str
    initial_access_token: str
    registration_endpoint: str
    max_uses: int
    expires_at: datetime


class RegistrationTokenList(Struct, frozen=True):
    items: list[RegistrationTokenItem]


def registration_token_item(row: RegistrationToken) -> RegistrationTokenItem:
    """The row as it is shown."""
    return RegistrationTokenItem(
        token_id=row.id,
        organisation_id=row.organisation_id,
        label=row.label,
        hint=row.hint,
        profile=row.profile,
        subscribe=list(row.subscribe),
        max_uses=row.max_uses,
        uses=row.uses,
        is_active=row.revoked_at is None and row.expires_at > clock.now() and row.uses < row.max_uses,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
