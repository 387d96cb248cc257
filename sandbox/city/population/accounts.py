"""What companies earned, reported, owed and paid. Tax follows from revenue and profit by simplified rules.

The rules are those of `taxes_due`; they are a model, simple enough to be checked by a reader, and no tax advice.
"""

from datetime import date, timedelta
from random import Random

import msgspec
from msgspec import Struct

from sandbox.city.population import industries
from sandbox.city.population.citizens import AS_OF
from sandbox.city.population.companies import Company

FIRST_YEAR = 2019
GENERAL_ABOVE_YUAN = 5_000_000  # yearly sales above make a general VAT payer
_SMALL_EXEMPT_YUAN = 1_200_000
_SMALL_PROFIT_YUAN = 3_000_000


class Report(Struct):
    year: int
    filed_on: date
    is_late: bool
    employees: int
    revenue_yuan: int
    profit_yuan: int
    assets_yuan: int
    liabilities_yuan: int


class TaxYear(Struct):
    year: int
    revenue_yuan: int
    vat_due_yuan: int
    income_tax_due_yuan: int
    surcharges_due_yuan: int
    paid_yuan: int


class Arrear(Struct):
    year: int
    tax: str  # vat or income-tax
    amount_yuan: int
    due_on: date


class Rating(Struct):
    year: int
    grade: str
    score: int | None  # None for grade M: not scored
    published_on: date
    deductions: list[dict[str, object]]


class Accounts(Struct):
    """Everything of one company, years ascending."""

    kind: str  # general or small-scale
    tax_status: str  # normal, abnormal or deregistered
    reports: list[Report]
    years: list[TaxYear]
    arrears: list[Arrear]
    ratings: list[Rating]


def taxes_due(revenue_yuan: int, profit_yuan: int, kind: str) -> tuple[int, int, int]:
    """VAT, income tax and surcharges of a year, whole yuan.

    General payers owe 2.8 % of sales (13 % on the value that they add, about a fifth), small-scale ones 1 % of
    sales above 1.2 million; income tax is 5 % up to 3 million of profit and 25 % of all profit above that;
    surcharges are 12 % of the VAT, 6 % for small-scale payers.
    """
    if kind == "general":
        vat = revenue_yuan * 28 // 1000
    else:
        vat = revenue_yuan // 100 if revenue_yuan > _SMALL_EXEMPT_YUAN else 0
    profit = max(0, profit_yuan)
    income = profit // 20 if profit <= _SMALL_PROFIT_YUAN else profit // 4
    return vat, income, vat * (12 if kind == "general" else 6) // 100


def grade_of(score: int) -> str:
    """A from 90, B from 70, C from 40, else D. Source: 《纳税信用管理办法（试行）》 article 18."""
    return "A" if score >= 90 else "B" if score >= 70 else "C" if score >= 40 else "D"


def keep_accounts(company: Company, random: Random, employees: dict[int, int]) -> Accounts:
    """The accounts of a company. `employees` is the number at the end of each year."""
    last = company.ended_on.year - 1 if company.ended_on else AS_OF.year - 1
    years = range(max(company.established_on.year, FIRST_YEAR), last + 1)
    books = _books(company, random, years)
    kind = "general" if any(revenue > GENERAL_ABOVE_YUAN for _, revenue, _ in books) else "small-scale"
    arrears: list[Arrear] = []
    tax_years, reports = [], []
    for year, revenue, profit in books:
        vat, income, surcharges = taxes_due(revenue, profit, kind)
        owed = _arrears_of(company, random, year, vat, income)
        arrears += owed
        unpaid = sum(arrear.amount_yuan for arrear in owed)
        tax_years.append(TaxYear(year, revenue, vat, income, surcharges, vat + income + surcharges - unpaid))
        report = _report(company, random, year, revenue, profit, employees.get(year, 0))
        if report is not None:
            reports.append(report)
    status = {"revoked": "abnormal", "deregistered": "deregistered"}.get(company.status, "normal")
    ratings = [_rating(company, random, year, reports, arrears) for year, _, _ in books]
    return Accounts(kind, status, reports, tax_years, arrears, ratings)


