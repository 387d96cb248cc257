"""What the post does: it delivers documents, and only those that the issuing department has really issued."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.city.clock import local_text
from sandbox.city.department import Answer, Call, Department, Event, Refused
from sandbox.city.departments.disability.records import card_of
from sandbox.city.departments.market_regulation.records import (
    COMPANY_BRIEF,
    LICENCE,
    check_code,
    is_connected,
    licence_status,
)
from sandbox.city.departments.post.records import (
    FEES_YUAN,
    ORDER,
    OUTCOMES,
    TOLD,
    events_of,
    expected_at,
    now_of,
    plan_of,
    status_of,
)
from sandbox.city.departments.real_estate.records import CERTIFICATE, settled
from sandbox.city.departments.transport.records import DRIVING_LICENCE
from sandbox.city.departments.transport.records import licence_status as driving_licence_status
from sandbox.city.paging import make_cursor, read_cursor
from sandbox.city.population import identifiers, places
from sandbox.city.residents import CITIZEN
from sandbox.city.state import Record
from sandbox.city.world import World

department = Department("post", "邮政管理局", "Postal Administration", Path(__file__).parent)

_CURSOR_INVALID = "post-cursor-invalid"
_UNDER_WAY = frozenset({"accepted", "in-transit", "out-for-delivery"})
_REDIRECTABLE = frozenset({"accepted", "in-transit"})


def _order(call: Call) -> Record:
    number = str(call.path["number"])
    order = call.world.get(ORDER, number)
    if order is None:
        raise Refused("post-order-not-found", number=number)
    return order


def _shown(world: World, order: Record) -> Record:
    """The order as the contract shows it."""
    status = status_of(world, order)
    shown = {
        "number": order["number"],
        "service": order["service"],
        "status": status,
        "item": order["item"],
        "recipient": {"name": order["recipient"]["name"], "phone": order["recipient"]["phone"]},
        "destination": order["destination"],
        "fee_yuan": order["fee_yuan"],
        "created_at": order["created_at"],
        "is_cancellable": status == "accepted",
        "is_redirectable": status in _REDIRECTABLE,
    }
    if status in _UNDER_WAY:
        shown["expected_at"] = expected_at(order)
    for name in ("cancelled_at", "redirected_at"):
        if name in order:
            shown[name] = order[name]
    if "note" in order:
        shown["note"] = order["note"]
    return shown


@department.operation("createOrder")
def create_order(call: Call) -> Answer:
    body, world = call.body, call.world
    item, recipient, destination = body["item"], body["recipient"], body["destination"]
    document = _DOCUMENTS[item["kind"]](call, item, recipient)
    _check_area(destination)
    under_way = next(
        (one for one in _orders_of(world, item, document) if status_of(world, one) in _UNDER_WAY), None
    )
    if under_way is not None:
        raise Refused("post-order-under-way", number=under_way["number"])
    service = body.get("service", "standard")
    order: Record = {
        "number": _free_number(call),
        "service": service,
        "created_at": local_text(world.now),
        "outcome": OUTCOMES.get(recipient["phone"], "delivered"),
        "item": {**item, "licence_number": document},
        "recipient": recipient,
        "destination": destination,
        "fee_yuan": FEES_YUAN[service],
    }
    if "note" in body:
        order["note"] = body["note"]
    world.put(ORDER, order["number"], order)
    place = f"/api/{call.context.service.replace('@', '/')}/orders/{order['number']}"
    return Answer(_shown(world, order), 201, [(b"location", place.encode())], _told(order, world.now))


def _told(order: Record, since: datetime) -> list[Event]:
    """What subscribers are told of the order from now on, each when it happens."""
    return [
        Event(
            f"post.order.{event['event']}",
            order["number"],
            {
                "number": order["number"],
                "item_kind": order["item"]["kind"],
                **{name: event[name] for name in ("status", "at", "place", "text", "english_text")},
            },
            datetime.fromisoformat(event["at"]),
        )
        for event in plan_of(order)
        if event["event"] in TOLD and event["at"] >= local_text(since)
    ]


def _check_area(destination: dict[str, Any]) -> None:
    if destination["district_code"] not in places.BY_CODE:
        raise Refused("post-area-not-served", district_code=destination["district_code"])


def _orders_of(world: World, item: dict[str, Any], document: str) -> list[Record]:
    """The orders for the same document: those of the base, as the app sees them, and the app's own."""
    known = world.city.all(
        "SELECT d.number FROM delivery d JOIN company c ON c.id = d.company WHERE c.code = ?",
        item.get("company_code", ""),
    )
    orders = {number: world.get(ORDER, number) for (number,) in known}
    orders |= dict(world.changed(ORDER))
    same = (item["kind"], document)
    return [
        one
        for one in orders.values()
        if one is not None and (one["item"]["kind"], one["item"]["licence_number"]) == same
    ]


