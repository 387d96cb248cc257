"""What a DPoP proof costs at the gateway: python -m bench.bound_tokens [POSTGRESQL_URL] [REDIS_URL]

CPU and waiting of one call's authentication, in µs: a plain bearer token, a token with a proof, and the question
whether the proof was used, alone and in bursts. One process, no HTTP; the median of several rounds.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from msgspec import structs

from api.core.store import Stores, migrate, open_stores
from api.gateway import authenticate, route
from api.gateway.exchange import Exchange
from api.gateway.used_proofs import OneProcess, UsedProofs, used_proofs_for
from api.main.stores import APPS
from api.settings import Settings
from tests.gateway.made import World
from tests.gateway.prover import Prover

PATH = "/api/company/v1/companies/91"
ROUNDS, CALLS = 7, 400


def exchange_of(authorization: bytes, proof: str = "") -> Exchange:
    headers = [(b"authorization", authorization)] + ([(b"dpop", proof.encode())] if proof else [])
    made = Exchange(
        request_id="rs_x", face="rest", method="GET", raw_path=PATH.encode(), query_string=b"", headers=headers,
        client_address="127.0.0.1", started_ns=0, started_at_us=0,
    )  # fmt: skip
    made.path, made.header_map, made.authorization = PATH, dict(headers), authorization
    return made


def measure(world: World, exchanges: Callable[[], list[Exchange]]) -> float:
    """µs of CPU for the step authenticate."""
    rounds = []
    for _ in range(ROUNDS):
        made = exchanges()
        for one in made:
            route.apply(one, world.gateway)
        began = time.process_time_ns()
        for one in made:
            authenticate.apply(one, world.gateway)
        rounds.append((time.process_time_ns() - began) / 1000 / len(made))
    return statistics.median(rounds)


async def measure_spending(proofs: UsedProofs, at_once: int) -> tuple[float, float]:
    """(µs of waiting for one answer, µs of CPU for one question) when so many ask at once."""
    waits, costs = [], []
    number = 0
    for _ in range(ROUNDS):
        began, cpu = time.perf_counter_ns(), time.process_time_ns()
        for _ in range(CALLS // at_once):
            digests = [f"{time.time_ns():032x}{number + one:032x}" for one in range(at_once)]
            number += at_once
            await asyncio.gather(*(proofs.spend(one, time.time() + 60) for one in digests))
        asked = CALLS // at_once * at_once
        waits.append((time.perf_counter_ns() - began) / 1000 / (CALLS // at_once))
        costs.append((time.process_time_ns() - cpu) / 1000 / asked)
    return statistics.median(waits), statistics.median(costs)


async def show_spending(name: str, proofs: UsedProofs) -> None:
    for at_once in (1, 32):
        wait, cost = await measure_spending(proofs, at_once)
        print(
            f"used before? {name:<12} {at_once:>3} at once: {wait:8.0f} µs until answered, {cost:6.1f} µs CPU for each"
        )
    await proofs.close()


def show_authentication() -> None:
    world = World(settings=structs.replace(Settings(), flood_per_second=1_000_000))
    plain = world.bearer()
    print(f"plain bearer token, cached: {measure(world, lambda: [exchange_of(plain)] * CALLS):8.2f} µs")
    for algorithm in ("ES256", "Ed25519", "PS256"):
        prover = Prover.of(algorithm)
        token = world.tokens.give(world.app_id, cnf={"jkt": prover.jkt})
        url = world.gateway.settings.issuer + PATH

        def bound(prover: Prover = prover, token: bytes = token, url: str = url) -> list[Exchange]:
            return [exchange_of(b"DPoP " + token, prover.proof("GET", url, token)) for _ in range(CALLS // 4)]

        print(f"bound token, {algorithm:<8} proof: {measure(world, bound):8.2f} µs")


async def with_stores(url: str, run: Callable[[Settings], Awaitable[None]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stores = Stores(home=Path(folder), url=url, apps=APPS)
        await migrate(stores)
        async with open_stores(stores, "sandbox"):
            await run(Settings(home=folder, database_url=url))


async def main(urls: list[str]) -> None:
    show_authentication()
    await show_spending("in memory", UsedProofs(OneProcess()))
    await with_stores("", lambda settings: show_spending("SQLite", used_proofs_for(settings)))
    for url in urls:
        if url.startswith("redis"):
            await show_spending("Redis", used_proofs_for(Settings(redis_url=url)))
        else:
            await with_stores(url, lambda settings: show_spending("PostgreSQL", used_proofs_for(settings)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
