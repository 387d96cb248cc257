"""Records of the hotline 12345: cases by number. A case goes its way by the clock: assigned, answered, closed."""

from datetime import datetime, timedelta
from typing import Any

from sandbox.city.base import City
from sandbox.city.clock import local_text
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

DEPARTMENT = "hotline"
TOPICS = {
    # topic: (department that answers, its name, English name)
    "noise": ("ecology", "生态环境局", "Ecology Bureau"),
    "water-quality": ("ecology", "生态环境局", "Ecology Bureau"),
    "bus": ("transport", "交通运输局", "Transport Bureau"),
    "supply": ("utilities", "公用事业局", "Public Utilities"),
    "consumer": ("market-regulation", "市场监督管理局", "Market Regulation Bureau"),
    "safety": ("emergency", "应急管理局", "Emergency Management Bureau"),
    "culture": ("culture-tourism", "文化和旅游局", "Culture and Tourism Bureau"),
}
_ASSIGNED, _ANSWERED, _CLOSED = timedelta(hours=2), timedelta(days=5), timedelta(days=15)
_KNOWN: dict[str, Record] = {
    "RX2026062000000001": {
        "number": "RX2026062000000001",
        "topic": "noise",
        "title": "夜间施工噪声",
        "text": "样本路工地夜间十一点后仍在施工，影响休息。",
        "district_code": "990101",
        "is_public": True,
        "submitted_at": "2026-06-20T22:41:00+08:00",
        "notes": [],
    },
    "RX2026062800000002": {
        "number": "RX2026062800000002",
        "topic": "bus",
        "title": "希望7路增加早班车",
        "text": "早上六点前没有7路车，上早班不方便。",
        "district_code": "990103",
        "is_public": True,
        "submitted_at": "2026-06-28T08:15:00+08:00",
        "notes": [],
    },
    "RX2026062900000003": {
        "number": "RX2026062900000003",
        "topic": "consumer",
        "title": "预付卡不退费",
        "text": "餐饮店停业，预付卡余额不予退还。",
        "district_code": "990103",
        "company_code": "91990103MA000004XB",
        "is_public": False,
        "submitted_at": "2026-06-29T16:02:00+08:00",
        "notes": [],
    },
}


def _read_case(city: City, number: str) -> Record | None:
    return _KNOWN.get(number)


CASE = Kind("case", DEPARTMENT, _read_case)


def steps_of(case: Record) -> list[tuple[datetime, str]]:
    """When the case reaches which status, also in the future."""
    begun = datetime.fromisoformat(case["submitted_at"])
    if "withdrawn_at" in case:
        return [(begun, "submitted"), (datetime.fromisoformat(case["withdrawn_at"]), "withdrawn")]
    answered = begun + _ANSWERED
    rated = case.get("rating")
    if rated is not None and rated["is_resolved"] is False:  # handled again: three more days
        again = datetime.fromisoformat(rated["at"])
        answered = again + timedelta(days=3)
        return [(begun, "submitted"), (begun + _ASSIGNED, "assigned"), (again, "reopened"), (answered, "answered"),
                (answered + _CLOSED, "closed")]  # fmt: skip
    closed = datetime.fromisoformat(rated["at"]) if rated is not None else begun + _CLOSED
    return [(begun, "submitted"), (begun + _ASSIGNED, "assigned"), (answered, "answered"), (closed, "closed")]


def status_of(world: World, case: Record) -> str:
    """submitted, assigned, answered, reopened, closed or withdrawn, as of the clock."""
    return [status for moment, status in steps_of(case) if moment <= world.now][-1]


def reply_of(world: World, case: Record) -> dict[str, Any] | None:
    """What the department has answered, None as long as it has not."""
    for moment, status in reversed(steps_of(case)):
        if status == "answered" and moment <= world.now:
            department = TOPICS[case["topic"]]
            return {
                "department": department[1],
                "at": local_text(moment),
                "text": f"您反映的“{case['title']}”已由{department[1]}现场核查处理，感谢监督。",
            }
    return None


def cases_of(world: World) -> list[Record]:
    """All cases that this app sees, by number."""
    found = {number: world.get(CASE, number) for number in _KNOWN} | dict(world.changed(CASE))
    return [case for _, case in sorted(found.items()) if case is not None]
