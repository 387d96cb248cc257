"""What the policies of one call cost, in this process alone: no server, no socket, a connector that answers at once.

    .venv/bin/python -m bench.micro_pipeline            the table
    .venv/bin/python -m bench.micro_pipeline profile    where the time goes

Every figure is CPU microseconds per call, the least disturbed of several rounds. The cases vary one thing at a time:
tokens, apps, operations. Not for comparing with other gateways: `make bench` does that over sockets.
"""

import asyncio
import cProfile
import gc
import itertools
import pstats
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator

from msgspec import structs

from api.core import ids
from api.gateway import pipeline
from api.gateway.exchange import Exchange
from api.gateway.plane import Gateway
from api.gateway.rest import RestFace
from api.gateway.snapshot import ServiceEntry, Snapshot
from api.gateway.snapshot_feed import settle_memory
from api.settings import Settings
from tests.gateway.made import Answering, Holder, Tokens, apps_with_plans, grant_of, operation, service

ROUNDS, CALLS = 7, 20_000
BODY = b'{"code":"91330100MA27XFXN5Q","name":"' + b"x" * 370 + b'"}'
Call = tuple[bytes, bytes]  # raw path, Authorization header


class Nothing:
    """Stands where recorder and metrics do: what they cost is measured by `make bench`, over sockets."""

    def count(self, exchange: Exchange, duration_us: int) -> None:
        return None

    add = count


class Case:
    """A gateway with so many operations, apps and tokens, and an endless row of calls through them."""

    def __init__(self, operations: int, apps: int, tokens: int, *, tokens_kept: int = 65_536) -> None:
        self.label = f"{operations} operations, {apps} apps, {tokens} tokens"
        self.tokens = Tokens()
        table = apps_with_plans()
        grants = [grant_of(f"s{number}@v1") for number in range(max(1, operations // 50))]
        app_ids = []
        for _ in range(apps):
            app_id = ids.random_id("a")
            table.put(app_id, ids.random_id("o"), kind="company", plan="open", grants=grants)
            if len(app_ids) < tokens:
                app_ids.append(app_id)
        connector = Answering(BODY)
        connector.remembers = False
        entries = [
            ServiceEntry(
                service(
                    [operation(f"get{at}", path=f"/r{at}/{{code}}") for at in range(min(50, operations))],
                    name=f"s{number}",
                ),
                connector,
            )
            for number in range(max(1, operations // 50))
        ]
        settings = structs.replace(Settings(), flood_per_second=10**9, token_cache_entries=tokens_kept)
        self.gateway = Gateway(
            settings,
            snapshots=Holder(Snapshot.of(entries, table)),
            verify_token=self.tokens.verify,
            recorder=Nothing(),
            metrics=Nothing(),
        )
        self.bearers = [b"Bearer " + self.tokens.give(app_ids[at % len(app_ids)]) for at in range(tokens)]
        self.paths = [
            f"/api/{entry.service.name}/v1/{one.path.split('/')[1]}/91330100MA27XFXN5Q".encode()
            for entry in entries
            for one in entry.service.operations
        ]
        random.Random(7).shuffle(self.paths)

    def calls(self) -> Iterator[Call]:
        """Token and operation change with every call."""
        return zip(itertools.cycle(self.paths), itertools.cycle(self.bearers), strict=False)


def headers_of(bearer: bytes) -> list[tuple[bytes, bytes]]:
    # A copy: a server makes new bytes for each request, and their hash is not known yet.
    return [
        (b"host", b"api.example"),
        (b"user-agent", b"bench/1"),
        (b"accept", b"*/*"),
        (b"authorization", bytes(bytearray(bearer))),
    ]


async def through_pipeline(gateway: Gateway, calls: Iterator[Call], count: int) -> None:
    for path, bearer in itertools.islice(calls, count):
        exchange = Exchange(
            request_id=gateway.request_ids.new(), face="rest", method="GET", raw_path=path, query_string=b"",
            headers=headers_of(bearer), client_address="127.0.0.1", started_ns=time.perf_counter_ns(),
            started_at_us=time.time_ns() // 1000,
        )  # fmt: skip
        if pipeline.admit(exchange, gateway):
            await pipeline.run(exchange, gateway)
        pipeline.finish(exchange, gateway)
        if exchange.status != 200:
            raise SystemExit(f"{path!r} answered {exchange.status}: {exchange.response_body!r}")


async def through_face(gateway: Gateway, calls: Iterator[Call], count: int) -> None:
    face = RestFace(gateway)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        return None

    for path, bearer in itertools.islice(calls, count):
        scope = {
            "type": "http", "method": "GET", "path": "", "raw_path": path, "query_string": b"",
            "headers": headers_of(bearer), "client": ("127.0.0.1", 1),
        }  # fmt: skip
        await face(scope, receive, send)


async def nothing(gateway: Gateway, calls: Iterator[Call], count: int) -> None:
    """What the harness itself costs."""
    for _, bearer in itertools.islice(calls, count):
        headers_of(bearer)


def measure(case: Case, way: Callable[..., object]) -> float:
    calls = case.calls()
    rounds = []
    for number in range(ROUNDS + 1):
        count = max(CALLS, len(case.bearers)) if number == 0 else CALLS  # the first verifies every token
        before = time.process_time_ns()
        asyncio.run(way(case.gateway, calls, count))  # type: ignore[arg-type]
        rounds.append((time.process_time_ns() - before) / count / 1000)
    return min(rounds[1:])


def main() -> None:
    if sys.argv[1:] == ["profile"]:
        case = Case(50, 10, 10)
        measure(case, through_pipeline)
        profile = cProfile.Profile()
        profile.enable()
        asyncio.run(through_pipeline(case.gateway, case.calls(), CALLS))
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(32)
        return
    for shape in (
        (50, 10, 1),
        (50, 10, 10),
        (300, 1_000, 1_000),
        (5_000, 50_000, 50_000),
        (5_000, 1_000_000, 50_000),
    ):
        gc.unfreeze()
        gc.collect()
        case = Case(*shape)
        settle_memory()
        harness = measure(case, nothing)
        policies = measure(case, through_pipeline) - harness
        face = measure(case, through_face) - harness
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{case.label:<50} pipeline {policies:6.2f} us  face {face:6.2f} us  peak {peak:6.0f} MB")
        del case


if __name__ == "__main__":
    main()