# --- the documents: what makes each deliverable, and its number -----------------------------------
def _business_licence(call: Call, item: dict[str, Any], recipient: dict[str, Any]) -> str:
    """Of a company that exists, issued and valid today, to somebody of the company."""
    code = _named(item, "company_code")
    licence = _deliverable(call, code)
    _check_recipient(call, recipient)
    if not is_connected(call.world, code, recipient["id_number"]):
        raise Refused("post-recipient-not-entitled", code=code)
    return str(licence["number"])


def _driving_licence(call: Call, item: dict[str, Any], recipient: dict[str, Any]) -> str:
    """To its holder, while it is valid."""
    _check_recipient(call, recipient)
    licence = call.world.get(DRIVING_LICENCE, recipient["id_number"])
    if licence is None:
        raise Refused("post-document-unknown")
    status = driving_licence_status(call.world, licence)
    if status != "valid":
        raise Refused("post-document-not-valid", status=status)
    return str(licence["number"])


def _disability_card(call: Call, item: dict[str, Any], recipient: dict[str, Any]) -> str:
    """To its holder, while it is valid."""
    _check_recipient(call, recipient)
    card = card_of(call.world, recipient["id_number"])
    if card is None:
        raise Refused("post-document-unknown")
    if card["status"] != "valid":
        raise Refused("post-document-not-valid", status=card["status"])
    return str(card["number"])


def _property_certificate(call: Call, item: dict[str, Any], recipient: dict[str, Any]) -> str:
    """The one that holds today, to one of its owners."""
    number = _named(item, "certificate_number")
    _check_recipient(call, recipient)
    certificate = call.world.get(CERTIFICATE, number)
    home = None if certificate is None else settled(call.world, certificate["unit_number"])
    if home is None:
        raise Refused("post-document-unknown")
    if home["certificate_number"] != number:
        raise Refused("post-document-not-valid", status="replaced")
    if all(owner["id_number"] != recipient["id_number"] for owner in home["owners"]):
        raise Refused("post-recipient-not-the-holder")
    return number


_DOCUMENTS = {
    "business-licence": _business_licence,
    "driving-licence": _driving_licence,
    "property-certificate": _property_certificate,
    "disability-card": _disability_card,
}


def _named(item: dict[str, Any], name: str) -> str:
    if name not in item:
        raise Refused("post-item-incomplete", document=item["kind"], member=name)
    return str(item[name])


def _deliverable(call: Call, code: str) -> Record:
    """The licence to deliver: of a company that exists, issued, and valid today."""
    check_code(code, "post-licence-unknown")
    company, licence = call.world.get(COMPANY_BRIEF, code), call.world.get(LICENCE, code)
    if company is None or licence is None:
        raise Refused("post-licence-unknown", code=code)
    status = licence.get("status") or licence_status(call.world, company, licence)
    if status != "valid":
        raise Refused("post-licence-not-valid", code=code, status=status)
    return licence


def _check_recipient(call: Call, recipient: dict[str, Any]) -> None:
    """The recipient is a living citizen of that name."""
    number = recipient["id_number"]
    citizen = call.world.get(CITIZEN, number) if identifiers.is_citizen_number(number) else None
    if citizen is None or citizen["name"] != recipient["name"] or "died_on" in citizen:
        raise Refused("post-recipient-unknown")


