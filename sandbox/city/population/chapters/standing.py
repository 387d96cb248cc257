"""Standing: penalties that authorities decided on companies, and what courts enforce against companies and people."""

from datetime import date, timedelta

from sandbox.city.population.chapter import Town, Writer

TABLES = """
CREATE TABLE penalty (
    number TEXT PRIMARY KEY, company INTEGER NOT NULL, authority TEXT NOT NULL, reason TEXT NOT NULL,
    amount_yuan INTEGER NOT NULL, decided_on TEXT NOT NULL, repaired_on TEXT
) WITHOUT ROWID;
CREATE TABLE enforcement (
    id INTEGER PRIMARY KEY, case_number TEXT NOT NULL, company INTEGER, citizen INTEGER, court TEXT NOT NULL,
    amount_yuan INTEGER NOT NULL, filed_on TEXT NOT NULL, is_dishonest INTEGER NOT NULL
);
"""
INDEXES = """
CREATE INDEX penalty_company ON penalty (company);
CREATE UNIQUE INDEX enforcement_case ON enforcement (case_number);
CREATE INDEX enforcement_company ON enforcement (company);
CREATE INDEX enforcement_citizen ON enforcement (citizen);
"""

REASONS = {  # reason -> the authority that decides on it
    "food-safety": "开门市市场监督管理局",
    "false-advertising": "开门市市场监督管理局",
    "pollution": "开门市生态环境局",
    "unpaid-wages": "开门市人力资源和社会保障局",
    "work-safety": "开门市应急管理局",
}
COURT = "开门市虚拟人民法院"

_PENALTIES = (
    ("CF20251014000001", "chidao-catering", "food-safety", 20_000, date(2025, 10, 14), None),
    ("CF20240822000001", "qianshou-materials", "pollution", 86_000, date(2024, 8, 22), None),
    ("CF20230511000001", "hengzhu-machinery", "work-safety", 150_000, date(2023, 5, 11), date(2024, 6, 20)),
    ("CF20260615000001", "chuchen-software", "false-advertising", 5_000, date(2026, 6, 15), None),
)
_CASES = (  # case, company, person, yuan, filed on, on the list of dishonest debtors
    ("（2025）虚01执318号", "qianshou-materials", "", 2_300_000, date(2025, 9, 2), True),
    ("（2026）虚01执66号", "", "wang-jianguo", 1_150_000, date(2026, 3, 2), False),
    ("（2024）虚01执207号", "liuyun-trading", "", 640_000, date(2024, 1, 12), True),
)


def fill(town: Town, write: Writer) -> None:
    """The personas' penalties and cases, and a few of other companies."""
    random = town.random("standing")
    penalties: list[tuple[object, ...]] = [
        (number, town.company(slug).id, REASONS[reason], reason, amount, day.isoformat(), repaired and repaired.isoformat())
        for number, slug, reason, amount, day, repaired in _PENALTIES
    ]  # fmt: skip
    cases: list[tuple[object, ...]] = []
    for place, (case, company, person, amount, day, is_dishonest) in enumerate(_CASES, start=1):
        cases.append(
            (
                place,
                case,
                town.company(company).id if company else None,
                town.named[person] if person else None,
                COURT,
                amount,
                day.isoformat(),
                is_dishonest,
            )
        )
    for one in town.companies:
        if one.is_named or one.status != "active" or (town.as_of - one.established_on).days < 400:
            continue
        chance = random.random()
        day = town.as_of - timedelta(days=random.randrange(20, 390))
        if chance < 0.05:
            reason = random.choice(tuple(REASONS))
            number = f"CF{day:%Y%m%d}{one.id:06d}"
            penalties.append((number, one.id, REASONS[reason], reason, random.randint(2, 90) * 1000, day.isoformat(), None))  # fmt: skip
        elif chance < 0.07:
            serial = len(cases) + 1
            amount = random.randint(5, 400) * 10_000
            cases.append((serial, f"（{day.year}）虚02执{1000 + serial}号", one.id, None, COURT, amount, day.isoformat(), chance < 0.06))  # fmt: skip
    write.insert("penalty", penalties)
    write.insert("enforcement", cases)
