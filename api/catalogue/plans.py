"""Plans: how many quota units of each class an app may spend in a window. Which app has which plan is identity's.

A call costs the weight of its operation's quota class times the items asked for (design §2); `limit`
charges it. Units refill evenly over the window (GCRA), so `units` is also the largest burst.
"""

from typing import Any

import msgspec
from msgspec import Struct

from api.catalogue.inputs import clean_text
from api.catalogue.models import Plan
from api.catalogue.permissions import check_can_set_plan
from api.contract.model import QuotaClass
from api.core import audit
from api.core.caller import Caller
from api.core.problem_types_platform import INPUT_INVALID
from api.core.problems import Refusal

MINUTE, HOUR = 60, 3600


class Quota(Struct, frozen=True, forbid_unknown_fields=True):
    """Units of one quota class in one window."""

    units: int
    window_seconds: int


class PlanView(Struct, frozen=True):
    """A plan as it is shown; `limits` maps a quota class to its quota."""

    name: str
    title_zh: str
    title_en: str
    limits: dict[str, Quota]


def _limits(light: int, standard: int, heavy: int, bulk: int) -> dict[str, Quota]:
    """Light, standard and heavy are per minute; bulk is per hour, one export costing 50 units."""
    return {
        "light": Quota(light, MINUTE),
        "standard": Quota(standard, MINUTE),
        "heavy": Quota(heavy, MINUTE),
        "bulk": Quota(bulk, HOUR),
    }


# A batch of 100 reads of the class standard costs 200 units at once: even the smallest plan lets it pass.
DEFAULT_PLANS = (
    PlanView("trial", "试用", "Trial", _limits(240, 240, 100, 500)),
    PlanView("standard", "标准", "Standard", _limits(600, 600, 300, 5_000)),
    PlanView("partner", "合作", "Partner", _limits(6_000, 6_000, 3_000, 50_000)),
    PlanView("internal", "政务内部", "Government", _limits(60_000, 60_000, 30_000, 500_000)),
)


async def ensure_plans() -> None:
    """Make the default plans that are missing. A plan that an operator changed stays as it is."""
    known = {plan.name for plan in await Plan.all()}
    for plan in DEFAULT_PLANS:
        if plan.name not in known:
            async with audit.write("operator:local", "plan:create", f"plan/{plan.name}") as entry:
                limits = msgspec.to_builtins(plan.limits)
                row = {"title_zh": plan.title_zh, "title_en": plan.title_en, "limits": limits}
                await Plan.get_or_create(name=plan.name, defaults=row)
                entry.detail["limits"] = limits
                entry.changed("plan", plan.name)


async def plans() -> list[PlanView]:
    """All plans, the smallest first."""
    views = [view_of(plan) for plan in await Plan.all()]
    return sorted(views, key=lambda plan: (plan.limits["standard"].units, plan.name))


async def plan(name: str) -> PlanView | None:
    """One plan, None when there is none of this name."""
    row = await Plan.get_or_none(name=name)
    return view_of(row) if row else None


def view_of(row: Plan) -> PlanView:
    """A stored plan as it is shown."""
    limits = msgspec.convert(row.limits, dict[str, Quota])
    return PlanView(row.name, row.title_zh, row.title_en, limits)


async def set_plan(
    caller: Caller, name: str, *, title_zh: str, title_en: str, limits: dict[str, dict[str, Any]]
) -> PlanView:
    """Make or change a plan; every process limits by it within its polling interval.

    `limits` names every quota class. Errors: permission-denied (operators and administrators only),
    input-invalid with a pointer for each fault.
    """
    check_can_set_plan(caller)
    quotas = _checked(limits)
    title_zh = clean_text("/title_zh", title_zh, minimum=1, maximum=100)
    title_en = clean_text("/title_en", title_en, minimum=1, maximum=100)
    async with audit.write(caller.actor, "plan:set", f"plan/{name}", limits=limits) as entry:
        values = {"title_zh": title_zh, "title_en": title_en, "limits": limits}
        row, is_new = await Plan.get_or_create(name=name, defaults=values)
        if not is_new:
            await Plan.filter(name=name).update(**values)
        entry.changed("plan", name)
    return PlanView(row.name, title_zh, title_en, quotas)


def _checked(limits: dict[str, dict[str, Any]]) -> dict[str, Quota]:
    errors = []
    quotas: dict[str, Quota] = {}
    for quota_class in QuotaClass:
        pointer = f"/limits/{quota_class.value}"
        try:
            quota = msgspec.convert(limits.get(quota_class.value), Quota)
        except msgspec.ValidationError as error:
            errors.append({"pointer": pointer, "message": str(error)})
            continue
        if not (1 <= quota.units <= 10**9 and 1 <= quota.window_seconds <= 86_400):
            errors.append(
                {"pointer": pointer, "message": "units 1 to 1,000,000,000; window_seconds 1 to 86,400"}
            )
        quotas[quota_class.value] = quota
    errors += [
        {"pointer": f"/limits/{name}", "message": "is no quota class"} for name in set(limits) - set(quotas)
        if name not in {one.value for one in QuotaClass}
    ]  # fmt: skip
    if errors:
        raise Refusal(INPUT_INVALID, errors=tuple(errors), count=len(errors))
    return quotas
