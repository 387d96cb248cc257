"""Certificate-bound tokens behind a real TLS terminator: nginx asks for the certificate and hands it on."""

import asyncio
import contextlib
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from msgspec import structs

from api.gateway.rest import RestFace
from api.settings import Settings
from tests.databases import free_port, missing
from tests.gateway.made import World
from tests.gateway.prover import Holder
from tests.gateway.serving import served
from tests.gateway.test_pipeline import Log

HEADER = "x-client-certificate"
PATH = "/api/company/v1/companies/91"


class Place:
    """nginx in front of a gateway; `call` connects with a certificate, or with none."""

    def __init__(self, world: World, folder: Path, port: int, gateway_port: int) -> None:
        self.world, self.folder, self.port, self.gateway_port = world, folder, port, gateway_port

    async def call(self, token: bytes, holder: Holder | None = None, **headers: str) -> httpx.Response:
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = (
            False,
            ssl.CERT_NONE,
        )  # who the server is, is not the matter here
        if holder is not None:
            tls.load_cert_chain(*holder.save(self.folder))
        async with httpx.AsyncClient(verify=tls) as http:
            sent = {"authorization": "Bearer " + token.decode()} | headers
            return await http.get(f"https://127.0.0.1:{self.port}{PATH}", headers=sent)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if program is None:
        missing("nginx")
    log = Log()
    settings = structs.replace(
        Settings(), flood_per_second=1_000_000, client_certificate_header=HEADER, trusted_proxies="127.0.0.1"
    )
    world = World(settings=settings, recorder=log, metrics=log, evidence=log)
    certificate, key = Holder("localhost").save(tmp_path)
    port = free_port()
    async with served(RestFace(world.gateway)) as gateway_port:
        (tmp_path / "nginx.conf").write_text(
            f"daemon off; worker_processes 1; user root; pid {tmp_path}/pid; error_log {tmp_path}/error.log;\n"
            "events { worker_connections 64; }\n"
            f"http {{ access_log off; client_body_temp_path {tmp_path}/b; proxy_temp_path {tmp_path}/p;\n"
            f"  fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;\n"
            f"  server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};\n"
            "    ssl_verify_client optional_no_ca;\n"
            f"    location / {{ proxy_pass http://127.0.0.1:{gateway_port}; proxy_http_version 1.1;\n"
            f"      proxy_set_header {HEADER} $ssl_client_escaped_cert; }} }} }}\n"
        )
        process = subprocess.Popen(
            [str(program), "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)], stderr=subprocess.DEVNULL
        )
        try:
            for _ in range(100):
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.05)
            yield Place(world, tmp_path, port, gateway_port)
        finally:
            process.terminate()
            process.wait(10)


def rule(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["rule"])


async def test_the_terminator_says_who_the_client_is_and_nobody_else(place: Place) -> None:
    holder, other = Holder(), Holder("other.example")
    token = place.world.tokens.give(place.world.app_id, cnf={"x5t#S256": holder.thumbprint})
    answer = await place.call(token, holder)
    assert answer.status_code == 200, answer.text
    assert rule(await place.call(token, other)) == (401, "certificate-other")
    assert rule(await place.call(token)) == (401, "certificate-missing")
    # what a client puts into the header itself is overwritten, with its own certificate or with nothing
    assert rule(await place.call(token, **{HEADER: holder.as_pem})) == (401, "certificate-missing")
    assert rule(await place.call(token, other, **{HEADER: holder.as_pem})) == (401, "certificate-other")
    sent = {name for request in place.world.connector.requests for name, _ in request.forward_headers}
    assert sent
    assert HEADER.encode() not in sent
