"""Whose accounts the city's identity provider has: named citizens, for themselves or for a company, and civil servants."""

import hashlib

from msgspec import Struct

from api.core import clock
from api.identity.consents.subjects import Subject
from api.identity.installation import current
from sandbox.city.departments import DEPARTMENTS
from sandbox.city.models import DisabledAccount

CITIZENS, STAFF = "citizens", "staff"
REPRESENTS = "legal-representative"
_STAFF_ROLES = (("publisher", "发布员", "publisher"), ("approver", "审批员", "approver"))
MAX_ID = 64


class Account(Struct, frozen=True):
    """An account: `id` names it here, `claims` is what it may tell, by scope."""

    id: str
    audience: str
    zh: str
    en: str
    hint_zh: str
    hint_en: str
    claims: dict[str, dict[str, object]]

    @property
    def subject(self) -> str:
        """What relying parties know it by: it tells nothing of the identity number."""
        return hashlib.sha256(f"city-identity:{self.id}".encode()).hexdigest()[:32]


def _citizen(subject: Subject) -> Account:
    profile: dict[str, object] = {"name": subject.name, "name#en": subject.english_name}
    if subject.birth_date:
        profile["birthdate"] = subject.birth_date
    return Account(
        id=subject.persona, audience=CITIZENS, zh=subject.name, en=subject.english_name, hint_zh="自然人", hint_en="natural person",
        claims={"profile": profile, "national": {"national_id": subject.national.get("number", "")}},
    )  # fmt: skip


async def _companies(subject: Subject) -> list[Account]:
    """The companies in business that this citizen represents: legal persons sign in through who represents them."""
    base = _citizen(subject)
    found = []
    for position in await current().register.positions_of(subject):
        company = position.organisation
        if position.role != REPRESENTS or company.status != "active":
            continue
        legal: dict[str, object] = {"organisation_code": company.code, "organisation_name": company.name}
        found.append(
            Account(
                id=f"{subject.persona}@{company.code}", audience=CITIZENS, zh=company.name,
                en=company.english_name or company.name, hint_zh=f"法人，由 {subject.name} 代表",
                hint_en=f"legal person, represented by {subject.english_name or subject.name}",
                claims={**base.claims, "profile": {**base.claims["profile"], **legal}},
            )
        )  # fmt: skip
    return found


def _servants() -> list[Account]:
    found = []
    for department in DEPARTMENTS:
        for role, zh, en in _STAFF_ROLES:
            email = f"{role}.{department.slug}@staff.city.example"
            found.append(
                Account(
                    id=f"{department.slug}-{role}", audience=STAFF, zh=f"{department.zh}{zh}（模拟）",
                    en=f"{department.en} {en} (synthetic)", hint_zh=email, hint_en=email,
                    claims={
                        "profile": {"name": f"{department.zh}{zh}", "department": department.slug, "posts": [f"{department.slug}:{role}"]},
                        "email": {"email": email, "email_verified": True},
                    },
                )
            )  # fmt: skip
    return found


async def accounts(audience: str) -> list[Account]:
    """Every account that may sign in for an audience."""
    if audience == STAFF:
        return _servants()
    people = [one for one in await current().subjects.personas() if one.persona]
    return [_citizen(one) for one in people] + [
        company for one in people for company in await _companies(one)
    ]


async def find_account(account_id: str) -> Account | None:
    """An account that is not shut out; None otherwise."""
    if not account_id or len(account_id) > MAX_ID or await is_disabled(account_id):
        return None
    for one in _servants():
        if one.id == account_id:
            return one
    slug, _, code = account_id.partition("@")
    subject = await current().subjects.persona(slug)
    if subject is None:
        return None
    if not code:
        return _citizen(subject)
    return next((one for one in await _companies(subject) if one.id == account_id), None)


async def is_disabled(account_id: str) -> bool:
    """Whether the account is shut out here."""
    return await DisabledAccount.filter(id=account_id).exists()


async def set_disabled(account_id: str, *, is_out: bool) -> bool:
    """Shut an account out, or let it in again; False for one that does not exist."""
    await DisabledAccount.filter(id=account_id).delete()
    if await find_account(account_id) is None:
        return False
    if is_out:
        await DisabledAccount.create(id=account_id, disabled_at=clock.now())
    return True
