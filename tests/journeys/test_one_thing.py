"""Journey: one form, many departments. A birth, a company, a home: what was done, what was not and why, going on, taking back.

Every department is spoken to by its own protocol behind the gateway; the desks' own contracts say what they are made of.
"""

import json
import re
import urllib.error
import urllib.request
from typing import Any

import pytest

from api.contract.model import Operation, Scenario
from sandbox.city.inventory import read_desks
from sandbox.scenarios import differences, merge
from tests.server import Installation, RunningServer

DESKS = {service.name: service for service in read_desks().values()}
START = {"newborn": "reportBirth", "startup": "startCompany", "homesale": "sellHome"}


def start_of(service: str) -> Operation:
    found = DESKS[service].operation(START[service])
    assert found is not None
    return found


def form_of(service: str) -> dict[str, Any]:
    """The form of the contract's example."""
    body = start_of(service).body
    assert body is not None
    return dict(body.media[0].example)


class Citizen:
    """An app that is subscribed to the three desks; of what they are made of, it may pay bills and no more."""

    def __init__(self, installation: Installation, url: str) -> None:
        services = [*(f"{name}@v1" for name in DESKS), "utilities@v1:bill-service"]
        names = [part for one in services for part in ("--subscribe", one)]
        app = installation.json("app", "create", "--name", "one thing", "--environment", "sandbox", *names)
        self.app_id = app["app_id"]
        self.installation = installation
        self._url = url
        credential = ("--client-id", app["client_id"], "--client-secret", app["client_secret"])
        self._token = installation.json("token", *credential)["access_token"]

    def send(
        self, method: str, service: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, str], dict[str, Any]]:
        request = urllib.request.Request(
            f"{self._url}/api/{service}/v1{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json",
                     **{name.replace("_", "-"): value for name, value in headers.items()}},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return (
                    answer.status,
                    {key.lower(): value for key, value in answer.headers.items()},
                    json.load(answer),
                )
        except urllib.error.HTTPError as refused:
            with refused:
                return (
                    refused.code,
                    {key.lower(): value for key, value in refused.headers.items()},
                    json.load(refused),
                )

    def start(self, service: str, form: dict[str, Any], **headers: str) -> dict[str, Any]:
        status, _, case = self.send("POST", service, "/cases", form, **headers)
        assert status == 201, case
        return case

    def go_on(self, service: str, case: dict[str, Any]) -> dict[str, Any]:
        status, _, again = self.send("POST", service, f"/cases/{case['number']}/resumption")
        assert status == 200, again
        return again

    def wait(self, duration: str) -> None:
        self.installation.command("city", "clock", "--app", self.app_id, "--advance", duration)


def states(case: dict[str, Any]) -> dict[str, str]:
    return {item["id"]: item["status"] for item in case["items"]}


@pytest.fixture
def citizen(installation: Installation, sandbox: RunningServer) -> Citizen:
    return Citizen(installation, sandbox.url)


def every_scenario() -> list[Any]:
    return [
        pytest.param(service.name, operation, scenario, id=f"{service.name}-{operation.id}-{scenario.id}")
        for service in DESKS.values()
        for operation in service.operations
        for scenario in operation.scenarios
    ]


@pytest.mark.parametrize(("service", "operation", "scenario"), every_scenario())
def test_every_scenario_comes_out_as_promised(
    service: str, operation: Operation, scenario: Scenario, citizen: Citizen
) -> None:
    path = operation.path.replace("{number}", str(scenario.when.get("number", "")))
    body = merge(form_of(service), scenario.when.get("body", {})) if operation.body is not None else None
    headers = {} if scenario.when else {"kaimen_scenario": scenario.id}
    status, found, answer = citizen.send(operation.method, service, path, body, **headers)
    assert differences(scenario, status, found, answer, {}) == [], answer


def test_a_birth_is_six_things(citizen: Citizen) -> None:
    case = citizen.start("newborn", form_of("newborn"))
    assert set(states(case).values()) == {"done"}, case
    results = {item["id"]: item["result"] for item in case["items"]}
    assert results["maternity"]["reimbursed_yuan"] == "6120"
    assert results["household"]["id_number"].startswith("990101" + "20260629")
    assert citizen.send("GET", "newborn", f"/cases/{case['number']}")[2] == case


