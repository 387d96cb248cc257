"""Databases for tests: SQLite files, and PostgreSQL given by KAIMEN_TEST_POSTGRESQL or started here.

A private server runs on a free loopback port as an unprivileged user, in a folder of its own, without
fsync, and ends with the test run. Every database is fresh: migrated once, then copied from a template.
"""

import asyncio
import ctypes
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from api.core.store import Stores, migrate
from api.main.stores import APPS
from tests import seeded

URL_VARIABLE = "KAIMEN_TEST_POSTGRESQL"
START_SECONDS = 60
_templates: dict[str, str] = {}


def free_port() -> int:
    """A TCP port of the loopback address that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def missing(what: str) -> None:
    """Skip the test for want of `what`; under CI its absence is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and CI must have it")
    pytest.skip(f"{what} is missing")


def stores_at(home: Path, url: str) -> Stores:
    """Kaimen's stores in `home`, or in the PostgreSQL database `url`."""
    return Stores(home=home, url=url, apps=APPS)


@contextmanager
def postgresql_server() -> Iterator[str]:
    """The URL of a PostgreSQL server's maintenance database; the server ends with the block when it is ours."""
    given = os.environ.get(URL_VARIABLE, "")
    if given:
        try:
            yield given
        finally:
            seeded.drop(given)
            drop_template(given)
        return
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="kaimen-postgresql-"))
    account = _unprivileged_account()
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
    data = folder / "data"
    try:
        _run([programs / "initdb", "-D", data, "-U", "kaimen", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"],
             account, folder)  # fmt: skip
        port = free_port()
        server = _start([programs / "postgres", "-D", data, "-p", str(port), "-k", folder,
                         "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "synchronous_commit=off",
                         "-c", "full_page_writes=off", "-c", "max_connections=200"], account, folder)  # fmt: skip
        try:
            is_ready = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port), "-U", "kaimen"]
            _await_server(server, is_ready, folder / "log")
            yield f"postgresql://kaimen@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)  # fast shutdown
            try:
                server.wait(timeout=30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("postgres")
    if on_path is None:
        missing("PostgreSQL (Debian: apt-get install postgresql)")
    return Path(str(on_path)).resolve().parent


def _unprivileged_account() -> pwd.struct_passwd | None:
    """Whom to run PostgreSQL as: it refuses root. None when we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    missing("an unprivileged account for PostgreSQL")
    return None


def _start(
    command: list[str | Path], account: pwd.struct_passwd | None, folder: Path
) -> subprocess.Popen[bytes]:
    def end_with_parent() -> None:  # a killed test run leaves no server behind
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(1, signal.SIGINT)

    identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [str(part) for part in command], stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": str(folder)},
            preexec_fn=end_with_parent,  # noqa: PLW1509 - one prctl call, which takes no lock
            start_new_session=True, **identity,
        )  # fmt: skip


def _run(command: list[str | Path], account: pwd.struct_passwd | None, folder: Path) -> None:
    process = _start(command, account, folder)
    if process.wait(timeout=START_SECONDS) != 0:
        raise RuntimeError(f"{command[0]} failed:\n{(folder / 'log').read_text()[-2000:]}")


def _await_server(server: subprocess.Popen[bytes], is_ready: list[str | Path], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"postgres ended:\n{log.read_text()[-2000:]}")
        if subprocess.run([str(part) for part in is_ready], check=False, capture_output=True).returncode == 0:
            return
        time.sleep(0.05)
    raise RuntimeError(f"postgres did not answer in {START_SECONDS} s:\n{log.read_text()[-2000:]}")


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def with_database(url: str, name: str) -> str:
    """The URL of another database of the same server."""
    base, _, query = url.partition("?")
    return base.rpartition("/")[0] + "/" + name + (f"?{query}" if query else "")


async def make_database(server_url: str, template: str = "template0") -> str:
    """A fresh database on the server; its URL."""
    name = "kaimen_test_" + secrets.token_hex(6)
    await _execute(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return with_database(server_url, name)


async def drop_database(server_url: str, url: str) -> None:
    """Remove a database made here, whoever is still connected."""
    name = url.partition("?")[0].rpartition("/")[2]
    await _execute(server_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def make_migrated(home: Path, server_url: str) -> Stores:
    """Fresh, migrated stores: SQLite files in `home`, or with `server_url` a PostgreSQL database.

    The first of each kind is migrated and kept as the template of the others.
    """
    home.mkdir(parents=True, exist_ok=True)
    if server_url not in _templates:
        if server_url:
            url = await make_database(server_url)
            await migrate(stores_at(home, url))
            _templates[server_url] = url.partition("?")[0].rpartition("/")[2]
        else:
            folder = tempfile.mkdtemp(prefix="kaimen-template-")
            await migrate(stores_at(Path(folder), ""))
            _templates[server_url] = folder
    template = _templates[server_url]
    if server_url:
        return stores_at(home, await make_database(server_url, template))
    for file in Path(template).iterdir():
        shutil.copy(file, home / file.name)
    return stores_at(home, "")


def drop_template(server_url: str) -> None:
    """Remove the template of this server ("" for SQLite), at the end of the run; callable from anywhere."""
    template = _templates.pop(server_url, None)
    if template is None:
        return
    if not server_url:
        shutil.rmtree(template, ignore_errors=True)
        return
    with ThreadPoolExecutor(1) as pool:  # whether or not a loop runs in this thread
        pool.submit(asyncio.run, drop_database(server_url, with_database(server_url, template))).result()
