"""Browser sessions: opened at sign-in, closed at sign-out. The cookie's value is stored as its hash only."""

from datetime import timedelta

from api.core import audit, clock, crypto, ids
from api.core.caller import Caller, CallerKind
from api.core.problem_types_platform import NOT_FOUND, NOT_SIGNED_IN
from api.core.problems import Refusal, Text
from api.identity.inputs import check_id, is_clean
from api.identity.installation import current
from api.identity.last_use import last_use
from api.identity.models import Membership, Person, Session
from api.identity.permissions import check_in_browser, check_is_person

_PREFIX = "ks"
_MAX_COOKIE = 64  # characters
_PUBLIC_ID = 26  # characters of the hash that name a session in lists
_WHAT = Text("会话", "session")


def session_id(session: Session) -> str:
    """What names a session in lists and addresses: part of its hash, of no use for opening it."""
    return "ss_" + session.hash.partition("$")[2][:_PUBLIC_ID]


async def open_session(
    entry: audit.Entry, person: Person, user_agent: str, *, has_mfa: bool = False, account_id: str = ""
) -> tuple[str, Session]:
    """Start a session of the person inside an open `audit.write`: the cookie's value, and the row.

    `has_mfa` says that a second factor was shown for it, `account_id` through which outside account it came.

    The value is new at every sign-in, so nothing that was set in the browser before becomes a session.
    """
    cookie = ids.random_secret(_PREFIX)
    moment = clock.now()
    session = await Session.create(
        hash=crypto.hash_secret(cookie),
        person_id=person.id,
        csrf=ids.random_secret("kc"),
        user_agent="".join(character for character in user_agent[:200] if is_clean(character)),
        created_at=moment,
        last_seen_at=moment,
        expires_at=moment + timedelta(hours=current().settings.session_hours),
        proven_at=moment,
        mfa_at=moment if has_mfa else None,
        account_id=account_id,
    )
    entry.detail["session"] = session_id(session)
    return cookie, session


async def find_session(cookie: str) -> Session | None:
    """The live session of a cookie's value, or None."""
    if not cookie.isascii() or not cookie.isprintable() or not 0 < len(cookie) <= _MAX_COOKIE:
        return None
    session = await Session.get_or_none(hash=crypto.hash_secret(cookie))
    if session is None or session.expires_at <= clock.now():
        return None
    return session


async def caller_of_session(cookie: str) -> Caller | None:
    """The person who holds the cookie, or None when it opens nothing (any more)."""
    session = await find_session(cookie)
    return None if session is None else await caller_of(session)


async def caller_of(session: Session) -> Caller | None:
    """The person of a live session; None when the person is disabled. Its use is noted, in batches."""
    person = await Person.get_or_none(id=session.person_id, disabled_at=None)
    if person is None:
        return None
    last_use.note_session(session.hash)
    return await caller_of_person(
        person,
        grant="session",
        token_id=session_id(session),
        expires_at=session.expires_at.timestamp(),
        has_mfa=session.mfa_at is not None,
    )


async def caller_of_person(
    person: Person, *, grant: str, token_id: str, expires_at: float = 0.0, has_mfa: bool = False
) -> Caller:
    """The Caller that stands for a person, with the roles held now; where none is required, a factor counts as shown."""
    organisations: dict[str, set[str]] = {}
    for organisation_id, role in await Membership.filter(person_id=person.id).values_list(
        "organisation_id", "role"
    ):
        organisations.setdefault(str(organisation_id), set()).add(str(role))
    return Caller(
        kind=CallerKind.PERSON,
        id=person.id,
        name=person.name,
        organisations={key: frozenset(roles) for key, roles in organisations.items()},
        is_administrator=person.is_administrator,
        grant=grant,
        token_id=token_id,
        expires_at=expires_at,
        has_mfa=has_mfa or not current().settings.require_mfa,
    )


async def close_session(cookie: str) -> None:
    """Sign out; nothing happens for a value that opens nothing."""
    session = await find_session(cookie)
    if session is None:
        return
    async with audit.write(
        f"person:{session.person_id}", "session:close", f"person/{session.person_id}"
    ) as entry:
        await Session.filter(hash=session.hash).delete()
        entry.detail["session"] = session_id(session)


async def sessions_of(caller: Caller) -> list[Session]:
    """The live sessions of the caller, the newest first."""
    check_is_person(caller)
    return await Session.filter(person_id=caller.id, expires_at__gt=clock.now()).order_by(
        "-created_at", "hash"
    )


async def present_session(caller: Caller) -> Session:
    """The row of the session that the caller speaks in. Raises not-signed-in when it has ended meanwhile."""
    prefix = f"{crypto.SUITE}${caller.token_id.partition('_')[2]}"
    session = await Session.get_or_none(person_id=caller.id, hash__startswith=prefix)
    if session is None:
        raise Refusal(NOT_SIGNED_IN)
    return session


async def revoke_session(caller: Caller, identifier: str) -> None:
    """End one of the caller's sessions. Raises not-found."""
    check_in_browser(caller, Text("退出其他会话", "end sessions"))
    check_id(identifier, "ss", _WHAT)
    prefix = f"{crypto.SUITE}${identifier.partition('_')[2]}"
    if len(identifier) != len("ss_") + _PUBLIC_ID:
        raise Refusal(NOT_FOUND, what=_WHAT)
    async with audit.write(caller.actor, "session:revoke", f"person/{caller.id}", session=identifier):
        if await Session.filter(person_id=caller.id, hash__startswith=prefix).delete() != 1:
            raise Refusal(NOT_FOUND, what=_WHAT)


async def revoke_other_sessions(caller: Caller) -> int:
    """End all of the caller's sessions but the present one. Returns how many."""
    check_in_browser(caller, Text("退出其他会话", "end sessions"))
    async with audit.write(caller.actor, "session:revoke-others", f"person/{caller.id}") as entry:
        ended = await end_sessions(caller.id, keep=caller.token_id)
        entry.detail["sessions"] = ended
    return ended


async def end_sessions(person_id: str, *, keep: str = "") -> int:
    """Inside an open `audit.write`: delete the person's sessions but the one named `keep`. Returns how many."""
    query = Session.filter(person_id=person_id)
    if keep:
        query = query.exclude(hash__startswith=f"{crypto.SUITE}${keep.partition('_')[2]}")
    return await query.delete()
