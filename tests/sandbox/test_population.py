"""The population: deterministic, quick to write, and without a contradiction, whatever the seed."""

import os
import sqlite3
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from sandbox.city.base import City, CityFile, CityMissing
from sandbox.city.population import accounts, personas
from sandbox.city.population.generate import generate, version_of
from tests.sandbox.cities import none_of


def dump(path: Path) -> list[str]:
    with sqlite3.connect(path) as connection:
        lines = list(connection.iterdump())
    connection.close()
    return lines


def test_the_same_seed_gives_the_same_city(tmp_path: Path) -> None:
    for name, seed in (("one", 7), ("two", 7), ("other", 8)):
        generate(tmp_path / name, 300, 60, seed)
    assert dump(tmp_path / "one") == dump(tmp_path / "two")
    assert dump(tmp_path / "one") != dump(tmp_path / "other")


def test_the_same_city_in_every_process(tmp_path: Path) -> None:
    """Nothing hangs on the order of a set or a dict of another process."""
    code = "import sys; from pathlib import Path; from sandbox.city.population.generate import generate; generate(Path(sys.argv[1]), 200, 40, 7)"
    for hash_seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / hash_seed)],
            env={**os.environ, "PYTHONHASHSEED": hash_seed}, check=True, timeout=120,
        )  # fmt: skip
    assert dump(tmp_path / "1") == dump(tmp_path / "2")


def test_named_people_and_companies_are_the_same_in_every_city(tmp_path: Path) -> None:
    seen = []
    for seed, citizens, companies in ((7, 300, 60), (8, 500, 90)):
        generate(tmp_path / "city", citizens, companies, seed)
        city = City(tmp_path / "city")
        count = len(personas.COMPANIES)
        seen.append(
            [
                city.all("SELECT * FROM citizen WHERE id <= ?", len(personas.PEOPLE)),
                *(
                    city.all(f"SELECT * FROM {table} WHERE {key} <= ? ORDER BY 1, 2", count)
                    for table, key in (
                        ("company", "id"), ("holding", "company"), ("annual_report", "company"),
                        ("tax_year", "company"), ("arrear", "company"), ("rating", "company"), ("licence", "company"),
                    )
                ),
            ]
        )  # fmt: skip
        city.close()
    assert seen[0] == seen[1]
    assert seen[0][1][0][1] == personas.code_of("manshan-tea")
    assert seen[0][0][0][1] == personas.number_of("lin-xi")


def test_meta_says_how_it_was_made(any_city: City) -> None:
    meta = any_city.meta
    assert meta == version_of(int(meta["citizens"]), int(meta["companies"]), int(meta["seed"]))
    assert any_city.one("SELECT count(*) FROM citizen") == (int(meta["citizens"]),)
    assert any_city.one("SELECT count(*) FROM company") == (int(meta["companies"]),)


