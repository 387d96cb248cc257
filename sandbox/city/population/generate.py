"""generate: write the city file. Deterministic: the same arguments give the same content, table for table."""

import hashlib
import os
import sqlite3
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from random import Random

from msgspec import Struct

from sandbox.city.population import accounts, personas, schema
from sandbox.city.population.chapter import Job, Town, Writer
from sandbox.city.population.chapters import CHAPTERS
from sandbox.city.population.citizens import AS_OF, People, add_people
from sandbox.city.population.companies import Company, Founders, Registry, employ
from sandbox.city.population.identifiers import mail_number
from sandbox.city.population.marriages import Marriage, MarriageRegister

CITIZENS, COMPANIES, SEED = 20_000, 3000, 7
LEAST_CITIZENS, LEAST_COMPANIES = 100, 20
MOST_CITIZENS = 1_000_000
Progress = Callable[[str, int, int], None]  # stage, done, of


class Summary(Struct, frozen=True):
    """What was written."""

    citizens: int
    companies: int
    seed: int
    rows: int


def version_of(citizens: int, companies: int, seed: int) -> dict[str, str]:
    """The rows of `meta`: two files with the same ones have the same content."""
    return {
        "schema": schema.VERSION,
        "edition": edition(),
        "personas": personas.VERSION,
        "seed": str(seed),
        "citizens": str(citizens),
        "companies": str(companies),
        "as_of": AS_OF.isoformat(),
    }


