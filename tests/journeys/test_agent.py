"""A department on a closed network: its SOAP system is known to nobody but its own agent, which connects outwards.

The agent is killed in the middle of a write, restarted, told to end, rotated and revoked; the system counts the
writes that reach it.
"""

import contextlib
import json
import re
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys.departments import make_department
from tests.server import KAIMEN, Installation, RunningServer, free_port
from tests.visitor import Visitor

CONTRACT = Path(__file__).parent / "hall.yaml"
MAPPING = """
mapping: 1
protocol: soap
soap: {namespace: "urn:hall"}
outcome: {at: FHM, ok: ["0"]}
operations:
  getCertificate: {soap: CxZm, request: {number: BH}, at: data, answer: {number: BH, name: MC}}
  createCertificate: {soap: KjZm, request: {body.name: MC}, at: data, answer: {number: BH, name: MC}}
"""
ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><n:{element} xmlns:n="urn:hall">'
    "<n:FHM>0</n:FHM><n:data><n:BH>{number}</n:BH><n:MC>{name}</n:MC></n:data></n:{element}></s:Body></s:Envelope>"
)


class Hall:
    """The department's system: SOAP 1.1 on loopback. While it is held, writes are done and their answers wait."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.signed = 0
        self.free = threading.Event()
        self.free.set()
        hall = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Its own log is not wanted."""

            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                hall.signed += self.headers.get("Kaimen-Signature", "").startswith("v1=")
                found = re.search(r"<(?:\w+:)?(BH|MC)[^>]*>([^<]*)<", text)
                assert found, text
                if "KjZm" in text:
                    hall.written.append(found[2])
                    hall.free.wait(60)
                    body = ENVELOPE.format(
                        element="KjZmResponse", number=f"Z{len(hall.written)}", name=found[2]
                    )
                else:
                    body = ENVELOPE.format(element="CxZmResponse", number=found[2], name="示例甲")
                data = body.encode()
                with contextlib.suppress(OSError):
                    self.send_response(200)
                    self.send_header("Content-Type", "text/xml; charset=utf-8")
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/ws"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.free.set()
        self.server.shutdown()
        self.server.server_close()


