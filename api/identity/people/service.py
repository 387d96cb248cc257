"""People: signing up, in and out; passwords; links in mails; the person's own data.

Nothing here tells a stranger who has an account: the answers are the same, and so is the work behind them
(a password is hashed whether or not there is someone to check, every answer writes one journal entry).
A person comes into being when the mailed link is opened, with the password of the sign-up that the link
belongs to: whoever types in another's address first gains nothing by it.
"""

from datetime import timedelta

from api.core import audit, clock
from api.core.caller import ANONYMOUS, Caller
from api.core.problem_types_platform import LINK_SPENT, NOT_SIGNED_IN
from api.core.problems import Refusal, Text
from api.identity.inputs import Inputs, refuse_input
from api.identity.models import ActionLink, Person
from api.identity.people import links, mails, sessions
from api.identity.people.accounts import (
    LOCALES,
    disable_person,
    enable_person,
    make_person,
    people,
    tokens_revoked,
)
from api.identity.people.addresses import read_address
from api.identity.people.invitations import accept_invitation, invite_administrator, preview_invitation
from api.identity.people.passwords import check_password, hash_password, is_password
from api.identity.people.personal_tokens import (
    caller_of_personal_token,
    create_personal_token,
    personal_tokens_of,
    revoke_personal_token,
)
from api.identity.people.sessions import (
    caller_of_session,
    close_session,
    revoke_other_sessions,
    revoke_session,
    sessions_of,
)
from api.identity.people.signing_in import sign_in
from api.identity.permissions import check_in_browser, check_is_person

__all__ = (
    "accept_invitation",
    "ask_reset",
    "caller_of_personal_token",
    "caller_of_session",
    "change_password",
    "create_personal_token",
    "disable_person",
    "enable_person",
    "get_person",
    "invite_administrator",
    "people",
    "personal_tokens_of",
    "preview_invitation",
    "reset_password",
    "revoke_other_sessions",
    "revoke_personal_token",
    "revoke_session",
    "sessions_of",
    "sign_in",
    "sign_out",
    "sign_up",
    "update_person",
    "verify_email",
)

MAILS_AN_HOUR = 5  # of one kind to one address, so that nobody is flooded through us


async def sign_up(email: str, password: str, name: str, locale: str = "zh") -> None:
    """Mail a verification link; the person exists once it is opened. Raises input-invalid.

    Whether the address has an account already only its mailbox learns. The newest and the older links all
    work, each with its own password; the first to be opened voids the others.
    """
    inputs = Inputs()
    address = read_address(inputs, "/email", email)
    name = inputs.name("/name", name)
    inputs.choice("/locale", locale, LOCALES)
    check_password(inputs, "/password", password, email=address, name=name)
    inputs.check()
    password_hash = await hash_password(password)
    async with audit.write(ANONYMOUS.actor, "person:sign-up", "person") as entry:
        known = await Person.get_or_none(email=address)
        is_flood = await _is_flood(links.VERIFY, address)
        payload = {"name": name, "locale": locale, "password_hash": "" if known else password_hash}
        token = await links.make_link(links.VERIFY, email=address, payload=payload)
        entry.detail["mailed"] = not is_flood
        if is_flood:
            return
        if known:
            await mails.send("known", address, mails.link_to("sign-in"), locale=known.locale, name=known.name)
        else:
            await mails.send("verify", address, mails.link_to("verify", token), locale=locale)


async def _is_flood(kind: str, address: str) -> bool:
    since = clock.now() - timedelta(hours=1)
    return await ActionLink.filter(kind=kind, email=address, created_at__gt=since).count() >= MAILS_AN_HOUR


async def verify_email(token: str) -> Person:
    """The person who now exists, with an organisation of their own. Raises link-spent."""
    async with audit.write(ANONYMOUS.actor, "person:verify", "person") as entry:
        link = await links.use_link(token, links.VERIFY)
        waiting = link.payload
        if not waiting.get("password_hash") or await Person.filter(email=link.email).exists():
            raise Refusal(LINK_SPENT)
        person = await make_person(
            entry,
            email=link.email,
            name=waiting["name"],
            locale=waiting["locale"],
            password_hash=waiting["password_hash"],
        )
        await links.void_links(links.VERIFY, email=link.email)
    return person


