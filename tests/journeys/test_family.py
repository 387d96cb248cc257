"""Journey: a family from a shell. A birth goes from the hospital to register and insurance; a divorce waits for the clock.

Each department is spoken to by its own protocol (JSON, SOAP 1.1 and 1.2) behind the gateway, and all agree.
"""

import json
from typing import Any

import pytest

from tests.server import Installation, RunningServer

MOTHER, FATHER = "990101199508300023", "990101199402110010"
HUSBAND, WIFE = "990101198411020012", "990101198603140027"
CERTIFICATE = "K900000001"


class Household:
    """An app of a family service and its credential."""

    def __init__(self, installation: Installation) -> None:
        services = (
            "household@v1:family-service",
            "health@v1",
            "insurance@v1:medical-settlement",
            "civil@v1:family-service",
        )
        subscriptions = [part for one in services for part in ("--subscribe", one)]
        app = installation.json(
            "app", "create", "--name", "family", "--environment", "sandbox", *subscriptions
        )
        self._installation = installation
        self.app_id = app["app_id"]
        self._credential = ("--client-id", app["client_id"], "--client-secret", app["client_secret"])

    def call(self, service: str, operation: str, *options: str, **body: Any) -> tuple[int, dict[str, Any]]:
        """Status and body of a call; `body` is what is sent."""
        sent = ("--body", json.dumps(body)) if body else ()
        done = self._installation.command(
            "call", service, operation, *options, *sent, *self._credential, "--json", check=False
        )
        answer = json.loads(done.stdout)
        return answer["status"], answer["body"]

    def wait(self, duration: str) -> None:
        self._installation.command("city", "clock", "--app", self.app_id, "--advance", duration)


@pytest.fixture
def family(installation: Installation, sandbox: RunningServer) -> Household:
    return Household(installation)


def test_a_newborn_is_registered_and_insured(family: Household) -> None:
    number = ("--param", f"number={CERTIFICATE}")
    assert family.call("health", "getBirthCertificate", *number)[1]["is_registered"] is False
    early = family.call("insurance", "enrolNewborn", id_number="990101202606188025", guardian_number=FATHER)
    assert (early[0], early[1]["rule"]) == (422, "insurance-child-not-registered")
    assert "registerBirth" in early[1]["next"]

    status, birth = family.call(
        "household", "registerBirth", certificate_number=CERTIFICATE, applicant_number=MOTHER
    )
    assert (status, birth["name"]) == (201, "赵新禾")
    assert family.call("health", "getBirthCertificate", *number)[1]["is_registered"] is True
    status, enrolled = family.call(
        "insurance", "enrolNewborn", id_number=birth["id_number"], guardian_number=FATHER
    )
    assert (status, enrolled["since"]) == (201, "2026-06-18")
    again = family.call("household", "registerBirth", certificate_number=CERTIFICATE, applicant_number=MOTHER)
    assert (again[0], again[1]["rule"]) == (409, "household-birth-registered")


def test_a_parent_sees_the_child_in_the_household(family: Household) -> None:
    family.call("household", "registerBirth", certificate_number=CERTIFICATE, applicant_number=MOTHER)
    consent = ("--persona", "zhao-lei", "--purpose", "family-service")
    status, household = family.call("household", "getHousehold", *consent, id_number=FATHER)
    assert status == 200
    assert [one["name"] for one in household["members"]] == ["赵磊", "林小雅", "赵新生", "赵新禾"]
    other = family.call("household", "getHousehold", *consent, id_number=WIFE)
    assert other[0] == 403, "the consent is about the one who gave it"


def test_a_divorce_waits_for_thirty_days(family: Household) -> None:
    _, applied = family.call("civil", "applyDivorce", husband_number=HUSBAND, wife_number=WIFE)
    assert applied["status"] == "cooling-off"
    early = family.call("civil", "registerDivorce", application_number=applied["number"])
    assert (early[0], early[1]["rule"]) == (409, "civil-cooling-off")
    assert applied["cooling_off_ends_on"] in early[1]["detail"]
    family.wait("P31D")
    assert family.call("civil", "registerDivorce", application_number=applied["number"])[0] == 201
    consent = ("--persona", "lin-xi", "--purpose", "family-service")
    assert family.call("civil", "getMarriage", *consent, id_number=WIFE)[1]["status"] == "divorced"
