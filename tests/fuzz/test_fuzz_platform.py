"""schemathesis over the platform API's own contract: no 500, and no answer that the contract does not describe.

Its requests come from /platform/openapi.json, once as a stranger and once as a signed-in administrator.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import person
from tests.fuzz.targets import Target
from tests.server import Installation, RunningServer

SEED = "20260727"
SECONDS = 2400  # a bound, not a measure
ROOT = Path(__file__).resolve().parents[2]
CHECKS = "not_a_server_error,response_schema_conformance,content_type_conformance"
RUNS = [
    pytest.param("fuzzing", 4, id="short"),
    pytest.param("examples,coverage,fuzzing,stateful", 40, id="long", marks=pytest.mark.full),
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
    with person.administrator(installation, server.url) as people:
        cookies = "; ".join(f"{name}={value}" for name, value in people.cookies.items())
        session = ("-H", f"Cookie: {cookies}", "-H", f"X-CSRF-Token: {people.headers['X-CSRF-Token']}")
        run(server, tmp_path, phases, examples, *session, "--exclude-operation-id-regex", ENDING)
        assert people.get("/platform/v1/me").status_code == 200  # the session lasted to the end
