"""Named people and companies with a story: the same in every city, whatever its seed or size.

Contracts, documentation and scenarios name them by their identifiers, so these never change while
`VERSION` stays; a later edition adds new ones. Everything is invented.
"""

from datetime import date, datetime
from random import Random

from msgspec import Struct

from sandbox.city.population import identifiers, industries, names, places
from sandbox.city.population.citizens import People
from sandbox.city.population.companies import Company, Holding
from sandbox.city.population.named_people import HOMES, KIN, PEOPLE, PersonSketch

__all__ = (
    "COMPANIES", "COMPANY_NUMBERS", "DELIVERIES", "FORMER", "HOMES", "KIN", "OFFICES", "PEOPLE", "POWERS",
    "UNUSED_CODE", "UNUSED_MAIL_NUMBER", "VERSION", "CompanySketch", "PersonSketch", "StaffSketch",
)  # fmt: skip

VERSION = "3"
UNUSED_CODE = identifiers.credit_code("990101", identifiers.organisation_body(999))  # valid, and nobody's
UNUSED_MAIL_NUMBER = identifiers.mail_number(99_999_999)


class PowerSketch(Struct, frozen=True):
    """A power of attorney in the company register: agent or finance, for these scopes, until that day."""

    company: str
    person: str
    role: str
    scope: str
    until: date


class FormerSketch(Struct, frozen=True):
    """Who was the legal representative of a company, until when."""

    company: str
    person: str
    until: date


class StaffSketch(Struct, frozen=True):
    person: str
    position: str
    since: date | None = None  # None: since the company was established


class CompanySketch(Struct, frozen=True):
    slug: str
    trade_zh: str
    trade_en: str
    industry: str
    kind: str
    established_on: date
    capital_yuan: int
    leader: str  # slug of the legal representative
    owners: tuple[tuple[str, int], ...]  # slug of a person, or "@slug" of a company, and basis points
    office: int  # which of OFFICES
    luck: str  # seeds its figures
    story_zh: str
    story_en: str
    status: str = "active"
    ended_on: date | None = None
    unreported_from: int | None = None
    is_debtor: bool = False
    staff: tuple[StaffSketch, ...] = ()


class DeliverySketch(Struct, frozen=True):
    serial: int
    company: str
    recipient: str
    service: str
    created_at: datetime
    outcome: str  # delivered or returned


OFFICES = (
    places.Address("990106", "开门市样山县启门大道9号1层0101室", "Room 0101, Floor 1, 9 Open Gate Avenue, Sample Hill County, Kaimen City"),
    places.Address("990105", "开门市样湖新区网关路200号12层1208室", "Room 1208, Floor 12, 200 Gateway Road, Sample Lake New Area, Kaimen City"),
    places.Address("990102", "开门市西样区占位路45号6层0603室", "Room 0603, Floor 6, 45 Placeholder Road, West Sample District, Kaimen City"),
    places.Address("990103", "开门市南样区契约大街88号2层0205室", "Room 0205, Floor 2, 88 Contract Street, South Sample District, Kaimen City"),
)  # fmt: skip

