"""The agent's process: signals, systemd, health, exit code. What it does with calls is api.gateway.agents.worker's affair."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import metadata

import msgspec
from msgspec import Struct

from api.core.logging import configure, log, log_warning
from api.gateway.agents.link import Link, LinkError, RefusedError
from api.gateway.agents.upstreams import Upstreams
from api.gateway.agents.worker import Worker
from api.main.output import FAILED, UNREACHABLE, USAGE

DONE = 0
_WATCH_SECONDS = 1.0


class Options(Struct, frozen=True):
    """What was said on the command line."""

    server: str
    secret: str
    upstreams: tuple[str, ...]
    allow: tuple[str, ...]
    hands: int
    once: bool
    health_port: int | None
    docs_url: str


def run(options: Options) -> int:
    """Run until stopped; the exit code."""
    configure("info")
    try:
        upstreams = Upstreams(options.upstreams, options.allow, docs_url=options.docs_url)
        link = Link(options.server, options.secret, most=options.hands)
    except ValueError as error:
        sys.stderr.write(f"kaimen agent run: {error}\n")
        return USAGE
    return asyncio.run(_run(options, link, upstreams))


async def _run(options: Options, link: Link, upstreams: Upstreams) -> int:
    worker = Worker(link, upstreams, hands=options.hands, version=_version())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, worker.stop)
    try:
        if options.once:
            count = await worker.run_once()
            log("agent.once", calls=count)
            return DONE
        async with _watched(worker), _health(worker, options.health_port):
            await worker.run()
    except RefusedError as refusal:
        log_warning("agent.refused", reason=str(refusal)[:300])
        return FAILED
    except LinkError as error:
        log_warning("agent.unreachable", reason=str(error)[:300])
        return UNREACHABLE
    finally:
        await link.close()
    log("agent.ended", calls=worker.health.done)
    return DONE


@asynccontextmanager
async def _watched(worker: Worker) -> AsyncIterator[None]:
    """Tell systemd: ready at the first connection, alive while the loop turns, stopping at the end."""
    task = asyncio.create_task(_watch(worker), name="agent.watch")
    try:
        yield
    finally:
        task.cancel()
        _notify("STOPPING=1")


async def _watch(worker: Worker) -> None:
    is_ready = False
    while True:
        if worker.health.is_connected and not is_ready:
            is_ready = True
            _notify("READY=1")
        _notify("WATCHDOG=1")
        await asyncio.sleep(_WATCH_SECONDS)


def _notify(message: str) -> None:
    """Source: sd_notify(3)."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.sendto(message.encode(), "\0" + address[1:] if address.startswith("@") else address)


@asynccontextmanager
async def _health(worker: Worker, port: int | None) -> AsyncIterator[None]:
    """GET anything on 127.0.0.1: 200 while connected, else 503, with the figures. Tells no secret."""
    if port is None:
        yield
        return

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(
            OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError
        ):
            async with asyncio.timeout(5):
                await reader.readuntil(b"\r\n\r\n")
            body = msgspec.json.encode(worker.health)
            status = b"200 OK" if worker.health.is_connected else b"503 Service Unavailable"
            writer.write(
                b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
                % (status, len(body))
                + body
            )
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    async with server:
        yield


def _version() -> str:
    try:
        return metadata.version("kaimen")
    except metadata.PackageNotFoundError:
        return "0"
