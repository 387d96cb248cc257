"""What people do about their own security: authenticator app, recovery codes, confirming, and the reset by another.

Passkeys are in passkeys.py. Everything here takes a browser session; what changes factors takes one in which
the person was seen within the last quarter of an hour. A mail tells of every change.
"""

from datetime import datetime, timedelta

from msgspec import Struct

from api.core import audit, clock
from api.core.caller import Caller, CallerKind
from api.core.problem_types_people import CONFIRMATION_REQUIRED
from api.core.problem_types_platform import CONFLICT, NOT_FOUND
from api.core.problems import Refusal, Text
from api.identity.inputs import Inputs, check_id, refuse_input
from api.identity.installation import current, vault
from api.identity.models import Person, Session
from api.identity.people import mails
from api.identity.people.accounts import WHAT, check_can_manage_people
from api.identity.people.passwords import is_password
from api.identity.people.sessions import end_sessions, present_session
from api.identity.permissions import check_in_browser
from api.identity.security import recovery, totp
from api.identity.security.factors import (
    Factors,
    accept_step,
    context_of,
    factors_of,
    forget_factors,
    show_code,
)
from api.identity.security.models import Passkey, Totp

FRESH = timedelta(minutes=15)
CONFIRM = "/account/security/confirm"
ISSUER = "Kaimen 开门"
_CHANGE = Text("更改安全设置", "change security settings")


class Security(Struct, frozen=True):
    """A person's security as its page shows it."""

    factors: Factors
    has_mfa: bool  # the present session showed a factor
    is_required: bool  # some of the person's rights need one
    is_fresh: bool


class NewTotp(Struct, frozen=True):
    """What goes into the authenticator app: typed, or as the QR code of `address`."""

    secret: str
    address: str


def needs_mfa(caller: Caller) -> bool:
    """Whether a role of the person can approve, publish or administer."""
    if not current().settings.require_mfa:
        return False
    held = {role for roles in caller.organisations.values() for role in roles}
    return caller.is_administrator or bool(held & {"approver", "publisher"})


async def security_of(caller: Caller) -> Security:
    """The caller's own security. Raises session-required."""
    check_in_browser(caller, Text("查看安全设置", "look at security settings"))
    session = await present_session(caller)
    factors = await factors_of(caller.id)
    return Security(factors, session.mfa_at is not None, needs_mfa(caller), _is_fresh(session, factors))


def _is_fresh(session: Session, factors: Factors) -> bool:
    shown: datetime | None = session.mfa_at if factors.exist else session.proven_at
    return shown is not None and clock.now() - shown < FRESH


