"""Journey 4: everything from a shell, with --json and exit codes, and no database poking."""

import json

import pytest

from tests.server import Installation, RunningServer


def test_app_token_and_call(installation: Installation, sandbox: RunningServer, company_code: str) -> None:
    app = installation.json(
        "app", "create", "--name", "demo", "--environment", "sandbox", "--subscribe", "company@v1"
    )
    assert app["environment"] == "sandbox"
    assert app["subscriptions"] == ["company@v1"]
    assert app["client_id"].startswith("kt_")

    credential = ("--client-id", app["client_id"], "--client-secret", app["client_secret"])
    token = installation.json("token", *credential)
    assert token["token_type"] == "Bearer"
    assert token["expires_in"] == 600

    answer = installation.json(
        "call", "company", "getCompany", "--param", f"code={company_code}", *credential
    )
    assert answer["status"] == 200
    assert answer["body"]["code"] == company_code
    assert answer["headers"]["kaimen-environment"] == "sandbox"

    record = installation.json("request", "show", answer["request_id"])
    assert record["status"] == 200
    assert [step["name"] for step in record["steps"]] == [
        "admit", "route", "authenticate", "authorise", "limit", "validate", "call", "record",
    ]  # fmt: skip
    assert record["quota_left"] >= 0


def test_the_last_credential_is_remembered(
    installation: Installation, sandbox: RunningServer, company_code: str
) -> None:
    installation.command("app", "create", "--name", "again", "--subscribe", "company@v1")
    answer = installation.json("call", "company", "getCompany", "--param", f"code={company_code}")
    assert answer["status"] == 200


def test_a_wrong_scope_is_explained_the_same_everywhere(
    installation: Installation, sandbox: RunningServer, company_code: str
) -> None:
    app = installation.json(
        "app", "create", "--name", "narrow", "--subscribe", "company@v1", "--subscribe", "tax@v1"
    )
    credential = ("--client-id", app["client_id"], "--client-secret", app["client_secret"])
    scope = ("--scope", "company:profile:read")
    refused = installation.command(
        "call",
        "tax",
        "getRating",
        "--param",
        f"code={company_code}",
        *credential,
        *scope,
        "--json",
        check=False,
    )
    assert refused.returncode == 1

    answer = json.loads(refused.stdout)
    problem = answer["body"]
    assert (answer["status"], problem["step"], problem["rule"]) == (403, "authorise", "scope-missing")
    assert "tax:rating:read" in problem["next"]
    shown = installation.json("request", "show", answer["request_id"])
    assert shown["explanation"]["rule"] == problem["rule"]
    assert "tax:rating:read" in shown["explanation"]["next"]


def test_errors_have_exit_codes_and_say_what_to_do(
    installation: Installation, sandbox: RunningServer
) -> None:
    unknown = installation.command("app", "create", "--name", "x", "--subscribe", "nothing@v9", check=False)
    assert unknown.returncode == 1
    assert "nothing@v9" in unknown.stderr
    usage = installation.command("app", "create", check=False)
    assert usage.returncode == 2
    away = installation.command("app", "list", "--server", "http://127.0.0.1:9", check=False)
    assert away.returncode == 3
    listed = installation.json("app", "list")
    assert all(row["name"] != "x" for row in listed["items"]), "a failed create leaves nothing behind"


def test_a_stopped_server_has_written_every_call(
    installation: Installation,
    sandbox: RunningServer,
    company_code: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """SIGTERM right after the last answer: the log holds it all the same."""
    other = Installation(tmp_path_factory.mktemp("stopped"))
    other.seed()
    with other.serving("sandbox") as server:
        app = other.json("app", "create", "--name", "last", "--subscribe", "company@v1")
        code = next(
            row["code"] for row in other.json("city", "personas")["personas"] if row["kind"] == "organisation"
        )
        answers = [other.json("call", "company", "getCompany", "--param", f"code={code}") for _ in range(3)]
        server.stop()
    kept = {row["id"] for row in other.json("request", "list", app["app_id"])["items"]}
    assert {answer["request_id"] for answer in answers} <= kept
