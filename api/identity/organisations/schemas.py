"""What the routes of organisations take and give."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from api.core.problems import Text
from api.identity.models import Organisation
from api.identity.organisations.service import Member
from api.identity.people.schemas import InvitationItem
from api.identity.schemas import Email, Name, Roles

Slug = Annotated[
    str,
    Meta(
        min_length=2,
        max_length=40,
        pattern="^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
        description="Stands in addresses; unique for ever.",
        examples=["harbour-logistics"],
    ),
]


class NewOrganisation(Struct, frozen=True, forbid_unknown_fields=True):
    """A company is made by everyone; a department by administrators and the operator."""

    kind: Annotated[str, Meta(pattern="^(department|company)$", examples=["company"])]
    slug: Slug
    name_zh: Annotated[Name, Meta(examples=["港湾物流(示例)"])]
    name_en: Annotated[Name, Meta(examples=["Harbour Logistics (sample)"])]


class OrganisationChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What stays away or is null is left as it is."""

    name_zh: Name | None = None
    name_en: Name | None = None


class NewInvitation(Struct, frozen=True, forbid_unknown_fields=True):
    email: Email
    roles: Roles


class RoleChange(Struct, frozen=True, forbid_unknown_fields=True):
    roles: Roles


class OrganisationItem(Struct, frozen=True):
    """`kind` is department, company or individual."""

    organisation_id: str
    slug: str
    kind: str
    name_zh: str
    name_en: str
    created_at: datetime


class OrganisationList(Struct, frozen=True):
    items: list[OrganisationItem]
    next: str | None


class MemberItem(Struct, frozen=True):
    person_id: str
    name: str
    email: str
    roles: list[str]
    is_disabled: bool


class MemberList(Struct, frozen=True):
    items: list[MemberItem]


class MemberRoles(Struct, frozen=True):
    person_id: str
    roles: list[str]


class InvitationList(Struct, frozen=True):
    items: list[InvitationItem]


class RoleItem(Struct, frozen=True):
    """A role with the words that people read."""

    name: str
    title: Text
    description: Text


class RoleList(Struct, frozen=True):
    items: list[RoleItem]


def organisation_item(row: Organisation) -> OrganisationItem:
    return OrganisationItem(row.id, row.slug, row.kind, row.name_zh, row.name_en, row.created_at)


def member_item(member: Member) -> MemberItem:
    return MemberItem(member.person_id, member.name, member.email, list(member.roles), member.is_disabled)
