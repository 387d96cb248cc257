"""Used DPoP proofs in Redis, for planes of several processes that have one. See used_proofs."""

import time

from redis.asyncio import Redis
from redis.asyncio.connection import BlockingConnectionPool
from redis.exceptions import RedisError

from api.gateway.used_proofs import WAIT_SECONDS, Question


class RedisProofs:
    """A ProofStore in Redis, one round trip for a batch; keys go by themselves."""

    def __init__(self, redis_url: str, environment: str) -> None:
        pool = BlockingConnectionPool.from_url(
            redis_url, max_connections=2, timeout=WAIT_SECONDS, socket_timeout=WAIT_SECONDS,
            socket_connect_timeout=WAIT_SECONDS,
        )  # fmt: skip
        self._redis: Redis = Redis.from_pool(pool)
        self._prefix = f"kaimen:{environment}:proof:"

    async def spend(self, questions: list[Question]) -> set[str]:
        now = time.time()
        pipeline = self._redis.pipeline(transaction=False)
        for digest, until in questions:
            pipeline.set(self._prefix + digest, b"1", nx=True, px=max(1, int((until - now) * 1000)))
        try:
            answers = await pipeline.execute()
        except RedisError as error:
            raise OSError(str(error)) from error
        return {digest for (digest, _), answer in zip(questions, answers, strict=True) if answer}

    async def close(self) -> None:
        await self._redis.aclose()
