"""Companies: who founded, owns and leads them, where they are, and how they ended if they did."""

from bisect import bisect_right
from datetime import date, timedelta
from random import Random

from msgspec import Struct, field

from sandbox.city.population import identifiers, industries, places
from sandbox.city.population.citizens import AS_OF, Citizen, People, years_after

FIRST_FREE_NUMBER = (
    1000  # organisation numbers below are kept for named companies and for codes never given out
)
_NUMBERS = 31**6 - FIRST_FREE_NUMBER
_STEP = 387_420_489  # 3**18, coprime to _NUMBERS: walks through all numbers without repeating one
POSITIONS = ("manager", "engineer", "accountant", "clerk", "salesperson", "driver", "worker")


class Holding(Struct):
    """A share. Exactly one of `citizen` and `holder` (a company's id) is set."""

    share_basis_points: int
    capital_yuan: int
    since: date
    citizen: int | None = None
    holder: int | None = None


class Company(Struct):
    id: int
    code: str
    name: str
    english_name: str
    kind: str
    industry: str
    established_on: date
    capital_yuan: int
    legal_representative: int
    address: places.Address
    holdings: list[Holding] = field(default_factory=list)
    status: str = "active"  # active, revoked or deregistered
    ended_on: date | None = None
    term_ends_on: date | None = None
    abnormal_since: date | None = None
    abnormal_reason: str | None = None
    unreported_from: int | None = None  # first year without an annual report
    is_debtor: bool = False
    is_named: bool = False

    @property
    def licence_number(self) -> str:
        """18 digits: division, year of the first issue, and a serial number."""
        return f"{self.address.district}{self.established_on.year}{self.id:08d}"


def split_shares(random: Random, count: int) -> list[int]:
    """`count` shares in basis points, the largest first, that make 10,000 together."""
    cuts = sorted(random.sample(range(1, 100), count - 1)) if count > 1 else []
    return sorted(
        (100 * (end - start) for start, end in zip([0, *cuts], [*cuts, 100], strict=True)), reverse=True
    )


class Founders:
    """Living people by age, to pick those who were adults on a day."""

    def __init__(self, people: People, first: int) -> None:
        self._alive = sorted(
            (one for one in people.citizens[first:] if one.is_alive), key=lambda one: one.born
        )
        self._births = [one.born for one in self._alive]

    def pick(self, random: Random, day: date, count: int) -> list[Citizen]:
        """Up to `count` different people who were at least 20 on that day, hardly ever above 70."""
        end = bisect_right(self._births, years_after(day, -20))
        start = bisect_right(self._births, years_after(day, -70))
        if end - start < count:
            start = 0
        return [self._alive[index] for index in random.sample(range(start, end), min(count, end - start))]


def _established(random: Random) -> date:
    """Between 1999 and a few weeks before the count, the later the more."""
    span = (AS_OF - date(1999, 1, 4)).days - 21
    return AS_OF - timedelta(days=21 + int(span * random.random() ** 2))


def _end(company: Company, random: Random) -> None:
    """Let some companies fall silent, be revoked, or close in good order."""
    age_days = (AS_OF - company.established_on).days
    chance = random.random()
    if age_days < 4 * 365:
        return
    if chance < 0.04:
        silent_from = AS_OF.year - random.randint(2, 3)
        _fall_silent(company, silent_from)
    elif chance < 0.075:
        company.ended_on = _day_before(random.randrange(30, min(2400, age_days - 3 * 365)))
        company.status = "revoked"
        _fall_silent(company, company.ended_on.year - 3)
    elif chance < 0.13:
        company.ended_on = _day_before(random.randrange(30, min(2400, age_days - 365)))
        company.status = "deregistered"


def _day_before(days: int) -> date:
    """That many days before the count; never New Year's Day, when registries are closed."""
    day = AS_OF - timedelta(days=days)
    return day + timedelta(days=1) if (day.month, day.day) == (1, 1) else day


