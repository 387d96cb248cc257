"""schemathesis over the platform API's own contract: no 500, and no answer that the contract does not describe.

Its requests come from /platform/openapi.json, once as a stranger and once as a signed-in administrator.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import Target
from tests.server import Installation, RunningServer
from tests.visitor import administrator

pytestmark = pytest.mark.postgresql_full
SEED = "20260727"
METHODS = {"get", "post", "put", "patch", "delete"}
SECONDS = 900  # a bound, not a measure
ROOT = Path(__file__).resolve().parents[2]
CHECKS = "not_a_server_error,response_schema_conformance,content_type_conformance"
# Ten, and no stateful phase: with forty and it, one run had not ended after eight minutes on two busy cores, its
# fuzzing phase having cost client and server 43 s of CPU each by then. The long run has to fit into test-full.
RUNS = [
    pytest.param("fuzzing", 2, id="short"),
    pytest.param("examples,coverage,fuzzing", 10, id="long", marks=pytest.mark.full),
]
# what would end the administrator's own session, and with it the run
ENDING = "(?i)sign-?out|sessions?$|password"


def run(server: RunningServer, folder: Path, phases: str, examples: int, *options: str) -> None:
    """One run of the command-line tool; fails with its report, which tells how to repeat each request."""
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"), "--no-color", "run", server.url + "/platform/openapi.json",
            "--url", server.url, "--checks", CHECKS, "--phases", phases,
            "--max-examples", str(examples), "--seed", SEED, "--generation-database", "none", "--warnings", "off",
            "--suppress-health-check", "all", "--request-timeout", "60", *options,
        ],
        cwd=folder, env=os.environ | {"SCHEMATHESIS_HOOKS": "tests.fuzz.platform_hooks", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2_000:]
    assert server.process.poll() is None
    for word in ("Traceback", "platform.failure"):
        assert word not in server.log, server.log[server.log.index(word) - 500 :][:3000]


ODD_IDS = [
    "0" * 40, "0" * 41, "0" * 63, "0" * 64, "0" * 65, "0" * 111, "x" * 2000, "%00", "a%00b", "%0a", "..%2f..", "%2e%2e", "%25", "%C3%28",
    "码" * 20, "-1", "*", "a@v1", "a@v1" + "0" * 80, "company@v99999999999", "'", '"', "%5c",
    *(f"{prefix}_{'0' * length}" for prefix in ("a", "o", "p", "s", "ap", "sec", "rs", "rl", "rp") for length in (26, 39, 60)),
]  # fmt: skip


def test_odd_identifiers_are_not_found(installation: Installation, server: RunningServer) -> None:
    """Each operation with an identifier in its path, each identifier that is none: 4xx, whatever the body."""
    with administrator(installation, server.url) as people:
        paths = people.api("GET", "/platform/openapi.json")["paths"]
        operations = [
            (method, path)
            for path, item in paths.items()
            for method in item
            if "{" in path and method in METHODS
        ]
        app_id = installation.json("app", "create", "--name", "odd")["app_id"]
        operations += [
            (method, path.replace("{app_id}", app_id))
            for method, path in operations
            if "{app_id}" in path and path.count("{") > 1
        ]
        failed = []
        for number, (method, path) in enumerate(operations):
            for odd in ODD_IDS:
                address = {"X-Forwarded-For": f"10.{number % 256}.{len(odd) % 256}.{ODD_IDS.index(odd)}"}
                body = {"json": {}} if method in {"post", "put", "patch"} else {}
                answer = people.ask(method, re.sub(r"\{[^}]+\}", odd, path), headers=address, **body)
                if answer.status_code >= 500:
                    failed.append((method, path, odd))
    assert not failed, failed


@pytest.mark.parametrize(("phases", "examples"), RUNS)
def test_as_a_stranger(server: RunningServer, tmp_path: Path, phases: str, examples: int) -> None:
    run(server, tmp_path, phases, examples)


@pytest.mark.parametrize(("phases", "examples"), RUNS)
def test_as_an_administrator(
    installation: Installation,
    server: RunningServer,
    target: Target,
    tmp_path: Path,
    phases: str,
    examples: int,
) -> None:
    with administrator(installation, server.url) as people:
        session = [part for name, value in people.session.items() for part in ("-H", f"{name}: {value}")]
        run(server, tmp_path, phases, examples, *session, "--exclude-operation-id-regex", ENDING)
        assert people.ask("GET", "/platform/v1/me").status_code == 200  # the session lasted to the end
