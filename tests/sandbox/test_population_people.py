"""Births, marriages, divorces and deaths: one register says nothing that another contradicts."""

import pytest

from sandbox.city.base import City
from sandbox.city.population import names, personas
from sandbox.city.population.citizens import AS_OF
from tests.sandbox.cities import none_of


def test_families_agree(any_city: City) -> None:
    none_of(
        any_city,
        "SELECT c.id FROM citizen c JOIN citizen p ON p.id IN (c.father, c.mother) WHERE p.born > date(c.born, '-18 years')",
    )
    none_of(
        any_city,
        "SELECT c.id FROM citizen c JOIN citizen p ON p.id IN (c.father, c.mother) WHERE p.died < c.born",
    )
    none_of(any_city, "SELECT c.id FROM citizen c JOIN citizen p ON p.id = c.father WHERE p.sex <> 'M'")
    none_of(any_city, "SELECT c.id FROM citizen c JOIN citizen p ON p.id = c.mother WHERE p.sex <> 'F'")
    none_of(
        any_city,
        "SELECT a.id FROM citizen a JOIN citizen b ON b.id = a.spouse WHERE b.spouse IS NOT a.id OR a.sex = b.sex OR a.married_on <> b.married_on",
    )
    none_of(
        any_city, "SELECT a.id FROM citizen a JOIN citizen b ON b.id = a.spouse WHERE a.father = b.father"
    )
    none_of(
        any_city,
        "SELECT id FROM citizen WHERE married_on < date(born, CASE sex WHEN 'M' THEN '+22 years' ELSE '+20 years' END)",
    )
    none_of(
        any_city, "SELECT c.id FROM citizen c LEFT JOIN household h ON h.id = c.household WHERE h.id IS NULL"
    )
    none_of(any_city, "SELECT id FROM citizen WHERE (father IS NULL) <> (mother IS NULL)")
    none_of(
        any_city,
        "SELECT id FROM citizen WHERE substr(number, 7, 8) <> replace(born, '-', '') OR (substr(number, 17, 1) % 2 = 1) <> (sex = 'M')",
    )
    assert any_city.one("SELECT count(*) FROM citizen WHERE father IS NOT NULL") > (20,)


def test_newborns_have_living_parents(any_city: City) -> None:
    none_of(
        any_city,
        "SELECT c.id FROM citizen c LEFT JOIN citizen m ON m.id = c.mother LEFT JOIN citizen f ON f.id = c.father "
        "WHERE c.born > date((SELECT value FROM meta WHERE key = 'as_of'), '-1 year') "
        "AND (m.id IS NULL OR f.id IS NULL OR m.died IS NOT NULL OR f.died IS NOT NULL)",
    )
    newborn = any_city.one(
        "SELECT id, father, mother FROM citizen WHERE number = ?", personas.number_of("zhao-xinsheng")
    )
    assert newborn is not None
    assert None not in newborn


def test_children_live_with_a_parent(any_city: City) -> None:
    none_of(
        any_city,
        "SELECT c.id FROM citizen c JOIN citizen m ON m.id = c.mother JOIN citizen f ON f.id = c.father "
        "WHERE c.born > date((SELECT value FROM meta WHERE key = 'as_of'), '-18 years') AND m.died IS NULL "
        "AND f.died IS NULL AND c.household NOT IN (m.household, f.household)",
    )


def test_marriages_agree_with_spouses(any_city: City) -> None:
    none_of(
        any_city,
        "SELECT m.id FROM marriage m JOIN citizen h ON h.id = m.husband JOIN citizen w ON w.id = m.wife "
        "WHERE h.sex <> 'M' OR w.sex <> 'F' OR m.registered_on < date(h.born, '+22 years') "
        "OR m.registered_on < date(w.born, '+20 years')",
    )
    none_of(
        any_city,
        "SELECT m.id FROM marriage m JOIN citizen h ON h.id = m.husband WHERE m.ended_by IS NOT 'divorce' "
        "AND (h.spouse IS NOT m.wife OR h.married_on IS NOT m.registered_on)",
    )
    none_of(
        any_city,
        "SELECT c.id FROM citizen c WHERE c.spouse IS NOT NULL AND NOT EXISTS (SELECT 1 FROM marriage m "
        "WHERE c.id IN (m.husband, m.wife) AND c.spouse IN (m.husband, m.wife) AND m.registered_on = c.married_on)",
    )
    none_of(any_city, "SELECT id FROM marriage WHERE ended_on < registered_on")
    none_of(
        any_city,
        "SELECT id FROM marriage WHERE (ended_on IS NULL) <> (ended_by IS NULL) "
        "OR (ended_by IS 'divorce') <> (divorce_certificate IS NOT NULL)",
    )


