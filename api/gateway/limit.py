"""Step `limit`: what the call costs, and whether the app's plan still gives it.

Cost = weight of the quota class × items asked for, the same on every face. Metered by GCRA for each app,
plan and quota class (quota, leases); a refused call costs nothing, one refused by `validate` gets its units back.
Headers: `RateLimit-Policy: "light";q=600;w=60` (q the burst, w the seconds in which it refills) and
`RateLimit: "light";r=598;t=1` (r units left, t seconds until all are back).
Source: draft-ietf-httpapi-ratelimit-headers-11.
"""

from collections.abc import Awaitable

from api.core.problem_types import COST_ABOVE_PLAN, QUOTA_EXCEEDED
from api.core.problems import Refusal
from api.gateway.exchange import Exchange, Headers
from api.gateway.plane import Gateway
from api.gateway.quota import CLASSES, SECOND_US, ClassQuota, Spent


def apply(exchange: Exchange, gateway: Gateway) -> Awaitable[None] | None:
    """Charge the call: fill plan, cost, quota left and headers. What it returns has to be awaited, if anything.

    Raises Refusal: quota-exceeded, cost-above-plan.
    """
    compiled = exchange.compiled
    app = exchange.app
    exchange.plan = app.plan.name
    cost = compiled.weight if compiled.items is None else compiled.weight * compiled.items(exchange)
    exchange.cost = cost
    quota = app.plan.quotas[compiled.quota_class]
    if quota is None or cost > quota.burst:
        exchange.cost = 0
        raise Refusal(
            COST_ABOVE_PLAN,
            cost=cost,
            plan=app.plan.name,
            quota_class=CLASSES[compiled.quota_class].value,
            limit=0 if quota is None else quota.burst,
        )
    exchange.quota = quota
    key = app.limit_key | quota.number
    spent = gateway.meter.spend(key, quota, cost, app.id)
    if spent is None:
        return _acquire(exchange, gateway, quota, key)
    _take(exchange, quota, spent)
    return None


async def _acquire(exchange: Exchange, gateway: Gateway, quota: ClassQuota, key: int) -> None:
    _take(exchange, quota, await gateway.meter.acquire(key, quota, exchange.cost, exchange.app.id))


def _take(exchange: Exchange, quota: ClassQuota, spent: Spent) -> None:
    is_admitted, left, reset_seconds, wait_seconds = spent
    exchange.quota_left = left
    exchange.quota_headers = _headers(quota, left, reset_seconds)
    if not is_admitted:
        cost, exchange.cost = exchange.cost, 0
        raise Refusal(
            QUOTA_EXCEEDED,
            headers={"Retry-After": str(max(1, wait_seconds))},
            plan=quota.plan,
            quota_class=quota.name,
            limit=quota.units,
            window_seconds=quota.window_us // SECOND_US,
            cost=cost,
        )
    exchange.verdicts.append(quota.verdict)


def _headers(quota: ClassQuota, left: int, reset_seconds: int) -> Headers:
    return [quota.policy_header, (b"ratelimit", f"{quota.prefix}{left};t={reset_seconds}".encode())]


def give_back(exchange: Exchange, gateway: Gateway) -> None:
    """The call was refused after it was charged, and nothing was called: its units go back."""
    quota = exchange.quota
    if quota is None or not exchange.cost:
        return
    gateway.meter.give_back(exchange.app.limit_key | quota.number, quota, exchange.cost)
    left = exchange.quota_left = exchange.quota_left + exchange.cost
    exchange.cost = 0
    spent_us = (quota.units - left * quota.share) * quota.window_us // quota.units
    exchange.quota_headers = _headers(quota, left, max(0, -(-spent_us // SECOND_US)))
