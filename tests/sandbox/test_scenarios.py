"""Every scenario of every contract, played; and the engine that plays them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from api.contract.model import Scenario, Service
from api.contract.validation import registry_of, validator_of
from api.core.problems import Refusal
from api.gateway.connector import Request
from sandbox.city.clock import now_of, shift
from sandbox.city.connector import CitySide
from sandbox.city.department import Answer, Department
from sandbox.city.departments import BY_SLUG, DEPARTMENTS
from sandbox.city.inventory import read_services
from sandbox.city.population import personas
from sandbox.city.rehearsal import Take, rehearse
from sandbox.scenarios import compile_scene, differences, is_part, merge, substitute
from tests.sandbox.conftest import NOON, Client, find, on_sqlite

SERVICES = list(read_services().values())
services = pytest.mark.parametrize("service", SERVICES, ids=lambda one: one.key)


async def play(side: CitySide, service: Service) -> list[Take]:
    connector = side.connector(f"city:{service.department}", service)
    return await rehearse(service, connector, side.states, clock=NOON)


@pytest.fixture(scope="module")
def played(database: str) -> dict[str, list[Take]]:
    """What came of every scenario, by service: they are played once for the tests of this module."""
    return {}


async def takes_of(played: dict[str, list[Take]], side: CitySide, service: Service) -> list[Take]:
    if service.key not in played:
        played[service.key] = await play(side, service)
    return played[service.key]


def complaints(takes: list[Take]) -> list[str]:
    return [
        f"{one.operation.id} {one.scenario.id} by {one.road}: {', '.join(one.wrong)}"
        for one in takes
        if one.wrong
    ]


@on_sqlite
@services
async def test_every_scenario_comes_out_as_promised(
    side: CitySide, service: Service, played: dict[str, list[Take]]
) -> None:
    takes = await takes_of(played, side, service)
    assert complaints(takes) == []
    found = {(one.operation.id, one.scenario.id) for one in takes}
    assert found == {(one.id, two.id) for one in service.operations for two in one.scenarios}


@on_sqlite
@services
async def test_every_answer_fits_its_schema(
    side: CitySide, service: Service, played: dict[str, list[Take]]
) -> None:
    registry = registry_of(service.schemas)
    for take in await takes_of(played, side, service):
        response = next(
            one
            for key in (str(take.status), "default")
            for one in take.operation.responses
            if one.status == key
        )
        kind = "application/problem+json" if take.status >= 400 else "application/json"
        assert take.headers["content-type"] == kind
        media = next(one for one in response.media if one.content_type == kind)
        errors = [error.message for error in validator_of(media.schema, registry).iter_errors(take.body)]
        assert errors == [], (take.operation.id, take.scenario.id)


@on_sqlite
@services
async def test_without_its_behaviour_an_operation_turns_red(side: CitySide, service: Service) -> None:
    """Answers are computed: with an empty answer in the place of the behaviour, its scenarios fail."""
    real = BY_SLUG[service.department]
    for operation in service.operations:
        hollow = Department(real.slug, real.zh, real.en, real.folder)
        hollow.handlers = dict(real.handlers)
        hollow.handlers[operation.id] = lambda call: Answer({})
        stand_in = CitySide((hollow,), side.file, side.states, "http://127.0.0.1:8000/docs")
        takes = await play(stand_in, replace(service, operations=(operation,)))
        assert any(take.wrong for take in takes), operation.id


async def test_given_changes_whatever_company_is_asked_for(app: Client) -> None:
    code = personas.code_of("hengzhu-machinery")
    answer = await app("company/getCompany", code=code, scenario="revoked")
    assert (answer.body["code"], answer.body["status"]) == (code, "revoked")
    assert answer.headers["kaimen-scenario"] == "revoked"
    plain = await app("company/getCompany", code=code)
    assert plain.body["status"] == "active"
    assert "kaimen-scenario" not in plain.headers


async def test_magic_values_need_no_header(app: Client) -> None:
    answer = await app("company/getCompany", code=personas.UNUSED_CODE)
    assert answer.status == 404
    assert answer.headers["kaimen-scenario"] == "not-found"


async def test_an_unknown_scenario_is_refused_with_the_known_ones(app: Client) -> None:
    with pytest.raises(Refusal) as refused:
        await app("company/getCompany", scenario="no-such")
    assert refused.value.kind.slug == "scenario-unknown"
    assert "revoked" in refused.value.facts["known"]


async def test_a_scenario_leaves_no_trace_unless_it_writes(app: Client) -> None:
    await app("company/getCompany", scenario="revoked")
    assert (await app.side.states.current(app.state_id)).rows == {}
    cancelled = await app("post/cancelOrder", scenario="cancelled")
    assert cancelled.body["status"] == "cancelled"
    assert (await app("post/getOrder", number=cancelled.body["number"])).body["status"] == "cancelled"
    kept = (await app.side.states.current(app.state_id)).rows["post", f"order/{cancelled.body['number']}"]
    assert kept is not None
    assert "age_minutes" not in kept, "what the scenario lays over a record is not kept with it"


async def test_refusals_speak_the_language_of_the_caller(app: Client) -> None:
    zh = await app("company/getCompany", scenario="not-found")
    en = await app("company/getCompany", scenario="not-found", locale="en")
    assert zh.body["title"] == "没有这家企业"
    assert en.body["title"] == "No such company"
    assert zh.body["type"] == en.body["type"] == "http://127.0.0.1:8000/docs/problems/company-not-found/"
    assert "searchCompanies" in en.body["next"]


# --- the engine -------------------------------------------------------------------------------
def scenario(**parts: Any) -> Scenario:
    return Scenario(
        **{"id": "one", "title": {}, "given": {}, "when": {}, "then": {"status": 200}, "state": {}, **parts}
    )


def test_given_is_compiled() -> None:
    scene = compile_scene(
        scenario(given={"company.status": "revoked", "company.abnormal.since": "2025-01-01", "company.ended_on": None,
                        "licence": "absent", "clock": "+P1D"})
    )  # fmt: skip
    record = {"status": "active", "ended_on": "2020-01-01", "name": "x"}
    assert scene.lay_over("company", record) == {
        "status": "revoked",
        "name": "x",
        "abnormal": {"since": "2025-01-01"},
    }
    assert record == {"status": "active", "ended_on": "2020-01-01", "name": "x"}
    assert scene.lay_over("other", record) is record
    assert scene.absent == {"licence"}
    assert scene.clock == "+P1D"


@pytest.mark.parametrize("given", [{"company": "asleep"}, {"department": "slow"}, {"company": None}])
def test_a_given_that_means_nothing_is_an_error(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="given"):
        compile_scene(scenario(given=given))


def test_substitute_replaces_only_what_when_names() -> None:
    _, operation = find("post/createOrder")
    request = Request(
        path={}, query={}, headers={"Idempotency-Key": "k"}, target="/orders", json={"a": {"b": 1, "c": 2}}
    )
    replaced = substitute(operation, request, {"body": {"a": {"b": 9}}, "unheard": 1})
    assert replaced.json == {"a": {"b": 9, "c": 2}}
    assert replaced.headers == {"Idempotency-Key": "k"}
    assert request.json == {"a": {"b": 1, "c": 2}}


def test_is_part_and_merge() -> None:
    assert is_part({"a": [{"b": 1}]}, {"a": [{"b": 1, "c": 2}], "d": 3})
    assert not is_part({"a": [1]}, {"a": [1, 2]})
    assert not is_part({"a": True}, {"a": 1})
    assert not is_part({"a": None}, {})
    assert merge({"a": {"b": 1}, "c": [1]}, {"a": {"d": 2}, "c": [3]}) == {"a": {"b": 1, "d": 2}, "c": [3]}


def test_differences_names_each() -> None:
    one = scenario(
        then={"status": 404, "problem": "gone", "body": {"a": 1}, "headers": {"Retry-After": "3"}},
        state={"order.status": "cancelled"},
    )
    assert len(differences(one, 200, {}, {"type": "x/other/"}, {})) == 5
    body = {"type": "https://x/problems/gone/", "a": 1}
    assert differences(one, 404, {"retry-after": "3"}, body, {"order": {"status": "cancelled"}}) == []


def test_the_clock() -> None:
    noon = datetime(2026, 6, 30, 4, tzinfo=UTC)
    assert now_of(NOON) == noon
    assert shift(noon, "+P2D").day == 2
    assert shift(noon, "+PT6H30M").isoformat() == "2026-06-30T10:30:00+00:00"
    assert shift(noon, "2026-01-01T00:00:00Z").year == 2026
    for wrong in ("+P", "+2D", "soon", "2026-06-30T12:00:00"):
        if wrong == "+P":
            assert shift(noon, wrong) == noon
            continue
        with pytest.raises(ValueError, match=r"neither|Invalid|time zone"):
            shift(noon, wrong)


def test_every_department_is_here_once() -> None:
    assert len(BY_SLUG) == len(DEPARTMENTS)
