"""The same requests through the behaviour in process and through the department's real connector answer the same."""

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.contract.mapping import compile_mapping, read_mapping
from api.contract.model import Operation, Service
from api.core.problems import Problem
from api.gateway.connector import Connector, Context, Request
from sandbox.city.base import City
from sandbox.city.connector import CitySide
from sandbox.city.inventory import read_services
from sandbox.city.rehearsal import example_request
from tests.sandbox.conftest import NOON
from tests.sandbox.native import MAPPINGS, departments_with_mapping, spoken

REQUESTS = 200
STATE = "a_parity"
OWN_TO_A_CALL = ("request_id", "instance")


def people_and_companies(city: City, count: int) -> tuple[list[str], list[str]]:
    companies = [row[0] for row in city.all("SELECT code FROM company ORDER BY id LIMIT ?", count)]
    people = [row[0] for row in city.all("SELECT number FROM citizen ORDER BY id DESC LIMIT ?", count)]
    return companies, people


def calls_of(
    service: Service, city: City, only: set[str] | None = None
) -> list[tuple[Operation, str, Request]]:
    """Every scenario by its header and by its magic values, the examples, then other people and companies in them."""
    operations = [one for one in service.operations if only is None or one.id in only]
    calls: list[tuple[Operation, str, Request]] = []
    for operation in operations:
        calls.append((operation, "", example_request(operation)))
        for scenario in operation.scenarios:
            calls.append((operation, scenario.id, example_request(operation)))
            if scenario.when:
                calls.append((operation, "", example_request(operation, scenario.when)))
    others = people_and_companies(city, REQUESTS)
    varied = [
        (operation, name, values) for operation in operations for name, values in variable(operation, others)
    ]
    number = 0
    while len(calls) < REQUESTS and varied:
        operation, name, values = varied[number % len(varied)]
        calls.append(
            (operation, "", example_request(operation, {name: values[(number // len(varied)) % len(values)]}))
        )
        number += 1
    while len(calls) < REQUESTS:
        operation = operations[len(calls) % len(operations)]
        calls.append((operation, "", example_request(operation)))
    return calls[:REQUESTS]


def variable(operation: Operation, others: tuple[list[str], list[str]]) -> list[tuple[str, list[str]]]:
    found = []
    for parameter in operation.parameters:
        for values in others:
            shape = str(parameter.schema.get("pattern", "")) + str(parameter.example)
            if parameter.location == "path" and len(str(parameter.example)) == 18:
                is_company = any(letter.isalpha() for letter in str(parameter.example)[:17])
                if is_company == (values is others[0]) and shape:
                    found.append((parameter.name, values))
    return found


async def ask(
    connector: Connector, side: CitySide, service: Service, call: tuple[Operation, str, Request], locale: str
) -> tuple[int, dict[str, str], Any]:
    operation, scenario, request = call
    await side.states.reset(STATE)
    context = Context(
        request_id="rs_parity", deadline=time.monotonic() + 10, environment="sandbox", app_id=STATE,
        state_id=STATE, clock=NOON, scenario=scenario, locale=locale, service=service.key,
        purpose=operation.purposes[0] if operation.purposes else "",
    )  # fmt: skip
    try:
        result = await connector.call(operation, request, context)
    except Problem as problem:
        return problem.status, {}, {"type": problem.kind.slug, **problem.facts}
    body = msgspec.json.decode(result.body) if isinstance(result.body, bytes) and result.body else None
    if isinstance(body, dict) and result.status >= 400:
        body = {name: str(value) for name, value in body.items() if name not in OWN_TO_A_CALL}
    kept = ("content-type", "kaimen-scenario", "idempotent-replayed", "location", "etag")
    headers = {key.decode(): value.decode() for key, value in result.headers if key.decode() in kept}
    return result.status, headers, body


async def compare(
    side: CitySide,
    home: Path,
    city: City,
    slug: str,
    text: str,
    *,
    only_mapped: bool = False,
    database_url: str = "",
) -> int:
    service = read_services()[slug]
    direct = side.connector(f"city:{slug}", service)
    async with spoken(side, home, slug, text, database_url) as (connector, native):
        compiled = native.compiled(slug)
        calls = calls_of(service, city, set(compiled.operations) if only_mapped else None)
        different = []
        for number, call in enumerate(calls):
            locale = "zh" if number % 2 else "en"
            one = await ask(direct, side, service, call, locale)
            other = await ask(connector, side, service, call, locale)
            if one != other:
                different.append(
                    f"{call[0].id} [{call[1]}] {call[2].target}\n  in process: {one}\n  connector:  {other}"
                )
        assert not different, f"{len(different)} of {len(calls)} differ:\n" + "\n".join(different[:6])
    return len(calls)


def in_each_database(protocols: dict[str, str]) -> list[Any]:
    """What reads views in both databases; the others, whose wire the database does not touch, in the full run."""
    return [
        pytest.param(
            name, database, marks=[pytest.mark.full] if database == "postgresql" and protocol != "sql" else []
        )
        for database in ("sqlite", "postgresql")
        for name, protocol in protocols.items()
    ]


def briskly(text: str) -> str:
    """The mapping, asking an asynchronous department more often than one would."""
    return text.replace("every_ms: 50", "every_ms: 10")


TAXES = {
    path.stem: read_mapping(path.read_text(encoding="utf-8")).protocol
    for path in sorted(MAPPINGS.glob("tax-*.yaml"))
}
SPOKEN = {one.slug: one.protocol for one in departments_with_mapping()}


@pytest.mark.parametrize(("name", "database"), in_each_database(TAXES), indirect=["database"], scope="module")
async def test_every_protocol_says_the_same(
    name: str, side: CitySide, city: City, city_home: Path, database_url: str
) -> None:
    text = (MAPPINGS / f"{name}.yaml").read_text(encoding="utf-8")
    count = await compare(
        side, city_home, city, "tax", briskly(text), only_mapped=True, database_url=database_url
    )
    assert count == REQUESTS


@pytest.mark.parametrize(
    ("slug", "database"), in_each_database(SPOKEN), indirect=["database"], scope="module"
)
async def test_a_department_says_the_same(
    slug: str, side: CitySide, city: City, city_home: Path, database_url: str
) -> None:
    department = next(one for one in departments_with_mapping() if one.slug == slug)
    text = (department.folder / "mapping.yaml").read_text(encoding="utf-8")
    assert await compare(side, city_home, city, slug, briskly(text), database_url=database_url) == REQUESTS


@pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")
async def test_a_connector_that_is_being_replaced_is_answered_still(side: CitySide, city_home: Path) -> None:
    """From SOAP 1.1 to 1.2: calls that began before the change still speak to the server that they know."""
    service = read_services()["tax"]
    operation = service.operation("getTaxpayer")
    assert operation is not None
    one, two = (
        (MAPPINGS / f"{name}.yaml").read_text(encoding="utf-8") for name in ("tax-soap", "tax-soap12")
    )
    call = (operation, "", example_request(operation))
    async with spoken(side, city_home, "tax", one) as (before, native):
        native.use("tax", compile_mapping(read_mapping(two), service))
        assert (await ask(before, side, service, call, "zh"))[0] == 200
