"""What a citizen can apply for: what departments offer, beside what the citizen's own records say. No guesses."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from kaimen_app_0a1b2c3d import Kaimen, NotFoundError


@dataclass(frozen=True)
class Citizen:
    """Who asks. `number` is the citizen identity number, which holds the date of birth (GB 11643)."""

    number: str
    name: str

    def age_on(self, day: dt.date) -> int:
        born = dt.date.fromisoformat(f"{self.number[6:10]}-{self.number[10:12]}-{self.number[12:14]}")
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


@dataclass(frozen=True)
class Offer:
    """One thing to apply for. `code` is what `apply` takes; `why` in Chinese and English."""

    code: str
    name: str
    english_name: str
    is_open: bool
    why: tuple[str, str]


class _Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def english_name(self) -> str: ...


def offers(app: Kaimen, own: Kaimen, citizen: Citizen, today: dt.date) -> Iterator[Offer]:
    """Everything on offer, with whether this citizen may have it and why."""
    yield from _subsidies(app, own, citizen)
    yield from _benefits(app, own, citizen)
    yield from _services(app, citizen, today)


def apply(app: Kaimen, citizen: Citizen, code: str) -> str:
    """Apply for an offer; the number under which it runs. The department checks for itself. Raises ApiError, KeyError."""
    who = {"id_number": citizen.number, "name": citizen.name}
    department, _, chosen = code.partition("/")
    if department == "disability":
        return app.disability.subsidy_grant.apply({**who, "subsidy": chosen}).number
    if department == "veterans":
        return app.veterans.benefit_claim.claim({**who, "benefit": chosen}).number
    if department == "elderly":
        return app.civil.elderly_service.apply({**who, "service": chosen}).number
    raise KeyError(code)


def _offer(department: str, code: str, named: _Named, why: tuple[str, str], *, is_open: bool) -> Offer:
    return Offer(f"{department}/{code}", named.name, named.english_name, is_open, why)


def _subsidies(app: Kaimen, own: Kaimen, citizen: Citizen) -> Iterator[Offer]:
    try:
        card = own.disability.card.get({"id_number": citizen.number})
    except NotFoundError:
        return  # nobody is told of subsidies for a disability that is not on record
    for one in app.disability.subsidy.list():
        is_open = card.status == "valid" and card.grade <= one.grade_up_to
        why = (
            (f"每月{one.monthly_yuan}元", f"¥{one.monthly_yuan} a month")
            if is_open
            else (
                f"残疾等级须在{one.grade_up_to}级以内",
                f"for grades up to {one.grade_up_to}, yours is {card.grade}",
            )
        )
        if is_open and one.is_for_jobless:
            why = (f"{why[0]}，限无工作者", f"{why[1]}, for those without a job")
        yield _offer("disability", str(one.code), one, why, is_open=is_open)


def _benefits(app: Kaimen, own: Kaimen, citizen: Citizen) -> Iterator[Offer]:
    try:
        treatment = own.veterans.treatment.get({"id_number": citizen.number})
    except NotFoundError:
        return
    served = (f"服役{treatment.years}年", f"{treatment.years} years of service")
    conditions = {
        "insured": ("须已参保", "for the insured"),
        "employed": ("须有工作", "for those with a job"),
    }
    for one in app.veterans.benefit.list():
        extra = conditions.get(str(one.condition))
        why = served if extra is None else (f"{served[0]}；{extra[0]}", f"{served[1]}; {extra[1]}")
        yield _offer("veterans", str(one.code), one, why, is_open=True)


def _services(app: Kaimen, citizen: Citizen, today: dt.date) -> Iterator[Offer]:
    age = citizen.age_on(today)
    for one in app.civil.elderly_service.list():
        if one.least_age - age > 5:
            continue
        why = (
            f"{one.least_age}岁起，每次{one.price_yuan}元",
            f"from {one.least_age}, ¥{one.price_yuan} each time",
        )
        if one.is_for_living_alone:
            why = (f"{why[0]}，限独居", f"{why[1]}, for those who live alone")
        yield _offer("elderly", str(one.code), one, why, is_open=age >= one.least_age)
