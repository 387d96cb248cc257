"""Quotas: GCRA exact to the microsecond, prices, headers, plans that change, memory that stays bounded."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.contract.model import Batch, Pagination, QuotaClass
from api.core.problems import Refusal
from api.gateway import authenticate, authorise, limit, route
from api.gateway.exchange import Exchange
from api.gateway.quota import ClassQuota, LocalMeter, PlanTable
from tests.gateway.made import World, operation, parameter


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000_000

    def __call__(self) -> int:
        return self.now


class Reference:
    """A leaky bucket in fractions: full at first, refills evenly, never above its size."""

    def __init__(self, size: Fraction, window_us: int, now: int) -> None:
        self.size, self.level, self.rate, self.at = size, size, size / window_us, now

    def spend(self, cost: int, now: int) -> bool:
        self.level = min(self.size, self.level + self.rate * (now - self.at))
        self.at = now
        if self.level < cost:
            return False
        self.level -= cost
        return True


calls = st.lists(st.tuples(st.integers(0, 3_000_000), st.integers(1, 12), st.booleans()), max_size=60)


@settings(max_examples=200)
@given(units=st.integers(1, 50), window=st.integers(1, 20), share=st.sampled_from([1, 1, 3]), steps=calls)
def test_the_meter_agrees_with_exact_arithmetic(
    units: int, window: int, share: int, steps: list[tuple[int, int, bool]]
) -> None:
    clock = Clock()
    meter = LocalMeter(clock)
    quota = ClassQuota("p", "light", units, window, share)
    reference = Reference(Fraction(units, share), window * 1_000_000, clock.now)
    for pause, cost, is_given_back in steps:
        clock.now += pause
        admitted, left, reset, wait = meter.spend(7, quota, cost)
        assert admitted == reference.spend(cost, clock.now)
        assert left == reference.level.__floor__()
        missing = (reference.size - reference.level) / reference.rate
        assert reset == -(-missing // 1_000_000)
        if admitted and is_given_back:
            meter.give_back(7, quota, cost)
            reference.level += cost
        if not admitted and cost * share <= units:
            earliest = (cost - reference.level) / reference.rate
            assert wait == -(-earliest // 1_000_000)
            assert wait >= 1


@settings(max_examples=50)
@given(units=st.integers(1, 30), window=st.integers(1, 10), steps=calls)
def test_no_span_of_time_admits_more_than_the_plan(
    units: int, window: int, steps: list[tuple[int, int, bool]]
) -> None:
    clock = Clock()
    meter = LocalMeter(clock)
    quota = ClassQuota("p", "light", units, window)
    admitted = []
    for pause, cost, _ in steps:
        clock.now += pause // 10
        if meter.spend(7, quota, cost)[0]:
            admitted.append((clock.now, cost))
    for start, (begin, _) in enumerate(admitted):
        spent = 0
        for moment, cost in admitted[start:]:
            spent += cost
            assert spent <= units + Fraction(units * (moment - begin), window * 1_000_000)


def test_idle_keys_are_forgotten_and_nobody_gains_by_it() -> None:
    clock = Clock()
    meter = LocalMeter(clock)
    quota = ClassQuota("p", "light", 10, 2)
    for key in range(50_000):
        meter.spend(key, quota, 10)
    assert not meter.spend(1, quota, 1)[0]
    for _ in range(6):
        clock.now += 1_000_000
        meter.spend(1, quota, 1)
        meter.sweep()
    assert len(meter) <= 2
    assert meter.spend(2, quota, 10)[0]  # its window has passed: full again
    clock.now += 100
    assert not meter.spend(2, quota, 1)[0]


def test_missing_units() -> None:
    clock = Clock()
    meter = LocalMeter(clock)
    quota = ClassQuota("p", "light", 10, 10)
    assert meter.missing(1, quota) == 0
    meter.spend(1, quota, 4)
    assert meter.missing(1, quota) == 4
    clock.now += 1_500_000
    assert meter.missing(1, quota) == 3  # two and a half, rounded up
    empty = LocalMeter(clock, empty_at_us=clock.now)
    assert not empty.spend(1, quota, 1)[0]
    clock.now += 1_000_000
    assert empty.spend(1, quota, 1)[0]
    assert not empty.spend(1, quota, 1)[0]


def test_a_plan_that_says_the_same_goes_on_counting() -> None:
    plans = PlanTable()
    limits = {"light": {"units": 10, "window_seconds": 60}}
    plans.set("p", limits)
    number = plans.number_of("p")
    before = plans.plan(number).quotas[0]
    plans.set("p", dict(limits))
    assert plans.plan(number).quotas[0] is before
    plans.set("p", {"light": {"units": 20, "window_seconds": 60}})
    after = plans.plan(number).quotas[0]
    assert before is not None
    assert after is not None
    assert after.number != before.number
    assert plans.plan(plans.number_of("unknown")).quotas == (None, None, None, None)


# -- the step ---------------------------------------------------------------------------------------
SIZED = {
    "parameters": (parameter("limit", schema={"type": "integer", "default": 20, "maximum": 100}),),
    "path": "/companies",
}
PAGED = Pagination("cursor", "cursor", "limit", "items", "next")


def charged(
    world: World,
    path: str = "/api/company/v1/companies/91",
    query: bytes = b"",
    body: bytes | None = None,
    method: str = "GET",
) -> Exchange:
    exchange = Exchange(
        request_id="rs_x", face="rest", method=method, raw_path=path.encode(), query_string=query, headers=[],
        client_address="127.0.0.1", started_ns=0, started_at_us=0,
    )  # fmt: skip
    exchange.path = path
    exchange.authorization = world.bearer()
    exchange.body = body
    for step in (route, authenticate, authorise):
        step.apply(exchange, world.gateway)
    assert limit.apply(exchange, world.gateway) is None
    return exchange


def world_of(clock: Clock | None = None, **more: Any) -> World:
    world = World(more.pop("operations", None) or [operation(**more)])
    world.gateway.meter = LocalMeter(clock or Clock())
    return world


@pytest.mark.parametrize(
    ("policy", "query", "cost"),
    [
        ({}, b"limit=99", 1), ({"quota": QuotaClass.STANDARD}, b"", 2), ({"quota": QuotaClass.HEAVY}, b"", 10),
        ({**SIZED, "pagination": PAGED}, b"limit=7", 7), ({**SIZED, "pagination": PAGED}, b"", 20),
        ({**SIZED, "pagination": PAGED, "max_rows": 50}, b"limit=90", 50),
        ({**SIZED, "pagination": PAGED, "quota": QuotaClass.STANDARD}, b"a=1&limit=7", 14),
        ({**SIZED, "pagination": PAGED}, b"limit=x", 1), ({**SIZED, "pagination": PAGED}, b"limit=-4", 1),
        ({**SIZED, "pagination": PAGED, "parameters": (parameter("limit"),), "max_rows": 30}, b"", 30),
        ({**SIZED, "pagination": PAGED, "parameters": (parameter("limit"),)}, b"", 1),
    ],
)  # fmt: skip
def test_the_price_is_weight_times_items(policy: dict[str, Any], query: bytes, cost: int) -> None:
    world = world_of(**policy)
    path = "/api/company/v1" + world.service.operations[0].path.replace("{code}", "91")
    exchange = charged(world, path, query)
    assert exchange.cost == cost
    assert exchange.quota_left == 600 - cost


def test_a_batch_costs_as_many_reads() -> None:
    codes = parameter("codes", schema={"type": "array", "items": {"type": "string"}}, explode=False)
    one = operation(batch=Batch("listByCode", "codes", "code", 100), quota=QuotaClass.STANDARD)
    many = operation("listByCode", path="/batch", parameters=(codes,), quota=QuotaClass.STANDARD)
    world = world_of(operations=[one, many])
    assert charged(world).cost == 2
    assert charged(world, "/api/company/v1/batch", b"codes=a,b,c").cost == 6
    assert charged(world, "/api/company/v1/batch").cost == 2
    posted = operation("listByCode", path="/batch", method="POST")
    world = world_of(operations=[one, posted])
    for body, cost in ((b'{"codes":["a","b","c","d"]}', 4), (b'["a","b"]', 2), (b"nonsense", 1), (b"{}", 1)):
        assert charged(world, "/api/company/v1/batch", body=body, method="POST").cost == cost


def test_headers_and_refusal() -> None:
    clock = Clock()
    world = world_of(clock, quota=QuotaClass.HEAVY)
    first = charged(world)
    assert first.quota_headers == [
        (b"ratelimit-policy", b'"heavy";q=600;w=60'), (b"ratelimit", b'"heavy";r=590;t=1'),
    ]  # fmt: skip
    assert first.plan == "standard"
    for _ in range(59):
        last = charged(world)
    assert last.quota_headers[1] == (b"ratelimit", b'"heavy";r=0;t=60')
    with pytest.raises(Refusal) as refusal:
        charged(world)
    assert refusal.value.kind.slug == "quota-exceeded"
    assert refusal.value.headers == {"Retry-After": "1"}
    assert refusal.value.facts == {
        "plan": "standard", "quota_class": "heavy", "limit": 600, "window_seconds": 60, "cost": 10,
    }  # fmt: skip
    clock.now += 999_999
    with pytest.raises(Refusal):
        charged(world)
    clock.now += 1
    assert charged(world).quota_left == 0


def test_waiting_does_not_help_what_is_above_the_plan() -> None:
    world = world_of(**SIZED, pagination=PAGED, quota=QuotaClass.BULK)
    with pytest.raises(Refusal) as refusal:
        charged(world, "/api/company/v1/companies", b"limit=13")
    assert refusal.value.kind.slug == "cost-above-plan"
    assert refusal.value.facts["cost"] == 650
    assert charged(world, "/api/company/v1/companies", b"limit=12").cost == 600
    world.apps.put(world.app_id, "o_x", plan="unheard-of", grants=[("company@v1", "", "active", "L3")])
    with pytest.raises(Refusal) as refusal:
        charged(world, "/api/company/v1/companies", b"limit=1")
    assert refusal.value.facts["limit"] == 0


def test_apps_and_classes_do_not_share() -> None:
    world = world_of(operations=[operation(), operation("heavy", path="/heavy", quota=QuotaClass.HEAVY)])
    for _ in range(60):
        charged(world, "/api/company/v1/heavy")
    assert charged(world).quota_left == 599
    other = World([operation()])
    other.gateway.meter = world.gateway.meter
    assert charged(world).quota_left == 598


def test_what_validate_refuses_is_given_back() -> None:
    world = world_of(quota=QuotaClass.HEAVY)
    before = charged(world)
    exchange = charged(world)
    assert exchange.quota_left == 580
    limit.give_back(exchange, world.gateway)
    assert exchange.cost == 0
    assert exchange.quota_headers[1] == (b"ratelimit", b'"heavy";r=590;t=1')
    limit.give_back(exchange, world.gateway)  # once
    assert charged(world).quota_left == 580
    assert before.quota_left == 590


def test_a_share_of_every_quota() -> None:
    world = world_of()
    limits = {"light": {"units": 600, "window_seconds": 60}}
    world.apps.plans.set("standard", limits, 3)
    assert charged(world).quota_left == 199
    for _ in range(199):
        last = charged(world)
    assert last.quota_left == 0
    with pytest.raises(Refusal) as refusal:
        charged(world)
    assert refusal.value.headers["Retry-After"] == "1"
