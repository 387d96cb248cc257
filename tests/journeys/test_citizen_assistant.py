"""Journey: a citizen asks. docs/examples/citizen-assistant, a Python program, with the SDK that its app is given.

What can I apply for, with the citizen's consent, by what departments offer; then an application that the department
decides; then a birth as one form, done in part while a department is down, and gone on with.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys import examples
from tests.server import Installation, RunningServer

SERVICES = (
    "disability@v1:benefit-check",
    "veterans@v1:benefit-check",
    "civil@v1:family-service",
    "newborn@v1",
)
FENG, QIAN = ("990104199004170025", "冯婷"), ("990103194301150013", "钱守义")


class Assistant:
    """The program, and its app."""

    def __init__(self, installation: Installation, server: RunningServer, folder: Path) -> None:
        chosen = [part for one in SERVICES for part in ("--subscribe", one)]
        app = installation.json("app", "create", "--name", "assistant", *chosen)
        examples.with_sdk(installation, app["app_id"], "python", "citizen-assistant", folder)
        self.folder = folder
        wheel = next((folder / "sdk").glob("*.whl"))
        self._environ = os.environ | {
            "KAIMEN_BASE_URL": server.url, "KAIMEN_CLIENT_ID": app["client_id"],
            "KAIMEN_CLIENT_SECRET": app["client_secret"], "PYTHONPATH": str(wheel), "PYTHONIOENCODING": "utf-8",
        }  # fmt: skip

    def ask(self, *arguments: str) -> tuple[int, str]:
        """Exit code and what was said, on either stream."""
        done = subprocess.run(
            [sys.executable, "-W", "error", "assistant.py", *arguments], cwd=self.folder, env=self._environ,
            capture_output=True, text=True, encoding="utf-8", timeout=60, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout + done.stderr

    def support(self, persona: str, of: tuple[str, str], *more: str, language: str = "en") -> tuple[int, str]:
        return self.ask(
            "--language", language, "support", "--persona", persona, "--id-number", of[0], "--name", of[1], *more
        )  # fmt: skip


@pytest.fixture(scope="module")
def assistant(
    installation: Installation, sandbox: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Assistant:
    return Assistant(installation, sandbox, Path(tmp_path_factory.mktemp("assistant")))


def test_each_is_told_what_is_meant_for_them(assistant: Assistant) -> None:
    code, told = assistant.support("feng-ting", FENG)
    assert code == 0, told
    assert "✓ disability/nursing" in told
    assert "a month" in told
    assert "veterans/" not in told
    assert "每月" in assistant.support("feng-ting", FENG, language="zh")[1]
    code, told = assistant.support("guo-wei", ("990106197808010012", "郭卫"))
    assert (code, "✓ veterans/bus-pass" in told) == (0, True), told
    code, told = assistant.support("qian-shouyi", QIAN)
    assert (code, "✓ elderly/meal" in told) == (0, True), told
    code, told = assistant.support("lin-xi", ("990101198603140027", "林溪"))
    assert (code, told) == (1, "Nothing that you could apply for.\n")


def test_somebody_elses_records_stay_closed(assistant: Assistant) -> None:
    code, told = assistant.support("feng-ting", QIAN)
    assert code == 2, told
    assert "request rs_" in told


def test_an_application_is_the_departments_to_decide(assistant: Assistant) -> None:
    code, told = assistant.support("feng-ting", FENG, "--apply", "disability/nursing")
    assert (code, told.startswith("Applied: ")) == (0, True), told
    code, told = assistant.support("qian-shouyi", QIAN, "--apply", "disability/travel")
    assert code == 2, told
    assert "request rs_" in told


def test_a_birth_is_one_form(assistant: Assistant) -> None:
    code, told = assistant.ask("--language", "en", "birth", "birth.json", "--scenario", "insurance-down")
    assert (code, told.count("✓"), told.count("✗")) == (1, 4, 2), told
    number = told.split()[0]
    assert assistant.ask("case", number)[0] == 1
    code, told = assistant.ask("--language", "en", "case", number, "--resume")
    assert (code, told.split()[0], told.count("✓")) == (0, number, 6), told
