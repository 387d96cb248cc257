"""A process that is told to end while it writes: it ends, and nothing that it recorded is missing."""

import asyncio
import random

from api.core.store import Stores
from api.gateway.models import AccessEvidence, RequestRecord
from api.settings import Settings
from tests.gateway.recorded import SECRET_NUMBER, recorded

ENDS = 25
PATIENCE_SECONDS = 30.0  # a bound: an end takes milliseconds


async def test_it_ends_at_any_moment_and_loses_nothing(settings: Settings, stores: Stores) -> None:
    rng = random.Random(3)
    answered: list[str] = []

    async def live_shortly() -> None:
        # written all the time, so that the end comes in the middle of a transaction
        async with recorded(settings, record_interval_ms=10) as plane:
            for _ in range(rng.randrange(1, 12)):
                answer = await plane.get(f"/api/company/v1/taxpayers/{SECRET_NUMBER}")
                assert answer.status_code == 200, answer.text
                answered.append(answer.headers["request-id"])
            await asyncio.sleep(rng.random() * 0.012)

    for _ in range(ENDS):
        await asyncio.wait_for(live_shortly(), PATIENCE_SECONDS)
    assert await RequestRecord.filter(id__in=answered).count() == len(answered)
    assert await AccessEvidence.filter(request_id__in=answered).count() == len(answered)