class AgentProcess:
    """`kaimen agent run` as the department starts it: no home, no database, nothing of the platform's."""

    def __init__(self, server: str, credential: Path, upstream: str, folder: Path, *options: str) -> None:
        self.log_path = folder / f"agent-{time.monotonic_ns()}.log"
        environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(CONTRACT.parents[2]), "LC_ALL": "C.UTF-8"}
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [*KAIMEN, "agent", "run", "--server", server, "--credential", str(credential), "--upstream", upstream,
                 *options],
                env=environ, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def connected(self) -> "AgentProcess":
        until(lambda: "agent.connected" in self.log, self)
        return self

    def stop(self, how: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(40)
        finally:
            self.process.kill()


def until(condition: Any, about: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, getattr(about, "log", about)
        time.sleep(0.05)


class App:
    """An app that is subscribed to the service, over HTTP."""

    def __init__(self, installation: Installation, url: str, service: str = "hall") -> None:
        made = installation.json(
            "app", "create", "--name", "hall", "--environment", "sandbox", "--subscribe", f"{service}@v1"
        )
        token = installation.json(
            "token", "--client-id", made["client_id"], "--client-secret", made["client_secret"]
        )
        self.http = httpx.Client(
            base_url=f"{url}/api/{service}/v1",
            timeout=60,
            headers={"Authorization": f"Bearer {token['access_token']}"},
        )

    def read(self, number: str = "Z7") -> httpx.Response:
        return self.http.get(f"/certificates/{number}")

    def write(self, name: str, key: str) -> httpx.Response:
        return self.http.post("/certificates", json={"name": name}, headers={"Idempotency-Key": key})


class Scene:
    """Hall, app, credential file; agents end with it."""

    def __init__(self, installation: Installation, sandbox: RunningServer, folder: Path) -> None:
        self.installation, self.sandbox, self.folder = installation, sandbox, folder
        self.hall = Hall()
        self.credential = folder / "agent.credential"
        self.made = installation.json(
            "agent", "create", "hall", "--organisation", "market-regulation", "--out", str(self.credential)
        )
        mapping = folder / "mapping.yaml"
        mapping.write_text(MAPPING, encoding="utf-8")
        installation.json("contract", "import", str(CONTRACT), "--owner", "market-regulation")
        installation.json(
            "contract", "publish", "hall@v1", "--environment", "sandbox", "--upstream", "agent:hall", "--mapping",
            str(mapping),
        )  # fmt: skip
        self.app = App(installation, sandbox.url)
        self.agents: list[AgentProcess] = []

    def agent(self, *options: str, credential: Path | None = None) -> AgentProcess:
        made = AgentProcess(
            self.sandbox.url, credential or self.credential, "soap+" + self.hall.url, self.folder, *options
        )
        self.agents.append(made)
        return made

    def shown(self) -> dict[str, Any]:
        items = self.installation.json("agent", "list", "--organisation", "market-regulation")["items"]
        return next(one for one in items if one["name"] == "hall")

    def close(self) -> None:
        self.hall.close()
        for one in self.agents:
            if one.process.poll() is None:
                one.process.kill()
                one.process.wait()
        self.app.http.close()


@pytest.fixture(scope="module")
def scene(
    installation: Installation, sandbox: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    made = Scene(installation, sandbox, tmp_path_factory.mktemp("agent"))
    yield made
    made.close()


def kind_of(answer: httpx.Response) -> str:
    return str(answer.json()["type"].rstrip("/").rpartition("/")[2])


def test_nobody_there_is_told_and_nothing_is_sent(scene: Scene) -> None:
    assert stat.S_IMODE(scene.credential.stat().st_mode) == 0o600
    assert "credential" not in scene.made, "written to the file, it is not shown"
    away = scene.app.write("示例乙", "first")
    assert (away.status_code, kind_of(away), away.json()["step"]) == (503, "agent-away", "call")
    assert away.headers["retry-after"]
    assert scene.hall.written == []


def test_reads_and_writes_through_the_agent(scene: Scene) -> None:
    port = free_port()
    agent = scene.agent("--health-port", str(port)).connected()
    read = scene.app.read()
    assert (read.status_code, read.json()) == (200, {"number": "Z7", "name": "示例甲"}), read.text
    written = scene.app.write("示例乙", "first")  # the key of the call that was not sent may be used again
    assert (written.status_code, written.json()["name"]) == (201, "示例乙"), written.text
    again = scene.app.write("示例乙", "first")
    assert again.headers["idempotent-replayed"] == "true"
    assert scene.hall.written == ["示例乙"]
    assert scene.hall.signed == 2, "what the department is told is signed as the gateway signs it"
    health = httpx.get(f"http://127.0.0.1:{port}/healthz").json()
    assert (health["is_connected"], health["agent"], health["done"]) == (True, "hall", 2)
    shown = scene.shown()
    assert shown["is_connected"]
    assert shown["processes"][0]["version"]
    logged = json.loads(next(line for line in agent.log.splitlines() if "agent.call" in line))
    assert logged["request_id"] == read.headers["request-id"]
    assert "示例" not in agent.log
    assert "Z7" not in agent.log
    assert agent.stop() == 0


def test_killed_in_the_middle_of_a_write_it_is_told_and_never_done_twice(scene: Scene) -> None:
    agent = scene.agent().connected()
    scene.hall.free.clear()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(scene.app.write, "示例丙", "killed")
        until(lambda: "示例丙" in scene.hall.written, agent)
        assert scene.shown()["calls_under_way"] == 1
        agent.process.kill()
        agent.process.wait()
        second = scene.agent().connected()  # it comes back at once, and is not given the call
        lost = asked.result(60)
    scene.hall.free.set()
    assert (lost.status_code, kind_of(lost)) == (502, "agent-lost"), lost.text
    assert lost.json()["retryable"] is False
    unknown = scene.app.write("示例丙", "killed")
    assert kind_of(unknown) == "idempotency-outcome-unknown"
    assert scene.hall.written.count("示例丙") == 1
    following = scene.app.write("示例丁", "next")
    assert following.status_code == 201, following.text
    assert scene.hall.written.count("示例丙") == 1
    assert second.stop() == 0


def test_told_to_end_it_finishes_what_is_under_way(scene: Scene) -> None:
    agent = scene.agent().connected()
    scene.hall.free.clear()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(scene.app.write, "示例戊", "ending")
        until(lambda: "示例戊" in scene.hall.written, agent)
        agent.process.send_signal(signal.SIGINT)
        until(lambda: not scene.shown()["is_connected"], agent)
        assert agent.process.poll() is None, "a call is under way"
        scene.hall.free.set()
        answer = asked.result(60)
    assert (answer.status_code, answer.json()["name"]) == (201, "示例戊")
    assert agent.process.wait(40) == 0


def test_several_processes_share_the_work(scene: Scene) -> None:
    agents = [scene.agent("--hands", "2").connected() for _ in range(2)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: scene.app.read(f"N{number}"), range(40)))
    assert [one.json()["number"] for one in answers] == [f"N{number}" for number in range(40)]
    counts = [one.log.count('"agent.call"') for one in agents]
    assert sum(counts) == 40
    assert all(counts), counts
    assert [one.stop() for one in agents] == [0, 0]


def test_rotated_and_revoked_credentials_open_nothing(scene: Scene) -> None:
    renewed = scene.folder / "renewed.credential"
    scene.installation.json(
        "agent", "rotate", scene.made["agent_id"], "--overlap-hours", "0", "--out", str(renewed)
    )
    refused = scene.agent("--once")
    assert refused.process.wait(60) == 1
    assert "agent.refused" in refused.log
    running = scene.agent(credential=renewed).connected()
    assert scene.app.read().status_code == 200
    gone = scene.installation.json("agent", "revoke", scene.made["agent_id"])
    assert gone["revoked_at"]
    assert running.process.wait(60) == 1, "a running one is shown the door"
    assert kind_of(scene.app.read()) == "agent-away"
    journal = scene.installation.command("audit", "verify", "--json")
    assert journal.returncode == 0


def test_only_an_agent_of_its_own_can_be_published(scene: Scene) -> None:
    done = scene.installation.command(
        "contract", "publish", "company@v1", "--environment", "sandbox", "--upstream", "agent:nobody", "--json",
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "kaimen agent create" in done.stdout


def test_a_publisher_does_it_all_alone_and_only_with_an_agent_of_her_own(
    scene: Scene, installation: Installation, sandbox: RunningServer
) -> None:
    department = make_department(installation, sandbox, "sample-hall")
    publisher = department.publisher
    body = {"name": "own-hall", "organisation": "sample-hall", "environment": "sandbox"}
    assert department.approver.ask("POST", "/platform/v1/agents", json=body).status_code == 403
    made = publisher.api("POST", "/platform/v1/agents", **body)
    text = CONTRACT.read_text().replace("x-name: hall", "x-name: own-hall").replace('"hall:', '"own-hall:')
    files = {"hall.yaml": text}
    publisher.api(
        "POST", "/platform/v1/contracts", entry="hall.yaml", files=files, organisation="sample-hall"
    )
    place = "/platform/v1/services/own-hall@v1/publish"
    for upstream in ("agent:hall", "agent:own-hall-2", "agent:../x", "agent:"):
        refused = publisher.ask("POST", place, json={"environment": "sandbox", "upstream": upstream})
        assert refused.status_code in {400, 403}, (upstream, refused.text)
    address = {"environment": "sandbox", "upstream": scene.hall.url}
    assert publisher.ask("POST", place, json=address).status_code == 403, "addresses are the operators' still"
    published = publisher.api(
        "POST", place, environment="sandbox", upstream="agent:own-hall", mapping=MAPPING
    )  # fmt: skip
    assert published["upstream"] == "agent:own-hall"
    file = scene.folder / "own.credential"
    file.write_text(made["credential"])
    # one system for all services, and another for this one, which wins
    agent = scene.agent("--upstream", "own-hall@v1=soap+" + scene.hall.url, credential=file).connected()
    app = App(installation, sandbox.url, "own-hall")
    assert app.read("Z9").json()["number"] == "Z9"
    app.http.close()
    shown = publisher.api("GET", "/platform/v1/agents?organisation=sample-hall")["items"][0]
    assert (shown["is_connected"], len(shown["credentials"])) == (True, 1)
    stranger = Visitor(sandbox.url).sign_up()
    assert stranger.ask("GET", f"/platform/v1/agents/{made['agent_id']}").status_code in {403, 404}
    assert stranger.ask("DELETE", f"/platform/v1/agents/{made['agent_id']}").status_code in {403, 404}
    publisher.api("DELETE", f"/platform/v1/agents/{made['agent_id']}")
    assert agent.process.wait(60) == 1
