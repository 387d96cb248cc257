"""What people type: pip, npm and go install from a running server, the public packages and an app's own."""

import asyncio
import base64
import contextlib
import datetime as dt
import ipaddress
import json
import os
import shutil
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.server import Installation, RunningServer, free_port


def run(*command: str, cwd: Path, **environ: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        command, cwd=cwd, env=inherited | environ, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout + done.stderr


def fetch(url: str, token: str = "", **headers: str) -> tuple[int, dict[str, str], bytes]:
    basic = base64.b64encode(f"kaimen:{token}".encode()).decode()
    sent = headers | ({"Authorization": f"Basic {basic}"} if token else {})
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=sent), timeout=60) as answer:
            return (
                answer.status,
                {name.lower(): value for name, value in answer.headers.items()},
                answer.read(),
            )
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {name.lower(): value for name, value in error.headers.items()}, error.read()


def built(installation: Installation, app: dict[str, Any], language: str) -> dict[str, Any]:
    made: dict[str, Any] = installation.json("sdk", "build", "--app", app["app_id"], "--language", language)
    return made


# --- npm ----------------------------------------------------------------------------------------
def npm_install(folder: Path, url: str, name: str, token: str = "") -> Path:
    found = shutil.which("npm")
    assert found is not None, "npm is installed by `make system`"
    host = url.partition("://")[2]
    lines = [
        f"registry={url}/sdk/npm/",
        f"@kaimen:registry={url}/sdk/npm/",
        "audit=false",
        "fund=false",
        "update-notifier=false",
    ]
    lines += [f"//{host}/sdk/npm/:_authToken={token}"] if token else []
    (folder / ".npmrc").write_text("\n".join(lines) + "\n")
    (folder / "package.json").write_text(
        '{"name": "use", "version": "1.0.0", "type": "module", "private": true}'
    )
    run(found, "install", name, cwd=folder, npm_config_cache=str(folder / "cache"), HOME=str(folder))
    return folder / "node_modules" / name


def test_npm_installs_a_public_package(server: RunningServer, tmp_path: Path) -> None:
    folder = npm_install(tmp_path, server.url, "@kaimen/company")
    manifest = json.loads((folder / "package.json").read_text())
    assert manifest["name"] == "@kaimen/company"
    (tmp_path / "use.mjs").write_text(
        'import { Kaimen } from "@kaimen/company";\n'
        'const client = new Kaimen({ clientId: "a", clientSecret: "b" });\nconsole.log(typeof client.company.get);\n'
    )
    assert run("node", "use.mjs", cwd=tmp_path).strip() == "function"


def test_npm_installs_an_apps_package_with_its_token(
    server: RunningServer, installation: Installation, app: dict[str, Any], token: str, tmp_path: Path
) -> None:
    made = built(installation, app, "typescript")
    folder = npm_install(tmp_path, server.url, made["package"], token)
    assert json.loads((folder / "package.json").read_text())["version"] == made["version"]
    assert app["client_id"] not in "".join(one.read_text() for one in folder.iterdir() if one.is_file())


# --- pip ----------------------------------------------------------------------------------------
def pip_install(folder: Path, url: str, name: str, *, token: str = "") -> Path:
    scheme, _, host = url.partition("://")
    opened = f"{scheme}://kaimen:{token}@{host}" if token else url
    run(
        sys.executable, "-m", "pip", "install", "--no-deps", "--no-cache-dir", "--disable-pip-version-check",
        "--index-url", f"{opened}/sdk/simple/", "--target", str(folder / "site"), name, cwd=folder, HOME=str(folder),
    )  # fmt: skip
    return folder / "site"


def offers(server: RunningServer, language: str) -> bool:
    _, _, body = fetch(f"{server.url}/platform/v1/sdk")
    return language in json.loads(body)["items"][0]["packages"]


def test_pip_installs_public_and_private_packages(
    server: RunningServer, installation: Installation, app: dict[str, Any], token: str, tmp_path: Path
) -> None:
    if not offers(server, "python"):
        pytest.skip("this build makes no Python packages")
    site = pip_install(tmp_path, server.url, "kaimen-company")
    assert (site / "kaimen_company" / "__init__.py").exists()
    made = built(installation, app, "python")
    (tmp_path / "own").mkdir()
    site = pip_install(tmp_path / "own", server.url, made["package"], token=token)
    assert list(site.glob("kaimen_app_*/__init__.py"))


# --- go -----------------------------------------------------------------------------------------
def go_get(folder: Path, proxy: str, module: str, version: str, **environ: str) -> str:
    command = shutil.which("go") or "/usr/local/go/bin/go"
    (folder / "go.mod").write_text("module use\n\ngo 1.21\n")
    package = module.removesuffix("/v2").rpartition("/")[2].replace("-", "_")
    (folder / "main.go").write_text(
        f'package main\n\nimport sdk "{module}"\n\nfunc main() {{ _ = sdk.New; println("{package}") }}\n'
    )
    shared = {
        "GOPROXY": proxy, "GONOSUMDB": "gov.kaimen", "GONOSUMCHECK": "1", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local",
        "GOMODCACHE": str(folder / "modules"), "GOSUMDB": "off", **environ,
    }  # fmt: skip
    try:
        run(command, "get", f"{module}@{version}", cwd=folder, **shared)
        return run(command, "run", ".", cwd=folder, **shared)
    finally:
        run(command, "clean", "-modcache", cwd=folder, **shared)  # its files are read-only


def test_go_gets_a_public_module(server: RunningServer, tmp_path: Path) -> None:
    assert "company" in go_get(tmp_path, f"{server.url}/sdk/go", "gov.kaimen/sdk/company", "latest")


@contextlib.contextmanager
def tls_front(port: int, folder: Path) -> Iterator[tuple[str, Path]]:
    """A TLS terminator before the server: go sends credentials by TLS only. Its origin and its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem, key_pem = folder / "tls.pem", folder / "tls.key"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key_pem)
    front, loop = free_port(), asyncio.new_event_loop()
    over = asyncio.Event()
    ready = threading.Event()

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pipe(reader, inner_writer), pipe(inner_reader, writer))

    async def main() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", front, ssl=context):
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield f"127.0.0.1:{front}", pem
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        if not thread.is_alive():
            loop.close()


def test_go_gets_an_apps_module_with_its_token(
    server: RunningServer, installation: Installation, app: dict[str, Any], token: str, tmp_path: Path
) -> None:
    made = built(installation, app, "go")
    with tls_front(installation.sandbox_port, tmp_path) as (host, certificate):
        proxy = f"https://kaimen:{token}@{host}/sdk/go"
        (tmp_path / "use").mkdir()
        said = go_get(
            tmp_path / "use", proxy, made["package"], f"v{made['version']}", SSL_CERT_FILE=str(certificate)
        )
    assert "app-" in said or "app_" in said
