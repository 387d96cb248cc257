"""What identity answers to the catalogue's questions (catalogue.outside): who owns, who decides, where to write to.

outside.use(outside.Outside(**answers(), exercised=…, probe=…))
"""

from collections.abc import Awaitable, Callable
from typing import Any

from api.catalogue.outside import AppOwner, Contact
from api.catalogue.outside import Organisation as OrganisationAnswer
from api.core import audit
from api.core.caller import Caller, CallerKind
from api.identity.models import App, Membership, Organisation, Person
from api.identity.organisations.service import OPERATOR_SLUG, find_organisation, operator_organisation
from api.identity.policies import DELETED

_PUBLISHERS = ("owner", "publisher")


def answers() -> dict[str, Callable[..., Awaitable[Any]]]:
    """The answers by the names of `Outside`."""
    return {
        "app_owner": app_owner,
        "organisation": organisation,
        "default_owner": default_owner,
        "contacts": contacts,
        "administrators": administrators,
        "contact": contact,
        "memberships": memberships,
    }


async def app_owner(app_id: str) -> AppOwner | None:
    """Whose an app is; None for an unknown or deleted one."""
    app = await App.get_or_none(id=app_id)
    if app is None or app.status == DELETED:
        return None
    return AppOwner(organisation_id=app.organisation_id, environment=app.environment, name=app.name)


async def organisation(id_or_slug: str) -> OrganisationAnswer | None:
    """An organisation by id or slug."""
    row = await find_organisation(id_or_slug)
    return None if row is None else OrganisationAnswer(row.id, row.slug, row.kind, row.name_zh, row.name_en)


async def default_owner(caller: Caller) -> str:
    """Who owns what is imported without saying for whom: the one department the caller publishes for.

    For the operator its own organisation, made at first need; "" when there is none or more than one.
    """
    if caller.kind == CallerKind.OPERATOR:
        found = await Organisation.get_or_none(slug=OPERATOR_SLUG)
        if found is None:
            async with audit.write(
                caller.actor, "organisation:create", f"organisation/{OPERATOR_SLUG}"
            ) as entry:
                found = await operator_organisation(entry)
        return found.id
    mine = [one for one in caller.organisations if caller.has_role(one, *_PUBLISHERS)]
    departments = await Organisation.filter(id__in=mine or [""], kind="department")
    return departments[0].id if len(departments) == 1 else ""


async def contacts(organisation_id: str, roles: frozenset[str]) -> list[Contact]:
    """Members who hold one of the roles and are not shut out."""
    rows = await Membership.filter(organisation_id=organisation_id, role__in=list(roles))
    people = await Person.filter(id__in=[row.person_id for row in rows] or [""], disabled_at=None).order_by(
        "id"
    )
    return [_contact(person) for person in people]


async def administrators() -> list[Contact]:
    """The platform's administrators."""
    return [
        _contact(person)
        for person in await Person.filter(is_administrator=True, disabled_at=None).order_by("id")
    ]


async def contact(person_id: str) -> Contact | None:
    """Where to write to a person; None for one who is unknown or shut out."""
    person = await Person.get_or_none(id=person_id, disabled_at=None)
    return None if person is None else _contact(person)


async def memberships(person_id: str) -> frozenset[str]:
    """The organisations that a person is in now."""
    return frozenset(row.organisation_id for row in await Membership.filter(person_id=person_id))


def _contact(person: Person) -> Contact:
    return Contact(person_id=person.id, email=person.email, name=person.name, locale=person.locale)