def _fall_silent(company: Company, year: int) -> None:
    """No annual report from `year` on: listed as abnormal in the July after. Source: 《企业经营异常名录管理暂行办法》."""
    year = max(year, company.established_on.year)
    company.unreported_from = year
    company.abnormal_since = date(year + 1, 7, 8)
    company.abnormal_reason = "annual-report-not-filed"


class Registry:
    """All companies while they are being made, in order of id, which begins at 1."""

    def __init__(self, random: Random, founders: Founders) -> None:
        self.random = random
        self.founders = founders
        self.companies: list[Company] = []
        self.names: set[str] = set()
        self._start = random.randrange(_NUMBERS)

    def found(self) -> Company:
        """A new company with its owners."""
        random, number = self.random, len(self.companies) + 1
        industry = random.choices(industries.INDUSTRIES, industries.WEIGHTS)[0]
        kind = random.choices(industries.KINDS, (76, 5, 10, 9))[0]
        name = industries.pick_name(random, industry, kind, self.names)
        day = _established(random)
        address = places.office_address(random)
        capital = random.choice((100_000, 300_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000))
        if kind == "joint-stock":
            capital *= 10
        body = FIRST_FREE_NUMBER + (self._start + number * _STEP) % _NUMBERS
        company = Company(
            id=number,
            code=identifiers.credit_code(address.district, identifiers.organisation_body(body)),
            name=name.zh,
            english_name=name.en,
            kind=kind,
            industry=industry.code,
            established_on=day,
            capital_yuan=capital,
            legal_representative=0,
            address=address,
            term_ends_on=years_after(day, random.choice((20, 30))) if random.random() < 0.25 else None,
        )
        self._add_owners(company)
        _end(company, random)
        company.is_debtor = company.status == "active" and random.random() < 0.05
        self.companies.append(company)
        return company

    def _add_owners(self, company: Company) -> None:
        random, kind, day = self.random, company.kind, company.established_on
        most = {"sole-proprietorship": 1, "partnership": 5, "joint-stock": 8}.get(kind, 5)
        least = {"partnership": 2, "joint-stock": 3}.get(kind, 1)
        people = self.founders.pick(random, day, random.randint(least, most) if most > least else least)
        shares = split_shares(random, len(people))
        for person, share in zip(people, shares, strict=True):
            company.holdings.append(
                Holding(share, company.capital_yuan * share // 10_000, day, citizen=person.id)
            )
        company.legal_representative = people[0].id
        if kind == "limited-liability" and random.random() < 0.2:
            company.legal_representative = self.founders.pick(random, day, 1)[0].id
        last = company.holdings[-1]
        if kind in {"limited-liability", "joint-stock"} and len(people) > 1 and random.random() < 0.25:
            holder = self._company_before(day)
            if holder is not None:
                last.citizen, last.holder = None, holder.id

    def _company_before(self, day: date) -> Company | None:
        """A company older than `day`, so that nobody owns itself, however long the chain."""
        for _ in range(8):
            if not self.companies:
                return None
            chosen = self.companies[self.random.randrange(len(self.companies))]
            if chosen.established_on < day and chosen.ended_on is None and not chosen.is_named:
                return chosen
        return None


def employ(
    random: Random, people: People, companies: list[Company], first: int
) -> list[tuple[int, int, date, str]]:
    """Jobs of the working: (citizen id, company id, since, position). Only active companies employ."""
    open_companies = [one for one in companies if one.status == "active" and not one.is_named]
    if not open_companies:
        return []
    weights = [random.paretovariate(1.1) for _ in open_companies]
    jobs = []
    workers = [one for one in people.citizens[first:] if one.is_alive and 22 <= one.age_on(AS_OF) < 60]
    hired = [worker for worker in workers if random.random() < 0.62]
    for worker, company in zip(hired, random.choices(open_companies, weights, k=len(hired)), strict=True):
        earliest = max(company.established_on, years_after(worker.born, 18))
        since = earliest + timedelta(days=random.randrange(max(1, (AS_OF - earliest).days)))
        position = random.choices(POSITIONS, (8, 16, 6, 18, 16, 8, 28))[0]
        jobs.append((worker.id, company.id, since, position))
    return jobs
