"""The certificate of a running installation: REST and MCP say the same about the city."""

import json

import httpx
import pytest

from tests.server import Installation

SAMPLE = ("company@v1", "hotline@v1")
MANY = 1_000_000


@pytest.fixture(scope="module")
def installation(home):
    made = Installation(home)
    made.seed()
    return made


def _widen_plans(installation, monkeypatch):
    """More quota than the run needs, so that it never waits."""
    from api.main.context import settings_of_shell
    from api.main.local_client import LocalClient

    for name, value in installation.environ.items():
        if name.startswith("KAIMEN_"):
            monkeypatch.setenv(name, value)
    client = LocalClient(settings_of_shell())
    limits = {kind: {"units": MANY, "window_seconds": 60} for kind in ("light", "standard", "heavy", "bulk")}
    for plan in ("trial", "standard", "partner", "internal"):
        body = {"title_zh": plan, "title_en": plan, "limits": limits}
        assert client.request("PUT", f"/platform/v1/plans/{plan}", body=body).is_success
    client.close()


def test_a_sample_agrees_and_is_published(installation, monkeypatch):
    _widen_plans(installation, monkeypatch)
    with installation.serving() as server:
        said = installation.json("parity", *SAMPLE, "--most", "60", timeout=300)
        assert said["drifts"] == []
        assert said["agree"] == said["cases"] > 60
        assert said["faces"] == ["rest", "mcp"]
        answer = httpx.get(f"{server.url}/catalogue/company/v1/parity.json")
        assert answer.status_code == 200
        published = answer.json()
        assert published["service"] == "company@v1"
        assert published["digest"].startswith("sha256:")
        assert published["date"]
        assert all(row["reason"] for row in published["excluded"])
        page = httpx.get(f"{server.url}/catalogue/company/v1").text
        assert "/catalogue/company/v1/parity.json" in page
        assert httpx.get(f"{server.url}/catalogue/tax/v1/parity.json").status_code == 404
        assert httpx.get(f"{server.url}/catalogue/..%2f..%2fx/v1/parity.json").status_code == 404


@pytest.mark.full
def test_the_whole_city_agrees(installation, monkeypatch):
    _widen_plans(installation, monkeypatch)
    with installation.serving():
        done = installation.command("parity", "--json", check=False, timeout=1800)
        said = json.loads(done.stdout)
        assert said["drifts"] == []
        assert said["agree"] == said["cases"] >= 1000
