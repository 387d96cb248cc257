"""What the routes of outside providers take and give."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from api.identity.outside.models import OutsideProvider
from api.identity.outside.providers import ProviderInput


class MappingRule(Struct, frozen=True, forbid_unknown_fields=True):
    """Whoever's `claim` (a path such as `realm_access.roles` will do) holds `value` gets the roles in the organisation."""

    claim: Annotated[str, Meta(min_length=1, max_length=200, examples=["department"])]
    value: Annotated[
        str, Meta(min_length=1, max_length=200, description="`*` fits any. * 匹配任意值。", examples=["tax"])
    ]
    organisation: Annotated[
        str, Meta(max_length=64, description="Id or slug. 标识或编号。", examples=["tax"])
    ]
    roles: Annotated[list[str], Meta(min_length=1, max_length=5, examples=[["publisher"]])]


class ProviderBody(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A provider. `client_secret` is never given back; left empty in a change, the stored one stays."""

    slug: Annotated[str, Meta(min_length=1, max_length=40, pattern="^[a-z0-9-]+$", examples=["city-staff"])]
    audience: Annotated[str, Meta(pattern="^(staff|citizens)$")]
    issuer: Annotated[str, Meta(min_length=1, max_length=300, examples=["https://login.city.example"])]
    name_zh: Annotated[str, Meta(min_length=1, max_length=100)]
    name_en: Annotated[str, Meta(min_length=1, max_length=100)]
    client_id: Annotated[str, Meta(min_length=1, max_length=200)]
    client_secret: Annotated[str, Meta(max_length=200, extra_json_schema={"format": "password"})] = ""
    scopes: Annotated[str, Meta(min_length=1, max_length=300)] = "openid profile email"
    trusts_email: Annotated[
        bool,
        Meta(
            description="A verified address there is enough to be the account here. 以其验证过的邮箱关联账户。"
        ),
    ] = False
    is_enabled: bool = True
    mapping: Annotated[list[MappingRule], Meta(max_length=100)] = []
    assurance: Annotated[
        dict[str, str], Meta(description="What each `acr` is worth: low, substantial or high.", examples=[{"urn:example:loa:2": "substantial"}]),
    ] = {}  # fmt: skip
    mfa_values: Annotated[
        list[str], Meta(max_length=50, description="`acr` or `amr` values that count as a second factor.", examples=[["mfa", "otp"]]),
    ] = []  # fmt: skip


class ProviderItem(Struct, frozen=True):
    """A provider as it is. `callback` is the redirect URI to register there."""

    provider_id: str
    slug: str
    audience: str
    issuer: str
    name_zh: str
    name_en: str
    client_id: str
    scopes: str
    trusts_email: bool
    is_enabled: bool
    mapping: list[dict[str, Any]]
    assurance: dict[str, str]
    mfa_values: list[str]
    callback: str
    created_at: datetime


class ProviderList(Struct, frozen=True):
    items: list[ProviderItem]


def input_of(body: ProviderBody) -> ProviderInput:
    """What the service takes."""
    return ProviderInput(
        slug=body.slug, audience=body.audience, issuer=body.issuer, name_zh=body.name_zh, name_en=body.name_en,
        client_id=body.client_id, client_secret=body.client_secret, scopes=body.scopes, trusts_email=body.trusts_email,
        is_enabled=body.is_enabled, assurance=body.assurance, mfa_values=body.mfa_values,
        mapping=[
            {"claim": one.claim, "value": one.value, "organisation": one.organisation, "roles": one.roles}
            for one in body.mapping
        ],
    )  # fmt: skip


def provider_item(row: OutsideProvider, callback: str) -> ProviderItem:
    return ProviderItem(
        row.id, row.slug, row.audience, row.issuer, row.name_zh, row.name_en, row.client_id, row.scopes,
        row.trusts_email, row.is_enabled, row.mapping, row.assurance, row.mfa_values, callback, row.created_at,
    )  # fmt: skip