@cache
def edition() -> str:
    """Names the rules by which a city is made: a digest of this package. Another edition, another content."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def generate(
    path: Path,
    citizens: int = CITIZENS,
    companies: int = COMPANIES,
    seed: int = SEED,
    progress: Progress | None = None,
) -> Summary:
    """Write the city file at `path`, atomically: readers of an older file keep it until they open anew.

    `progress` is told stage, done and of. Raises ValueError for sizes that make no city.
    """
    if not LEAST_CITIZENS <= citizens <= MOST_CITIZENS:
        raise ValueError(f"citizens must be {LEAST_CITIZENS} to {MOST_CITIZENS}")
    if not LEAST_COMPANIES <= companies <= citizens:
        raise ValueError(f"companies must be {LEAST_COMPANIES} to the number of citizens")
    tell = progress or _tell_nobody
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.new")
    unfinished.unlink(missing_ok=True)
    connection = sqlite3.connect(unfinished, isolation_level=None)
    try:
        connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + _tables())
        connection.execute("BEGIN")
        rows = _fill(connection, citizens, companies, seed, tell)
        connection.execute("COMMIT")
        connection.executescript(_indexes() + "ANALYZE;")
    except BaseException:
        connection.close()
        unfinished.unlink(missing_ok=True)
        raise
    connection.close()
    unfinished.replace(path)
    tell("done", rows, rows)
    return Summary(citizens, companies, seed, rows)


def _tell_nobody(stage: str, done: int, of: int) -> None:
    pass


def _tables() -> str:
    return "\n".join((schema.TABLES, *(chapter.TABLES for chapter in CHAPTERS)))


def _indexes() -> str:
    return "\n".join((schema.INDEXES, *(chapter.INDEXES for chapter in CHAPTERS)))


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _fill(connection: sqlite3.Connection, citizens: int, companies: int, seed: int, tell: Progress) -> int:
    writer = Writer(connection)
    writer.insert("meta", version_of(citizens, companies, seed).items())
    people = People(Random(f"{seed}:people"))
    named = personas.add_people(people)
    add_people(people, citizens, lambda done: tell("citizens", done, citizens))
    register = MarriageRegister(people)
    register.register_couples()
    register.let_some_part(Random(f"{seed}:marriages"), len(named))
    register.end_by_death()
    tell("citizens", citizens, citizens)
    _write_people(writer, people)
    _write_marriages(writer, register.marriages)
    founders = Founders(people, len(named))
    registry = Registry(Random(f"{seed}:companies"), founders)
    registry.companies += personas.make_companies(named)
    registry.names |= {company.name for company in registry.companies}
    registry.names |= {sketch.trade_en for sketch in personas.COMPANIES}  # a search finds these alone
    while len(registry.companies) < companies:
        registry.found()
        if len(registry.companies) % 500 == 0:
            tell("companies", len(registry.companies), companies)
    jobs = employ(Random(f"{seed}:jobs"), people, registry.companies, len(named))
    jobs += _named_jobs(named)
    writer.insert("employment", ((who, where, since.isoformat(), what) for who, where, since, what in jobs))
    _write_companies(writer, registry.companies)
    _write_powers(writer, named)
    _write_accounts(writer, registry.companies, jobs, seed)
    tell("accounts", companies, companies)
    _write_deliveries(writer, registry.companies, named, Random(f"{seed}:post"))
    _write_grams(writer, registry.companies)
    town = Town(people, register.marriages, registry.companies, jobs, named, AS_OF, seed)
    for number, chapter in enumerate(CHAPTERS, start=1):
        chapter.fill(town, writer)
        tell("chapters", number, len(CHAPTERS))
    return writer.rows


def _named_jobs(named: dict[str, int]) -> list[Job]:
    return [
        (named[one.person], number, one.since or sketch.established_on, one.position)
        for number, sketch in enumerate(personas.COMPANIES, start=1)
        for one in sketch.staff
    ]


def _write_people(writer: Writer, people: People) -> None:
    writer.insert(
        "household",
        ((one.id, one.address.district, one.address.zh, one.address.en) for one in people.households),
    )
    writer.insert(
        "citizen",
        (
            (
                one.id, one.number, one.name, one.latin_name, one.sex, one.ethnicity, one.born.isoformat(),
                _text(one.died), one.household, one.father, one.mother, one.spouse, _text(one.married_on),
            )
            for one in people.citizens
        ),
    )  # fmt: skip


def _write_marriages(writer: Writer, marriages: list[Marriage]) -> None:
    writer.insert(
        "marriage",
        (
            (
                number, one.certificate, one.husband, one.wife, one.registered_on.isoformat(), one.district,
                _text(one.ended_on), one.ended_by, one.divorce_certificate,
            )
            for number, one in enumerate(marriages, start=1)
        ),
    )  # fmt: skip


def _write_companies(writer: Writer, companies: list[Company]) -> None:
    writer.insert(
        "company",
        (
            (
                one.id, one.code, one.name, one.english_name, one.kind, one.status, one.industry,
                one.established_on.isoformat(), _text(one.ended_on), _text(one.term_ends_on), one.capital_yuan,
                one.legal_representative, one.address.district, one.address.zh, one.address.en,
                _text(one.abnormal_since), one.abnormal_reason, searchable(one.name, one.english_name),
            )
            for one in companies
        ),
    )  # fmt: skip
    writer.insert(
        "holding",
        (
            (
                one.id, place, share.citizen, share.holder, share.share_basis_points, share.capital_yuan,
                share.since.isoformat(),
            )
            for one in companies
            for place, share in enumerate(one.holdings)
        ),
    )  # fmt: skip
    writer.insert(
        "licence",
        (
            (one.id, one.licence_number, one.established_on.isoformat(), _text(one.term_ends_on))
            for one in companies
        ),
    )


def _write_powers(writer: Writer, named: dict[str, int]) -> None:
    numbers = {sketch.slug: number for number, sketch in enumerate(personas.COMPANIES, start=1)}
    writer.insert(
        "power_of_attorney",
        (
            (numbers[one.company], named[one.person], one.role, one.scope, one.until.isoformat())
            for one in personas.POWERS
        ),
    )
    writer.insert(
        "former_representative",
        ((numbers[one.company], named[one.person], one.until.isoformat()) for one in personas.FORMER),
    )


def _write_accounts(writer: Writer, companies: list[Company], jobs: list[Job], seed: int) -> None:
    hired: dict[int, list[int]] = {}
    for _, company_id, since, _ in jobs:
        hired.setdefault(company_id, []).append(since.year)
    reports, taxpayers, years, arrears, ratings = [], [], [], [], []
    for one in companies:
        luck = personas.luck_of(one) if one.is_named else Random(f"{seed}:accounts:{one.id}")
        starts = hired.get(one.id, [])
        employees = {
            year: sum(start <= year for start in starts) for year in range(accounts.FIRST_YEAR, AS_OF.year)
        }
        kept = accounts.keep_accounts(one, luck, employees)
        taxpayers.append((one.id, kept.kind, kept.tax_status, one.established_on.isoformat()))
        reports += [
            (
                one.id, each.year, each.filed_on.isoformat(), each.is_late, each.employees, each.revenue_yuan,
                each.profit_yuan, each.assets_yuan, each.liabilities_yuan,
            )
            for each in kept.reports
        ]  # fmt: skip
        years += [
            (
                one.id, each.year, each.revenue_yuan, each.vat_due_yuan, each.income_tax_due_yuan,
                each.surcharges_due_yuan, each.paid_yuan,
            )
            for each in kept.years
        ]  # fmt: skip
        arrears += [
            (one.id, each.year, each.tax, each.amount_yuan, each.due_on.isoformat()) for each in kept.arrears
        ]
        ratings += [
            (
                one.id,
                each.year,
                each.grade,
                each.score,
                each.published_on.isoformat(),
                accounts.encode(each.deductions),
            )
            for each in kept.ratings
            if each.published_on <= AS_OF
        ]
    writer.insert("taxpayer", taxpayers)
    writer.insert("annual_report", reports)
    writer.insert("tax_year", years)
    writer.insert("arrear", arrears)
    writer.insert("rating", ratings)


def _write_deliveries(
    writer: Writer, companies: list[Company], named: dict[str, int], random: Random
) -> None:
    numbers = {sketch.slug: number for number, sketch in enumerate(personas.COMPANIES, start=1)}
    rows: list[tuple[object, ...]] = [
        (
            mail_number(each.serial), numbers[each.company], named[each.recipient], each.service,
            each.created_at.isoformat(), each.outcome,
        )
        for each in personas.DELIVERIES
    ]  # fmt: skip
    for one in companies[len(personas.COMPANIES) :]:
        if one.status == "active" and random.random() < 0.2:
            day = max(one.established_on, date(2024, 1, 2))
            moment = f"{day.isoformat()}T{random.randint(9, 16):02d}:{random.randint(0, 59):02d}:00+08:00"
            service = "express" if random.random() < 0.3 else "standard"
            outcome = "returned" if random.random() < 0.06 else "delivered"
            rows.append(
                (mail_number(1000 + one.id), one.id, one.legal_representative, service, moment, outcome)
            )
    writer.insert("delivery", rows)


def searchable(*texts: str) -> str:
    """What a search compares with: case folded, fields kept apart."""
    return "\n".join(text.casefold() for text in texts)


def grams_of(text: str) -> set[str]:
    """The pieces by which a name is found: English words, and one and two Chinese characters in a row."""
    grams: set[str] = set()
    for line in text.split("\n"):
        if line.isascii():
            grams.update(word.strip("().,") for word in line.split())
        else:
            grams.update(line)
            grams.update(line[place : place + 2] for place in range(len(line) - 1))
    grams.discard("")
    return grams


def _write_grams(writer: Writer, companies: list[Company]) -> None:
    counts: dict[str, int] = {}
    pairs = []
    for one in companies:
        for gram in sorted(grams_of(searchable(one.name, one.english_name))):
            counts[gram] = counts.get(gram, 0) + 1
            pairs.append((gram, one.id))
    writer.insert("gram", sorted(counts.items()))
    writer.insert("company_gram", sorted(pairs))