@pytest.mark.parametrize(("citizens", "companies"), [(99, 20), (100, 19), (100, 101), (1_000_001, 20)])
def test_sizes_that_make_no_city(tmp_path: Path, citizens: int, companies: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        generate(tmp_path / "city", citizens, companies, 1)
    assert list(tmp_path.iterdir()) == []


def test_the_smallest_city_and_progress(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    summary = generate(tmp_path / "deep" / "city", 100, 20, 3, progress=lambda *step: told.append(step))
    assert summary.rows > 100
    assert [stage for stage, _, _ in told][-1] == "done"
    assert all(0 < done <= of for _, done, of in told)


def test_owners_and_leaders_are_grown_citizens(any_city: City) -> None:
    none_of(
        any_city,
        "SELECT c.id FROM company c JOIN citizen p ON p.id = c.legal_representative WHERE p.born > date(c.established_on, '-18 years')",
    )
    none_of(
        any_city,
        "SELECT c.id FROM company c LEFT JOIN citizen p ON p.id = c.legal_representative WHERE p.id IS NULL",
    )
    none_of(
        any_city,
        "SELECT c.id FROM company c JOIN citizen p ON p.id = c.legal_representative WHERE c.status = 'active' AND p.died IS NOT NULL",
    )
    none_of(any_city, "SELECT company FROM holding WHERE (citizen IS NULL) = (holder IS NULL)")
    none_of(any_city, "SELECT company FROM holding GROUP BY company HAVING sum(share_basis_points) <> 10000")
    none_of(
        any_city,
        "SELECT s.company FROM holding s LEFT JOIN citizen p ON p.id = s.citizen LEFT JOIN company h ON h.id = s.holder WHERE p.id IS NULL AND h.id IS NULL",
    )
    none_of(
        any_city,
        "SELECT s.company FROM holding s JOIN company h ON h.id = s.holder WHERE s.since < h.established_on",
    )
    none_of(
        any_city,
        "SELECT c.id FROM company c WHERE kind = 'sole-proprietorship' AND (SELECT count(*) FROM holding s WHERE s.company = c.id) <> 1",
    )
    none_of(
        any_city,
        "SELECT company, citizen FROM holding WHERE citizen IS NOT NULL GROUP BY company, citizen HAVING count(*) > 1",
    )


def test_nobody_owns_itself(any_city: City) -> None:
    owners: dict[int, set[int]] = {}
    for company, holder in any_city.all("SELECT company, holder FROM holding WHERE holder IS NOT NULL"):
        owners.setdefault(company, set()).add(holder)

    def chain(company: int, above: tuple[int, ...]) -> None:
        assert company not in above
        for holder in owners.get(company, ()):
            chain(holder, (*above, company))

    for company in owners:
        chain(company, ())


def test_jobs_are_held_by_the_grown_and_living_at_companies_in_business(any_city: City) -> None:
    none_of(
        any_city,
        "SELECT e.citizen FROM employment e JOIN company c ON c.id = e.company WHERE c.status <> 'active' OR e.since < c.established_on",
    )
    none_of(
        any_city,
        "SELECT e.citizen FROM employment e JOIN citizen p ON p.id = e.citizen WHERE p.died IS NOT NULL OR e.since < date(p.born, '+18 years')",
    )
    none_of(
        any_city,
        "SELECT r.company, r.year FROM annual_report r WHERE r.employees <> (SELECT count(*) FROM employment e "
        "WHERE e.company = r.company AND e.since <= r.year || '-12-31')",
    )  # fmt: skip


def test_annual_reports_follow_from_founding(any_city: City) -> None:
    as_of = int(any_city.meta["as_of"][:4])
    reported: dict[int, set[int]] = {}
    for company, year in any_city.all("SELECT company, year FROM annual_report"):
        reported.setdefault(company, set()).add(year)
    rows = any_city.all("SELECT id, established_on, ended_on, status, abnormal_since FROM company")
    for company, established, ended, status, abnormal in rows:
        last = int(ended[:4]) - 1 if ended else as_of - 1
        due = set(range(max(int(established[:4]), accounts.FIRST_YEAR), last + 1))
        missing = due - reported.get(company, set())
        assert reported.get(company, set()) <= due
        if abnormal is None:
            assert missing == set(), (company, status)
        else:
            assert missing == {year for year in due if year >= int(abnormal[:4]) - 1}
        if status == "revoked":
            assert abnormal is not None
            assert abnormal < ended
    none_of(any_city, "SELECT company FROM annual_report WHERE filed_on < (year + 1) || '-01-01'")
    none_of(
        any_city, "SELECT company FROM annual_report WHERE is_late <> (filed_on > (year + 1) || '-06-30')"
    )
    none_of(
        any_city,
        "SELECT r.company FROM annual_report r JOIN company c ON c.id = r.company WHERE r.filed_on >= c.ended_on",
    )


def test_tax_follows_from_revenue_and_profit(any_city: City) -> None:
    rows = any_city.all(
        "SELECT y.company, y.year, y.revenue_yuan, y.vat_due_yuan, y.income_tax_due_yuan, y.surcharges_due_yuan, "
        "y.paid_yuan, r.revenue_yuan, r.profit_yuan, t.kind FROM tax_year y JOIN taxpayer t ON t.company = y.company "
        "LEFT JOIN annual_report r ON r.company = y.company AND r.year = y.year"
    )
    assert rows
    arrears = dict(any_city.all("SELECT company || ':' || year, sum(amount_yuan) FROM arrear GROUP BY 1"))
    for company, year, revenue, vat, income, surcharges, paid, reported, profit, kind in rows:
        if reported is not None:
            assert revenue == reported
            assert (vat, income, surcharges) == accounts.taxes_due(revenue, profit, kind)
        assert vat + income + surcharges - paid == arrears.get(f"{company}:{year}", 0)
    kinds = any_city.all(
        "SELECT t.kind, max(y.revenue_yuan) FROM tax_year y JOIN taxpayer t USING (company) GROUP BY company"
    )
    assert all((kind == "general") == (most > accounts.GENERAL_ABOVE_YUAN) for kind, most in kinds)


def test_ratings_follow_from_deductions(any_city: City) -> None:
    import msgspec

    for grade, score, deductions in any_city.all("SELECT grade, score, deductions FROM rating"):
        points = sum(item["points"] for item in msgspec.json.decode(deductions))
        if grade == "M":
            assert (score, points) == (None, 0)
        else:
            assert score == max(0, 100 - points)
            assert grade == accounts.grade_of(score)
    none_of(
        any_city,
        "SELECT r.company FROM rating r JOIN company c ON c.id = r.company WHERE (r.grade = 'M') <> (r.year = CAST(substr(c.established_on, 1, 4) AS INTEGER))",
    )
    none_of(
        any_city,
        "SELECT company FROM rating WHERE published_on > (SELECT value FROM meta WHERE key = 'as_of')",
    )


def test_the_dead_companies_owe_nothing_unless_revoked(any_city: City) -> None:
    none_of(
        any_city,
        "SELECT a.company FROM arrear a JOIN company c ON c.id = a.company WHERE c.status = 'deregistered'",
    )
    none_of(
        any_city,
        "SELECT c.id FROM company c JOIN taxpayer t ON t.company = c.id WHERE t.status <> CASE c.status WHEN 'active' THEN 'normal' WHEN 'revoked' THEN 'abnormal' ELSE 'deregistered' END",
    )
    none_of(
        any_city,
        "SELECT c.id FROM company c LEFT JOIN licence l ON l.company = c.id WHERE l.number IS NULL OR l.number NOT LIKE '99%'",
    )


def test_deliveries_are_of_companies_and_their_people(any_city: City) -> None:
    none_of(
        any_city,
        "SELECT d.number FROM delivery d JOIN company c ON c.id = d.company WHERE d.created_at < c.established_on",
    )
    none_of(
        any_city,
        "SELECT d.number FROM delivery d LEFT JOIN citizen p ON p.id = d.recipient WHERE p.id IS NULL OR p.died IS NOT NULL",
    )


def test_nothing_is_later_than_the_count(any_city: City) -> None:
    as_of = any_city.meta["as_of"]
    assert date.fromisoformat(as_of)
    for table, column in (
        ("citizen", "born"), ("citizen", "died"), ("citizen", "married_on"), ("company", "established_on"),
        ("company", "ended_on"), ("annual_report", "filed_on"), ("employment", "since"), ("licence", "issued_on"),
    ):  # fmt: skip
        assert any_city.one(f"SELECT coalesce(max({column}), '') FROM {table}")[0] <= as_of


def test_names_have_the_shapes_that_break_software(town: City) -> None:
    names = [name for (name,) in town.all("SELECT name FROM citizen")]
    assert any("·" in name for name in names)
    assert any(ord(character) > 0xFFFF for name in names for character in name)
    assert any(name.startswith(("欧阳", "上官", "司马", "诸葛", "慕容")) for name in names)
    assert any(len(name) == 2 for name in names)
    surnames = [name[0] for name in names]
    assert 0.05 < surnames.count("王") / len(names) < 0.1


def test_companies_are_visibly_samples(any_city: City) -> None:
    none_of(
        any_city,
        "SELECT id FROM company WHERE name NOT LIKE '开门%（样例）%' OR english_name NOT LIKE 'Kaimen %(Sample)%'",
    )
    none_of(
        any_city,
        "SELECT id FROM company WHERE address NOT LIKE '开门市%' OR english_address NOT LIKE '%Kaimen City'",
    )


def test_look_ups_use_an_index(any_city: City) -> None:
    for statement in (
        "SELECT * FROM company WHERE code = ?", "SELECT * FROM citizen WHERE number = ?",
        "SELECT * FROM annual_report WHERE company = ?", "SELECT * FROM rating WHERE company = ?",
        "SELECT * FROM delivery WHERE number = ?", "SELECT * FROM company_gram WHERE text >= ?",
    ):  # fmt: skip
        plan = " ".join(str(row[3]) for row in any_city.all("EXPLAIN QUERY PLAN " + statement, "x"))
        assert "SEARCH" in plan, (statement, plan)
        assert "SCAN" not in plan, (statement, plan)


# --- the file ---------------------------------------------------------------------------------
def test_the_file_is_read_only_and_replaced_as_a_whole(tmp_path: Path) -> None:
    home = tmp_path
    file = CityFile(home)
    with pytest.raises(CityMissing):
        file.open()
    generate(file.path, 100, 20, 1)
    file._look_at = 0.0
    old = file.open()
    assert old.meta["seed"] == "1"
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        old.one("DELETE FROM citizen")
    generate(file.path, 100, 20, 2)
    assert old.one("SELECT value FROM meta WHERE key = 'seed'") == ("1",), "an open city stays what it was"
    file._look_at = 0.0
    assert file.open().meta["seed"] == "2"
    file.close()


def test_a_file_that_is_no_city(tmp_path: Path) -> None:
    file = CityFile(tmp_path)
    file.path.parent.mkdir()
    file.path.write_text("nothing of the kind")
    with pytest.raises(CityMissing):
        file.open()
