"""A home with a seeded city, made once and copied: seeding publishes every contract of the city, a copy does not.

The template of SQLite files lies in the test cache of the checkout, under the digest of all that seeding reads:
every worker and every later run takes it from there until one of these files changes. On PostgreSQL each server
gets a template database, filled once by the first test that wants it.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import asyncpg

ROOT = Path(__file__).resolve().parent.parent
CITIZENS, COMPANIES, SEED = 400, 120, 7  # of every seeded home
_CACHE = ROOT / ".pytest_cache" / "seeded"
_KEPT = 3  # templates of earlier states of the checkout
_SPARED_SECONDS = 900
_NOBODY = "http://127.0.0.1:1"  # the address that the template is seeded for; a copy gets its own
_READ = ("api", "sandbox")
_SUFFIXES = {".py", ".yaml", ".yml", ".json", ".wsdl", ".xsd", ".csv"}
_databases: dict[str, str] = {}  # PostgreSQL server -> name of its template database


def put(home: Path, database_url: str = "", sandbox_url: str = "") -> None:
    """Make `home` (and the PostgreSQL database) what `kaimen city seed` leaves; what was in it is lost.

    Nobody may have the stores open. `sandbox_url` is the address of the installation's sandbox.
    """
    made = _template()
    if not made.is_dir():  # another run tidied up
        _template.cache_clear()
        made = _template()
    home.mkdir(parents=True, exist_ok=True)
    if database_url:
        _put_database(database_url, made)
    for file in made.rglob("*"):
        if file.is_file() and not (database_url and file.suffix == ".sqlite3" and file.parent == made):
            target = home / file.relative_to(made)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
    if sandbox_url and not database_url:
        with contextlib.closing(sqlite3.connect(home / "control.sqlite3")) as connection, connection:
            connection.execute(
                "UPDATE outside_provider SET issuer = replace(issuer, ?, ?)", (_NOBODY, sandbox_url)
            )


def drop(server_url: str) -> None:
    """Remove the template database of this server; callable from anywhere."""
    name = _databases.pop(_server_of(server_url), None)
    if name is not None:
        _execute(server_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@cache
def _digest() -> str:
    """Of everything that seeding reads, and of what stands in this file."""
    digest = hashlib.sha256(f"{sys.version}{CITIZENS}/{COMPANIES}/{SEED}".encode())
    files = [
        file
        for folder in _READ
        for file in (ROOT / folder).rglob("*")
        if file.suffix in _SUFFIXES and "__pycache__" not in file.parts
    ]
    for file in sorted([*files, Path(__file__)]):
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:24]


@cache
def _template() -> Path:
    """The folder of the seeded home for this state of the checkout."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    made = _CACHE / _digest()
    with _locked(_CACHE / "lock"):
        if not made.is_dir():
            unfinished = _CACHE / f"{made.name}.{os.getpid()}"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            try:
                _seed(unfinished)
                unfinished.rename(made)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
        os.utime(made)
        _prune()
    return made


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _prune() -> None:
    """Keep the templates used last, and those that another run may be copying just now."""
    folders = sorted(
        (one for one in _CACHE.iterdir() if one.is_dir()), key=lambda one: one.stat().st_mtime, reverse=True
    )
    for place, folder in enumerate(folders):
        is_over = place >= _KEPT or "." in folder.name
        if is_over and time.time() - folder.stat().st_mtime > _SPARED_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _seed(home: Path, database_url: str = "") -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("KAIMEN_")}
    done = subprocess.run(
        [sys.executable, "-m", "api.main", "city", "seed", "--citizens", str(CITIZENS),
         "--companies", str(COMPANIES), "--seed", str(SEED)],
        env=inherited | {
            "KAIMEN_HOME": str(home), "KAIMEN_DATABASE_URL": database_url, "KAIMEN_SANDBOX_URL": _NOBODY,
            "KAIMEN_EMBEDDED": "true", "KAIMEN_EGRESS_ALLOW": "127.0.0.0/8", "PYTHONPATH": str(ROOT),
        },
        cwd=home, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise AssertionError(f"kaimen city seed → {done.returncode}\n{done.stdout}\n{done.stderr}")


# --- PostgreSQL -------------------------------------------------------------------------------------
def _server_of(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[0]


def _with_database(url: str, name: str) -> str:
    base, _, query = url.partition("?")
    return f"{base.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


def _put_database(url: str, made: Path) -> None:
    """Make the database anew from the template of its server."""
    server, name = _server_of(url), url.partition("?")[0].rpartition("/")[2]
    maintenance = _with_database(url, "postgres")
    if server not in _databases:
        template = f"kaimen_seeded_{_digest()}_{os.getpid()}"
        _execute(maintenance, f'DROP DATABASE IF EXISTS "{template}" WITH (FORCE)')
        _execute(maintenance, f'CREATE DATABASE "{template}" TEMPLATE template0')
        home = _CACHE / f"{made.name}.{os.getpid()}"
        shutil.copytree(made, home, ignore=shutil.ignore_patterns("*.sqlite3"), dirs_exist_ok=True)
        shutil.copytree(made / "city", home / "city", dirs_exist_ok=True)
        try:
            _seed(home, _with_database(url, template))
        finally:
            shutil.rmtree(home, ignore_errors=True)
        _databases[server] = template
    _execute(maintenance, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    _execute(maintenance, f'CREATE DATABASE "{name}" TEMPLATE "{_databases[server]}"')


def _execute(url: str, statement: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as pool:  # whether or not a loop runs in this thread
        pool.submit(asyncio.run, run()).result()