def _books(company: Company, random: Random, years: range) -> list[tuple[int, int, int]]:
    """(year, revenue, profit) of each year; the year of founding is short."""
    industry = industries.BY_CODE[company.industry]
    level = (
        industry.revenue_yuan * random.lognormvariate(0, 0.8) * (6 if company.kind == "joint-stock" else 1)
    )
    books = []
    for year in years:
        level *= 1 + random.gauss(0.05, 0.12)
        share = 1.0
        if year == company.established_on.year:
            share = (date(year, 12, 31) - company.established_on).days / 365
        revenue = max(0, int(level * share)) // 100 * 100
        profit = int(revenue * industry.margin * random.gauss(1, 0.7)) // 100 * 100
        books.append((year, revenue, profit))
    return books


def _arrears_of(company: Company, random: Random, year: int, vat: int, income: int) -> list[Arrear]:
    """Debtors left part of the last two years unpaid; who closed in good order owes nothing."""
    if not company.is_debtor or year < AS_OF.year - 2:
        return []
    owed = []
    if vat >= 1000:
        owed.append(Arrear(year, "vat", vat * random.randint(20, 90) // 100, date(year + 1, 1, 15)))
    if income >= 1000 and random.random() < 0.5:
        owed.append(Arrear(year, "income-tax", income * random.randint(20, 90) // 100, date(year + 1, 5, 31)))
    return owed


def _report(
    company: Company, random: Random, year: int, revenue: int, profit: int, employees: int
) -> Report | None:
    """The annual report, due from 1 January to 30 June. Source: 《企业信息公示暂行条例》 article 8."""
    assets = int(revenue * random.uniform(0.4, 1.5)) + company.capital_yuan // 2
    liabilities = int(assets * random.uniform(0.15, 0.85))
    day = date(year + 1, 1, 1) + timedelta(days=random.randrange(3, 178))
    is_late = random.random() < 0.04 and year < AS_OF.year - 1
    if company.unreported_from is not None and year >= company.unreported_from:
        return None
    if company.ended_on is not None and day >= company.ended_on:
        day, is_late = company.ended_on - timedelta(days=1), False
    if is_late:
        day += timedelta(days=190)
        is_late = company.ended_on is None or day < company.ended_on
        if not is_late:
            day -= timedelta(days=190)
    return Report(
        year, day, is_late, employees, revenue, profit, assets // 100 * 100, liabilities // 100 * 100
    )


def _rating(
    company: Company, random: Random, year: int, reports: list[Report], arrears: list[Arrear]
) -> Rating:
    """The tax credit rating of a year, published the April after. New companies are M, not scored."""
    published = date(year + 1, 4, 20)
    if year == company.established_on.year:
        return Rating(year, "M", None, published, [])
    deductions: list[dict[str, object]] = []
    if random.random() < 0.35:
        deductions.append({"reason": "late-declaration", "points": 5 * random.randint(1, 2)})
    if random.random() < 0.2:
        deductions.append({"reason": "late-payment", "points": 5})
    if random.random() < 0.25:
        deductions.append({"reason": "incomplete-records", "points": 3 * random.randint(1, 4)})
    if company.abnormal_since is not None and company.abnormal_since <= date(year, 12, 31):
        deductions.append({"reason": "abnormal-operations-list", "points": 35})
    if any(arrear.year <= year for arrear in arrears):
        deductions.append({"reason": "tax-arrears", "points": 45})
    if company.status == "revoked" and company.ended_on and company.ended_on.year <= year + 1:
        deductions.append({"reason": "abnormal-taxpayer", "points": 61})
    score = max(0, 100 - sum(int(str(item["points"])) for item in deductions))
    return Rating(year, grade_of(score), score, published, deductions)


def encode(value: object) -> str:
    """JSON text for a column."""
    return msgspec.json.encode(value).decode()
