"""Organisations and who does what in them: departments, companies, and the one-person kind that everyone has."""

import re

from msgspec import Struct

from api.contract.addresses import PLATFORM
from api.core import audit, clock, ids
from api.core.caller import Caller, CallerKind
from api.core.paging import Page, page_of
from api.core.problem_types_platform import CONFLICT, NOT_FOUND, PERMISSION_DENIED
from api.core.problems import Refusal, Text
from api.identity.inputs import Inputs, check_id, refuse_input
from api.identity.models import Membership, Organisation, Person
from api.identity.people import links
from api.identity.people.invitations import (
    Invitation,
    invitations_of,
    invite_member,
    read_roles,
    withdraw_invitation,
)
from api.identity.permissions import (
    ROLE_NAMES,
    check_can_create_organisation,
    check_can_manage_members,
    check_can_view_organisation,
)
from api.identity.policies import check_can_lose_owner

__all__ = (
    "Invitation",
    "Member",
    "create_organisation",
    "find_organisation",
    "get_organisation",
    "home_of",
    "invitations_of",
    "invite_member",
    "members_of",
    "operator_organisation",
    "organisations",
    "organisations_of",
    "remove_member",
    "set_roles",
    "update_organisation",
    "withdraw_invitation",
)

KINDS = ("department", "company", "individual")
OPERATOR_SLUG = "operator"
WHAT = Text("组织", "organisation")
_SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_RESERVED = ("person-", "operator", "platform", "admin", "kaimen", "api", "www")


class Member(Struct, frozen=True):
    """A person in an organisation, with the roles held there."""

    person_id: str
    name: str
    email: str
    roles: tuple[str, ...]
    is_disabled: bool = False


def _is_reserved(caller: Caller, slug: str) -> bool:
    """The platform's own department is made by the command that publishes its contract, and by nobody else."""
    if (caller.kind, slug) == (CallerKind.OPERATOR, PLATFORM):
        return False
    return slug.startswith(_RESERVED[0]) or slug in _RESERVED


async def create_organisation(
    caller: Caller, kind: str, slug: str, name_zh: str, name_en: str
) -> Organisation:
    """A new department (administrators, the operator) or company (everyone signed in, who becomes its owner).

    `slug` stands in addresses: a to z, digits and single hyphens, 2 to 40 characters, unique for ever. Raises
    permission-denied, input-invalid, conflict (the slug is taken).
    """
    inputs = Inputs()
    inputs.choice("/kind", kind, KINDS)
    inputs.check()
    check_can_create_organisation(caller, kind)
    if not 2 <= len(slug) <= 40 or not _SLUG.fullmatch(slug):
        inputs.fault("/slug", "2 至 40 个小写字母、数字与单个连字符,以字母开头。",
                     "2 to 40 small letters, digits and single hyphens, a letter first.")  # fmt: skip
    elif _is_reserved(caller, slug):
        inputs.fault("/slug", "此名称由平台保留。", "The platform keeps this name for itself.")
    name_zh, name_en = inputs.name("/name_zh", name_zh), inputs.name("/name_en", name_en)
    inputs.check()
    identifier = ids.random_id("o")
    async with audit.write(
        caller.actor, "organisation:create", f"organisation/{identifier}", organisation=identifier, kind=kind, slug=slug
    ) as entry:  # fmt: skip
        if await Organisation.filter(slug=slug).exists():
            raise Refusal(
                CONFLICT,
                rule="slug-taken",
                reason=Text(f"名称 {slug} 已被使用。", f"The slug {slug} is taken."),
                following=Text("换一个名称。", "Choose another."),
            )
        organisation = await _make(entry, identifier, slug, kind, name_zh, name_en)
        if caller.kind == CallerKind.PERSON and kind == "company":
            await Membership.create(organisation_id=identifier, person_id=caller.id, role="owner")
            entry.changed("person", caller.id)
    return organisation


