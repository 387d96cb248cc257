"""Signing in with a password, in one step or, where the account has a second factor, in two.

Between the two steps the browser holds a ticket: sealed, good for ten minutes, of use to nobody without the
second factor, and void once the password changes. Passkeys sign in by themselves (security.passkeys).
"""

import hmac

import msgspec
from cryptography.exceptions import InvalidTag
from msgspec import Struct

from api.core import audit, clock, crypto
from api.core.logging import log
from api.core.problem_types_people import SECOND_FACTOR_REQUIRED
from api.core.problem_types_platform import LINK_SPENT, SIGN_IN_FAILED
from api.core.problems import Refusal
from api.identity.installation import vault
from api.identity.models import Person, Session
from api.identity.people.addresses import normalise_address
from api.identity.people.passwords import is_password
from api.identity.people.sessions import open_session
from api.identity.security.factors import factors_of, show_code

TICKET_SECONDS = 600
_CONTEXT = "identity:second-step"
_MAX_TICKET = 1000  # characters


class SecondStep(Struct, frozen=True):
    """The password was right; `ticket` goes with what is shown next, one of `methods`."""

    ticket: str
    methods: tuple[str, ...]


class Ticket(Struct, frozen=True):
    """What a ticket holds."""

    person_id: str
    password: str  # a digest of its stored hash: another password voids the ticket
    at: float


async def sign_in(email: str, password: str, user_agent: str = "", code: str = "") -> tuple[str, Session]:
    """A new session in one step: the cookie's value, and the row.

    Raises sign-in-failed, whatever was wrong with the two (a wrong password, an unknown address and a disabled
    person take the same time); second-factor-required when the account has a factor and no code came;
    second-factor-failed, second-factor-blocked.
    """
    person = await _person_of(email, password)
    factors = await factors_of(person.id)
    if factors.exist:
        if not code:
            raise Refusal(SECOND_FACTOR_REQUIRED, methods=list(factors.methods))
        await show_code(person.id, code)
    return await _open(person, user_agent, has_mfa=factors.exist)


async def start_sign_in(email: str, password: str, user_agent: str = "") -> tuple[str, Session] | SecondStep:
    """The first of two steps: a session where the password is all there is, else what goes on. Raises sign-in-failed."""
    person = await _person_of(email, password)
    factors = await factors_of(person.id)
    if not factors.exist:
        return await _open(person, user_agent, has_mfa=False)
    return SecondStep(_seal(person), factors.methods)


async def finish_sign_in(ticket: str, code: str, user_agent: str = "") -> tuple[str, Session]:
    """The second step. Raises link-spent (the ticket), second-factor-failed, second-factor-blocked."""
    person = await person_of_ticket(ticket)
    await show_code(person.id, code)
    return await _open(person, user_agent, has_mfa=True)


async def person_of_ticket(ticket: str) -> Person:
    """Whose password was right. Raises link-spent when it is too old, or no longer so."""
    held = read_ticket(ticket)
    person = await Person.get_or_none(id=held.person_id, disabled_at=None) if held else None
    if held is None or person is None or not hmac.compare_digest(held.password, _fingerprint(person)):
        raise Refusal(LINK_SPENT)
    return person


async def methods_of(person: Person) -> tuple[str, ...]:
    """What the person can show in the second step."""
    return (await factors_of(person.id)).methods


def read_ticket(ticket: str) -> Ticket | None:
    """What a ticket says; None for one that is too old or not ours."""
    if not ticket.isascii() or len(ticket) > _MAX_TICKET:
        return None
    try:
        plain = vault().open(ticket.replace(".", "$"), _CONTEXT)
    except (InvalidTag, ValueError):
        return None
    held = msgspec.json.decode(plain, type=Ticket)
    return held if clock.unix_seconds() - held.at < TICKET_SECONDS else None


def _seal(person: Person) -> str:
    held = Ticket(person.id, _fingerprint(person), clock.unix_seconds())
    return vault().seal(msgspec.json.encode(held), _CONTEXT).replace("$", ".")  # fit for a cookie


def _fingerprint(person: Person) -> str:
    return crypto.digest(person.password_hash.encode())


async def _person_of(email: str, password: str) -> Person:
    try:
        person = await Person.get_or_none(email=normalise_address(email))
    except ValueError:
        person = None
    stored = person.password_hash if person and person.disabled_at is None else ""
    if not await is_password(password, stored) or person is None:
        log("identity.sign_in_failed", person=person.id if person else "unknown")
        raise Refusal(SIGN_IN_FAILED)
    return person


async def _open(person: Person, user_agent: str, *, has_mfa: bool) -> tuple[str, Session]:
    async with audit.write(
        f"person:{person.id}", "session:open", f"person/{person.id}", mfa=has_mfa
    ) as entry:
        # not changed or shut out while the password was checked
        if not await Person.filter(
            id=person.id, password_hash=person.password_hash, disabled_at=None
        ).exists():
            raise Refusal(SIGN_IN_FAILED)
        if not has_mfa and (await factors_of(person.id)).exist:  # nor a factor added meanwhile
            raise Refusal(SIGN_IN_FAILED)
        return await open_session(entry, person, user_agent, has_mfa=has_mfa)
