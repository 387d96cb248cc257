"""A department behind its real protocol, through a real server: published on the command line, called by an app."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from sandbox.city.population import personas
from tests.databases import make_database
from tests.sandbox.native import MAPPINGS
from tests.server import Installation

TEA = personas.code_of("manshan-tea")
TAXPAYER = f"/api/tax/v1/taxpayers/{TEA}"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(Path(tmp_path_factory.mktemp("native")))
    made.seed()
    with made.serving("sandbox"):
        yield made


def publish(installation: Installation, protocol: str, mapping: str) -> None:
    installation.json(
        "contract", "publish", "tax@v1", "--environment", "sandbox", "--upstream", f"city+{protocol}:tax",
        "--mapping", str(MAPPINGS / mapping),
    )  # fmt: skip


def test_a_service_moves_from_protocol_to_protocol(installation: Installation) -> None:
    made = installation.json(
        "app", "create", "--name", "reader", "--environment", "sandbox", "--subscribe", "tax@v1:bank-credit"
    )
    with httpx.Client(base_url=installation.sandbox_url, timeout=30) as client:
        token = client.post(
            "/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(made["client_id"], made["client_secret"]),
        ).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": "zh-CN"}

        def get(**more: str) -> tuple[int, Any]:
            answer = client.get(TAXPAYER, headers={**headers, **more})
            body = answer.json()
            return answer.status_code, {k: v for k, v in body.items() if k not in {"request_id", "instance"}}

        plain = get()
        refused = get(**{"Kaimen-Scenario": "code-invalid"})
        assert plain[0] == 200
        assert refused[0] == 400
        for protocol, mapping in (
            ("soap", "tax-soap.yaml"), ("soap", "tax-soap12.yaml"), ("http", "tax-http.yaml"),
            ("http", "tax-xml.yaml"), ("sql", "tax-sql.yaml"), ("files", "tax-files.yaml"),
        ):  # fmt: skip
            publish(installation, protocol, mapping)
            assert get() == plain, mapping
            assert get(**{"Kaimen-Scenario": "code-invalid"}) == refused, mapping


def test_a_mapping_that_does_not_fit_is_refused_with_its_place(
    installation: Installation, tmp_path: Path
) -> None:
    wrong = tmp_path / "mapping.yaml"
    text = (MAPPINGS / "tax-soap.yaml").read_text(encoding="utf-8")
    wrong.write_text(text.replace("tax-rating-none", "tax-rating-nope"), encoding="utf-8")
    with pytest.raises((AssertionError, subprocess.CalledProcessError)) as refused:
        installation.json(
            "contract", "publish", "tax@v1", "--environment", "sandbox", "--upstream", "city+soap:tax",
            "--mapping", str(wrong),
        )  # fmt: skip
    assert "tax-rating-nope" in str(refused.value)


@pytest.mark.parametrize(
    ("upstream", "mapping", "told"),
    [
        ("files:///etc", "tax-files.yaml", ("/etc lies outside", "KAIMEN_DROP_PATH")),
        ("sql+sqlite:///var/lib/tax.sqlite3", "tax-sql.yaml", ("lies outside", "KAIMEN_DROP_PATH")),
        ("city:taxes", "", ("no department taxes", "write tax")),
        ("city+soap:taks", "tax-soap.yaml", ("no department taks", "write tax")),
    ],
)
def test_an_upstream_that_nobody_could_serve_is_refused_with_what_to_do(
    installation: Installation, upstream: str, mapping: str, told: tuple[str, ...]
) -> None:
    spoken = ["--mapping", str(MAPPINGS / mapping)] if mapping else []
    refused = installation.command(
        "contract",
        "publish",
        "tax@v1",
        "--environment",
        "sandbox",
        "--upstream",
        upstream,
        *spoken,
        check=False,
    )
    assert refused.returncode == 1
    assert all(words in refused.stdout + refused.stderr for words in told), refused.stdout + refused.stderr


@pytest.mark.full
async def test_a_view_beside_the_stores_in_postgresql(postgresql_server: str, tmp_path: Path) -> None:
    """A served process on PostgreSQL reads the department's view there, and a write through its interface shows in it."""
    url = await make_database(postgresql_server)
    made = Installation(tmp_path, extra={"KAIMEN_DATABASE_URL": url})
    made.seed()
    app = made.json("app", "create", "--name", "reader", "--subscribe", "air@v1")
    shell = ("--client-id", app["client_id"], "--client-secret", app["client_secret"])

    def call(operation: str, *parameters: str) -> Any:
        options = [part for one in parameters for part in ("--param", one)]
        return made.json("call", "air", operation, *options, *shell)["body"]

    with made.serving("sandbox"):
        permit = call("getEmissionPermit", f"code={TEA}")
        assert permit["status"] == "valid"
        connection = await asyncpg.connect(url, server_settings={"search_path": "kaimen_city_ecology"})
        try:
            rows = await connection.fetch("SELECT bh, ztbh, ztsj FROM v_xkz WHERE ztbh = $1", app["app_id"])
            assert [row["bh"] for row in rows] == [permit["number"]]
            assert rows[0]["ztsj"], "by the app's clock"
            await connection.execute("UPDATE v_xkz_b SET bh = 'by-hand' WHERE ztbh = $1", app["app_id"])
        finally:
            await connection.close()
        assert call("getEmissionPermit", f"code={TEA}")["number"] == "by-hand"
