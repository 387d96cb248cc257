"""Real `kaimen` processes for tests: own home, own ports, ended by their own process id."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests import command_process, seeded

ROOT = Path(__file__).resolve().parent.parent
# Running servers look for what a command has changed: for clocks and state of the city every second, else four times.
LOOK_SECONDS, CITY_LOOK_SECONDS = 0.5, 1.3
_serving: Counter[Path] = Counter()  # servers that run now, by home
KAIMEN = [sys.executable, "-m", "api.main"]


def free_port() -> int:
    """A TCP port of the loopback address that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Installation:
    """One KAIMEN_HOME with the environment its processes get."""

    home: Path
    sandbox_port: int = field(default_factory=free_port)
    live_port: int = field(default_factory=free_port)
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def live_url(self) -> str:
        return f"http://127.0.0.1:{self.live_port}"

    @property
    def environ(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("KAIMEN_")}
        return inherited | {
            "KAIMEN_HOME": str(self.home),
            "KAIMEN_SANDBOX_URL": self.sandbox_url,
            "KAIMEN_LIVE_URL": self.live_url,
            "KAIMEN_EMBEDDED": "true",
            "KAIMEN_EGRESS_ALLOW": "127.0.0.0/8",
            "KAIMEN_FLOOD_PER_SECOND": "100000",
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            **self.extra,
        }

    def command(
        self, *arguments: str, check: bool = True, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run `kaimen ARGUMENTS…` on this home; fails the test with its output where `check` is set."""
        done = command_process.run(arguments, self.environ, self.home, timeout)
        if _serving[self.home]:
            time.sleep(CITY_LOOK_SECONDS if arguments[0] == "city" else LOOK_SECONDS)
        if check and done.returncode != 0:
            raise AssertionError(
                f"kaimen {' '.join(arguments)} → {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done

    def seed(self) -> None:
        """A city of seeded.CITIZENS with all its services, as `kaimen city seed` makes it: a copy of one made before."""
        seeded.put(self.home, self.extra.get("KAIMEN_DATABASE_URL", ""), self.sandbox_url)

    def json(self, *arguments: str, timeout: float = 120) -> dict:
        """The JSON object that `kaimen ARGUMENTS… --json` prints."""
        return json.loads(self.command(*arguments, "--json", timeout=timeout).stdout)

    def company_in_business(self) -> str:
        """The credit code of a company of the seeded city that is in business."""
        personas = self.json("city", "personas")["personas"]
        return next(
            row["code"] for row in personas if row["kind"] == "organisation" and row["status"] == "active"
        )

    @contextlib.contextmanager
    def serving(
        self, environment: str = "sandbox", *, port: int = 0, **extra: str
    ) -> Iterator["RunningServer"]:
        """A `kaimen serve` process, ready when the block begins, ended by SIGTERM when it ends.

        `port` is for a second process of the same plane.
        """
        port = port or (self.sandbox_port if environment == "sandbox" else self.live_port)
        log = (self.home / f"serve-{environment}-{port}.log").open("ab")
        process = subprocess.Popen(
            [*KAIMEN, "serve", "--environment", environment, "--port", str(port)],
            env=self.environ | extra, cwd=self.home, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        server = RunningServer(process, f"http://127.0.0.1:{port}", Path(log.name))
        try:
            server.wait_until_ready()
            _serving[self.home] += 1
            try:
                yield server
            finally:
                _serving[self.home] -= 1
        finally:
            server.stop()
            log.close()


@dataclass
class RunningServer:
    """A server process and its origin."""

    process: subprocess.Popen[bytes]
    url: str
    log_path: Path

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def wait_until_ready(self, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log[-4000:]}")
            try:
                urllib.request.urlopen(self.url + "/readyz", timeout=2).close()
            except urllib.error.HTTPError as not_ready:
                not_ready.close()
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                pass
            else:
                return
            time.sleep(0.1)
        raise AssertionError(f"not ready after {seconds} s:\n{self.log[-4000:]}")

    def stop(self, how: int = signal.SIGTERM, seconds: float = 20) -> int:
        """End the process and tell its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode
