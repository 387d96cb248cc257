"""Plans: the defaults, and that an operator's word on them stands."""

import pytest

from api.catalogue import plans
from api.contract.model import QuotaClass
from api.core.models import ControlChange
from api.core.problems import Refusal
from api.core.store import Stores
from tests.catalogue.conftest import World


async def test_defaults_are_made_once(stores: Stores, world: World) -> None:
    await plans.ensure_plans()
    changes = await ControlChange.filter(kind="plan").count()
    await plans.ensure_plans()
    assert await ControlChange.filter(kind="plan").count() == changes
    names = [plan.name for plan in await plans.plans()]
    assert names == ["trial", "standard", "partner", "internal"]
    for plan in await plans.plans():
        assert set(plan.limits) == {one.value for one in QuotaClass}
        # a batch of 100 reads of the class standard fits at once, and so does one bulk call
        assert plan.limits["standard"].units >= 100 * QuotaClass.STANDARD.weight
        assert plan.limits["bulk"].units >= QuotaClass.BULK.weight


async def test_an_operators_limits_stay(stores: Stores, world: World) -> None:
    await plans.ensure_plans()
    limits = {one.value: {"units": 7, "window_seconds": 60} for one in QuotaClass}
    await plans.set_plan(world.caller("operator"), "trial", title_zh="试", title_en="Try", limits=limits)
    await plans.ensure_plans()
    changed = await plans.plan("trial")
    assert changed is not None
    assert changed.limits["light"].units == 7
    assert changed.title_zh == "试"
    assert await ControlChange.filter(kind="plan", key="trial").count() == 2


@pytest.mark.parametrize(
    ("limits", "pointers"),
    [
        ({}, {"/limits/light", "/limits/standard", "/limits/heavy", "/limits/bulk"}),
        ({**{one.value: {"units": 1, "window_seconds": 1} for one in QuotaClass}, "free": {}}, {"/limits/free"}),
        ({one.value: {"units": 0, "window_seconds": 1} for one in QuotaClass},
         {"/limits/light", "/limits/standard", "/limits/heavy", "/limits/bulk"}),
    ],
)  # fmt: skip
async def test_every_fault_is_told(stores: Stores, world: World, limits: dict, pointers: set[str]) -> None:
    with pytest.raises(Refusal) as refused:
        await plans.set_plan(world.caller("operator"), "x", title_zh="一", title_en="One", limits=limits)
    assert {error["pointer"] for error in refused.value.errors} == pointers


async def test_nobody_else_sets_plans(stores: Stores, world: World) -> None:
    department = world.organisation("department")
    owner = world.person(**{department: "owner"})
    limits = {one.value: {"units": 7, "window_seconds": 60} for one in QuotaClass}
    for who in (owner, "anonymous"):
        with pytest.raises(Refusal):
            await plans.set_plan(world.caller(who), "trial", title_zh="试", title_en="Try", limits=limits)
