"""What the consent routes take and give. Nothing here holds personal data."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from api.core import clock
from api.core.problems import Text
from api.identity.consents.text import ConsentText
from api.identity.consents.withdrawing import is_in_force
from api.identity.models import Grant

Slug = Annotated[str, Meta(max_length=64, pattern="^[a-z0-9-]*$")]


class SandboxGrantRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Who agrees to what. `persona` is one of `listPersonas`; without `authorization_details` everything that the app
    is subscribed to for `purpose` is asked. `refuse` names choices or fields to leave unticked.
    """

    persona: Annotated[str, Meta(min_length=1, max_length=64, pattern="^[a-z0-9-]+$", examples=["lin-xi"])]
    purpose: Slug = ""
    app_id: Annotated[str, Meta(max_length=40, description="Left out with the app's own credentials.")] = ""
    organisation: Annotated[str, Meta(max_length=18, description="Unified social credit code.")] = ""
    guardian: Slug = ""
    until: Annotated[str, Meta(max_length=40, description="Date, or RFC 3339.")] = ""
    scope: Annotated[str, Meta(max_length=2000)] = ""
    refuse: Annotated[list[Annotated[str, Meta(max_length=300)]], Meta(max_length=200)] = []
    authorization_details: Annotated[list[dict[str, Any]], Meta(max_length=10)] = []
    locale: Annotated[str, Meta(pattern="^(zh|en)$")] = "zh"


class GrantedService(Struct, frozen=True):
    """What a consent opens of one service. `until` is RFC 3339."""

    service: str
    purpose: str
    fields: list[str]
    refused: list[str]
    until: str
    pass_on: bool


class GrantItem(Struct, frozen=True):
    """A consent as its app may see it. `state` is active, expired or withdrawn; `basis` another ground than consent."""

    id: str
    state: str
    basis: str
    services: list[GrantedService]
    scope: str
    organisation: str
    text_hash: str
    created_at: str
    expires_at: str | None
    withdrawn_at: str | None


class GrantList(Struct, frozen=True):
    """A page of them; `next` is null at the end."""

    items: list[GrantItem]
    next: str | None


class SandboxToken(Struct, frozen=True, omit_defaults=True):
    """An access token under the consent, as the token endpoint would give it."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str
    authorization_details: list[dict[str, Any]]


class SandboxGrant(Struct, frozen=True):
    """The consent that was given, the text that it was given on, and a token (null where this process issues none)."""

    grant: GrantItem
    text: ConsentText
    token: SandboxToken | None


class WithdrawnNotice(Struct, frozen=True):
    """What was ended, and what follows."""

    grant: GrantItem
    message: Text


def grant_item(grant: Grant) -> GrantItem:
    """The row without whose it is."""
    state = "withdrawn" if grant.withdrawn_at else "active" if is_in_force(grant) else "expired"
    return GrantItem(
        id=grant.id,
        state=state,
        basis=grant.basis,
        services=[
            GrantedService(
                service=one["service"],
                purpose=one.get("purpose", ""),
                fields=list(one.get("fields", [])),
                refused=list(one.get("refused", [])),
                until=one.get("until", ""),
                pass_on=bool(one.get("pass_on", False)),
            )
            for one in grant.details
        ],
        scope=grant.scope,
        organisation=grant.organisation,
        text_hash=grant.text_hash,
        created_at=clock.to_text(grant.created_at),
        expires_at=clock.to_text(grant.expires_at) if grant.expires_at else None,
        withdrawn_at=clock.to_text(grant.withdrawn_at) if grant.withdrawn_at else None,
    )