async def _make(
    entry: audit.Entry, identifier: str, slug: str, kind: str, name_zh: str, name_en: str
) -> Organisation:
    entry.changed("organisation", identifier)
    return await Organisation.create(
        id=identifier, slug=slug, kind=kind, name_zh=name_zh, name_en=name_en, created_at=clock.now()
    )


async def operator_organisation(entry: audit.Entry) -> Organisation:
    """Inside an open `audit.write`: the company that owns what the local command line makes; made at first need."""
    found = await Organisation.get_or_none(slug=OPERATOR_SLUG)
    if found is not None:
        return found
    return await _make(entry, ids.random_id("o"), OPERATOR_SLUG, "company", "平台运营", "Platform operator")


async def find_organisation(id_or_slug: str) -> Organisation | None:
    """An organisation by id or slug, or None. It decides nothing about who may see it."""
    if len(id_or_slug) > 64 or not id_or_slug.isascii() or not id_or_slug.isprintable():
        return None
    if id_or_slug.startswith("o_"):
        # no slug has an underscore, and Tortoise raises for what no column could hold
        return await Organisation.get_or_none(id=id_or_slug) if len(id_or_slug) <= 40 else None
    return await Organisation.get_or_none(slug=id_or_slug)


async def get_organisation(caller: Caller, id_or_slug: str) -> Organisation:
    """An organisation that the caller may see. Raises not-found, alike for what is hidden and what is not there."""
    organisation = await find_organisation(id_or_slug)
    if organisation is None:
        raise Refusal(NOT_FOUND, what=WHAT)
    try:
        check_can_view_organisation(caller, organisation.id)
    except Refusal as refusal:
        if refusal.kind is PERMISSION_DENIED:
            raise Refusal(NOT_FOUND, what=WHAT) from None
        raise
    return organisation


async def organisations_of(caller: Caller) -> list[Organisation]:
    """The organisations in which the caller has a part, the personal one first; all of them for the operator."""
    query = Organisation.all()
    if caller.kind != CallerKind.OPERATOR:
        query = (
            query.filter(id__in=list(caller.organisations)) if caller.organisations else query.filter(id="")
        )
    rows = await query.order_by("created_at", "id")
    return sorted(rows, key=lambda row: row.kind != "individual")


async def organisations(
    caller: Caller, *, kind: str = "", limit: int = 50, cursor: str = ""
) -> Page[Organisation]:
    """A page of the organisations that the caller may see: their own, or all for administrators and the operator."""
    query = Organisation.all()
    if not caller.is_administrator:
        query = query.filter(id__in=list(caller.organisations) or [""])
    if kind:
        query = query.filter(kind=kind)
    return await page_of(query, limit=limit, cursor=cursor)


async def update_organisation(
    caller: Caller, organisation_id: str, *, name_zh: str | None = None, name_en: str | None = None
) -> Organisation:
    """Change its names; None leaves one. Owners and administrators. Raises not-found, input-invalid."""
    organisation = await _managed(caller, organisation_id)
    inputs = Inputs()
    if name_zh is not None:
        organisation.name_zh = inputs.name("/name_zh", name_zh)
    if name_en is not None:
        organisation.name_en = inputs.name("/name_en", name_en)
    inputs.check()
    async with audit.write(
        caller.actor, "organisation:update", f"organisation/{organisation.id}", organisation=organisation.id
    ) as entry:
        await Organisation.filter(id=organisation.id).update(
            name_zh=organisation.name_zh, name_en=organisation.name_en
        )
        entry.changed("organisation", organisation.id)
    return organisation


async def members_of(caller: Caller, organisation_id: str) -> list[Member]:
    """Its members with their roles, owners first, then by name. Raises not-found."""
    organisation = await get_organisation(caller, organisation_id)
    roles: dict[str, set[str]] = {}
    for row in await Membership.filter(organisation_id=organisation.id):
        roles.setdefault(row.person_id, set()).add(row.role)
    people = await Person.filter(id__in=list(roles)) if roles else []
    members = [
        Member(
            person_id=person.id,
            name=person.name,
            email=person.email,
            roles=tuple(role for role in ROLE_NAMES if role in roles[person.id]),
            is_disabled=person.disabled_at is not None,
        )
        for person in people
    ]
    return sorted(members, key=lambda member: ("owner" not in member.roles, member.name, member.person_id))


