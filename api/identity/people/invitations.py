"""Invitations: a single-use link makes someone an administrator, or a member of an organisation.

A mailed link proves the address, so a newcomer who opens it needs no second mail. It is bound to that
address: whoever has an account there accepts as that person, signed in or with the password. The link for
the first administrator is bound to none; the operator hands it over, and vouches for the address given.
"""

from datetime import datetime

from msgspec import Struct
from tortoise.queryset import QuerySet

from api.core import audit, clock
from api.core.caller import ANONYMOUS, Caller, CallerKind
from api.core.problem_types_platform import CONFLICT, LINK_SPENT, NOT_FOUND, SIGN_IN_FAILED
from api.core.problems import Refusal, Text
from api.identity.inputs import Inputs, check_id
from api.identity.models import ActionLink, Membership, Organisation, Person
from api.identity.people import links, mails
from api.identity.people.accounts import LOCALES, make_person
from api.identity.people.addresses import read_address
from api.identity.people.passwords import check_password, hash_password, is_password
from api.identity.permissions import (
    ROLE_NAMES,
    check_can_invite_administrator,
    check_can_manage_members,
    roles_text,
)

KINDS = (links.INVITE_ADMINISTRATOR, links.INVITE_MEMBER)
MAX_OPEN = 200  # open invitations of one organisation
_WHAT = Text("邀请", "invitation")


class Invitation(Struct, frozen=True):
    """An open invitation as its page or its list shows it. `email` is "" where it is bound to no address."""

    id: str
    kind: str
    email: str
    organisation_id: str
    organisation_zh: str
    organisation_en: str
    roles: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    has_account: bool = False


async def invite_administrator(caller: Caller, email: str = "") -> str:
    """A link token that makes one person administrator, once, within 24 hours; with `email` it is mailed there.

    An older link that is bound to no address stops working: only the newest one that was handed over holds.
    """
    check_can_invite_administrator(caller)
    address = ""
    if email or caller.kind != CallerKind.OPERATOR:
        inputs = Inputs()
        address = read_address(inputs, "/email", email)
        inputs.check()
    async with audit.write(caller.actor, "administrator:invite", "administrator") as entry:
        entry.detail["voided"] = await links.void_links(links.INVITE_ADMINISTRATOR, email=address)
        token = await links.make_link(links.INVITE_ADMINISTRATOR, email=address, created_by=caller.actor)
        if address:
            await mails.send("invite-administrator", address, mails.link_to("invitation", token))
    return token


async def invite_member(caller: Caller, organisation_id: str, email: str, roles: list[str]) -> Invitation:
    """Mail someone a link into an organisation, for 7 days. Again to the same address: the new link replaces it.

    The token is in the mail only, because who opens it has shown the address to be theirs. Raises
    permission-denied, input-invalid, not-found, conflict (a personal organisation, a member already).
    """
    organisation = await _organisation(caller, organisation_id)
    inputs = Inputs()
    address = read_address(inputs, "/email", email)
    chosen = read_roles(inputs, "/roles", roles)
    inputs.check()
    if organisation.kind == "individual":
        raise Refusal(
            CONFLICT,
            rule="individual",
            reason=Text("个人组织只属于一个人。", "A personal organisation has one member."),
            following=Text("创建一个公司组织,再邀请成员。", "Create a company and invite members there."),
        )
    async with audit.write(
        caller.actor, "member:invite", f"organisation/{organisation.id}", organisation=organisation.id, roles=chosen
    ):  # fmt: skip
        person = await Person.get_or_none(email=address)
        if person and await Membership.filter(organisation_id=organisation.id, person_id=person.id).exists():
            raise Refusal(
                CONFLICT,
                rule="member-already",
                reason=Text("此人已是成员。", "This person is a member already."),
                following=Text("在成员列表中更改角色。", "Change the roles in the list of members."),
            )
        await links.void_links(links.INVITE_MEMBER, email=address, organisation_id=organisation.id)
        if await _open_of(organisation.id).count() >= MAX_OPEN:
            raise Refusal(
                CONFLICT,
                rule="invitation-limit",
                reason=Text(
                    f"最多有 {MAX_OPEN} 个未接受的邀请。", f"At most {MAX_OPEN} invitations are open."
                ),
                following=Text("先撤回一些邀请。", "Withdraw some of them first."),
            )
        token = await links.make_link(
            links.INVITE_MEMBER, email=address, organisation_id=organisation.id, roles=",".join(chosen),
            created_by=caller.actor,
        )  # fmt: skip
        words = roles_text(chosen)
        inviter = (caller.name, caller.name) if caller.kind == CallerKind.PERSON else ("平台", "The platform")
        await mails.send(
            "invite-member", address, mails.link_to("invitation", token),
            locale=person.locale if person else "", name=person.name if person else "",
            organisation=(organisation.name_zh, organisation.name_en), inviter=inviter, roles=(words.zh, words.en),
        )  # fmt: skip
        link = await links.open_link(token, links.INVITE_MEMBER)
    return await _invitation(link)


def read_roles(inputs: Inputs, pointer: str, roles: list[str]) -> list[str]:
    """The roles in their order, each once; a fault is noted for none, or for one that does not exist."""
    if not roles or any(role not in ROLE_NAMES for role in roles):
        known = ", ".join(ROLE_NAMES)
        inputs.fault(pointer, f"至少一个角色,可选:{known}。", f"At least one role of {known}.")
    return [role for role in ROLE_NAMES if role in roles]