COMPANIES = (
    CompanySketch("manshan-tea", "满山", "Manshan", "15", "limited-liability", date(2012, 4, 8), 5_000_000,
                  "lin-xi", (("lin-xi", 6000), ("chen-hang", 4000)), 0, "tea-1",
                  "守法经营、按时纳税的茶企：银行贷款示例的主角。", "A tea company that files and pays on time: the main character of the bank loan example.",
                  staff=(StaffSketch("lin-xi", "manager"), StaffSketch("chen-hang", "accountant"),
                         StaffSketch("guo-wei", "driver", date(2014, 4, 1)), StaffSketch("feng-ting", "clerk", date(2016, 9, 1)),
                         StaffSketch("lin-xiaoya", "salesperson", date(2018, 7, 2)))),
    CompanySketch("hengzhu-machinery", "恒铸", "Hengzhu", "34", "joint-stock", date(2005, 9, 19), 80_000_000,
                  "aynur", (("aynur", 4500), ("ouyang-wei", 2500), ("zhou-ming", 1800), ("@manshan-tea", 1200)), 1, "machinery-1",
                  "有法人股东的股份公司：满山茶业持有其百分之十二的股份。", "A joint stock company one of whose holders is a company: Manshan Tea has twelve per cent.",
                  staff=(StaffSketch("aynur", "manager"), StaffSketch("maierdan", "salesperson", date(2012, 5, 7)),
                         StaffSketch("xu-ran", "engineer", date(2017, 8, 1)), StaffSketch("zhao-lei", "engineer", date(2019, 7, 1)))),
    CompanySketch("liuyun-trading", "流云", "Liuyun", "51", "limited-liability", date(2010, 6, 30), 1_000_000,
                  "zhou-ming", (("zhou-ming", 10000),), 2, "trading-1",
                  "连续多年未报年度报告，营业执照被吊销。", "Filed no annual report for years; its licence was revoked.",
                  status="revoked", ended_on=date(2024, 3, 21), unreported_from=2021),
    CompanySketch("chidao-catering", "迟到", "Chidao", "62", "limited-liability", date(2016, 2, 29), 300_000,
                  "sun-xiuying", (("sun-xiuying", 10000),), 3, "catering-1",
                  "未按期公示年度报告，被列入经营异常名录。", "Missed its annual report and is listed as abnormal.",
                  unreported_from=2024, staff=(StaffSketch("sun-xiuying", "manager"),)),
    CompanySketch("xiemu-culture", "谢幕", "Xiemu", "88", "partnership", date(2014, 8, 15), 500_000,
                  "chen-hang", (("chen-hang", 5500), ("sun-xiuying", 4500)), 2, "culture-1",
                  "依法清算后注销。", "Wound up and deregistered in good order.",
                  status="deregistered", ended_on=date(2023, 11, 30)),
    CompanySketch("chuchen-software", "初晨", "Chuchen", "65", "limited-liability", date(2025, 9, 1), 1_000_000,
                  "ouyang-wei", (("ouyang-wei", 7000), ("lin-xi", 3000)), 1, "software-1",
                  "去年成立的小公司，纳税信用为 M 级。", "Founded last year; its tax credit grade is M.",
                  staff=(StaffSketch("ouyang-wei", "manager"),)),
    CompanySketch("qianshou-materials", "欠收", "Qianshou", "30", "limited-liability", date(2008, 5, 12), 3_000_000,
                  "wang-jianguo", (("wang-jianguo", 8000), ("zhou-ming", 2000)), 3, "materials-8",
                  "欠缴增值税与企业所得税，法院与公证机构可依法查询。", "Owes VAT and income tax; courts and notaries may ask by law.",
                  is_debtor=True, staff=(StaffSketch("wang-jianguo", "manager"),)),
    CompanySketch("xinmiao-agriculture", "新苗", "Xinmiao", "01", "sole-proprietorship", date(2026, 3, 2), 100_000,
                  "ouyang-wei", (("ouyang-wei", 10000),), 0, "agriculture-1",
                  "今年成立：尚无年度报告，也尚无信用评级。", "Founded this year: no annual report and no rating yet."),
)  # fmt: skip
COMPANY_NUMBERS = {sketch.slug: number for number, sketch in enumerate(COMPANIES, start=1)}

POWERS = (
    PowerSketch("manshan-tea", "chen-hang", "finance", "tax:*", date(2036, 12, 31)),
    PowerSketch("chidao-catering", "wang-jianguo", "agent", "*", date(2025, 12, 31)),
)
FORMER = (FormerSketch("hengzhu-machinery", "zhou-ming", date(2019, 5, 31)),)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+08:00")


