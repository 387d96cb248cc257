"""The processes that are measured: started on free loopback ports, ended by their own process ids."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from api.settings import Settings
from bench import measure

HERE = Path(__file__).parent
ROOT = HERE.parent
START_SECONDS = 180.0


class Target(Struct, frozen=True):
    """A running target: the process whose tree is measured, and the port it answers on."""

    name: str
    pid: int
    port: int


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def process(
    name: str, port: int, command: list[str], log: Path, environ: dict[str, str] | None = None
) -> Iterator[Target]:
    """Run a server until the block ends; it answers when the block begins."""
    with log.open("wb") as output:
        started = subprocess.Popen(
            command,
            env={**os.environ, **(environ or {})},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            _wait(started, name, port, log)
            yield Target(name, started.pid, port)
        finally:
            started.send_signal(signal.SIGTERM)
            try:
                started.wait(30)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()


def _wait(started: "subprocess.Popen[bytes]", name: str, port: int, log: Path) -> None:
    path = "/readyz" if name.startswith("gateway") else "/"
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if started.poll() is not None:
            raise SystemExit(
                f"{name} ended with {started.returncode}:\n{log.read_text(errors='replace')[-3000:]}"
            )
        with contextlib.suppress(OSError):
            if measure.fetch(port, path)[0] != 503:
                return
        time.sleep(0.1)
    raise SystemExit(f"{name} did not answer within {START_SECONDS} s; see {log}")


_NGINX = """
worker_processes 1; daemon off; pid {folder}/{name}.pid; error_log {folder}/{name}.err warn;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 75s; sendfile on; tcp_nodelay on;
  client_body_temp_path {folder}/b_{name}; proxy_temp_path {folder}/p_{name}; fastcgi_temp_path {folder}/f_{name};
  uwsgi_temp_path {folder}/u_{name}; scgi_temp_path {folder}/s_{name};
  {body}
}}
"""


def nginx(name: str, folder: Path, port: int, body: str) -> contextlib.AbstractContextManager[Target]:
    """An nginx of one worker with this http block."""
    configuration = folder / f"{name}.conf"
    configuration.write_text(_NGINX.format(folder=folder, name=name, body=body))
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    return process(name, port, [program, "-c", str(configuration), "-p", str(folder)], folder / f"{name}.log")


def upstream(folder: Path, body: bytes, big_bytes: int) -> contextlib.AbstractContextManager[Target]:
    """The department's system: JSON for every path, and a large file at /big."""
    folder.chmod(0o755)
    answers = folder / "answers"
    answers.mkdir(exist_ok=True)
    (answers / "answer.json").write_bytes(body)
    with (answers / "big").open("wb") as file:
        file.truncate(big_bytes)
    port = free_port()
    return nginx(
        "upstream",
        folder,
        port,
        f"""
      server {{ listen 127.0.0.1:{port} backlog=4096; root {answers}; default_type application/json;
        location = /big {{ types {{}} default_type application/octet-stream; }}
        location / {{ try_files /answer.json =404; }} }}
      open_file_cache max=10 inactive=1h;""",
    )


def bare_proxy(folder: Path, upstream_port: int) -> contextlib.AbstractContextManager[Target]:
    port = free_port()
    return nginx(
        "nginx",
        folder,
        port,
        f"""
      upstream department {{ server 127.0.0.1:{upstream_port}; keepalive 256; keepalive_requests 1000000000; }}
      server {{ listen 127.0.0.1:{port} backlog=4096;
        location / {{ proxy_pass http://department; proxy_http_version 1.1; proxy_set_header Connection ""; }} }}""",
    )


def node_proxy(folder: Path, upstream_port: int) -> contextlib.AbstractContextManager[Target]:
    """The Node proxy; its packages are installed from the lock file at first use."""
    if not (HERE / "node" / "node_modules" / "fastify").exists():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=HERE / "node", check=True)
    port = free_port()
    command = ["node", str(HERE / "node" / "server.mjs"), str(port), f"http://127.0.0.1:{upstream_port}"]
    return process("node_proxy", port, command, folder / "node.log", {"NODE_ENV": "production"})


def fastapi(
    name: str, folder: Path, upstream_port: int, public_key: str
) -> contextlib.AbstractContextManager[Target]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bench.fastapi_app:app", "--port", str(port), "--loop", "uvloop", "--http",
               "httptools", "--no-access-log", "--log-level", "warning"]  # fmt: skip
    environ = {
        "BENCH_UPSTREAM": f"http://127.0.0.1:{upstream_port}",
        "BENCH_KEY": public_key,
        "BENCH_JWT": str(int(bool(public_key))),
    }
    return process(name, port, command, folder / f"{name}.log", environ)


def gateway(
    settings: Settings, folder: Path, name: str = "gateway"
) -> contextlib.AbstractContextManager[Target]:
    """`kaimen serve` as it is shipped, one process."""
    environ = {
        "KAIMEN_HOME": str(settings.home_path), "KAIMEN_PORT": str(settings.port), "KAIMEN_SANDBOX_URL": settings.sandbox_url,
        "KAIMEN_LIVE_URL": settings.live_url, "KAIMEN_EMBEDDED": "true", "KAIMEN_FLOOD_PER_SECOND": str(settings.flood_per_second),
        "KAIMEN_LOG_LEVEL": "warning",
    }  # fmt: skip
    command = [
        sys.executable,
        "-m",
        "api.main",
        "serve",
        "--environment",
        settings.environment,
        "--port",
        str(settings.port),
    ]
    return process(name, settings.port, command, folder / f"{name}.log", environ)


def gateway_settings(home: Path, environment: str = "sandbox") -> Settings:
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    other = f"http://127.0.0.1:{free_port()}"
    return Settings(
        home=str(home), environment=environment, port=port, embedded=True, flood_per_second=1_000_000_000,
        sandbox_url=origin if environment == "sandbox" else other, live_url=origin if environment == "live" else other,
    )  # fmt: skip