async def sign_out(cookie: str) -> None:
    """End the session of this cookie value; nothing happens where there is none."""
    await close_session(cookie)


async def ask_reset(email: str) -> None:
    """Mail a reset link to a person who has this address; silence, and the same work, otherwise. Raises input-invalid."""
    inputs = Inputs()
    address = read_address(inputs, "/email", email)
    inputs.check()
    async with audit.write(ANONYMOUS.actor, "person:ask-reset", "person") as entry:
        person = await Person.get_or_none(email=address, disabled_at=None)
        if person is not None and not person.password_hash:
            person = None  # signs in through an outside provider alone: a password would outlive it there
        is_flood = await _is_flood(links.RESET, address)
        token = await links.make_link(links.RESET, email=address, person_id=person.id if person else "")
        if person is not None:
            entry.subject = f"person/{person.id}"
            if not is_flood:
                await mails.send(
                    "reset", address, mails.link_to("reset", token), locale=person.locale, name=person.name
                )


async def reset_password(token: str, password: str) -> Person:
    """Set a new password by a mailed link; ends every session and revokes every personal token of the person.

    Raises link-spent, input-invalid.
    """
    link = await links.open_link(token, links.RESET)
    inputs = Inputs()
    check_password(inputs, "/password", password, email=link.email)
    inputs.check()
    password_hash = await hash_password(password)
    async with audit.write(
        f"person:{link.person_id or 'nobody'}", "person:reset", f"person/{link.person_id}"
    ) as entry:
        await links.use_link(token, links.RESET)
        changed = await Person.filter(id=link.person_id, disabled_at=None).update(password_hash=password_hash)
        if changed != 1:
            raise Refusal(LINK_SPENT)
        await links.void_links(links.RESET, person_id=link.person_id)
        entry.detail |= {
            "sessions": await sessions.end_sessions(link.person_id),
            "tokens": await tokens_revoked(link.person_id),
        }
        entry.changed("person", link.person_id)
        person = await Person.get(id=link.person_id)
        await _tell_of_change(person)
    return person


async def change_password(caller: Caller, current: str, password: str) -> None:
    """Change the caller's own password; ends their other sessions. Raises session-required, input-invalid."""
    check_in_browser(caller, Text("更改密码", "change the password"))
    person = await get_person(caller)
    if not await is_password(current, person.password_hash):
        raise refuse_input("/current_password", "当前密码不正确。", "This is not the present password.")
    inputs = Inputs()
    check_password(inputs, "/password", password, email=person.email, name=person.name)
    inputs.check()
    password_hash = await hash_password(password)
    async with audit.write(caller.actor, "person:change-password", f"person/{person.id}") as entry:
        changed = await Person.filter(id=person.id, password_hash=person.password_hash).update(
            password_hash=password_hash
        )
        if changed != 1:  # another request was first
            raise refuse_input("/current_password", "密码已被更改。", "The password was changed meanwhile.")
        entry.detail["sessions"] = await sessions.end_sessions(person.id, keep=caller.token_id)
        entry.changed("person", person.id)
        await _tell_of_change(person)


async def _tell_of_change(person: Person) -> None:
    await mails.send(
        "password-changed", person.email, mails.link_to("reset"), locale=person.locale, name=person.name
    )


async def get_person(caller: Caller) -> Person:
    """The caller's own row. Raises not-signed-in, permission-denied."""
    check_is_person(caller)
    person = await Person.get_or_none(id=caller.id, disabled_at=None)
    if person is None:
        raise Refusal(NOT_SIGNED_IN)
    return person


async def update_person(caller: Caller, *, name: str | None = None, locale: str | None = None) -> Person:
    """Change the caller's own name or language; None leaves it. Raises input-invalid."""
    person = await get_person(caller)
    inputs = Inputs()
    if name is not None:
        person.name = inputs.name("/name", name)
    if locale is not None:
        person.locale = inputs.choice("/locale", locale, LOCALES)
    inputs.check()
    async with audit.write(caller.actor, "person:update", f"person/{person.id}") as entry:
        await Person.filter(id=person.id).update(name=person.name, locale=person.locale)
        entry.changed("person", person.id)
    return person
