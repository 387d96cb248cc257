"""Quotas shared by several processes through Redis: units are leased, and spent without asking.

Redis holds the one exact meter of each key (GCRA, one atomic script). A process takes units for a short while,
spends them locally, and brings back what it did not need. Units that a process holds cannot come back a second
time: Redis keeps so much of the burst empty until they are spent, returned or lapsed. So in any span of time all
processes together admit at most `units` plus what came back in the span.

When Redis is lost a process spends its leases, then 1/N of the plan, beginning empty (so that no unit is given
twice); when it is back, what was spent meanwhile is charged to it. A Redis that lost its data starts full.
"""

import asyncio
import contextlib
import heapq
import secrets
import time
from collections.abc import Callable
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from api.core.logging import log, log_warning
from api.gateway.quota import ClassQuota, LocalMeter, Spent, monotonic_us

LEASE_SECONDS = 1.0
_LEASE_PARTS = 32  # a lease is at most so small a part of the plan's units, if one call does not cost more
_TIMEOUT_SECONDS = 0.25
_RETRY_SECONDS = 1.0
_CONNECTIONS = 16
_LAPSES_AT_ONCE = 2048
_BELIEVED_US = 200_000  # how long a refusal is believed; others may bring units back earlier than it says
_LOST = (RedisError, OSError, TimeoutError)

# KEYS[1] meter. ARGV: holder, units, window µs, fewest, wanted, brought back, debt, lease ms.
# The hash holds `full` (µs since the epoch at which all units are back) and a field `h:holder` = "units until µs".
# Every quotient is rounded to the disadvantage of the caller, by less than one microsecond.
_SCRIPT = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local me, units, window = 'h:' .. ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local fewest, wanted = tonumber(ARGV[4]), tonumber(ARGV[5])
local back, debt, lease = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]) * 1000
local full, held, others = now, 0, 0
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  if fields[i] == 'full' then full = tonumber(fields[i + 1])
  else
    local n, till = string.match(fields[i + 1], '^(%d+) (%d+)$')
    held = held + tonumber(n)
    if fields[i] == me or tonumber(till) <= now then redis.call('HDEL', KEYS[1], fields[i])
    else others = others + tonumber(n) end
  end
end
local function us(n) return math.ceil(n * window / units) end
full = math.max(full, now + us(held))
full = math.max(full - math.floor(back * window / units), now + us(others)) + us(debt)
local left = math.floor((now + window - full) * units / window)
local got = 0
if fewest > 0 and left >= fewest then
  got = math.min(wanted, left)
  full = full + us(got)
  redis.call('HSET', KEYS[1], me, string.format('%d %d', got, now + lease))