def _free_number(call: Call) -> str:
    """The next mail item number of this state: it follows from the state and how many orders there are."""
    count = sum(1 for _ in call.world.changed(ORDER))
    while True:
        digest = hashlib.sha256(f"{call.state_id}:{count}".encode()).digest()
        number = identifiers.mail_number(50_000_000 + int.from_bytes(digest[:4], "big") % 49_000_000)
        if call.world.get(ORDER, number) is None:
            return number
        count += 1


@department.operation("getOrder")
def get_order(call: Call) -> Answer:
    return Answer(_shown(call.world, _order(call)))


@department.operation("listOrders")
def list_orders(call: Call) -> Answer:
    wanted, limit = call.text("status"), call.number("limit", 20)
    after = read_cursor(call.text("cursor"), _CURSOR_INVALID, wanted, form=r"[0-9T:+-]{25} KM[0-9]{9}ZZ")
    orders = [order for _, order in call.world.changed(ORDER) if order is not None]
    orders.sort(key=lambda order: (order["created_at"], order["number"]))
    shown = [
        _shown(call.world, order) for order in orders if f"{order['created_at']} {order['number']}" > after
    ]
    shown = [order for order in shown if wanted in {"", order["status"]}]
    answer: dict[str, Any] = {"items": shown[:limit]}
    if len(shown) > limit:
        last = shown[limit - 1]
        answer["next"] = make_cursor(f"{last['created_at']} {last['number']}", wanted)
    return Answer(answer)


@department.operation("trackOrder")
def track_order(call: Call) -> Answer:
    order, world = _order(call), call.world
    events = events_of(world, order)
    answer: dict[str, Any] = {"number": order["number"], "status": status_of(world, order)}
    if events:
        answer["last_event"] = events[-1]
    if answer["status"] in _UNDER_WAY:
        answer["expected_at"] = expected_at(order)
    return Answer(answer)


@department.operation("listEvents")
def list_events(call: Call) -> Answer:
    order = _order(call)
    limit = call.number("limit", 20)
    after = int(read_cursor(call.text("cursor"), _CURSOR_INVALID, order["number"]) or 0)
    events = events_of(call.world, order)
    answer: dict[str, Any] = {"number": order["number"], "items": events[after : after + limit]}
    if len(events) > after + limit:
        answer["next"] = make_cursor(str(after + limit), order["number"])
    return Answer(answer)


@department.operation("cancelOrder")
def cancel_order(call: Call) -> Answer:
    order, world = _order(call), call.world
    status = status_of(world, order)
    if status == "cancelled":
        return Answer(_shown(world, order))
    if status != "accepted":
        raise Refused("post-order-not-cancellable", number=order["number"], status=status)
    kept = world.kept(ORDER, order["number"]) or order
    moment = local_text(now_of(world, order))
    world.put(ORDER, order["number"], {**kept, "is_cancelled": True, "cancelled_at": moment})
    after = {**order, "cancelled_at": moment}
    return Answer(
        _shown(world, after), events=_told(after, now_of(world, order)), calls_off=[order["number"]]
    )


@department.operation("redirectOrder")
def redirect_order(call: Call) -> Answer:
    order, world, destination = _order(call), call.world, call.body["destination"]
    _check_area(destination)
    if destination == order["destination"]:
        raise Refused("post-destination-same", number=order["number"])
    status = status_of(world, order)
    if status not in _REDIRECTABLE:
        raise Refused("post-order-not-redirectable", number=order["number"], status=status)
    kept = world.kept(ORDER, order["number"]) or order
    now = now_of(world, order)
    new = {"destination": destination, "redirected_at": local_text(now)}
    world.put(ORDER, order["number"], {**kept, **new})
    after = {**order, **new}
    return Answer(_shown(world, after), events=_told(after, now), calls_off=[order["number"]])
