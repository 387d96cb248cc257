"""Vehicles and driving licences of the city: whose they are, that terms and ages agree, and that plates are nobody's."""

import re

from sandbox.city.base import City


def test_every_vehicle_has_one_owner_and_a_plate_of_no_province(city: City) -> None:
    rows = city.all("SELECT plate, citizen, company, registered_on, inspected_until FROM vehicle")
    assert len(rows) > 50
    for plate, citizen, company, registered, until in rows:
        assert re.fullmatch("样[A-F][0-9A-HJ-NP-Z]{5,6}", plate)
        assert (citizen is None) != (company is None)
        assert registered < until
    assert city.one(
        "SELECT COUNT(*) FROM vehicle v JOIN citizen p ON p.id = v.citizen WHERE p.died IS NOT NULL"
    ) == (0,)


def test_licences_are_of_grown_ups_and_their_terms_in_order(city: City) -> None:
    rows = city.all(
        "SELECT p.born, d.first_on, d.issued_on, d.expires_on, d.points FROM driving_licence d JOIN citizen p ON p.id = d.citizen"
    )
    assert len(rows) > 100
    for born, first, issued, expires, points in rows:
        assert int(first[:4]) - int(born[:4]) >= 18
        assert first <= issued <= "2026-06-30"
        assert expires is None or issued < expires
        assert 0 <= points <= 12


def test_every_car_of_a_citizen_is_of_somebody_who_may_drive(city: City) -> None:
    found = city.one(
        "SELECT COUNT(*) FROM vehicle v LEFT JOIN driving_licence d ON d.citizen = v.citizen "
        "WHERE v.citizen IS NOT NULL AND d.citizen IS NULL"
    )
    assert found == (0,)
