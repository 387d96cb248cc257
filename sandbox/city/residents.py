"""People of the city as other departments know them: who exists, by identity number."""

from sandbox.city.base import City
from sandbox.city.state import Record
from sandbox.city.world import Kind


def _read(city: City, key: str) -> Record | None:
    row = city.one(
        "SELECT c.number, c.name, c.latin_name, c.sex, c.ethnicity, c.born, c.died, h.district, h.address, "
        "h.english_address FROM citizen c JOIN household h ON h.id = c.household WHERE c.number = ?",
        key,
    )
    if row is None:
        return None
    names = (
        "number", "name", "latin_name", "sex", "ethnicity", "born_on", "died_on", "district_code", "address",
        "english_address",
    )  # fmt: skip
    return {name: value for name, value in zip(names, row, strict=True) if value is not None}


CITIZEN = Kind("citizen", "public-security", _read)  # key: the citizen identity number
