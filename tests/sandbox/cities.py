"""Cities to try invariants on: any_city (in conftest) is each of SEEDS in turn, and none_of finds what contradicts.

An invariant between chapters is a test in a file `test_population_<chapter>.py` of its own:

    def test_every_contribution_names_the_employer(any_city: City) -> None:
        none_of(any_city, "SELECT c.citizen FROM contribution c JOIN employment e USING (citizen) WHERE …")
"""

from sandbox.city.base import City

SEEDS = [(600, 150, 7), (300, 60, 1), (900, 300, 20260630)]  # citizens, companies, seed


def none_of(city: City, statement: str) -> None:
    """No row answers the statement, which selects what must not be."""
    found = city.all(statement + " LIMIT 3")
    assert found == [], statement