async def check_fresh(caller: Caller) -> Session:
    """The caller's session, if the person was seen in it lately: with a factor, where there is one.

    Raises session-required, confirmation-required.
    """
    check_in_browser(caller, _CHANGE)
    session = await present_session(caller)
    if not _is_fresh(session, await factors_of(caller.id)):
        raise Refusal(CONFIRMATION_REQUIRED, where=CONFIRM, minutes=int(FRESH.total_seconds() // 60))
    return session


async def mark_shown(session: Session) -> None:
    """Inside an open `audit.write`: a factor was shown in this session just now."""
    moment = clock.now()
    await Session.filter(hash=session.hash).update(mfa_at=moment, proven_at=moment)


# --- the authenticator app ------------------------------------------------------------------------
async def begin_totp(caller: Caller) -> NewTotp:
    """A secret for the app, good once its first code is given. One begun earlier and never confirmed is replaced.

    Raises session-required, confirmation-required, conflict (there is one already).
    """
    await check_fresh(caller)
    secret = totp.make_secret()
    sealed = vault().seal(secret, context_of(caller.id))
    async with audit.write(caller.actor, "totp:begin", f"person/{caller.id}"):
        if await Totp.filter(person_id=caller.id, confirmed_at__not_isnull=True).exists():
            raise _there_already()
        await Totp.filter(person_id=caller.id).delete()
        await Totp.create(person_id=caller.id, secret=sealed, created_at=clock.now())
        person = await Person.get(id=caller.id)
    return NewTotp(totp.secret_text(secret), totp.address_of(secret, person.email, ISSUER))


async def waiting_totp(caller: Caller) -> NewTotp | None:
    """The secret that was begun and waits for its first code; None where there is none."""
    check_in_browser(caller, _CHANGE)
    row = await Totp.get_or_none(person_id=caller.id, confirmed_at=None)
    if row is None:
        return None
    secret = vault().open(row.secret, context_of(caller.id))
    person = await Person.get(id=caller.id)
    return NewTotp(totp.secret_text(secret), totp.address_of(secret, person.email, ISSUER))


async def confirm_totp(caller: Caller, code: str) -> list[str]:
    """The first code makes the app a factor, and this session one that showed it. Returns recovery codes, if new.

    They are made with the person's first factor; later ones leave them alone, and the list is empty. Raises
    input-invalid (wrong code), conflict (nothing begun, or there already).
    """
    session = await check_fresh(caller)
    plain = "".join(code.split())
    async with audit.write(caller.actor, "totp:add", f"person/{caller.id}") as entry:
        row = await Totp.get_or_none(person_id=caller.id)
        if row is None:
            raise _nothing_begun()
        if row.confirmed_at is not None:
            raise _there_already()
        if not plain.isascii() or not plain.isdigit() or await accept_step(row, plain):
            raise refuse_input(
                "/code",
                "代码不正确，请输入应用现在显示的 6 位数字。",
                "This is not the code; enter the six digits that the app shows now.",
            )
        await Totp.filter(person_id=caller.id).update(confirmed_at=clock.now())
        await mark_shown(session)
        entry.changed("person", caller.id)
        await mails.send_notice(await Person.get(id=caller.id), "totp-added")
        return await first_codes(caller.id)


async def remove_totp(caller: Caller) -> None:
    """Take the authenticator app away. Raises not-found, confirmation-required."""
    await check_fresh(caller)
    async with audit.write(caller.actor, "totp:remove", f"person/{caller.id}") as entry:
        if await Totp.filter(person_id=caller.id, confirmed_at__not_isnull=True).delete() != 1:
            raise Refusal(NOT_FOUND, what=Text("身份验证器", "authenticator app"))
        entry.changed("person", caller.id)
        await after_removal(caller.id)
        await mails.send_notice(await Person.get(id=caller.id), "totp-removed")


async def after_removal(person_id: str) -> None:
    """Inside an open `audit.write`: with the last factor, what was shown and the recovery codes go too."""
    if not (await factors_of(person_id)).exist:
        await forget_factors(person_id)


async def first_codes(person_id: str) -> list[str]:
    """Inside an open `audit.write`: recovery codes for a person who has none, else an empty list."""
    return [] if await recovery.codes_left(person_id) else await recovery.make_codes(person_id)


def _there_already() -> Refusal:
    return Refusal(
        CONFLICT,
        rule="totp-exists",
        reason=Text("已启用身份验证器。", "There is an authenticator app already."),
        following=Text("先移除它，再添加另一个。", "Remove it, then add another."),
    )


def _nothing_begun() -> Refusal:
    return Refusal(
        CONFLICT,
        rule="totp-not-begun",
        reason=Text("没有等待确认的身份验证器。", "No authenticator app waits to be confirmed."),
        following=Text("重新开始添加。", "Begin to add one."),
    )


# --- recovery codes -------------------------------------------------------------------------------
async def renew_recovery_codes(caller: Caller) -> list[str]:
    """Ten new codes; the older ones stop working. Raises conflict (no factor), confirmation-required."""
    await check_fresh(caller)
    if not (await factors_of(caller.id)).exist:
        raise Refusal(
            CONFLICT,
            rule="no-factor",
            reason=Text("还没有启用两步验证。", "Two-factor authentication is not set up."),
            following=Text("先添加身份验证器或通行密钥。", "Add an authenticator app or a passkey first."),
        )
    async with audit.write(caller.actor, "recovery:make", f"person/{caller.id}"):
        codes = await recovery.make_codes(caller.id)
        await mails.send_notice(await Person.get(id=caller.id), "recovery-made")
    return codes


# --- confirming -----------------------------------------------------------------------------------
async def confirm(caller: Caller, *, code: str = "", password: str = "") -> None:
    """Show a code in the present session, or the password where the account has no factor.

    Raises session-required, input-invalid (wrong password), second-factor-failed, second-factor-blocked.
    """
    check_in_browser(caller, _CHANGE)
    session = await present_session(caller)
    if (await factors_of(caller.id)).exist:
        await show_code(caller.id, code)
        async with audit.write(caller.actor, "session:confirm", f"person/{caller.id}", factor=True):
            await mark_shown(session)
        return
    person = await Person.get(id=caller.id)
    if not await is_password(password, person.password_hash):
        raise refuse_input("/password", "密码不正确。", "This is not the password.")
    async with audit.write(caller.actor, "session:confirm", f"person/{caller.id}", factor=False):
        await Session.filter(hash=session.hash).update(proven_at=clock.now())


# --- another person's -----------------------------------------------------------------------------
async def reset_factors(caller: Caller, person_id: str, reason: str) -> Person:
    """Take a locked-out person's factors away and end all sessions; the password then opens one that may set up anew.

    By another administrator, who says why, or by the operator. Raises conflict (oneself), input-invalid.
    """
    check_can_manage_people(caller)
    check_id(person_id, "p", WHAT)
    inputs = Inputs()
    reason = inputs.line("/reason", reason, maximum=500, minimum=5)
    inputs.check()
    if caller.kind is CallerKind.PERSON and person_id == caller.id:
        raise Refusal(
            CONFLICT,
            rule="reset-self",
            reason=Text("不能重置自己的两步验证。", "Nobody resets their own two-factor authentication."),
            following=Text("请另一位管理员操作。", "Ask another administrator."),
        )
    async with audit.write(
        caller.actor, "person:reset-factors", f"person/{person_id}", reason=reason
    ) as entry:
        person = await Person.get_or_none(id=person_id)
        if person is None:
            raise Refusal(NOT_FOUND, what=WHAT)
        entry.detail["had"] = list((await factors_of(person_id)).methods)
        await forget_factors(person_id)
        entry.detail["sessions"] = await end_sessions(person_id)
        entry.changed("person", person_id)
        await mails.send_notice(person, "factors-reset")
    return person


async def passkeys_of(caller: Caller) -> list[Passkey]:
    """The caller's passkeys, the oldest first."""
    return list((await factors_of(caller.id)).passkeys)