def test_what_was_down_is_gone_on_with_and_nothing_is_done_twice(citizen: Citizen) -> None:
    case = citizen.start("newborn", form_of("newborn"), kaimen_scenario="insurance-down")
    before = states(case)
    assert {before["insurance"], before["maternity"]} == {"failed"}
    assert before["card"] == "done"
    failed = next(item for item in case["items"] if item["id"] == "insurance")
    assert failed["problem"]["rule"] == "department-unavailable"
    assert failed["is_retryable"]
    again = citizen.go_on("newborn", case)
    assert set(states(again).values()) == {"done"}, again
    certificate = [item["result"] for item in case["items"] if item["id"] == "certificate"]
    assert certificate == [item["result"] for item in again["items"] if item["id"] == "certificate"]


def test_a_company_is_six_things_and_taking_back_says_what_stands(citizen: Citizen) -> None:
    case = citizen.start("startup", form_of("startup"))
    assert set(states(case).values()) == {"done"}, case
    status, _, back = citizen.send("POST", "startup", f"/cases/{case['number']}/cancellation")
    assert status == 200
    found = states(back)
    assert found["delivery"] == "undone"
    assert found["registration"] == "cannot-be-undone"
    assert back["status"] == "partly-undone"


def test_a_home_waits_for_the_registry(citizen: Citizen) -> None:
    """Title passes after three days, and the seller pays his last bill: until then the electricity says why it waits."""
    form = form_of("homesale")
    account = _electricity_of(form["unit_number"])
    case = citizen.start("homesale", {**form, "electricity_account": account})
    assert states(case)["transfer"] == "done"
    assert _rule_of(case, "electricity") == "utilities-not-the-owner"
    citizen.wait("P4D")
    case = citizen.go_on("homesale", case)
    assert _rule_of(case, "electricity") == "utilities-bills-unpaid"
    _pay(citizen, account)
    case = citizen.go_on("homesale", case)
    assert set(states(case).values()) == {"done", "not-wanted"}, case
    assert case["status"] == "done"
    assert "next" not in case


def _rule_of(case: dict[str, Any], step: str) -> str:
    item = next(one for one in case["items"] if one["id"] == step)
    assert item["status"] == "refused", case
    return str(item["problem"]["rule"])


def _pay(citizen: Citizen, account: str) -> None:
    """The bill of May: a wrong amount is refused and tells the right one."""
    path = f"/accounts/{account}/bills/2026-05/payments"
    _, _, refused = citizen.send("POST", "utilities", path, {"amount_yuan": 0.01}, idempotency_key="pay-1")
    amount = re.search(r"[0-9]+(\.[0-9]+)?", refused["detail"].replace("2026-05", ""))
    assert amount is not None, refused
    status, _, paid = citizen.send(
        "POST", "utilities", path, {"amount_yuan": float(amount[0])}, idempotency_key="pay-2"
    )
    assert status == 201, paid


def _electricity_of(unit_number: str) -> str:
    """Accounts are numbered by the home: F00000010 has E0000000010."""
    return "E" + unit_number[-10:].replace("F", "0").zfill(10)[-10:]


def test_the_log_shows_every_step_under_the_one_call(citizen: Citizen) -> None:
    _, headers, case = citizen.send("POST", "newborn", "/cases", form_of("newborn"))
    shown = citizen.installation.json("request", "show", headers["request-id"])
    assert shown["operation"] == "reportBirth"
    step = citizen.installation.json("request", "show", case["items"][0]["request_id"])
    assert step["parent_id"] == headers["request-id"]
    assert (step["service"], step["operation"]) == ("health@v1", "issueBirthCertificate")


def test_the_same_form_twice_is_one_case(citizen: Citizen) -> None:
    key = {"idempotency_key": "birth-1"}
    first = citizen.start("newborn", form_of("newborn"), **key)
    again = citizen.start("newborn", form_of("newborn"), **key)
    assert again["number"] == first["number"]


def test_another_apps_case_is_nobodys(
    citizen: Citizen, installation: Installation, sandbox: RunningServer
) -> None:
    case = citizen.start("homesale", form_of("homesale"))
    status, _, refused = Citizen(installation, sandbox.url).send(
        "GET", "homesale", f"/cases/{case['number']}"
    )
    assert (status, refused["rule"]) == (404, "case-not-found")


def test_a_reset_forgets_the_cases(citizen: Citizen) -> None:
    case = citizen.start("homesale", form_of("homesale"))
    citizen.installation.command("city", "reset", "--app", citizen.app_id)
    assert citizen.send("GET", "homesale", f"/cases/{case['number']}")[0] == 404
    assert citizen.start("homesale", form_of("homesale"))["status"] == "done", (
        "the city is as it was generated"
    )