DELIVERIES = (
    DeliverySketch(1, "manshan-tea", "lin-xi", "standard", _at("2026-06-22T09:30"), "delivered"),
    DeliverySketch(2, "manshan-tea", "lin-xi", "express", _at("2026-06-26T09:00"), "delivered"),
    DeliverySketch(3, "hengzhu-machinery", "aynur", "standard", _at("2026-06-10T14:00"), "returned"),
    DeliverySketch(4, "hengzhu-machinery", "aynur", "express", _at("2026-06-25T10:15"), "delivered"),
    DeliverySketch(5, "chuchen-software", "ouyang-wei", "standard", _at("2026-06-24T16:40"), "delivered"),
)


def add_people(people: People) -> dict[str, int]:
    """Put the named people and their kin into an empty city; slug -> citizen id."""
    homes = [people.add_household(address) for address in HOMES]
    ids = {}
    for sketch in (*PEOPLE, *KIN):
        name = names.Name(sketch.name, sketch.latin_name, sketch.ethnicity, "")
        ids[sketch.slug] = people.add(homes[sketch.home], sketch.sex, sketch.born, name).id
    for sketch in (*PEOPLE, *KIN):
        citizen = people.get(ids[sketch.slug])
        citizen.died = sketch.died
        if sketch.parents:
            citizen.father, citizen.mother = (ids[slug] for slug in sketch.parents)
        if sketch.spouse:
            citizen.spouse, citizen.married_on = ids[sketch.spouse], sketch.married_on
    return ids


def make_companies(people: dict[str, int]) -> list[Company]:
    """The named companies, ids from 1."""
    numbers = {sketch.slug: place for place, sketch in enumerate(COMPANIES, start=1)}
    return [_make(sketch, numbers, people) for sketch in COMPANIES]


def _make(sketch: CompanySketch, numbers: dict[str, int], people: dict[str, int]) -> Company:
    number = numbers[sketch.slug]
    address = OFFICES[sketch.office]
    name = industries.compose_name(
        sketch.trade_zh, sketch.trade_en, industries.BY_CODE[sketch.industry], sketch.kind
    )
    company = Company(
        id=number,
        code=identifiers.credit_code(address.district, identifiers.organisation_body(number)),
        name=name.zh,
        english_name=name.en,
        kind=sketch.kind,
        industry=sketch.industry,
        established_on=sketch.established_on,
        capital_yuan=sketch.capital_yuan,
        legal_representative=people[sketch.leader],
        address=address,
        status=sketch.status,
        ended_on=sketch.ended_on,
        unreported_from=sketch.unreported_from,
        is_debtor=sketch.is_debtor,
        is_named=True,
    )
    if sketch.unreported_from is not None:
        company.abnormal_since = date(sketch.unreported_from + 1, 7, 8)
        company.abnormal_reason = "annual-report-not-filed"
    for owner, share in sketch.owners:
        is_company = owner.startswith("@")
        company.holdings.append(
            Holding(
                share_basis_points=share,
                capital_yuan=sketch.capital_yuan * share // 10_000,
                since=sketch.established_on if not is_company else date(2018, 1, 15),
                citizen=None if is_company else people[owner],
                holder=numbers[owner[1:]] if is_company else None,
            )
        )
    return company


def luck_of(company: Company) -> Random:
    """The source of a named company's figures: its own, so that no seed changes them."""
    return Random(COMPANIES[company.id - 1].luck)


def code_of(slug: str) -> str:
    """The unified social credit code of a named company."""
    for number, sketch in enumerate(COMPANIES, start=1):
        if sketch.slug == slug:
            division = OFFICES[sketch.office].district
            return identifiers.credit_code(division, identifiers.organisation_body(number))
    raise KeyError(slug)


def number_of(slug: str) -> str:
    """The citizen identity number of a named person."""
    sketch = next(one for one in (*PEOPLE, *KIN) if one.slug == slug)
    return identifiers.citizen_number(HOMES[sketch.home].district, sketch.born, 1 if sketch.sex == "M" else 2)
