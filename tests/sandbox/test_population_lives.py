"""Newcomers, divorces under way, allowances, cards and certificates: they fit the people whose they are."""

from sandbox.city.base import City
from sandbox.city.departments.education.records import DEGREES
from sandbox.city.departments.health.records import BY_CODE, CERTIFICATE, VACCINATIONS, certificate_number
from sandbox.city.departments.medical_insurance.records import ENROLMENT, SETTLEMENTS
from sandbox.city.departments.public_security.records import BIRTH, HOUSEHOLD, PERSON
from sandbox.city.population import identifiers
from tests.sandbox.cities import none_of


def test_newcomers_are_nobody_of_the_register(any_city: City) -> None:
    none_of(any_city, "SELECT n.number FROM newcomer n JOIN citizen c ON c.number = n.number")
    none_of(any_city, "SELECT number FROM newcomer WHERE substr(number, 7, 8) <> replace(born, '-', '')")
    none_of(any_city, "SELECT number FROM newcomer WHERE (substr(number, 17, 1) % 2 = 1) <> (sex = 'M')")
    none_of(any_city, "SELECT number FROM newcomer WHERE issued_on < date(registered_on, '+183 days')")
    none_of(any_city, "SELECT number FROM newcomer WHERE (permit IS NULL) <> (expires_on IS NULL)")
    none_of(
        any_city, "SELECT permit FROM newcomer WHERE permit IS NOT NULL GROUP BY permit HAVING count(*) > 1"
    )
    numbers = [number for (number,) in any_city.all("SELECT number FROM newcomer")]
    assert len(numbers) > 4
    assert all(identifiers.is_citizen_number(number) for number in numbers)


def test_who_applies_for_a_divorce_is_married(any_city: City) -> None:
    none_of(
        any_city,
        "SELECT d.number FROM divorce_application d LEFT JOIN marriage m ON m.husband = d.husband AND m.wife = d.wife "
        "AND m.ended_on IS NULL WHERE m.id IS NULL",
    )
    none_of(any_city, "SELECT husband FROM divorce_application GROUP BY husband HAVING count(*) > 1")
    none_of(
        any_city,
        "SELECT number FROM divorce_application WHERE substr(number, 3, 4) <> substr(applied_on, 1, 4)",
    )


def test_allowances_are_of_the_living_above_eighty(any_city: City) -> None:
    none_of(
        any_city,
        "SELECT a.number FROM elderly_allowance a JOIN citizen c ON c.id = a.citizen "
        "WHERE c.died IS NOT NULL OR a.since < date(c.born, '+80 years') OR a.since > '2026-07-01'",
    )


def test_cards_and_certificates_follow_their_holders(any_city: City) -> None:
    none_of(
        any_city,
        "SELECT d.citizen FROM disability_card d JOIN citizen c ON c.id = d.citizen "
        "WHERE d.issued_on < c.born OR d.category NOT BETWEEN 1 AND 7 OR d.grade NOT BETWEEN 1 AND 4",
    )
    none_of(
        any_city,
        "SELECT v.citizen FROM veteran v JOIN citizen c ON c.id = v.citizen WHERE v.served_from >= v.served_until "
        "OR v.served_from < date(c.born, '+17 years') OR v.served_until > '2026-06-30'",
    )


def test_every_child_has_a_certificate_and_every_certificate_its_child(any_city: City) -> None:
    children = any_city.all(
        "SELECT c.id, c.number, c.name, m.number FROM citizen c JOIN citizen m ON m.id = c.mother "
        "WHERE c.born >= '2006' ORDER BY c.id LIMIT 80"
    )
    assert children
    for citizen, number, name, mother in children:
        certificate = CERTIFICATE.read(any_city, certificate_number(citizen))
        assert certificate is not None
        assert (certificate["child_name"], certificate["mother"]) == (name, mother)
        assert certificate["hospital_code"] in BY_CODE
        birth = BIRTH.read(any_city, certificate["number"])
        assert birth is not None
        assert birth["id_number"] == number
        assert certificate["born_at"][:10] == birth["registered_on"]


def test_what_is_derived_fits_the_person(any_city: City) -> None:
    for number, born, died in any_city.all(
        "SELECT number, born, died FROM citizen ORDER BY id DESC LIMIT 150"
    ):
        person = PERSON.read(any_city, number)
        assert person is not None
        household = HOUSEHOLD.read(any_city, person["household_number"])
        assert household is not None
        assert number in household["members"]
        given = [one["given_on"] for one in (VACCINATIONS.read(any_city, number) or {"items": []})["items"]]
        assert all(born <= day <= "2026-06-30" for day in given)
        settled = (SETTLEMENTS.read(any_city, number) or {"items": []})["items"]
        for one in settled:
            assert born <= one["settled_on"] <= (died or "2026-06-30")
            assert one["total_yuan"] == one["fund_yuan"] + one["self_paid_yuan"]
        degrees = (DEGREES.read(any_city, number) or {"items": []})["items"]
        assert all(one["awarded_on"] < "2026-07-01" for one in degrees)
        enrolled = ENROLMENT.read(any_city, number)
        assert (enrolled is None) == (born > "2026-04-01")
