"""Journey: the carrier of docs/examples/certificate-delivery, a TypeScript program, from its order to the last event.

Licence issued → delivery ordered → tracked → events received by its own server → that server down → started again
with a file that a crash has torn → replayed, and nothing is there twice. All over HTTP, with the app's own SDK.
"""

import contextlib
import json
import os
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys import examples
from tests.journeys.test_logistics import FOUNDER, STEPS, Carrier
from tests.server import ROOT, Installation, RunningServer, free_port

MODULES = ROOT / "tests" / "witness" / "node_modules"
MANSHAN = "91990106MA0000015L"
ADDRESS = ("990102", "开门市西样区目录街120号3层0306室")


@pytest.fixture(scope="module")
def carrier(sandbox: RunningServer) -> Iterator[Carrier]:
    made = Carrier(sandbox.url)
    yield made
    made.http.close()


@pytest.fixture(scope="module")
def folder(installation: Installation, carrier: Carrier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, compiled against the SDK of the carrier's app."""
    made = Path(tmp_path_factory.mktemp("carrier"))
    examples.with_sdk(installation, carrier.app_id, "typescript", "certificate-delivery", made)
    with tarfile.open(next((made / "sdk").glob("*.tgz"))) as archive:
        archive.extractall(made / "node_modules", filter="data")
    (made / "node_modules" / "package").rename(made / "node_modules" / "kaimen")
    compiler = str(MODULES / "typescript" / "bin" / "tsc")
    examples.run("node", compiler, "--typeRoots", str(MODULES / "@types"), cwd=made)
    return made


class Program:
    """The carrier's programs, as its operator starts them."""

    def __init__(self, folder: Path, carrier: Carrier, url: str) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.secret = ""
        self._environ = {
            "KAIMEN_BASE_URL": url, "KAIMEN_CLIENT_ID": carrier.client_id, "KAIMEN_CLIENT_SECRET": carrier.secret,
        }  # fmt: skip

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        (self.folder / "secret.txt").write_text(self.secret)
        command = ["node", "dist/carrier.js", str(self.port), "parcels.jsonl"]
        with (self.folder / "carrier.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        try:
            self.wait_until(lambda: self._answers(process))
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)

    def _answers(self, process: "subprocess.Popen[bytes]") -> bool:
        assert process.poll() is None, (self.folder / "carrier.log").read_text()
        try:
            return httpx.get(f"{self.url}/items/none", timeout=5).status_code == 404
        except httpx.TransportError:
            return False

    def order(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output and error of order.js."""
        done = subprocess.run(
            ["node", "dist/order.js", *arguments], cwd=self.folder, env=os.environ | self._environ,
            capture_output=True, text=True, encoding="utf-8", timeout=60, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    def deliver(self, code: str) -> str:
        status, told, complained = self.order(
            code, FOUNDER["name"], FOUNDER["id_number"], "10000000000", *ADDRESS
        )
        assert status == 0, complained
        return told.split()[0]

    def steps(self, number: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.get(f"{self.url}/items/{number}", timeout=10).json()["steps"]
        return found

    def has_all(self, number: str) -> bool:
        return [one["type"] for one in self.steps(number)] == STEPS

    def wait_until(self, fulfilled: Callable[[], bool], seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not fulfilled():
            assert time.monotonic() < end, (self.folder / "carrier.log").read_text()
            time.sleep(0.05)


def test_a_carriers_program_misses_nothing(carrier: Carrier, folder: Path, sandbox: RunningServer) -> None:
    program = Program(folder, carrier, sandbox.url)
    status, _, complained = program.order("91990102MA0000031G", *FOUNDER.values(), "10000000000", *ADDRESS)
    assert status in {1, 2}, complained  # of a company that was struck off
    as_in_readme = (MANSHAN, "林溪", "990101198603140027", "10000000000", "990106", "开门市北样区南山路1号")
    status, told, complained = program.order(*as_in_readme)
    assert (status, told.split()[1]) == (0, "accepted"), complained
    code = carrier.found_company()["code"]
    webhooks = f"/apps/{carrier.app_id}/webhooks"
    made = carrier.manage("POST", webhooks, {"url": f"{program.url}/events", "types": STEPS}, expect=201)
    program.secret, place = made["secret"], f"{webhooks}/{made['endpoint_id']}"

    with program.serving():
        assert carrier.manage("POST", f"{place}/verify")["state"] == "active"
        first = program.deliver(code)
        carrier.move_clock("P3D")
        program.wait_until(lambda: program.has_all(first))
        told = program.order("track", first)[1].splitlines()
        assert told[0] == f"{first}  delivered"
        assert len(told) > len(STEPS)
        forged = httpx.post(f"{program.url}/events", json={"type": STEPS[0]}, timeout=10)
        assert forged.status_code == 401
    second = program.deliver(code)  # nobody listens now
    carrier.move_clock("P3D")
    since = carrier.deliveries()[-1]["created_at"]
    with (folder / "parcels.jsonl").open("a") as file:
        file.write('{"id": "half a li')

    with program.serving():
        program.wait_until(lambda: program.has_all(second), 120)
        assert program.has_all(first), "what was stored before the crash is there"
        before = [one["id"] for one in program.steps(second)]
        replayed = carrier.manage("POST", f"{place}/replay", {"since": since}, expect=202)["replayed"]
        assert replayed >= 2 * len(STEPS)
        program.wait_until(lambda: not carrier.deliveries(status="waiting"))
        assert [one["id"] for one in program.steps(second)] == before
    kept = [json.loads(line)["id"] for line in (folder / "parcels.jsonl").read_text().splitlines()]
    assert len(kept) == len(set(kept)) == replayed, "each event once, and none is missing"
