"""What an outside account's claims are worth here: memberships by rule, a second factor, a level of assurance.

A rule is {"claim", "value", "organisation", "roles"}; `claim` may be a path (`realm_access.roles`), `value` "*"
fits whatever the claim holds. Administrators of the platform are never made by claims.
"""

from typing import Any

from api.core import audit
from api.identity.consents.subjects import ASSURANCES
from api.identity.inputs import is_clean
from api.identity.models import Membership
from api.identity.outside.models import OutsideProvider

MAX_RULES = 100


def values_of(claims: dict[str, Any], path: str) -> list[str]:
    """The texts that a claim holds, one or several; none where it is missing or holds something else."""
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for part in path.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    values = found if isinstance(found, list) else [found]
    return [one for one in values[:200] if isinstance(one, str)]


def line_of(claims: dict[str, Any], *names: str) -> str:
    """The first of these claims that holds a text, as one clean line of at most 100 characters; "" for none."""
    for name in names:
        for value in values_of(claims, name)[:1]:
            line = " ".join("".join(one if is_clean(one) else " " for one in value[:400]).split())[:100]
            if line:
                return line
    return ""


def memberships_by(provider: OutsideProvider, claims: dict[str, Any]) -> frozenset[tuple[str, str]]:
    """The pairs (organisation id, role) that the provider's rules give for these claims."""
    given = set()
    for rule in provider.mapping:
        values = values_of(claims, rule["claim"])
        if rule["value"] in values or (rule["value"] == "*" and values):
            given |= {(rule["organisation"], role) for role in rule["roles"]}
    return frozenset(given)


def has_second_factor(provider: OutsideProvider, claims: dict[str, Any]) -> bool:
    """Whether `acr` or `amr` says that a second factor was shown there."""
    said = {*values_of(claims, "acr"), *values_of(claims, "amr")}
    return bool(said & set(provider.mfa_values))


def assurance_of(provider: OutsideProvider, claims: dict[str, Any]) -> str:
    """The level that the provider's `acr` is worth; low for one that is not known."""
    worth = [provider.assurance.get(acr, "low") for acr in values_of(claims, "acr")]
    return max((one for one in worth if one in ASSURANCES), key=ASSURANCES.index, default="low")


async def apply_memberships(
    entry: audit.Entry, provider_id: str, person_id: str, wanted: frozenset[tuple[str, str]]
) -> None:
    """Inside an open `audit.write`: the person holds by this provider exactly these; others' gifts stay as they are."""
    rows = await Membership.filter(person_id=person_id)
    held = {(row.organisation_id, row.role) for row in rows}
    gone = [
        row for row in rows if row.source == provider_id and (row.organisation_id, row.role) not in wanted
    ]
    fresh = sorted(wanted - held)
    for row in gone:
        await Membership.filter(id=row.id).delete()
    for organisation_id, role in fresh:
        await Membership.create(
            organisation_id=organisation_id, person_id=person_id, role=role, source=provider_id
        )
    changed = {row.organisation_id for row in gone} | {organisation_id for organisation_id, _ in fresh}
    if not changed:
        return
    entry.detail.setdefault("given", []).extend([person_id, *pair] for pair in fresh)
    entry.detail.setdefault("taken", []).extend([person_id, row.organisation_id, row.role] for row in gone)
    entry.changed("person", person_id)
    for organisation_id in sorted(changed):
        entry.changed("organisation", organisation_id)
