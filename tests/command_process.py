"""`kaimen` commands for tests without the second that Python takes to import the platform each time.

A mother process imports what commands need, once for each test process, and forks for every command: the child has
its own environment, folder, output and exit code as any command has. Servers, and tests about starting up, run the
command itself.

    python -m tests.command_process SOCKET    # the mother; ends when its standard input does
"""

import atexit
import contextlib
import functools
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "kaimen"
_READY_SECONDS = 60


def run(
    arguments: tuple[str, ...], environ: Mapping[str, str], cwd: Path, timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run `kaimen ARGUMENTS…`; as subprocess.run does, it raises TimeoutExpired when it takes longer."""
    command = [NAME, *arguments]
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as errors,
        socket.socket(socket.AF_UNIX) as line,
    ):
        line.connect(_mother())
        asked = {"arguments": arguments, "environ": dict(environ), "cwd": str(cwd)}
        socket.send_fds(line, [b"."], [out.fileno(), errors.fileno()])
        line.sendall(json.dumps(asked).encode() + b"\n")
        told = line.makefile("r")
        pid = int(told.readline())
        line.settimeout(timeout)
        try:
            code = int(told.readline() or -signal.SIGKILL)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(command, timeout, _read(out), _read(errors)) from None
        finally:
            told.close()
        return subprocess.CompletedProcess(command, code, _read(out), _read(errors))


def _read(file: object) -> str:
    file.seek(0)
    return file.read().decode()


@functools.cache
def _mother() -> str:
    """The address of the mother of this test process."""
    folder = tempfile.TemporaryDirectory(prefix="kaimen-commands-")
    address = str(Path(folder.name) / "socket")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("KAIMEN_")}
    mother = subprocess.Popen(
        [sys.executable, "-m", "tests.command_process", address],
        env=environ | {"LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)}, cwd=ROOT,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert mother.stdin is not None
    assert mother.stdout is not None
    readable, _, _ = select.select([mother.stdout], [], [], _READY_SECONDS)
    assert readable, "the mother of the commands does not come up"
    assert mother.stdout.readline() == b"ready\n"

    def end() -> None:
        mother.stdin.close()
        mother.wait(10)
        folder.cleanup()

    atexit.register(end)
    return address


# --- the mother --------------------------------------------------------------------------------------
def _serve(address: str) -> None:
    for module in ("api.main.cli", "api.main.client", "api.main.local_client", "api.main.control_plane"):
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no child is waited for
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen(8)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            readable, _, _ = select.select([door, sys.stdin], [], [])
            if sys.stdin in readable:  # nothing is ever written to it: its end
                return
            line, _ = door.accept()
            if os.fork() == 0:
                door.close()
                os._exit(_child(line))
            line.close()


def _child(line: socket.socket) -> int:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, descriptors, _, _ = socket.recv_fds(line, 1, 2)
    asked = json.loads(line.makefile("r").readline())
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, own in zip((nothing, *descriptors), (0, 1, 2), strict=True):
        os.dup2(descriptor, own)
        os.close(descriptor)
    line.sendall(b"%d\n" % os.getpid())
    os.environ.clear()
    os.environ.update(asked["environ"])
    os.chdir(asked["cwd"])
    sys.argv = [NAME, *asked["arguments"]]
    code = _run()
    line.sendall(b"%d\n" % code)
    return code


def _run() -> int:
    code: object = 0
    try:
        importlib.import_module("api.main.cli").main()
    except SystemExit as left:
        code = left.code
    except BaseException:
        traceback.print_exc()
        code = 1
    if isinstance(code, str):
        sys.stderr.write(code + "\n")
        code = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return int(code or 0)


if __name__ == "__main__":
    _serve(sys.argv[1])
