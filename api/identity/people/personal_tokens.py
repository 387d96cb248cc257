"""Personal tokens (`kp_…`) for the command line: made in the browser, shown once, used as Bearer."""

from datetime import timedelta

from tortoise.expressions import Q

from api.core import audit, clock, crypto, ids
from api.core.caller import Caller
from api.core.problem_types_platform import NOT_FOUND
from api.core.problems import Refusal, Text
from api.identity.inputs import Inputs, check_id
from api.identity.last_use import last_use
from api.identity.models import Person, PersonalToken
from api.identity.people.sessions import caller_of_person, present_session
from api.identity.permissions import check_in_browser, check_is_person
from api.identity.policies import check_can_add_token, is_secret_active

PREFIX = "kp"
MAX_DAYS = 730
_MAX_TOKEN = 64  # characters
_WHAT = Text("个人令牌", "personal token")


async def create_personal_token(
    caller: Caller, label: str, days: int | None = None
) -> tuple[PersonalToken, str]:
    """A token of the caller that lives `days` (None: until revoked), and its value, which is shown this once.

    It may do what its session may: made after a second factor it carries that, and it ends with the outside
    account that the session came through. Only in a browser session: a leaked token can't make more. Raises session-required, input-invalid,
    conflict (too many).
    """
    check_in_browser(caller, Text("创建个人令牌", "make personal tokens"))
    inputs = Inputs()
    label = inputs.line("/label", label, maximum=100)
    if days is not None and not 1 <= days <= MAX_DAYS:
        inputs.fault("/days", f"有效期为 1 至 {MAX_DAYS} 天。", f"It lives 1 to {MAX_DAYS} days.")
    inputs.check()
    token = ids.random_secret(PREFIX)
    moment = clock.now()
    identifier = ids.random_id("pt")
    async with audit.write(caller.actor, "token:create", f"person/{caller.id}", token=identifier, days=days):
        session = await present_session(caller)
        check_can_add_token(
            await PersonalToken.filter(person_id=caller.id, revoked_at=None)
            .filter(Q(expires_at=None) | Q(expires_at__gt=moment))
            .count()
        )
        row = await PersonalToken.create(
            id=identifier,
            person_id=caller.id,
            label=label,
            hash=crypto.hash_secret(token),
            hint=token[-4:],
            created_at=moment,
            expires_at=None if days is None else moment + timedelta(days=days),
            mfa_at=session.mfa_at,
            account_id=session.account_id,
        )
    return row, token


async def personal_tokens_of(caller: Caller) -> list[PersonalToken]:
    """The caller's tokens that are not revoked, expired ones included, the newest first."""
    check_is_person(caller)
    return await PersonalToken.filter(person_id=caller.id, revoked_at=None).order_by("-created_at", "-id")


async def revoke_personal_token(caller: Caller, token_id: str) -> None:
    """Revoke one of the caller's tokens; with itself too. Raises not-found."""
    check_is_person(caller)
    check_id(token_id, "pt", _WHAT)
    async with audit.write(caller.actor, "token:revoke", f"person/{caller.id}", token=token_id):
        revoked = await PersonalToken.filter(id=token_id, person_id=caller.id, revoked_at=None).update(
            revoked_at=clock.now()
        )
        if revoked != 1:
            raise Refusal(NOT_FOUND, what=_WHAT)


async def caller_of_personal_token(token: str) -> Caller | None:
    """The person a token speaks for, or None when it opens nothing (any more). Its use is noted, in batches."""
    if not token.isascii() or not token.isprintable() or len(token) > _MAX_TOKEN:
        return None
    row = await PersonalToken.get_or_none(hash=crypto.hash_secret(token))
    if row is None or not is_secret_active(row.expires_at, row.revoked_at, clock.now()):
        return None
    person = await Person.get_or_none(id=row.person_id, disabled_at=None)
    if person is None:
        return None
    last_use.note_token(row.id)
    expires_at = row.expires_at.timestamp() if row.expires_at else 0.0
    return await caller_of_person(
        person, grant="personal_token", token_id=row.id, expires_at=expires_at, has_mfa=row.mfa_at is not None
    )
