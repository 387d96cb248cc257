"""One process of the over-admission test: calls as fast as it can, prints each admitted call's moment and cost.

python -m tests.gateway.lease_process REDIS_URL UNITS WINDOW_SECONDS SECONDS SEED
"""

import asyncio
import json
import random
import sys
import time

from api.gateway.leases import LeaseMeter
from api.gateway.quota import ClassQuota


async def main(url: str, units: int, window: int, seconds: float, seed: int) -> None:
    chance = random.Random(seed)
    meter = LeaseMeter(url, "sandbox", processes=4)
    quota = ClassQuota("standard", "light", units, window)
    admitted: list[tuple[int, int]] = []
    end = time.monotonic() + seconds

    async def call_for_ever() -> None:
        while time.monotonic() < end:
            cost = chance.choice([1, 1, 1, 2, 5])
            spent = meter.spend(1, quota, cost, "a_racer") or await meter.acquire(1, quota, cost, "a_racer")
            if spent[0]:
                admitted.append((time.monotonic_ns() // 1000, cost))
                if chance.random() < 0.05:
                    meter.give_back(1, quota, cost)
                    admitted.pop()
            await asyncio.sleep(chance.random() * 0.004)

    async def tend() -> None:
        while time.monotonic() < end:
            await asyncio.sleep(0.05)
            await meter.tend()

    await asyncio.gather(tend(), *(call_for_ever() for _ in range(4)))
    await meter.close()
    json.dump(admitted, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])))
