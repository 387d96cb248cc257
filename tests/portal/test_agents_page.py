"""A department's agents in the portal: made with a credential shown once, rotated, revoked; strangers see nothing."""

import re

import pytest

from tests.portal.departments import Department, make_department
from tests.server import Installation, RunningServer
from tests.visitor import Visitor


@pytest.fixture(scope="module")
def department(installation: Installation, server: RunningServer) -> Department:
    return make_department(installation, server)


def secret_in(source: str) -> str:
    found = re.search(r"kat_[A-Za-z0-9_-]{43}", source)
    return found[0] if found else ""


def test_made_rotated_and_revoked(department: Department, server: RunningServer) -> None:
    place = f"{department.path}/agents"
    page = department.head.open(department.path)
    page = department.head.open(page.link(place))
    assert "还没有代理" in page.text
    page = department.head.submit(page, place, name="Hall!", environment="sandbox", expect=422)
    assert "name" in page.errors()
    name = "hall-" + department.slug.rpartition("-")[2]
    page = department.head.submit(page, place, name=name, environment="sandbox")
    first = secret_in(page.source)
    assert first
    assert f"--server {server.url}" in page.source
    assert f"agent:{name}" in page.text
    assert "未连接" in page.text
    page = department.head.open(place)
    assert not secret_in(page.source), "it is shown once"
    page = department.head.submit(page, "/rotate")
    assert secret_in(page.source) not in {"", first}
    page = department.head.submit(
        department.head.open(place), place, name=name, environment="sandbox", expect=409
    )
    assert name in page.text
    page = department.head.submit(department.head.open(place), "/revoke")
    assert "已吊销" in page.text


def test_others_look_or_see_nothing(department: Department, shared_developer: Visitor) -> None:
    page = department.approver.open(f"{department.path}/agents")
    assert "新建代理" not in page.text
    shared_developer.open(f"{department.path}/agents", expect=404)
    made = {"name": "mine", "organisation": department.slug, "environment": "sandbox"}
    assert shared_developer.ask("POST", "/platform/v1/agents", json=made).status_code == 404
    assert department.approver.ask("POST", "/platform/v1/agents", json=made).status_code == 403


def test_a_stranger_and_a_wrong_credential_are_refused_alike(server: RunningServer, visitor: Visitor) -> None:
    for secret in ("kat_wrong", "kp_wrong", "kal_" + "x" * 43):
        answer = visitor.http.post("/agent/v1/hello", headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == 401
        assert answer.json()["rule"] == "agent-refused"
    assert visitor.http.get("/platform/v1/agents/ag_0123456789abcdefghjkmnpqrs").status_code == 401
