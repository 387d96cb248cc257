"""A city for the tests of the sandbox, its services, and a way to call them without a server."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.contract.model import Operation, Service
from api.core import ids
from api.gateway.connector import Context, Request
from sandbox.city.base import FILE, City, CityFile
from sandbox.city.connector import CitySide
from sandbox.city.departments import DEPARTMENTS
from sandbox.city.inventory import read_services
from sandbox.city.population.generate import generate
from sandbox.city.rehearsal import example_request
from sandbox.city.state import States
from tests.sandbox.cities import SEEDS

DOCS_URL = "http://127.0.0.1:8000/docs"
# What a database decides nothing about: on SQLite, and in the full run on PostgreSQL too.
on_sqlite = pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.full)], indirect=True, scope="module"
)
NOON = "2026-06-30T12:00:00+08:00"  # the day on which the city was counted


@pytest.fixture(scope="session")
def city_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a small city of seed 7."""
    home = tmp_path_factory.mktemp("city")
    generate(home / FILE, 600, 150, 7)
    return home


@pytest.fixture(scope="session")
def city(city_home: Path) -> Iterator[City]:
    opened = City(city_home / FILE)
    yield opened
    opened.close()


@pytest.fixture(scope="session", params=SEEDS, ids=lambda size: f"seed-{size[2]}")
def any_city(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Each of several cities in turn: for what must hold in all of them."""
    path = tmp_path_factory.mktemp("any") / "city.sqlite3"
    generate(path, *request.param)
    opened = City(path)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A larger city, in which the rare is found too."""
    path = tmp_path_factory.mktemp("town") / "city.sqlite3"
    generate(path, 8000, 1000, 7)
    opened = City(path)
    yield opened
    opened.close()


@pytest.fixture
async def side(stores: object, city_home: Path) -> Any:
    """The city of a process that is one of several."""
    opened = CitySide(DEPARTMENTS, CityFile(city_home), States("sandbox"), DOCS_URL)
    yield opened
    await opened.close()


class Answer(msgspec.Struct):
    status: int
    body: Any
    headers: dict[str, str]


class Client:
    """Calls operations of the city for one app, as the gateway does after `validate`."""

    def __init__(self, side: CitySide, state_id: str = "") -> None:
        self.side = side
        self.state_id = state_id or ids.random_id("a", 8)

    async def __call__(
        self,
        name: str,
        *,
        body: Any = None,
        scenario: str = "",
        clock: str = NOON,
        locale: str = "zh",
        purpose: str = "",
        **values: Any,
    ) -> Answer:
        """`name` is `company/getCompany`; `values` are parameters, required ones default to their examples."""
        service, operation = find(name)
        values = {key.replace("__", "-"): value for key, value in values.items()}
        if body is not None:
            values["body"] = body
        request: Request = example_request(operation, values)
        context = Context(
            request_id="rs_test",
            deadline=time.monotonic() + 30,
            environment="sandbox",
            app_id=self.state_id,
            state_id=self.state_id,
            clock=clock,
            scenario=scenario,
            locale=locale,
            purpose=purpose,
            service=service.key,
        )
        connector = self.side.connector(f"city:{service.department}", service)
        result = await connector.call(operation, request, context)
        assert isinstance(result.body, bytes)
        return Answer(
            result.status,
            msgspec.json.decode(result.body) if result.body else None,
            {key.decode(): value.decode() for key, value in result.headers},
        )


def find(name: str) -> tuple[Service, Operation]:
    service_name, _, operation_id = name.partition("/")
    service = next(one for one in read_services().values() if one.name == service_name)
    operation = service.operation(operation_id)
    assert operation is not None, name
    return service, operation


@pytest.fixture
def app(side: CitySide) -> Client:
    """An app of its own."""
    return Client(side)


@pytest.fixture
def other_app(side: CitySide) -> Client:
    """Another app."""
    return Client(side)
