"""The certificate of a running installation: REST, MCP and GraphQL say the same about the city."""

import json
import shlex
import sys
from pathlib import Path

import httpx
import pytest

from tests.parity.running import widen_plans

SAMPLE = ("company@v1", "hotline@v1")


def test_a_sample_agrees_and_is_published(installation, monkeypatch):
    widen_plans(installation, monkeypatch)
    with installation.serving() as server:
        program = shlex.join([sys.executable, str(Path(__file__).parent / "rest_program.py")])
        options = ["--most", "60", "--driver", f"urllib={program}"]
        said = installation.json("parity", *SAMPLE, *options, timeout=120)
        assert said["drifts"] == []
        assert said["agree"] == said["cases"] > 60
        assert said["faces"] == ["rest", "mcp", "graphql", "urllib"]
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
    widen_plans(installation, monkeypatch)
    with installation.serving():
        done = installation.command("parity", "--json", check=False, timeout=540)
        said = json.loads(done.stdout)
        assert said["drifts"] == []
        assert said["agree"] == said["cases"] >= 1000
