"""Clients and judges that we did not write, set on a served sandbox with nothing but the published document.

schemathesis makes requests of its own from the document; openapi-typescript and openapi-fetch make a client, which joins the
certificate as one more face; openapi-python-client makes another, with its own templates.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests import databases
from tests.parity.running import widen_plans

WITNESS = Path(__file__).parent.parent / "witness"
SERVICE = "company@v1"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.fixture(scope="module")
def server(installation):
    with pytest.MonkeyPatch.context() as patch:
        widen_plans(installation, patch)
    with installation.serving() as running:
        yield running


@pytest.fixture(scope="module")
def document(server, tmp_path_factory):
    """The document as anybody gets it."""
    path = tmp_path_factory.mktemp("document") / "company.json"
    path.write_bytes(httpx.get(f"{server.url}/catalogue/company/v1/openapi.json").raise_for_status().content)
    return path


@pytest.fixture(scope="module")
def token(installation, server):
    app = installation.json("app", "create", "--name", "witness", "--subscribe", SERVICE)
    answer = httpx.post(
        f"{server.url}/oauth/token", data={"grant_type": "client_credentials"},
        auth=(app["client_id"], app["client_secret"]),
    )  # fmt: skip
    return answer.json()["access_token"]


def run(*command, cwd, timeout=120, **environ):
    done = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, (done.stdout[-6000:], done.stderr[-2000:])
    return done.stdout


@pytest.mark.parametrize(
    ("phases", "examples"),
    [("examples,fuzzing", 2), pytest.param("examples,coverage,fuzzing", 10, marks=pytest.mark.full)],
)
def test_schemathesis_finds_no_answer_that_the_document_does_not_describe(
    server, document, token, tmp_path, phases, examples
):
    run(
        str(Path(sys.executable).with_name("schemathesis")), "--no-color", "run", str(document),
        "--url", f"{server.url}/api/company/v1", "--checks", CHECKS, "--phases", phases, "--max-examples", str(examples),
        "--seed", "20260727", "--generation-database", "none", "--warnings", "off", "--suppress-health-check", "all",
        "--request-timeout", "30", "-H", f"Authorization: Bearer {token}", cwd=tmp_path, timeout=300,
    )  # fmt: skip
    assert "Traceback" not in server.log


def test_a_client_from_openapi_typescript_agrees_with_every_face(installation, server, document, tmp_path):
    if not (WITNESS / "node_modules" / "openapi-fetch").is_dir():
        databases.missing("the Node clients (npm ci in tests/witness)")
    (tmp_path / "node_modules").symlink_to(WITNESS / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    shutil.copy(WITNESS / "openapi_fetch.ts", tmp_path)
    modules = WITNESS / "node_modules"
    made = [
        "node",
        str(modules / "openapi-typescript" / "bin" / "cli.js"),
        str(document),
        "-o",
        "company.d.ts",
    ]
    run(*made, cwd=tmp_path)
    run(
        "node", str(modules / "typescript" / "lib" / "tsc.js"), "--strict", "--noUncheckedIndexedAccess", "--skipLibCheck",
        "--target", "es2022", "--module", "nodenext", "--types", "node", "openapi_fetch.ts", cwd=tmp_path,
    )  # fmt: skip
    said = installation.json(
        "parity", SERVICE, "--face", "rest", "--face", "openapi-fetch",
        "--driver", f"openapi-fetch=node {tmp_path / 'openapi_fetch.js'}",
    )  # fmt: skip
    assert said["faces"] == ["rest", "openapi-fetch"]
    assert said["drifts"] == []
    assert said["agree"] == said["cases"] > 100


@pytest.mark.full
def test_a_client_from_openapi_python_client_agrees(server, document, token, tmp_path):
    run(
        str(Path(sys.executable).with_name("openapi-python-client")), "generate", "--path", str(document), "--meta", "none",
        "--output-path", str(tmp_path / "company_client"), cwd=tmp_path,
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    )  # fmt: skip
    program = Path(__file__).with_name("python_client_program.py")
    said = json.loads(
        run(sys.executable, str(program), server.url, token, cwd=tmp_path, PYTHONPATH=str(tmp_path))
    )
    headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
    assert len(said) >= 4
    for one in said:
        answer = httpx.get(f"{server.url}/api/company/v1{one['path']}", params=one["query"], headers=headers)
        assert one["status"] == answer.status_code
        assert _of_all_requests(one["body"]) == _of_all_requests(answer.json())


def _of_all_requests(body):
    return {name: value for name, value in body.items() if name not in {"request_id", "instance"}}
