"""Samples of reads run against the sandbox as they stand: two services always, the whole city in the full run.

Each service has an app that is subscribed to it, and for what needs consent a token that came with a persona's. What a
sample asks for may not be there in an app that has done nothing yet: then the contract's own refusal is the answer.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from api.contract.model import Basis, Operation, Service
from tests.sdk import snippet_projects as projects
from tests.sdk.test_snippets import chosen, city
from tests.server import Installation, RunningServer

_CONSENT = {Basis.CONSENT, Basis.SEPARATE_CONSENT}
# Whose records the examples ask for, where they are not Lin Xi's.
_PERSONAS = {
    ("utilities", "getAccount"): "zhao-lei", ("utilities", "listBills"): "zhao-lei",
    ("transport", "getDrivingLicence"): "guo-wei",
}  # fmt: skip
_SECONDS = 300
_PYTHON = """
import contextlib, io, json, runpy, sys
for name in sys.argv[1:]:
    said, status, rule = io.StringIO(), 200, ""
    try:
        with contextlib.redirect_stdout(said):
            runpy.run_path(f"{name}.py")
    except Exception as error:
        status, rule = getattr(error, "status", 0), getattr(error, "rule", "") or repr(error)
    print(json.dumps([name, status, rule]))
"""
_NODE = """
const print = console.log;
for (const name of process.argv.slice(2)) {
  let [status, rule] = [200, ""];
  console.log = () => {};
  try {
    await import(`./out/${name}.js`);
  } catch (error) {
    [status, rule] = [error.status ?? 0, error.rule || String(error)];
  }
  console.log = print;
  print(JSON.stringify([name, status, rule]));
}
"""


_JAVA = """
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;

public final class Run {
    public static void main(String[] names) throws Exception {
        PrintStream out = System.out;
        System.setOut(new PrintStream(OutputStream.nullOutputStream()));
        for (String name : names) {
            Object status = 200;
            String rule = "";
            try {
                Class.forName(name + ".Sample").getMethod("main", String[].class).invoke(null, (Object) new String[0]);
            } catch (InvocationTargetException wrapped) {
                Throwable error = wrapped.getCause();
                rule = error.toString().replaceAll("[^ -!#-~]", " ");
                try {
                    status = error.getClass().getMethod("status").invoke(error);
                } catch (NoSuchMethodException unlike) {
                    status = 0;
                }
            }
            out.println("[\\"" + name + "\\", " + status + ", \\"" + rule.replace("\\\\", " ") + "\\"]");
        }
    }
}
"""
_GO = """
import json, re, subprocess, sys
for name in sys.argv[1:]:
    done = subprocess.run([f"bin/{name}"], capture_output=True, text=True, timeout=60)
    refused = re.search(r"kaimen: ([0-9]{3}) ", done.stderr)
    status = 200 if done.returncode == 0 else int(refused[1]) if refused else 0
    print(json.dumps([name, status, done.stderr[:300]]))
"""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    made = Installation(Path(tmp_path_factory.mktemp("samples")))
    made.seed()
    return made


@pytest.fixture(scope="module")
def server(installation: Installation) -> Iterator[RunningServer]:
    with installation.serving("sandbox") as running:
        yield running


def purpose_of(service: Service) -> str:
    """The purpose under which most of the service's reads are open, "" where none is asked for."""
    asked = Counter(one for operation in reads_of(service) for one in operation.purposes)
    return asked.most_common(1)[0][0] if asked else ""


def reads_of(service: Service) -> list[Operation]:
    return [one for one in service.operations if one.method == "GET" and one.level.value < "L4"]


