"""The post: what it delivers depends on the department that issued it, and each step is told when its time comes."""

from typing import Any

import pytest

from api.core.store import placeholders, plane
from sandbox.city.departments.real_estate.records import HOME
from sandbox.city.departments.transport.records import DRIVING_LICENCE
from sandbox.city.population import personas
from tests.sandbox.conftest import Client
from tests.sandbox.departments.changing import change

GUO = personas.number_of("guo-wei")
ZHAO = personas.number_of("zhao-lei")
DEED = "虚（2023）开门市不动产权第0000006号"
NEW_PLACE = {"district_code": "990105", "address": "开门市样湖新区网关路200号12层1208室"}


def order_of(kind: str, name: str, number: str, **more: str) -> dict[str, Any]:
    phone = more.pop("phone", "10000000000")
    return {
        "item": {"kind": kind, **more},
        "recipient": {"name": name, "id_number": number, "phone": phone},
        "destination": {"district_code": "990106", "address": "开门市样山县虚舟路15号1幢1单元301室"},
    }


async def told(app: Client, number: str) -> list[tuple[str, int]]:
    """Type and moment of what stands in the outbox for this order, by moment."""

    connection = plane("sandbox")
    mark = placeholders(connection, 1)
    _, rows = await connection.execute_query(
        f"SELECT type, due_at FROM event WHERE subject = {mark}",
        [number],
    )
    return sorted(((row["type"], int(row["due_at"])) for row in rows), key=lambda entry: entry[1])


async def test_a_driving_licence_is_delivered_while_it_is_valid(app: Client, other_app: Client) -> None:
    body = order_of("driving-licence", "郭卫", GUO)
    await change(app, DRIVING_LICENCE, GUO, points=12)
    refused = await app("post/createOrder", body=body)
    assert (refused.body["rule"], refused.body["status"]) == ("post-document-not-valid", 422)
    taken = await other_app("post/createOrder", body=body)
    assert (taken.status, taken.body["item"]["licence_number"]) == (201, GUO)


async def test_a_property_certificate_goes_to_an_owner_as_long_as_it_holds(app: Client) -> None:
    body = order_of("property-certificate", "赵磊", ZHAO, certificate_number=DEED)
    assert (await app("post/createOrder", body=body)).status == 201
    again = await app("post/createOrder", body=body)
    assert again.body["rule"] == "post-order-under-way"
    unit = "990101001001GB00006F00000006"
    await change(
        app,
        HOME,
        unit,
        owners=[{"name": "徐然", "id_number": personas.number_of("xu-ran"), "share_percent": 100}],
    )
    assert (await app("post/createOrder", body=body)).body["rule"] == "post-recipient-not-the-holder"
    await change(app, HOME, unit, certificate_number="虚（2026）开门市不动产权第8000001号")
    assert (await app("post/createOrder", body=body)).body["rule"] == "post-document-not-valid"


@pytest.mark.parametrize(
    ("phone", "last"),
    [
        ("10000000000", ["out-for-delivery", "delivered"]),
        ("10000000001", ["out-for-delivery", "attempt-failed", "delivered"]),
        ("10000000002", ["out-for-delivery", "attempt-failed", "returned"]),
    ],
)
async def test_each_step_is_told_at_its_time(app: Client, phone: str, last: list[str]) -> None:
    order = (await app("post/createOrder", body=order_of("driving-licence", "郭卫", GUO, phone=phone))).body
    events = await told(app, order["number"])
    assert [kind for kind, _ in events] == [f"post.order.{name}" for name in ("accepted", "picked-up", *last)]
    seen = (await app("post/listEvents", number=order["number"], clock="2026-07-20T12:00:00+08:00")).body[
        "items"
    ]
    assert [one["event"] for one in seen][-len(last) :] == last


async def test_a_cancelled_order_tells_nothing_more(app: Client) -> None:
    order = (await app("post/createOrder", body=order_of("driving-licence", "郭卫", GUO))).body
    cancelled = await app("post/cancelOrder", number=order["number"])
    assert cancelled.body["status"] == "cancelled"
    kinds = [kind for kind, _ in await told(app, order["number"])]
    assert "post.order.cancelled" in kinds
    assert "post.order.delivered" not in kinds
    assert "post.order.picked-up" not in kinds


async def test_a_redirected_order_arrives_at_the_other_place_at_the_same_time(app: Client) -> None:
    order = (await app("post/createOrder", body=order_of("driving-licence", "郭卫", GUO))).body
    assert order["is_redirectable"]
    before = dict(await told(app, order["number"]))
    later = "2026-06-30T16:00:00+08:00"
    moved = await app(
        "post/redirectOrder", number=order["number"], body={"destination": NEW_PLACE}, clock=later
    )
    assert (moved.status, moved.body["destination"], moved.body["status"]) == (200, NEW_PLACE, "in-transit")
    after = dict(await told(app, order["number"]))
    assert after["post.order.delivered"] == before["post.order.delivered"]
    assert "post.order.redirected" in after
    arrived = (await app("post/trackOrder", number=order["number"], clock="2026-07-03T12:00:00+08:00")).body
    assert (arrived["status"], arrived["last_event"]["place"]) == ("delivered", "样湖新区")
    late = await app(
        "post/redirectOrder",
        number=order["number"],
        body={"destination": NEW_PLACE | {"address": "另一处住所"}},
        clock="2026-07-03T12:00:00+08:00",
    )
    assert late.body["rule"] == "post-order-not-redirectable"


async def test_a_disability_card_is_delivered_until_it_is_cancelled(app: Client, other_app: Client) -> None:
    body = order_of("disability-card", "冯婷", personas.number_of("feng-ting"))
    assert (await app("post/createOrder", body=body)).status == 201
    late = await other_app("post/createOrder", body=body, clock="2046-06-30T12:00:00+08:00")
    assert late.body["rule"] == "post-document-not-valid"
