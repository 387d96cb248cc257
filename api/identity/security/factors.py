"""A person's second factors as a whole: which there are, a code looked at, all of them taken away.

A code of the authenticator app is accepted once: the step it belongs to must be later than the last accepted
one, decided by one conditional update. Five wrong codes in a row, and none is looked at for a quarter of an
hour: at that rate six digits are guessed in about two years, with a mail at every block. Passkeys need no limit.
"""

from datetime import timedelta

from msgspec import Struct

from api.core import audit, clock
from api.core.problem_types_people import SECOND_FACTOR_BLOCKED, SECOND_FACTOR_FAILED
from api.core.problems import Refusal
from api.identity.installation import vault
from api.identity.models import Person, PersonalToken, Session
from api.identity.people import mails
from api.identity.security import recovery, totp
from api.identity.security.models import Passkey, RecoveryCode, Totp

MAX_FAILURES = 5
BLOCK = timedelta(minutes=15)
TOTP, PASSKEY, RECOVERY = "totp", "passkey", "recovery"


class Factors(Struct, frozen=True):
    """What a person can show besides the password."""

    has_totp: bool
    passkeys: tuple[Passkey, ...]
    recovery_codes: int

    @property
    def exist(self) -> bool:
        """Whether signing in takes a second step. Recovery codes alone are no factor."""
        return self.has_totp or bool(self.passkeys)

    @property
    def methods(self) -> tuple[str, ...]:
        """The names of what can be shown now."""
        offered = ((TOTP, self.has_totp), (PASSKEY, bool(self.passkeys)), (RECOVERY, self.recovery_codes > 0))
        return tuple(name for name, is_there in offered if is_there)


async def factors_of(person_id: str) -> Factors:
    """The factors of a person; an authenticator app counts once its first code was given."""
    return Factors(
        has_totp=await Totp.filter(person_id=person_id, confirmed_at__not_isnull=True).exists(),
        passkeys=tuple(await Passkey.filter(person_id=person_id).order_by("created_at", "id")),
        recovery_codes=await recovery.codes_left(person_id),
    )


async def people_with_factors(people: list[str]) -> frozenset[str]:
    """Those of the people who have a second factor."""
    if not people:
        return frozenset()
    apps = Totp.filter(person_id__in=people, confirmed_at__not_isnull=True)
    keys = Passkey.filter(person_id__in=people)
    found = [*await apps.values_list("person_id", flat=True), *await keys.values_list("person_id", flat=True)]
    return frozenset(str(one) for one in found)


def context_of(person_id: str) -> str:
    """What a person's sealed secret is bound to, so that no row can be given to someone else."""
    return f"totp:{person_id}"


async def accept_step(row: Totp, code: str) -> str:
    """Inside an open `audit.write`: "" when the code is accepted, else why not: `code-wrong` or `code-used`."""
    secret = vault().open(row.secret, context_of(row.person_id))
    step = totp.step_of(secret, code, clock.unix_seconds())
    if step is None:
        return "code-wrong"
    taken = await Totp.filter(person_id=row.person_id, last_step__lt=step).update(last_step=step)
    return "" if taken == 1 else "code-used"


async def show_code(person_id: str, code: str) -> str:
    """Look at a code of the app, or at a recovery code; returns which of the two it was (`totp`, `recovery`).

    Raises second-factor-failed (rules code-wrong, code-used), second-factor-blocked. Counted per person.
    """
    async with audit.write(f"person:{person_id}", "person:show-factor", f"person/{person_id}") as entry:
        fault, method = await _look(person_id, code)
        entry.detail |= {"method": method, "fault": fault}
        if fault == "code-wrong":
            fault = await _count_failure(person_id)
        elif not fault:
            await Person.filter(id=person_id).update(factor_failures=0, factors_blocked_until=None)
            if method == RECOVERY:
                await _tell_of_recovery(person_id)
    if fault == "blocked":
        raise await _blocked(person_id)
    if fault:
        raise Refusal(SECOND_FACTOR_FAILED, rule=fault)
    return method


async def _look(person_id: str, code: str) -> tuple[str, str]:
    person = await Person.get(id=person_id)
    plain = "".join(code.split())
    is_app = plain.isascii() and plain.isdigit() and len(plain) == totp.DIGITS
    method = TOTP if is_app else RECOVERY
    if person.factors_blocked_until and person.factors_blocked_until > clock.now():
        return "blocked", method
    if is_app:
        row = await Totp.get_or_none(person_id=person_id, confirmed_at__not_isnull=True)
        return ("code-wrong" if row is None else await accept_step(row, plain)), method
    return ("" if await recovery.use_code(person_id, code) else "code-wrong"), method


async def _count_failure(person_id: str) -> str:
    person = await Person.get(id=person_id)
    failures = person.factor_failures + 1
    if failures < MAX_FAILURES:
        await Person.filter(id=person_id).update(factor_failures=failures)
        return "code-wrong"
    await Person.filter(id=person_id).update(factor_failures=0, factors_blocked_until=clock.now() + BLOCK)
    await mails.send_notice(person, "factor-blocked")
    return "blocked"


async def _blocked(person_id: str) -> Refusal:
    person = await Person.get(id=person_id)
    until = person.factors_blocked_until or clock.now()
    seconds = max(1, int((until - clock.now()).total_seconds()) + 1)
    return Refusal(SECOND_FACTOR_BLOCKED, failures=MAX_FAILURES, headers={"Retry-After": str(seconds)})


async def _tell_of_recovery(person_id: str) -> None:
    left = str(await recovery.codes_left(person_id))
    await mails.send_notice(await Person.get(id=person_id), "recovery-used", left=(left, left))


async def forget_factors(person_id: str) -> None:
    """Inside an open `audit.write`: nothing of a person's second factors is left, and nothing that was shown counts."""
    await Totp.filter(person_id=person_id).delete()
    await Passkey.filter(person_id=person_id).delete()
    await RecoveryCode.filter(person_id=person_id).delete()
    await Person.filter(id=person_id).update(factor_failures=0, factors_blocked_until=None)
    await nothing_shown(person_id)


async def nothing_shown(person_id: str) -> None:
    """Inside an open `audit.write`: no session or token of the person carries a second factor any more."""
    await Session.filter(person_id=person_id).update(mfa_at=None)
    await PersonalToken.filter(person_id=person_id).update(mfa_at=None)