class Reader:
    """An app of a service, and the environment that its samples run in."""

    def __init__(self, installation: Installation, server: RunningServer, service: Service) -> None:
        purpose = purpose_of(service)
        wanted = f"{service.key}:{purpose}" if purpose else service.key
        app = installation.json("app", "create", "--name", service.name, "--subscribe", wanted)
        self.environ = {
            "KAIMEN_BASE_URL": server.url, "KAIMEN_CLIENT_ID": app["client_id"],
            "KAIMEN_CLIENT_SECRET": app["client_secret"],
        }  # fmt: skip
        credential = ("--client-id", app["client_id"], "--client-secret", app["client_secret"])
        asked = {one.id: self._persona(service, one.id) for one in reads_of(service) if one.basis in _CONSENT}
        tokens = {
            persona: str(
                installation.json("token", "--persona", persona, "--purpose", purpose, *credential)[
                    "access_token"
                ]
            )
            for persona in sorted(set(asked.values()))
        }
        self.tokens = {name: tokens[persona] for name, persona in asked.items()}
        self.open = {
            one.id
            for one in service.operations
            if one.audience != "department" and (not one.purposes or purpose in one.purposes)
        }

    @staticmethod
    def _persona(service: Service, operation: str) -> str:
        return _PERSONAS.get((service.name, operation), "lin-xi")


def play(command: Sequence[str], folder: Path, **environ: str) -> list[list[Any]]:
    done = subprocess.run(
        list(command), cwd=folder, env=os.environ | environ, capture_output=True, text=True, encoding="utf-8",
        timeout=_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def judge(
    installation: Installation, server: RunningServer, services: Sequence[Service], folder: Path, label: str
) -> Counter[int]:
    """Run the samples of all reads; fails with every one that came to anything but its answer or its own refusal."""
    readers = {one.name: Reader(installation, server, one) for one in services}
    reads = {one.key: {each.id for each in reads_of(one)} for one in services}
    opened = {one.key: readers[one.name].open & reads[one.key] for one in services}
    programs = projects.sources(services, label)
    if label == "Python":
        projects.python(folder, services, is_typed=False, opened=opened)
        (folder / "run.py").write_text(_PYTHON)
        command = [sys.executable, "-W", "error", "run.py"]
    elif label == "Java":
        (folder / "src").mkdir()
        (folder / "src" / "Run.java").write_text(_JAVA)
        projects.java(folder, services, opened=opened)
        command = ["java", "-Xmx256m", "-cp", "classes", "Run"]
    elif label == "Go":
        (folder / "bin").mkdir()
        projects.go(folder, services, "build", "-o", f"{folder}/bin/", opened=opened)
        (folder / "run.py").write_text(_GO)
        command = [sys.executable, "run.py"]
    else:
        projects.typescript(folder, services, opened=opened)
        (folder / "run.mjs").write_text(_NODE)
        command = ["node", "run.mjs"]
    wrong, counts = [], Counter[int]()
    for service in services:
        reader = readers[service.name]
        declared = {
            one.id: {int(r.status) for r in one.responses if r.status.isdigit()} for one in reads_of(service)
        }
        mine = {
            name: operation
            for name, (owner, operation, _) in programs.items()
            if owner == service.name and operation in declared and operation in reader.open
        }
        for token in sorted({reader.tokens.get(one, "") for one in mine.values()}):
            same = [name for name, one in mine.items() if reader.tokens.get(one, "") == token]
            for name, status, rule in play([*command, *same], folder, KAIMEN_TOKEN=token, **reader.environ):
                counts[status] += 1
                if status != 200 and not (status == 404 and 404 in declared[mine[name]]):
                    wrong.append((service.name, mine[name], status, rule))
    assert not wrong, "\n".join(map(str, wrong))
    return counts


def test_reads_of_two_services_run(installation: Installation, server: RunningServer, tmp_path: Path) -> None:
    counts = judge(installation, server, chosen("company", "credit"), tmp_path, "Python")
    assert counts[200] >= 8, counts


@pytest.mark.full
@pytest.mark.parametrize("label", ["Python", "TypeScript", "Java", "Go"])
def test_reads_of_the_whole_city_run(
    label: str, installation: Installation, server: RunningServer, tmp_path: Path
) -> None:
    counts = judge(installation, server, city(), tmp_path, label)
    assert counts[200] >= 50, counts
