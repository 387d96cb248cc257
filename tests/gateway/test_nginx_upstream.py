"""A well-behaved upstream: nginx, through the whole gateway, small and large answers, many at once."""

import asyncio
import contextlib
import hashlib
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.databases import free_port, missing
from tests.gateway.raw_upstream import Upstream, context, operation, request

SIZE = 8 << 20


@pytest.fixture(scope="module")
async def nginx(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Upstream]:
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if program is None:
        missing("nginx")
    folder: Path = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    folder.parent.chmod(0o755)
    site = folder / "site"
    site.mkdir()
    (site / "small.json").write_text('{"code":"9133"}')
    (site / "big").write_bytes(bytes(range(256)) * (SIZE // 256))
    port = free_port()
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; user root; pid {folder}/pid; error_log {folder}/error.log;\n"
        "events { worker_connections 512; }\n"
        f"http {{ access_log off; types {{ application/json json; }} default_type application/octet-stream;\n"
        f"  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n"
        f"  server {{ listen 127.0.0.1:{port}; root {site}; keepalive_requests 7;\n"
        "    location /chunked { proxy_pass http://127.0.0.1:" + str(port) + "/small.json; add_header X-Kind a; chunked_transfer_encoding on; gzip on; gzip_min_length 0; gzip_types application/json; }\n"
        "    location /upload { dav_methods PUT; root " + str(folder) + "; client_max_body_size 100m; create_full_put_path on; } } }\n"
    )  # fmt: skip
    process = subprocess.Popen(
        [str(program), "-c", str(folder / "nginx.conf"), "-p", str(folder)], stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.05)
        yield Upstream(port=port)
    finally:
        process.terminate()
        process.wait(10)


async def test_many_calls_over_connections_that_nginx_keeps_closing(nginx: Upstream) -> None:
    connector = nginx.connector()
    results = await asyncio.gather(
        *(connector.call(operation(), request("/small.json"), context()) for _ in range(300))
    )
    assert {(one.status, one.body) for one in results} == {(200, b'{"code":"9133"}')}
    for _ in range(30):  # keepalive_requests 7: connections end in between, and no call is lost
        assert (await connector.call(operation(), request("/small.json"), context())).status == 200
    await connector.close()


async def test_large_answers_arrive_whole_and_in_parallel(nginx: Upstream) -> None:
    connector = nginx.connector()

    async def digest() -> bytes:
        result = await connector.call(operation(), request("/big"), context(30))
        found = hashlib.sha256()
        async for chunk in result.body:
            found.update(chunk)
        return found.digest()

    expected = hashlib.sha256(bytes(range(256)) * (SIZE // 256)).digest()
    assert set(await asyncio.gather(*(digest() for _ in range(4)))) == {expected}
    await connector.close()


async def test_encodings_pass_as_they_are(nginx: Upstream) -> None:
    connector = nginx.connector()
    result = await connector.call(
        operation(), request("/chunked", forward_headers=[(b"accept-encoding", b"gzip")]), context()
    )
    body = result.body if isinstance(result.body, bytes) else b"".join([one async for one in result.body])
    assert dict(result.headers)[b"content-encoding"] == b"gzip"
    assert body[:2] == b"\x1f\x8b"
    await connector.close()


async def test_ranges_conditions_and_head(nginx: Upstream) -> None:
    connector = nginx.connector()
    part = await connector.call(
        operation(), request("/big", forward_headers=[(b"range", b"bytes=1-4")]), context()
    )
    assert (part.status, part.body) == (206, b"\x01\x02\x03\x04")
    whole = await connector.call(operation(), request("/small.json"), context())
    tag = dict(whole.headers)[b"etag"]
    unchanged = await connector.call(
        operation(), request("/small.json", forward_headers=[(b"if-none-match", tag)]), context()
    )
    assert (unchanged.status, unchanged.body) == (304, b"")
    head = await connector.call(operation("HEAD"), request("/small.json"), context())
    assert (head.status, head.body, dict(head.headers)[b"content-length"]) == (200, b"", b"15")
    assert (await connector.call(operation(), request("/nothing"), context())).status == 404
    await connector.close()


async def test_the_same_answers_as_another_client(nginx: Upstream) -> None:
    async with httpx.AsyncClient() as client:
        other = await client.get(nginx.url("/small.json"))
    mine = await nginx.connector().call(operation(), request("/small.json"), context())
    assert (mine.status, mine.body) == (other.status_code, other.content)
    assert dict(mine.headers)[b"etag"].decode() == other.headers["etag"]
