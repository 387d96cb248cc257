"""Homes: who owns the home of each household, since when, and which bank holds a mortgage on it.

The id of a home is that of its household. Three homes in four belong to those who live there, the others are let.
"""

from datetime import date, timedelta
from random import Random

from msgspec import Struct

from sandbox.city.population.chapter import Town, Writer
from sandbox.city.population.citizens import Citizen

TABLES = """
CREATE TABLE home (
    id INTEGER PRIMARY KEY, unit TEXT NOT NULL, area_dm2 INTEGER NOT NULL, built INTEGER NOT NULL,
    registered_on TEXT NOT NULL, acquired TEXT NOT NULL, contract TEXT
);
CREATE TABLE ownership (
    home INTEGER NOT NULL, place INTEGER NOT NULL, citizen INTEGER NOT NULL, share_basis_points INTEGER NOT NULL,
    PRIMARY KEY (home, place)
) WITHOUT ROWID;
CREATE TABLE mortgage (
    home INTEGER PRIMARY KEY, bank TEXT NOT NULL, amount_yuan INTEGER NOT NULL, since TEXT NOT NULL, released_on TEXT
);
CREATE TABLE sale_contract (
    number TEXT PRIMARY KEY, home INTEGER NOT NULL, seller INTEGER NOT NULL, buyer INTEGER NOT NULL,
    price_yuan INTEGER NOT NULL, signed_on TEXT NOT NULL, deed_tax_paid_on TEXT
) WITHOUT ROWID;
CREATE TABLE lease (
    number TEXT PRIMARY KEY, home INTEGER NOT NULL, landlord INTEGER NOT NULL, tenant INTEGER NOT NULL,
    rent_yuan INTEGER NOT NULL, starts_on TEXT NOT NULL, ends_on TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE freeze (
    home INTEGER PRIMARY KEY, case_number TEXT NOT NULL, court TEXT NOT NULL, since TEXT NOT NULL, until TEXT NOT NULL
);
"""
INDEXES = """
CREATE UNIQUE INDEX home_unit ON home (unit);
CREATE INDEX ownership_citizen ON ownership (citizen);
CREATE INDEX sale_contract_home ON sale_contract (home);
CREATE INDEX lease_home ON lease (home);
CREATE INDEX lease_tenant ON lease (tenant);
"""

BANKS = {
    "KMB001": ("开门样例银行", "Kaimen Sample Bank"),
    "KMB002": ("开门示范农村商业银行", "Kaimen Demonstration Rural Bank"),
    "KMB003": ("沙箱储蓄银行", "Sandbox Savings Bank"),
}
COURT = ("开门市虚拟人民法院", "People's Court of Kaimen (invented)")


class _Owned(Struct, frozen=True):
    """The home of a persona: which of HOMES, the owners' slugs, and how it came to them."""

    home: int
    owners: tuple[str, ...]
    registered_on: date
    acquired: str
    area_dm2: int
    built: int
    mortgage: tuple[str, int, date | None] | None = None  # bank, yuan, released on
    contract: str = ""


_OWNED = (
    _Owned(0, ("chen-hang", "lin-xi"), date(2014, 5, 20), "new-build", 11860, 2013, ("KMB001", 900_000, None)),
    _Owned(1, ("aynur",), date(2009, 3, 11), "purchase", 14320, 2007),
    _Owned(2, ("ouyang-wei",), date(2021, 8, 30), "new-build", 8950, 2020, ("KMB002", 780_000, None)),
    _Owned(3, ("wang-jianguo",), date(2003, 11, 5), "new-build", 10240, 2002),
    _Owned(4, ("zhou-ming",), date(2012, 9, 18), "purchase", 9170, 2005),
    _Owned(5, ("zhao-lei", "lin-xiaoya"), date(2023, 7, 12), "purchase", 10530, 2022, ("KMB001", 1_050_000, None), "HT20230520000001"),
    _Owned(6, ("qian-shouyi",), date(1998, 6, 1), "housing-reform", 6480, 1986),
    _Owned(7, ("feng-ting",), date(2019, 12, 6), "purchase", 7320, 2011, ("KMB003", 360_000, None)),
    _Owned(8, ("guo-wei",), date(2016, 4, 14), "purchase", 9860, 2010),
    _Owned(9, ("tang-yue",), date(2013, 4, 26), "new-build", 8840, 2012, ("KMB001", 520_000, date(2026, 5, 28))),
    _Owned(10, ("aynur",), date(2017, 2, 23), "purchase", 5990, 2015),
    _Owned(11, ("maierdan",), date(2018, 10, 11), "purchase", 9630, 2009, contract="HT20181008000001"),
    _Owned(12, ("sun-xiuying",), date(2011, 7, 7), "inheritance", 7710, 2001),
)  # fmt: skip
_SALES = (  # number, home, seller, buyer, yuan, signed on, deed tax paid on
    ("HT20181008000001", 11, "zhou-ming", "maierdan", 1_180_000, date(2018, 10, 8), date(2018, 10, 9)),
    ("HT20230520000001", 5, "zhou-ming", "zhao-lei", 1_650_000, date(2023, 5, 20), date(2023, 5, 23)),
    ("HT20260612000001", 4, "zhou-ming", "ouyang-wei", 1_420_000, date(2026, 6, 12), date(2026, 6, 16)),
    ("HT20260301000001", 3, "wang-jianguo", "maierdan", 1_460_000, date(2026, 3, 1), date(2026, 3, 2)),
    ("HT20260625000001", 8, "guo-wei", "maierdan", 1_010_000, date(2026, 6, 25), None),
    ("HT20260626000001", 7, "feng-ting", "shen-ruohan", 990_000, date(2026, 6, 26), date(2026, 6, 28)),
)
_LEASES = (
    ("ZL20240901000001", 10, "aynur", "xu-ran", 2600, date(2024, 9, 1), date(2026, 8, 31)),
    ("ZL20230815000001", 12, "sun-xiuying", "shen-ruohan", 1900, date(2023, 8, 15), date(2026, 8, 14)),
)
_FREEZES = ((3, "（2026）虚01执66号", date(2026, 3, 9), date(2029, 3, 8)),)