end
redis.call('HSET', KEYS[1], 'full', string.format('%.0f', full))
redis.call('PEXPIRE', KEYS[1], math.ceil((full - now) / 1000) + ARGV[8] + 1000)
local wait = 0
if fewest > 0 and got == 0 then wait = math.max(1, full + us(fewest) - now - window) end
return {got, left - got, full - now, wait}
"""


class _Lease:
    """Units of one key that this process may spend until `until` (monotonic µs), and what it asks for next."""

    __slots__ = (
        "app_id", "asking", "debt", "elsewhere", "full_in_us", "key", "left", "quota", "ready_at", "refused_until",
        "until", "used",
    )  # fmt: skip

    def __init__(self, key: int, quota: ClassQuota, app_id: str) -> None:
        self.key = key
        self.quota = quota
        self.app_id = app_id
        self.left = 0
        self.until = 0
        self.used = 0  # since the lease began
        self.elsewhere = 0  # units that Redis still had when it gave this lease
        self.full_in_us = 0  # and when all would have been back, from then
        self.debt = 0  # units spent without Redis
        self.ready_at = 0  # when what was refused would be given
        self.refused_until = 0  # it is no use to ask before
        self.asking = asyncio.Lock()


class LeaseMeter:
    """A Meter for N processes on one Redis. `processes` is N, for the time when Redis is lost."""

    def __init__(
        self,
        redis_url: str,
        environment: str,
        *,
        processes: int,
        lease_seconds: float = LEASE_SECONDS,
        clock_us: Callable[[], int] = monotonic_us,
    ) -> None:
        pool = BlockingConnectionPool.from_url(
            redis_url,
            max_connections=_CONNECTIONS,
            timeout=_TIMEOUT_SECONDS,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
        )
        self._redis: Redis = Redis.from_pool(pool)
        self._script = self._redis.register_script(_SCRIPT)
        self._prefix = f"kaimen:{environment}:quota:"
        self._holder = secrets.token_hex(6)
        self._processes = processes
        self._lease_ms_most = lease_seconds * 1000
        self._clock = clock_us
        self._leases: dict[int, _Lease] = {}
        self._lapsing: list[tuple[int, int]] = []  # a heap of (until, key)
        self._alone = LocalMeter(clock_us)
        self._shares: dict[int, ClassQuota] = {}
        self.is_lost = False
        self._retry_at = 0.0

    def __len__(self) -> int:
        return len(self._leases)

    def spend(self, key: int, quota: ClassQuota, cost: int, app_id: str) -> Spent | None:
        """From the lease, if it holds enough; None sends the caller to `acquire`."""
        lease = self._leases.get(key)
        if lease is None:
            return None
        now = self._clock()
        if lease.left >= cost and now < lease.until:
            return self._take(lease, quota, cost)
        if now < lease.refused_until and not self.is_lost:
            return self._refused(lease, max(lease.ready_at - now, 1))
        return None

    async def acquire(self, key: int, quota: ClassQuota, cost: int, app_id: str) -> Spent:
        """From a fresh lease, or refused; without Redis from this process's own part."""
        lease = self._leases.get(key)
        if lease is None:
            lease = self._leases[key] = _Lease(key, quota, app_id)
        async with lease.asking:
            spent = self.spend(key, quota, cost, app_id)
            if spent is not None:
                return spent
            if not self.is_lost:
                try:
                    wait = await self._ask(lease, cost)
                except _LOST as error:
                    self._lose(error)
                else:
                    if lease.left >= cost:
                        return self._take(lease, quota, cost)
                    now = self._clock()
                    lease.ready_at = now + wait
                    lease.refused_until = now + min(wait, _BELIEVED_US)
                    return self._refused(lease, wait)
            return self._spend_alone(lease, cost)

    def give_back(self, key: int, quota: ClassQuota, cost: int) -> None:
        """Undo a charge: the units go back into the lease, and with it to Redis."""
        lease = self._leases.get(key)
        if lease is not None and not lease.debt:
            lease.left += cost
            lease.used = max(0, lease.used - cost)

    def sweep(self) -> None:
        self._alone.sweep()

    async def tend(self) -> None:
        """Bring back what lapsed leases still hold and forget them; ask whether a lost Redis is back."""
        self.sweep()
        if self.is_lost:
            await self._look_for_redis()
            return
        now = self._clock()
        due: list[_Lease] = []
        while self._lapsing and self._lapsing[0][0] <= now and len(due) < _LAPSES_AT_ONCE:
            lease = self._leases.get(heapq.heappop(self._lapsing)[1])
            if lease is not None and lease.until <= now:
                due.append(lease)
        for at in range(0, len(due), _CONNECTIONS):
            await asyncio.gather(*(self._lapse(lease) for lease in due[at : at + _CONNECTIONS]))

    async def close(self) -> None:
        """Bring everything back and hang up."""
        if not self.is_lost:
            for lease in self._leases.values():
                if lease.left:
                    with contextlib.suppress(*_LOST):
                        await self._ask(lease, 0)
        await self._redis.aclose()

    async def _lapse(self, lease: _Lease) -> None:
        async with lease.asking:
            if self._clock() < lease.until or self.is_lost:
                return
            if lease.left or lease.debt:
                try:
                    await self._ask(lease, 0)
                except _LOST as error:
                    self._lose(error)
                    return
            self._leases.pop(lease.key, None)

    # -- with Redis ---------------------------------------------------------------------------------
    def _take(self, lease: _Lease, quota: ClassQuota, cost: int) -> Spent:
        lease.left -= cost
        lease.used += cost
        left = lease.elsewhere + lease.left
        full_in = lease.full_in_us - lease.left * quota.window_us // quota.units
        return (True, left, max(0, -(-full_in // 1_000_000)), 0)

    def _refused(self, lease: _Lease, wait_us: int) -> Spent:
        return (False, lease.elsewhere, -(-lease.full_in_us // 1_000_000), -(-wait_us // 1_000_000))

    async def _ask(self, lease: _Lease, cost: int) -> int:
        """Bring back what is left and take a fresh lease for at least `cost` units (0: none). µs to wait if refused.

        What was brought back is out of our hands before the answer comes: if it never does, the units are
        lost until they refill, and never spent twice.
        """
        quota = lease.quota
        back, wanted, debt = lease.left, self._wanted(lease, cost), 0
        if lease.debt:
            debt = min(lease.debt, self._alone.missing(lease.key, self._share_of(quota)))
        lease.left = lease.used = 0
        lease_ms = self._lease_ms(quota)
        until = self._clock() + lease_ms * 1000  # from before it was asked: ours lapses first
        got, elsewhere, full_in_us, wait = await self._script(
            keys=[f"{self._prefix}{lease.app_id}:{quota.plan}:{quota.name}:{quota.units}:{quota.window_us}"],
            args=[self._holder, quota.units, quota.window_us, cost, wanted, back, debt, lease_ms],
        )
        lease.debt = 0
        lease.left, lease.elsewhere, lease.full_in_us, lease.until = got, elsewhere, full_in_us, until
        if got:
            heapq.heappush(self._lapsing, (until, lease.key))
        return int(wait)

    def _wanted(self, lease: _Lease, cost: int) -> int:
        """As much as the last lease needed, within the smallest part that saves questions."""
        return max(cost, min(lease.quota.units // _LEASE_PARTS, 2 * max(lease.used, cost)))

    def _lease_ms(self, quota: ClassQuota) -> int:
        return max(50, int(min(self._lease_ms_most, quota.window_us / 8000)))

    # -- without Redis ------------------------------------------------------------------------------
    def _spend_alone(self, lease: _Lease, cost: int) -> Spent:
        quota = lease.quota
        spent = self._alone.spend(lease.key, self._share_of(quota), cost)
        if spent[0]:
            lease.debt += cost
            heapq.heappush(self._lapsing, (self._clock() + 1, lease.key))
        return spent

    def _share_of(self, quota: ClassQuota) -> ClassQuota:
        share = self._shares.get(quota.number)
        if share is None:
            seconds = quota.window_us // 1_000_000
            share = ClassQuota(quota.plan, quota.name, quota.units, seconds, quota.share * self._processes)
            self._shares[quota.number] = share
        return share

    def _lose(self, error: BaseException) -> None:
        if not self.is_lost:
            self.is_lost = True
            # Empty at first: what Redis gave out until now may all have been spent, here and elsewhere.
            self._alone = LocalMeter(self._clock, empty_at_us=self._clock())
            log_warning("limit.redis_lost", error=type(error).__name__, processes=self._processes)
        self._retry_at = time.monotonic() + _RETRY_SECONDS

    async def _look_for_redis(self) -> None:
        if time.monotonic() < self._retry_at:
            return
        try:
            await self._redis.ping()
        except _LOST:
            self._retry_at = time.monotonic() + _RETRY_SECONDS
            return
        self.is_lost = False
        log("limit.redis_back")


def meter_for(settings: Any) -> LocalMeter | LeaseMeter:
    """The meter that these settings ask for: in this process alone, or shared through Redis."""
    if not settings.redis_url:
        return LocalMeter()
    share = int(settings.limit_share.removeprefix("1/") or settings.workers)
    return LeaseMeter(settings.redis_url, settings.environment, processes=share)
