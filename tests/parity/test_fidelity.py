"""The fidelity figure: what a real system answered, recorded by the gateway, masked, asked of the sandbox again."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import httpx
import pytest

from api.gateway.masking_values import ValueMask
from sandbox.parity.drivers.protocol import Seen
from sandbox.parity.fidelity import closeness, shape_of
from sandbox.parity.recordings import RecordingError, Sample, read_samples
from tests.server import free_port

KNOWN, UNKNOWN = "91990103MA0000777X", "91880103MA0000777X"
NAME = "欧阳样例"


@pytest.fixture(scope="module")
def server(installation):
    with installation.serving() as running:
        yield running


@pytest.fixture(scope="module")
def upstream():
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("register_program.py")), str(port)]
    )
    try:
        for _ in range(150):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
            except urllib.error.HTTPError as answered:
                answered.close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def publish(installation, upstream):
    installation.command(
        "contract", "publish", "company@v1", "--environment", "sandbox", "--upstream", upstream
    )


def lines_of(path, least):
    for _ in range(100):
        lines = path.read_text().splitlines() if path.exists() else []
        if len(lines) >= least:
            return lines
        time.sleep(0.1)
    raise AssertionError(lines)


def test_a_real_system_is_recorded_and_the_sandbox_is_measured_by_it(installation, server, upstream):
    publish(installation, upstream)
    app = installation.json("app", "create", "--name", "bank", "--subscribe", "company@v1")
    token = httpx.post(
        f"{server.url}/oauth/token", data={"grant_type": "client_credentials"},
        auth=(app["client_id"], app["client_secret"]),
    ).json()["access_token"]  # fmt: skip
    client = httpx.Client(
        base_url=f"{server.url}/api/company/v1", headers={"Authorization": f"Bearer {token}"}, timeout=30
    )

    def ask(path, status):
        for _ in range(20):
            answer = client.get(path)
            if answer.status_code == status:
                return answer.json()
            time.sleep(0.2)
        raise AssertionError((answer.status_code, answer.text))

    assert ask(f"/companies/{KNOWN}", 200)["legal_representative"] == NAME
    recording = installation.home / "recordings" / "company@v1.sandbox.ndjson"
    assert not recording.exists()  # nobody has agreed

    agreed = installation.json("parity", "record", "company@v1", "--environment", "sandbox", "--most", "6")
    assert agreed["allowed"] is True
    assert agreed["file"] == str(recording)
    time.sleep(0.6)
    for path, status in (
        (f"/companies/{KNOWN}", 200), (f"/companies/{KNOWN}", 200), (f"/companies/{UNKNOWN}", 404),
        (f"/companies/{KNOWN}/licence", 409), (f"/companies/{KNOWN}", 200), (f"/companies/{KNOWN}", 200),
        (f"/companies/{KNOWN}", 200), (f"/companies/{KNOWN}", 200),
    ):  # fmt: skip
        ask(path, status)
    lines = lines_of(recording, 6)
    time.sleep(0.3)
    assert len(lines_of(recording, 6)) == 6  # no more than was agreed to
    text = "\n".join(lines)
    assert NAME not in text
    assert KNOWN not in json.dumps([json.loads(line)["parameters"] for line in lines])
    first = json.loads(lines[0])
    assert first["answer"]["legal_representative"] == "欧***"
    assert first["answer"]["remark"] == "***"  # no schema describes it
    assert first["answer"]["industry"]["code"] == "17"
    assert first["at"].endswith(":00:00Z")
    assert first["parameters"] == [{"in": "path", "name": "code", "masked": True}]

    publish(installation, "city:market-regulation")
    time.sleep(0.6)
    said = installation.json("parity", "fidelity", "company@v1")
    assert said["operations"]["getCompany"]["recorded"] == 5
    assert said["operations"]["getCompany"]["counted"] == 5
    assert said["operations"]["getCompany"]["same_outcome"] == 5
    assert 0.8 < said["operations"]["getCompany"]["figure"] < 1.0
    assert "/remark string" in said["operations"]["getCompany"]["only_upstream"]
    assert said["operations"]["getLicence"]["figure"] == 0.0  # a state that the sandbox does not know
    published = httpx.get(f"{server.url}/catalogue/company/v1/fidelity.json")
    assert published.json() == said
    assert published.headers["repr-digest"].startswith("sha-256=:")
    assert "fidelity.json" in httpx.get(f"{server.url}/catalogue/company/v1").text

    publish(installation, "synthetic")
    time.sleep(0.6)
    said = installation.json("parity", "fidelity", "company@v1")
    assert said["figure"] is None
    assert said["operations"]["getCompany"]["counted"] == 0
    assert said["operations"]["getCompany"]["synthetic"] == 5

    assert (
        installation.json("parity", "record", "company@v1", "--environment", "sandbox", "--stop")["allowed"]
        is False
    )
    client.close()


def test_the_operator_cannot_consent_for_a_department_live(installation, server):
    done = installation.command("parity", "record", "company@v1", "--environment", "live", check=False)
    assert done.returncode != 0
    assert "only the department" in done.stderr + done.stdout or "主管部门" in done.stderr + done.stdout


def test_masking_keeps_the_shape_and_nothing_else():
    schemas = {
        "Person": {
            "type": "object",
            "properties": {
                "name": {
                    "type": "string",
                    "x-classification": {"level": "L2", "kind": "name"},
                    "x-mask": "first1",
                },
                "age": {"type": "integer", "x-classification": {"level": "L3", "kind": "age"}},
                "city": {"type": "string"},
                "tags": {"type": "array", "items": {"type": "string", "x-mask": "all"}},
            },
        }
    }
    mask = ValueMask(schemas)
    value = {
        "name": "欧阳",
        "age": 41,
        "city": "x",
        "tags": ["a", None],
        "more": {"deep": ["y", 1, True, None]},
    }
    shown = mask.shown(value, {"oneOf": [{"$ref": "#/components/schemas/Person"}, {"type": "null"}]})
    assert shown == {
        "name": "欧***", "age": 0, "city": "x", "tags": ["***", None], "more": {"deep": ["***", 0, False, None]},
    }  # fmt: skip
    assert mask.shown({"a": "secret"}, None) == {"a": "***"}
    assert shape_of(shown) == shape_of(value)


def test_closeness():
    sample = Sample("", "", "s", "o", 200, answer={"a": 1, "b": [{"c": None}]})
    assert closeness(sample, Seen(200, body={"a": 2, "b": [{"c": None}, {"c": None}]})) == 1.0
    assert closeness(sample, Seen(404, body={"a": 2})) == 0.0
    assert 0 < closeness(sample, Seen(200, body={"a": "2", "b": []})) < 1
    refused = Sample("", "", "s", "o", 404, problem="gone", answer={})
    assert closeness(refused, Seen(404, "not-found", body={})) == 0.0


@pytest.mark.parametrize(
    "line", ["nonsense", "{}", '{"format": "other", "at": "", "service": "s", "operation": "o", "status": 1}']
)
def test_what_is_no_recording_is_told_with_its_line(tmp_path, line):
    path = tmp_path / "r.ndjson"
    path.write_text(line + "\n")
    with pytest.raises(RecordingError, match="line 1"):
        list(read_samples(path, "s"))
