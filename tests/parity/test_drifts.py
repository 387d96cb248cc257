"""A defect seeded in each face of a served copy of the program, by one line: the certificate names all three."""

import json
import shutil

import pytest

from tests.parity.running import widen_plans
from tests.server import ROOT

# face -> (file, the line as it is, the line with the defect)
DEFECTS = {
    "rest": ("api/gateway/rest.py", "            query_string=query,\n", '            query_string=b"",\n'),
    "mcp": (
        "api/mcp/calls.py",
        "scenario=_switch(arguments, SCENARIO, tool, gateway),",
        'scenario="",',
    ),
    "graphql": (
        "api/graphql/running.py",
        "                await pipeline.run(exchange, self._gateway)\n",
        "                await pipeline.run(exchange, self._gateway)\n                exchange.cost *= 2\n",
    ),
}


@pytest.fixture
def drifting(tmp_path):
    """A copy of the program in which every face has a defect of its own."""
    shutil.copytree(ROOT / "api", tmp_path / "api", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("sandbox", "portal", "sdk", "docs", "native", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name, right, wrong in DEFECTS.values():
        file = tmp_path / name
        text = file.read_text()
        assert text.count(right) == 1, f"{name} has another line now: seed the defect there"
        file.write_text(text.replace(right, wrong))
    return tmp_path


def test_a_defect_in_each_face_is_named(installation, monkeypatch, drifting):
    widen_plans(installation, monkeypatch)
    with installation.serving(PYTHONPATH=str(drifting)):
        done = installation.command("parity", "company@v1", "--json", check=False, timeout=120)
    assert done.returncode == 1, done.stderr
    said = json.loads(done.stdout)
    assert 0 <= said["agree"] < said["cases"]
    drifts = said["drifts"]

    def of(case):
        return [(one["face"], one["what"], one["pointer"], one["expected"], one["found"]) for one in drifts if one["case"] == case]  # fmt: skip

    # MCP forgets the scenario: it alone says that the company is still there
    assert ("mcp", "body", "/status", "revoked", "active") in of("company@v1/getCompany/scenario/revoked")
    named = of("company@v1/getCompany/scenario/revoked")
    assert {one[0] for one in named} == {"mcp"}, named
    # REST forgets its query: the two others agree against it
    assert ("rest", "status", "", "200", "400") in of("company@v1/searchCompanies/example")
    assert {one[0] for one in of("company@v1/searchCompanies/example")} == {"rest"}
    # GraphQL charges twice
    charged = [one for one in drifts if one["what"] == "cost" and one["face"] == "graphql"]
    assert charged
    assert all(
        int(one["found"]) == 2 * int(one["expected"])
        for one in charged
        if one["case"] == "company@v1/getCompany"
    )
    assert of("company@v1/getCompany/example") == []