async def set_roles(caller: Caller, organisation_id: str, person_id: str, roles: list[str]) -> list[str]:
    """Give a member exactly these roles; returns them in order. Raises not-found, input-invalid, conflict (last owner)."""
    organisation = await _managed(caller, organisation_id)
    check_id(person_id, "p", Text("成员", "member"))
    inputs = Inputs()
    chosen = read_roles(inputs, "/roles", roles)
    inputs.check()
    async with audit.write(
        caller.actor, "member:set-roles", f"organisation/{organisation.id}", organisation=organisation.id,
        person=person_id, roles=chosen,
    ) as entry:  # fmt: skip
        held = await _held(organisation.id, person_id)
        for role in set(chosen) - held:
            await Membership.create(organisation_id=organisation.id, person_id=person_id, role=role)
        await (
            Membership.filter(organisation_id=organisation.id, person_id=person_id)
            .exclude(role__in=chosen)
            .delete()
        )
        await _check_owner_left(organisation, held)
        entry.detail["before"] = sorted(held)
        entry.changed("person", person_id)
        entry.changed("organisation", organisation.id)
    return chosen


async def remove_member(caller: Caller, organisation_id: str, person_id: str) -> None:
    """Take someone out, or leave oneself; the invitations that they sent stop working.

    Raises not-found, permission-denied, conflict (the last owner; one's personal organisation).
    """
    if caller.kind == CallerKind.PERSON and caller.id == person_id:
        organisation = await get_organisation(caller, organisation_id)
    else:
        organisation = await _managed(caller, organisation_id)
    check_id(person_id, "p", Text("成员", "member"))
    async with audit.write(
        caller.actor, "member:remove", f"organisation/{organisation.id}", organisation=organisation.id, person=person_id
    ) as entry:  # fmt: skip
        held = await _held(organisation.id, person_id)
        await Membership.filter(organisation_id=organisation.id, person_id=person_id).delete()
        await _check_owner_left(organisation, held)
        entry.detail["before"] = sorted(held)
        entry.detail["voided"] = await links.void_links(
            links.INVITE_MEMBER, organisation_id=organisation.id, created_by=f"person:{person_id}"
        )
        entry.changed("person", person_id)
        entry.changed("organisation", organisation.id)


async def _held(organisation_id: str, person_id: str) -> set[str]:
    rows = await Membership.filter(organisation_id=organisation_id, person_id=person_id)
    if not rows:
        raise Refusal(NOT_FOUND, what=Text("成员", "member"))
    return {row.role for row in rows}


async def _check_owner_left(organisation: Organisation, lost: set[str]) -> None:
    """Counted after the change, under the lock that `audit.write` holds: of two who leave at once, one stays."""
    if "owner" in lost:
        check_can_lose_owner(await Membership.filter(organisation_id=organisation.id, role="owner").count())


async def _managed(caller: Caller, organisation_id: str) -> Organisation:
    organisation = await get_organisation(caller, organisation_id)
    check_can_manage_members(caller, organisation.id)
    return organisation


async def home_of(caller: Caller, id_or_slug: str | None) -> Organisation | None:
    """Whose a new app is: the organisation named, else the caller's personal or only one.

    None for the operator, who has one made inside the transaction. Raises not-found, input-invalid (several to
    choose from).
    """
    if id_or_slug:
        return await get_organisation(caller, id_or_slug)
    if caller.kind == CallerKind.OPERATOR:
        return None
    mine = await organisations_of(caller)
    personal = [one for one in mine if one.kind == "individual" and caller.has_role(one.id, "owner")]
    if len(personal or mine) == 1:
        return (personal or mine)[0]
    known = ", ".join(one.slug for one in mine) or "—"
    raise refuse_input(
        "/organisation", f"请指明所属组织:{known}。", f"Name the organisation that it belongs to: {known}."
    )
