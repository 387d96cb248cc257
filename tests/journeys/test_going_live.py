"""Journeys 2 and 3: a department opens a real document in the sandbox, then it and an app go live.

Every step is what a person would do: the command line, the platform API with a session, a script with base URL
and credential. The upstream is a process of its own.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.databases import missing
from tests.journeys.departments import Department, Upstream, VatScript, make_department, running_upstream
from tests.server import Installation, RunningServer
from tests.visitor import Visitor

CONTRACT = Path(__file__).resolve().parents[3] / "shared" / "contracts" / "hmrc" / "vat-api__1.0.yaml"
VRN = "/api/vat-mtd/v1/organisations/vat/123456789"
RETURN = {
    "periodKey": "18A2", "vatDueSales": 105.5, "vatDueAcquisitions": -100.45, "totalVatDue": 5.05,
    "vatReclaimedCurrPeriod": 105.15, "netVatDue": 100.1, "totalValueSalesExVAT": 300,
    "totalValuePurchasesExVAT": 300, "totalValueGoodsSuppliedExVAT": 3000, "totalAcquisitionsExVAT": 3000,
    "finalised": True,
}  # fmt: skip

pytestmark = [pytest.mark.corpus]


@pytest.fixture(scope="module", autouse=True)
def _contract_is_there() -> None:
    if not CONTRACT.exists():
        missing("../shared/contracts")


@pytest.fixture(scope="module")
def department(installation: Installation, sandbox: RunningServer) -> Department:
    return make_department(installation, sandbox, "sample-revenue")


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    with running_upstream(tmp_path_factory.mktemp("upstream")) as running:
        yield running


@pytest.fixture(scope="module")
def developer(sandbox: RunningServer) -> Visitor:
    return Visitor(sandbox.url, language="en").sign_up()


@pytest.fixture(scope="module")
def imported(installation: Installation, department: Department) -> dict[str, Any]:
    return installation.json("contract", "import", str(CONTRACT), "--owner", department.slug)


@pytest.fixture(scope="module")
def published(installation: Installation, imported: dict[str, Any]) -> dict[str, Any]:
    return installation.json("contract", "publish", "vat-mtd@v1", "--environment", "sandbox")


@pytest.fixture(scope="module")
def sandbox_app(developer: Visitor, published: dict[str, Any]) -> dict[str, Any]:
    return developer.api(
        "POST", "/platform/v1/apps", name="vat", environment="sandbox", subscribe=["vat-mtd@v1"]
    )


@pytest.fixture(scope="module")
def sandbox_script(sandbox: RunningServer, sandbox_app: dict[str, Any]) -> VatScript:
    return VatScript(sandbox.url, sandbox_app["client_id"], sandbox_app["client_secret"])


def test_an_import_tells_findings_losses_and_verdicts(imported: dict[str, Any]) -> None:
    assert (imported["service"], imported["version"], imported["operations"]) == ("vat-mtd", "v1", 8)
    assert imported["verdicts"]["rest"] in {"ok", "degraded"}
    assert imported["losses"], "what could not be kept is told"
    assert all(
        finding["pointer"].startswith("/") or not finding["pointer"] for finding in imported["findings"]
    )


def test_without_an_upstream_the_answer_is_synthetic_and_says_so(
    published: dict[str, Any], sandbox_script: VatScript
) -> None:
    assert published["state"] == "published"
    status, headers, body = sandbox_script.get(f"{VRN}/obligations?from=2017-01-01&to=2017-12-31")
    assert status == 200, body
    assert headers["kaimen-sandbox"] == "synthetic"
    assert set(body["obligations"][0]) >= {"start", "end", "due", "status", "periodKey"}
    assert sandbox_script.get(f"{VRN}/obligations?from=2017-01-01&to=2017-12-31")[2] == body, (
        "the same question, the same answer"
    )


def test_bad_parameters_are_named(sandbox_script: VatScript) -> None:
    status, _, problem = sandbox_script.get(f"{VRN}/liabilities?to=2017-12-31")
    assert (status, problem["step"]) == (400, "validate")
    assert problem["errors"][0]["pointer"]
    assert problem["next"]


def test_with_an_upstream_it_is_proxied(
    installation: Installation, published: dict[str, Any], sandbox_script: VatScript, upstream: Upstream
) -> None:
    installation.command(
        "contract", "publish", "vat-mtd@v1", "--environment", "sandbox", "--upstream", upstream.url
    )
    for _ in range(100):  # a running server takes it over at its next look at the store
        status, headers, body = sandbox_script.get(f"{VRN}/obligations?from=2017-01-01&to=2017-12-31")
        if "kaimen-sandbox" not in headers:
            break
        time.sleep(0.1)
    assert status == 200, body
    assert "kaimen-sandbox" not in headers
    assert body["obligations"][1]["periodKey"] == "18A2"
    status, _, made = sandbox_script.post(f"{VRN}/returns", RETURN)
    assert status == 201, made
    status, _, kept = sandbox_script.get(f"{VRN}/returns/18A2")
    assert (status, kept["netVatDue"]) == (200, 100.1)
    asked = upstream.requests()[-1]
    assert asked["path"] == "/organisations/vat/123456789/returns/18A2"
    names = {name.lower(): value for name, value in asked["headers"].items()}
    assert "authorization" not in names, "a department never sees the app's token"
    assert names["host"] == upstream.url.removeprefix("http://")
    assert names["traceparent"]


def test_the_way_to_live(
    installation: Installation, sandbox: RunningServer, live: RunningServer, department: Department,
    developer: Visitor, sandbox_app: dict[str, Any], sandbox_script: VatScript, upstream: Upstream,
) -> None:  # fmt: skip
    _publish_live(installation, department, sandbox_script, upstream)
    live_app = _app_goes_live(department, developer, sandbox_app)
    live_script = VatScript(live.url, live_app["client_id"], live_app["client_secret"])

    assert live_app["client_id"].startswith("kl_")
    status, headers, body = live_script.get(f"{VRN}/obligations?from=2017-01-01&to=2017-12-31")
    assert status == 200, body
    assert headers["kaimen-environment"] == "live"
    assert body["obligations"][0]["periodKey"] == "18A1"

    _credentials_stay_in_their_plane(sandbox_script, live_script)
    record = developer.api("GET", f"/platform/v1/requests/{headers['request-id']}")
    assert record["environment"] == "live"
    assert installation.json("audit", "verify")["holds"]


def _publish_live(
    installation: Installation, department: Department, script: VatScript, upstream: Upstream
) -> None:
    early = installation.command(
        "contract", "publish", "vat-mtd@v1", "--environment", "live", "--upstream", upstream.url, check=False
    )
    assert early.returncode == 1, "the checklist is still open"
    assert "owner's e-mail" in early.stderr
    _state_the_promise(installation, department)
    _exercise_everything(installation, script, upstream)
    asked = installation.json(
        "contract", "publish", "vat-mtd@v1", "--environment", "live", "--upstream", upstream.url
    )
    assert asked["state"] == "pending"
    path = f"/platform/v1/approvals/{asked['approval_id']}/decision"
    department.approver.api("POST", path, approve=True, reason="checked")


def _state_the_promise(installation: Installation, department: Department) -> None:
    """The owner edits the overlay: who answers for the service, and what it promises."""
    draft = department.publisher.api("GET", "/platform/v1/contracts/vat-mtd@v1")
    overlay = draft["overlay"]
    overlay["actions"].append({
        "target": "$.info",
        "update": {
            "x-owner": {"name": "Sample Revenue", "email": "vat@example.org"},
            "x-service": {"availability": 0.99, "p95_ms": 500, "support": "vat@example.org"},
        },
    })  # fmt: skip
    department.publisher.api("PUT", "/platform/v1/contracts/vat-mtd@v1/overlay", **overlay)
    # synthetic again, so that every operation can be tried with success
    installation.command(
        "contract", "publish", "vat-mtd@v1", "--environment", "sandbox", "--upstream", "synthetic"
    )


def _exercise_everything(installation: Installation, script: VatScript, upstream: Upstream) -> None:
    period = "from=2017-01-01&to=2017-12-31"
    for path in (
        f"{VRN}/obligations?{period}", f"{VRN}/returns/18A2", f"{VRN}/liabilities?{period}", f"{VRN}/payments?{period}",
        f"{VRN}/penalties", f"{VRN}/financial-details/XM002610011594", f"{VRN}/information",
    ):  # fmt: skip
        status, _, body = script.get(path)
        assert status == 200, (path, body)
    assert script.post(f"{VRN}/returns", RETURN)[0] == 201
    installation.command(
        "contract", "publish", "vat-mtd@v1", "--environment", "sandbox", "--upstream", upstream.url
    )


def _app_goes_live(department: Department, developer: Visitor, sandbox_app: dict[str, Any]) -> dict[str, Any]:
    answers = {
        "privacy_notice_url": "https://app.example.org/privacy",
        "purpose": "Files the VAT return of the company that uses the app.",
        "security_contact": "security@example.org",
        "retention": "Seven years, as the tax law asks.",
        "terms_accepted": True,
    }
    path = f"/platform/v1/apps/{sandbox_app['app_id']}/go-live"
    made = developer.api("POST", path, **answers)
    assert made["pending"] == ["vat-mtd@v1"], "L2 is decided by the owning department"
    waiting = department.approver.api("GET", "/platform/v1/approvals")["items"]
    wanted = next(row for row in waiting if row["kind"] == "subscription" and row["status"] == "pending")
    decision = f"/platform/v1/approvals/{wanted['approval_id']}/decision"
    developer.api("POST", decision, expect=(403, 404), approve=True, reason="I want it")
    department.approver.api("POST", decision, approve=True, reason="purpose is fine")
    return made


def _credentials_stay_in_their_plane(sandbox_script: VatScript, live_script: VatScript) -> None:
    for script, other, named in (
        (sandbox_script, live_script, "sandbox"),
        (live_script, sandbox_script, "live"),
    ):
        status, refused = script.token(at=other.base_url)
        assert status in {400, 401}, "RFC 6749 §5.2: 401 where Basic was used, else 400"
        assert refused["error"] == "invalid_client"
        assert named in refused["error_description"]
        token = script.token()[1]["access_token"]
        status, _, problem = other.get(f"{VRN}/penalties", token)
        assert (status, problem["rule"]) == (401, "wrong-environment")
        assert named in problem["detail"]