async def invitations_of(caller: Caller, organisation_id: str) -> list[Invitation]:
    """The open invitations of an organisation, the newest first, for its owners."""
    organisation = await _organisation(caller, organisation_id)
    return [
        await _invitation(link) for link in await _open_of(organisation.id).order_by("-created_at", "hash")
    ]


async def withdraw_invitation(caller: Caller, organisation_id: str, invitation_id: str) -> None:
    """Make an open invitation useless. Raises not-found."""
    organisation = await _organisation(caller, organisation_id)
    check_id(invitation_id, "i", _WHAT)
    async with audit.write(
        caller.actor, "member:withdraw", f"organisation/{organisation.id}", organisation=organisation.id
    ):
        link = (
            await _open_of(organisation.id).filter(hash__startswith=links.hash_prefix(invitation_id)).first()
        )
        if link is None or links.public_id(link) != invitation_id:
            raise Refusal(NOT_FOUND, what=_WHAT)
        await ActionLink.filter(hash=link.hash).update(used_at=clock.now())


async def preview_invitation(token: str) -> Invitation:
    """What a link invites to, without using it. Raises link-spent."""
    return await _invitation(await links.open_link(token, *KINDS))


async def accept_invitation(
    token: str, name: str = "", password: str = "", *, email: str = "", locale: str = "zh", caller: Caller = ANONYMOUS
) -> Person:  # fmt: skip
    """Use an invitation up, as the caller, as the person who has the address and the password, or as a new one.

    A new person gives a name and a new password, and an e-mail address where the link names none. Raises
    link-spent, input-invalid, sign-in-failed, conflict (signed in as someone else).
    """
    link = await links.open_link(token, *KINDS)
    person = await _signed_in(link, caller)
    password_hash = ""
    address = person.email if person else link.email
    if person is None:
        inputs = Inputs()
        address = address or read_address(inputs, "/email", email)
        inputs.check()
        person = await Person.get_or_none(email=address)
        if person is None:
            name = inputs.name("/name", name)
            inputs.choice("/locale", locale, LOCALES)
            check_password(inputs, "/password", password, email=address, name=name)
            inputs.check()
            password_hash = await hash_password(password)
        elif not await is_password(password, "" if person.disabled_at else person.password_hash):
            raise Refusal(SIGN_IN_FAILED)
    actor = f"person:{person.id}" if person else ANONYMOUS.actor
    async with audit.write(actor, f"{link.kind.removeprefix('invite-')}:accept", "person") as entry:
        link = await links.use_link(token, *KINDS)
        if person is None:
            if await Person.filter(email=address).exists():  # signed up meanwhile: then with that password
                raise Refusal(SIGN_IN_FAILED)
            person = await make_person(
                entry, email=address, name=name, locale=locale, password_hash=password_hash
            )
            await links.void_links(links.VERIFY, email=address)
        entry.subject = f"person/{person.id}"
        await _grant(entry, link, person)
    return await Person.get(id=person.id)


async def _grant(entry: audit.Entry, link: ActionLink, person: Person) -> None:
    entry.changed("person", person.id)
    if link.kind == links.INVITE_ADMINISTRATOR:
        await Person.filter(id=person.id).update(is_administrator=True)
        return
    entry.organisation = link.organisation_id
    entry.detail["roles"] = link.roles
    rows = await Membership.filter(organisation_id=link.organisation_id, person_id=person.id)
    held = {row.role for row in rows}
    for role in link.roles.split(","):
        if role not in held:
            await Membership.create(organisation_id=link.organisation_id, person_id=person.id, role=role)
    entry.changed("organisation", link.organisation_id)


async def _signed_in(link: ActionLink, caller: Caller) -> Person | None:
    if caller.kind != CallerKind.PERSON:
        return None
    person = await Person.get_or_none(id=caller.id, disabled_at=None)
    if person is None:
        raise Refusal(LINK_SPENT)
    if link.email and link.email != person.email:
        raise Refusal(
            CONFLICT,
            rule="invitation-address",
            reason=Text("此邀请发给了另一个邮箱。", "The invitation went to another address."),
            following=Text("退出登录后再打开链接。", "Sign out and open the link again."),
        )
    return person


def _open_of(organisation_id: str) -> QuerySet[ActionLink]:
    return ActionLink.filter(
        kind=links.INVITE_MEMBER, organisation_id=organisation_id, used_at=None, expires_at__gt=clock.now()
    )


async def _organisation(caller: Caller, organisation_id: str) -> Organisation:
    check_id(organisation_id, "o", Text("组织", "organisation"))
    check_can_manage_members(caller, organisation_id)
    organisation = await Organisation.get_or_none(id=organisation_id)
    if organisation is None:
        raise Refusal(NOT_FOUND, what=Text("组织", "organisation"))
    return organisation


async def _invitation(link: ActionLink) -> Invitation:
    organisation = await Organisation.get_or_none(id=link.organisation_id) if link.organisation_id else None
    return Invitation(
        id=links.public_id(link),
        kind=link.kind,
        email=link.email,
        organisation_id=link.organisation_id,
        organisation_zh=organisation.name_zh if organisation else "",
        organisation_en=organisation.name_en if organisation else "",
        roles=tuple(link.roles.split(",")) if link.roles else (),
        created_at=link.created_at,
        expires_at=link.expires_at,
        has_account=bool(link.email) and await Person.filter(email=link.email).exists(),
    )
