"""Drivers of their own kind: a program over pipes, a client on a loop; and programs that do not keep to the protocol."""

import sys

import pytest

from sandbox.city.inventory import read_services
from sandbox.parity.cases import cases_of
from sandbox.parity.drivers.graphql_names import arguments_of, fields_of, namespace_of
from sandbox.parity.drivers.process import Program
from sandbox.parity.drivers.protocol import Blocking, Seen, Target

SERVICES = read_services()
TARGET = Target("http://127.0.0.1:1", "token", {"post@v1": SERVICES["post"]})
CASE = cases_of(SERVICES["post"])[0][0]
SPEAKS = """
import json, sys
json.loads(sys.stdin.readline())
print(json.dumps({"kaimen_parity": 1}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    %s
"""


def program(answer, **options):
    return Program("told", [sys.executable, "-c", SPEAKS % answer], TARGET, **options)


def test_a_program_answers():
    body = '{"type": "https://x/problems/scope-missing/", "step": "authorise", "request_id": "rs_1", "a": asked["operation"]}'
    driver = program(
        f'print(json.dumps({{"case": asked["case"], "status": 403, "body": {body}}}), flush=True)'
    )
    try:
        seen = driver.ask(CASE)
    finally:
        driver.close()
    assert (seen.status, seen.problem, seen.step) == (403, "scope-missing", "authorise")
    assert seen.body["a"] == CASE.operation.id
    assert "request_id" not in seen.body


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ('print("no json", flush=True)', "JSON"),
        ('print(json.dumps({"case": "another"}), flush=True)', "answered another"),
        ('print(json.dumps({"status": "x"}), flush=True)', "gave no answer"),
        ("sys.exit(3)", "has ended"),
        ("pass", "said nothing"),
    ],
)
def test_a_program_that_gives_no_answer_ends_the_comparison(answer, said):
    driver = program(answer, answer_s=2.0 if said == "said nothing" else 20.0)
    try:
        with pytest.raises(OSError, match=said):
            driver.ask(CASE)
    finally:
        driver.close()


def test_a_program_of_another_protocol_is_turned_away():
    with pytest.raises(OSError, match="protocol"):
        Program("other", [sys.executable, "-c", "print('{}')"], TARGET)


def test_a_client_on_a_loop_is_a_driver():
    class OnLoop:
        name = "loop"
        is_closed = False

        async def ask(self, case):
            return Seen(200, body=case.id)

        async def close(self):
            self.is_closed = True

    client = OnLoop()
    driver = Blocking(client)
    assert driver.ask(CASE).body == CASE.id
    driver.close()
    assert client.is_closed


def test_the_name_map_written_from_the_page_is_the_face_s_own():
    """Two independent writings of one rule; where they part, the certificate would only say that nothing is found."""
    from api.graphql import naming

    for service in SERVICES.values():
        assert namespace_of(service) == naming.namespace_of(service)
        for is_safe in (True, False):
            names = naming.Names()
            for operation in service.operations:
                if operation.is_safe == is_safe and not operation.stream:
                    assert fields_of(service)[operation.id] == names.take(naming.field_of(operation))
                    assert "input" in arguments_of(operation)
