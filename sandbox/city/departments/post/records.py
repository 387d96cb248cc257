"""Records of the post: orders to deliver a document. Keys are mail item numbers."""

from datetime import datetime, timedelta
from typing import Any

from sandbox.city.base import City
from sandbox.city.clock import local_text
from sandbox.city.population import places
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

DEPARTMENT = "post"
FEES_YUAN = {"standard": 12, "express": 22}

# (hours after the order, event, status from then on)
_ROUTE = {
    "standard": (
        (3, "picked-up"),
        (9, "sorted"),
        (14, "departed"),
        (26, "arrived"),
        (40, "out-for-delivery"),
    ),
    "express": ((1, "picked-up"), (3, "sorted"), (5, "departed"), (12, "arrived"), (18, "out-for-delivery")),
}
_LAST = {
    "delivered": (("delivered", 3),),
    "second-attempt": (("attempt-failed", 3), ("delivered", 27)),
    "returned": (("attempt-failed", 3), ("returned", 75)),
}
OUTCOMES = {
    "10000000001": "second-attempt",
    "10000000002": "returned",
}  # by the recipient's phone; others: delivered
TOLD = frozenset(
    {
        "accepted",
        "picked-up",
        "out-for-delivery",
        "attempt-failed",
        "delivered",
        "returned",
        "redirected",
        "cancelled",
    }
)  # which events subscribers are told of, each a webhook post.order.…
_STATUS = {
    "accepted": "accepted", "picked-up": "in-transit", "sorted": "in-transit", "departed": "in-transit",
    "arrived": "in-transit", "out-for-delivery": "out-for-delivery", "attempt-failed": "out-for-delivery",
    "delivered": "delivered", "returned": "returned", "cancelled": "cancelled",
    "redirected": "in-transit",
}  # fmt: skip
_TEXTS = {
    "accepted": ("已收寄申请", "Order accepted"),
    "picked-up": ("已揽收", "Picked up from the authority"),
    "sorted": ("已分拣", "Sorted"),
    "departed": ("已离开处理中心", "Left the sorting centre"),
    "arrived": ("已到达投递站", "Arrived at the delivery office"),
    "out-for-delivery": ("正在投递", "Out for delivery"),
    "attempt-failed": ("收件人不在，投递未成功", "Nobody was at home; delivery failed"),
    "delivered": ("已签收", "Delivered and signed for"),
    "returned": ("已退回发证机关", "Returned to the authority"),
    "cancelled": ("已取消", "Cancelled"),
    "redirected": ("已改投新地址", "Sent on to another address"),
}


def _read_order(city: City, number: str) -> Record | None:
    row = city.one(
        "SELECT d.service, d.created_at, d.outcome, c.code, l.number, p.name, p.number, h.district, h.address "
        "FROM delivery d JOIN company c ON c.id = d.company JOIN licence l ON l.company = c.id "
        "JOIN citizen p ON p.id = d.recipient JOIN household h ON h.id = p.household WHERE d.number = ?",
        number,
    )
    if row is None:
        return None
    return {
        "number": number,
        "service": row[0],
        "created_at": row[1],
        "outcome": row[2],
        "item": {"kind": "business-licence", "company_code": row[3], "licence_number": row[4]},
        "recipient": {"name": row[5], "id_number": row[6], "phone": PHONE},
        "destination": {"district_code": row[7], "address": row[8]},
        "fee_yuan": FEES_YUAN[row[0]],
    }


PHONE = "10000000000"  # eleven digits that no mobile number begins with: 10 is not assigned to any
ORDER = Kind("order", DEPARTMENT, _read_order)


def now_of(world: World, order: Record) -> datetime:
    """The time as far as this order goes: the world's, unless a scenario gives the order an age of its own."""
    if "age_minutes" not in order:
        return world.now
    return datetime.fromisoformat(order["created_at"]) + timedelta(minutes=order["age_minutes"])


def plan_of(order: Record) -> list[dict[str, Any]]:
    """All that happens to the item, oldest first, also what lies in the future: it follows from the order."""
    created = datetime.fromisoformat(order["created_at"])
    plan = [(created, "accepted")]
    hours = 0
    for hours, event in _ROUTE[order["service"]]:
        plan.append((created + timedelta(hours=hours), event))
    for event, later in _LAST[order["outcome"]]:
        plan.append((created + timedelta(hours=hours + later), event))
    if "redirected_at" in order:
        plan.append((datetime.fromisoformat(order["redirected_at"]), "redirected"))
        plan.sort(key=lambda entry: entry[0])
    if "cancelled_at" in order:
        cancelled = datetime.fromisoformat(order["cancelled_at"])
        plan = [*((moment, event) for moment, event in plan if moment < cancelled), (cancelled, "cancelled")]
    where = places.BY_CODE.get(order["destination"]["district_code"])
    status, told = "accepted", []
    for moment, event in plan:
        if event != "redirected" or status != "accepted":  # before pick-up it is still where it was
            status = _STATUS[event]
        is_near = event in {"arrived", "out-for-delivery", "attempt-failed", "delivered"}
        told.append(
            {
                "event": event,
                "status": status,
                "at": local_text(moment),
                "place": where.zh if where and is_near else places.CITY[0],
                "text": _TEXTS[event][0],
                "english_text": _TEXTS[event][1],
            }
        )
    return told


def events_of(world: World, order: Record) -> list[dict[str, Any]]:
    """What has happened to the item until now, oldest first."""
    now = now_of(world, order)
    return [event for event in plan_of(order) if datetime.fromisoformat(event["at"]) <= now]


def expected_at(order: Record) -> str:
    """When the item should arrive, RFC 3339."""
    hours = _ROUTE[order["service"]][-1][0] + 3
    return local_text(datetime.fromisoformat(order["created_at"]) + timedelta(hours=hours))


def status_of(world: World, order: Record) -> str:
    """accepted, in-transit, out-for-delivery, delivered, returned or cancelled, as of the clock."""
    events = events_of(world, order)
    return str(events[-1]["status"]) if events else "accepted"