def test_no_child_of_a_couple_is_born_after_its_divorce(any_city: City) -> None:
    none_of(
        any_city,
        "SELECT c.id FROM citizen c JOIN marriage m ON m.husband = c.father AND m.wife = c.mother "
        "WHERE m.ended_by = 'divorce' AND c.born > m.ended_on",
    )


def test_marriages_end_with_a_death(any_city: City) -> None:
    none_of(
        any_city,
        "SELECT m.id FROM marriage m JOIN citizen h ON h.id = m.husband JOIN citizen w ON w.id = m.wife "
        "WHERE m.ended_by IS NOT 'divorce' AND m.ended_on IS NOT min(coalesce(h.died, w.died), coalesce(w.died, h.died))",
    )
    none_of(
        any_city,
        "SELECT m.id FROM marriage m JOIN citizen p ON p.id IN (m.husband, m.wife) "
        "WHERE p.died < m.registered_on OR (m.ended_by = 'divorce' AND p.died < m.ended_on)",
    )


def test_nobody_is_married_to_two(any_city: City) -> None:
    for side in ("husband", "wife"):
        none_of(
            any_city,
            f"SELECT a.id FROM marriage a JOIN marriage b ON b.{side} = a.{side} AND b.id <> a.id "
            "WHERE a.registered_on <= b.registered_on AND coalesce(a.ended_on, '9999') > b.registered_on",
        )
    none_of(
        any_city,
        "SELECT b.id FROM marriage a JOIN marriage b ON b.husband = a.husband AND b.wife = a.wife WHERE b.id > a.id",
    )


@pytest.mark.parametrize(
    ("slug", "ended_by"), [("zhao-lei", None), ("lin-xi", None), ("qian-shouyi", "death")]
)
def test_the_marriages_of_the_personas(any_city: City, slug: str, ended_by: str | None) -> None:
    rows = any_city.all(
        "SELECT m.certificate, m.ended_by FROM marriage m JOIN citizen c ON c.id IN (m.husband, m.wife) WHERE c.number = ?",
        personas.number_of(slug),
    )
    assert [row[1] for row in rows] == [ended_by]
    assert rows[0][0].startswith("J9901")


def test_the_city_has_births_deaths_and_divorces(town: City) -> None:
    assert town.one("SELECT count(*) FROM citizen WHERE died IS NOT NULL") > (10,)
    assert town.one("SELECT count(*) FROM marriage WHERE ended_by = 'divorce'") > (10,)
    again = town.one(
        "SELECT count(*) FROM marriage a JOIN marriage b ON b.husband = a.husband AND b.id > a.id "
        "WHERE a.ended_by = 'divorce'"
    )
    assert again is not None
    assert again > (1,)
    assert town.one("SELECT max(born) FROM citizen")[0] > f"{AS_OF.year}-06-01"


def test_no_name_is_longer_than_registers_hold(town: City) -> None:
    longest = max(len(name) for (name,) in town.all("SELECT name FROM citizen"))
    assert longest == names.MOST_CHARACTERS
    assert next(len(one.name) for one in personas.PEOPLE if one.slug == "maierdan") == names.MOST_CHARACTERS


def test_the_sequence_of_identity_numbers_suffices(town: City) -> None:
    """499 of one sex may be born in a district on a day; in a city of a million the fullest cell has some dozens."""
    most = town.one(
        "SELECT max(n) FROM (SELECT count(*) n FROM citizen GROUP BY substr(number, 1, 6), born, sex)"
    )
    assert most is not None
    assert most[0] < 25
