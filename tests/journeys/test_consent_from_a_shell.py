"""Journey: a bank's developer has a persona consent, reads the taxes of the one company, and loses it again. No browser."""

import json
import time

import pytest

from tests.server import Installation, RunningServer

SECOND = 1.0


@pytest.fixture(scope="module")
def bank(installation: Installation, sandbox: RunningServer) -> dict[str, str]:
    """An app that may ask about taxes for a loan."""
    app = installation.json("app", "create", "--name", "loans", "--subscribe", "tax@v1:bank-credit")
    return {str(name): str(value) for name, value in app.items()}


def credential(bank: dict[str, str]) -> tuple[str, ...]:
    return ("--client-id", bank["client_id"], "--client-secret", bank["client_secret"])


def company_of(installation: Installation, slug: str) -> str:
    rows = installation.json("persona", "list", "--kind", "organisation")["personas"]
    return next(str(row["code"]) for row in rows if row["id"] == slug)


def test_whom_one_may_speak_for_is_told(installation: Installation) -> None:
    rows = installation.json("persona", "list", "--kind", "person")["personas"]
    lin = next(row for row in rows if row["id"] == "lin-xi")
    assert [one["organisation"] for one in lin["standing"] if one["can_speak"]] == ["manshan-tea"]
    child = next(row for row in rows if row["id"] == "chen-xiaoman")
    assert child["guardians"] == ["chen-hang", "lin-xi"]


def test_consent_opens_one_company_until_it_is_withdrawn(
    installation: Installation, bank: dict[str, str]
) -> None:
    code = company_of(installation, "manshan-tea")
    asked = ("call", "tax", "getTaxPaid", "--param", f"code={code}")
    without = json.loads(installation.command(*asked, *credential(bank), "--json", check=False).stdout)
    assert (without["status"], without["body"]["rule"]) == (403, "consent-required")

    token = installation.json(
        "token",
        *credential(bank),
        "--persona",
        "lin-xi",
        "--purpose",
        "bank-credit",
        "--refuse",
        "years.revenue_yuan",
    )
    assert token["token_type"] == "Bearer"
    assert token["authorization_details"][0]["organisation"] == code
    bearer = ("--access-token", token["access_token"])
    answer = installation.json(*asked, *bearer)
    assert answer["status"] == 200
    assert answer["body"]["total_paid_yuan"] > 0
    assert all("revenue_yuan" not in year and "paid_yuan" in year for year in answer["body"]["years"])

    other = company_of(installation, "hengzhu-machinery")
    refused = installation.command(
        "call", "tax", "getTaxPaid", "--param", f"code={other}", *bearer, "--json", check=False
    )
    assert json.loads(refused.stdout)["body"]["rule"] == "other-organisation"

    assert installation.json("consent", "withdraw", token["grant_id"])["grant"]["state"] == "withdrawn"
    time.sleep(SECOND)  # what the promise allows every process
    ended = json.loads(installation.command(*asked, *bearer, "--json", check=False).stdout)
    assert (ended["status"], ended["body"]["type"].rstrip("/").rpartition("/")[2]) == (
        401,
        "consent-withdrawn",
    )
    listed = installation.json("consent", "list", bank["app_id"])["items"]
    assert [one["state"] for one in listed if one["id"] == token["grant_id"]] == ["withdrawn"]
    assert "林溪" not in json.dumps(listed, ensure_ascii=False)


@pytest.mark.parametrize(
    ("persona", "company", "rule"),
    [
        ("zhou-ming", "hengzhu-machinery", "former-representative"),
        ("wang-jianguo", "chidao-catering", "agent-expired"),
        ("ouyang-wei", "hengzhu-machinery", "not-a-representative"),
        ("zhou-ming", "liuyun-trading", "organisation-struck-off"),
    ],
)
def test_who_may_not_speak_is_told_why(
    installation: Installation, bank: dict[str, str], persona: str, company: str, rule: str
) -> None:
    code = company_of(installation, company)
    refused = installation.command(
        "token", *credential(bank), "--persona", persona, "--organisation", code, "--json", check=False
    )
    assert refused.returncode == 1
    problem = json.loads(refused.stdout)
    assert (problem["status"], problem["rule"]) == (403, rule)
    assert problem["next"]


def test_the_live_plane_has_no_personas(
    installation: Installation, bank: dict[str, str], live: RunningServer
) -> None:
    for chosen in (("--client-id", "kl_x", "--client-secret", "kls_x"), ("--environment", "live")):
        refused = installation.command("token", *chosen, "--persona", "lin-xi", check=False)
        assert refused.returncode == 2
        assert "/oauth/authorize" in refused.stderr
    address = ("--base-url", live.url)
    refused = installation.command(
        "token", *credential(bank), *address, "--persona", "lin-xi", "--json", check=False
    )
    problem = json.loads(refused.stdout)
    assert (problem["status"], problem["rule"]) == (409, "sandbox-only")