def unit_number(district: str, home: int) -> str:
    """The 28 characters of a real estate unit: division, cadastral zone, parcel, building. Source: GB/T 37346-2019."""
    return f"{district}001001GB{home % 100_000:05d}F{home:08d}"


def fill(town: Town, write: Writer) -> None:
    """A home for each household; the personas' as their stories say."""
    random = town.random("homes")
    living: dict[int, list[Citizen]] = {}
    for one in town.people.citizens:
        if one.is_alive and one.age_on(town.as_of) >= 18:
            living.setdefault(one.household, []).append(one)
    landlords = [people[0].id for people in living.values()]
    homes, ownerships, mortgages = [], [], []
    sketches = {sketch.home + 1: sketch for sketch in _OWNED}
    for household in town.people.households:
        unit = unit_number(household.address.district, household.id)
        sketch = sketches.get(household.id)
        if sketch is not None:
            owners = [town.named[slug] for slug in sketch.owners]
            contract = sketch.contract or None
            homes.append((household.id, unit, sketch.area_dm2, sketch.built, sketch.registered_on.isoformat(), sketch.acquired, contract))  # fmt: skip
            if sketch.mortgage is not None:
                bank, amount, released = sketch.mortgage
                mortgages.append((household.id, bank, amount, sketch.registered_on.isoformat(), released and released.isoformat()))  # fmt: skip
        else:
            owners = _owners(random, living.get(household.id, []), landlords)
            day = _bought(random, town, owners)
            homes.append((household.id, unit, random.randint(4200, 16800), day.year - random.randint(0, 12), day.isoformat(), random.choice(("purchase", "new-build")), None))  # fmt: skip
            if random.random() < 0.35 and day.year > 2004:
                amount = random.randint(20, 160) * 10_000
                mortgages.append((household.id, random.choice(tuple(BANKS)), amount, day.isoformat(), None))
        share = 10_000 // len(owners)
        ownerships += [(household.id, place, owner, share) for place, owner in enumerate(owners)]
    write.insert("home", homes)
    write.insert("ownership", ownerships)
    write.insert("mortgage", mortgages)
    _write_papers(town, write)


def _owners(random: Random, adults: list[Citizen], landlords: list[int]) -> list[int]:
    """Those who live there, a couple together, or a landlord from elsewhere in the city."""
    if not adults or random.random() < 0.25:
        return [random.choice(landlords)]
    first = adults[0]
    couple = [one.id for one in adults if one.id == first.spouse]
    return [first.id, *couple]


def _bought(random: Random, town: Town, owners: list[int]) -> date:
    """A day in the last twenty-four years on which all owners were grown up."""
    youngest = max(town.people.get(owner).born for owner in owners)
    earliest = max(date(2002, 1, 7), youngest + timedelta(days=19 * 366))
    span = max(1, (town.as_of - earliest).days - 30)
    return min(earliest + timedelta(days=random.randrange(span)), town.as_of - timedelta(days=8))


def _write_papers(town: Town, write: Writer) -> None:
    """Sale contracts, leases and freezes of the personas; others are made by apps."""
    write.insert(
        "sale_contract",
        (
            (number, home + 1, town.named[seller], town.named[buyer], price, day.isoformat(), paid and paid.isoformat())
            for number, home, seller, buyer, price, day, paid in _SALES
        ),
    )  # fmt: skip
    write.insert(
        "lease",
        (
            (number, home + 1, town.named[landlord], town.named[tenant], rent, start.isoformat(), end.isoformat())
            for number, home, landlord, tenant, rent, start, end in _LEASES
        ),
    )  # fmt: skip
    write.insert(
        "freeze",
        (
            (home + 1, case, COURT[0], since.isoformat(), until.isoformat())
            for home, case, since, until in _FREEZES
        ),
    )
