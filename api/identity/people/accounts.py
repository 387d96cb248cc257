"""People as rows: coming into being, and being shut out by an administrator."""

from api.core import audit, clock, ids
from api.core.caller import Caller
from api.core.paging import Page, page_of
from api.core.problem_types_platform import CONFLICT, NOT_FOUND
from api.core.problems import Refusal, Text
from api.identity.inputs import check_id
from api.identity.models import Membership, Organisation, Person, PersonalToken
from api.identity.people.sessions import end_sessions
from api.identity.permissions import check_is_administrator, passes

LOCALES = ("zh", "en")
WHAT = Text("用户", "person")


async def make_person(
    entry: audit.Entry,
    *,
    email: str,
    name: str,
    locale: str,
    password_hash: str,
    is_administrator: bool = False,
) -> Person:
    """Inside an open `audit.write`: a person with a verified address, and the organisation of that one person.

    So that a first app takes no further step, everyone owns an `individual` organisation from the start.
    """
    moment = clock.now()
    person = await Person.create(
        id=ids.random_id("p"),
        email=email,
        name=name,
        locale=locale,
        password_hash=password_hash,
        email_verified_at=moment,
        is_administrator=is_administrator,
        created_at=moment,
    )
    organisation = await Organisation.create(
        id=ids.random_id("o"),
        slug="person-" + ids.random_id("p", 8).partition("_")[2],
        kind="individual",
        name_zh=name,
        name_en=name,
        created_at=moment,
    )
    await Membership.create(organisation_id=organisation.id, person_id=person.id, role="owner")
    entry.subject, entry.organisation = f"person/{person.id}", organisation.id
    entry.detail["is_administrator"] = is_administrator
    entry.changed("person", person.id)
    entry.changed("organisation", organisation.id)
    return person


def check_can_manage_people(caller: Caller) -> None:
    """Administrators as people, and the operator."""
    check_is_administrator(caller, Text("只有管理员能管理用户。", "Only administrators look after people."))


def can_manage_people(caller: Caller) -> bool:
    return passes(check_can_manage_people, caller)


async def people(caller: Caller, *, limit: int = 50, cursor: str = "") -> Page[Person]:
    """Everyone, the newest first, for administrators."""
    check_can_manage_people(caller)
    return await page_of(Person.all(), limit=limit, cursor=cursor)


async def disable_person(caller: Caller, person_id: str) -> Person:
    """Shut a person out at once: sessions end, tokens open nothing. Their organisations' apps run on.

    Raises conflict for oneself and for the last administrator.
    """
    check_can_manage_people(caller)
    check_id(person_id, "p", WHAT)
    if person_id == caller.id:
        raise Refusal(
            CONFLICT,
            rule="disable-self",
            reason=Text("不能停用自己。", "Nobody shuts themselves out."),
            following=Text("请另一位管理员操作。", "Ask another administrator."),
        )
    async with audit.write(caller.actor, "person:disable", f"person/{person_id}") as entry:
        changed = await Person.filter(id=person_id, disabled_at=None).update(disabled_at=clock.now())
        person = await Person.get_or_none(id=person_id)
        if person is None:
            raise Refusal(NOT_FOUND, what=WHAT)
        if (
            person.is_administrator
            and not await Person.filter(is_administrator=True, disabled_at=None).exists()
        ):
            raise Refusal(
                CONFLICT,
                rule="last-administrator",
                reason=Text("平台至少要有一位管理员。", "The platform keeps at least one administrator."),
                following=Text("先邀请另一位管理员。", "Invite another administrator first."),
            )
        entry.detail |= {"changed": changed, "sessions": await end_sessions(person_id)}
        entry.changed("person", person_id)
    return person


async def enable_person(caller: Caller, person_id: str) -> Person:
    """Let a disabled person in again; they sign in anew."""
    check_can_manage_people(caller)
    check_id(person_id, "p", WHAT)
    async with audit.write(caller.actor, "person:enable", f"person/{person_id}") as entry:
        await Person.filter(id=person_id).update(disabled_at=None)
        person = await Person.get_or_none(id=person_id)
        if person is None:
            raise Refusal(NOT_FOUND, what=WHAT)
        entry.changed("person", person_id)
    return person


async def tokens_revoked(person_id: str) -> int:
    """Inside an open `audit.write`: revoke all personal tokens of a person. Returns how many."""
    return await PersonalToken.filter(person_id=person_id, revoked_at=None).update(revoked_at=clock.now())
