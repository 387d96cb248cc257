"""Journey: a company is founded and its licence sent by post; a carrier's system hears of every step, also after it was down.

All over HTTP, against the served city: licence issued → delivery order → tracked → clock moved → webhook received by a
real server → that server down → retried → replayed, with the same ids.
"""

import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from standardwebhooks import Webhook

from tests.events.receiver import Receiver, receiving
from tests.server import RunningServer
from tests.visitor import Visitor

FOUNDER = {"name": "唐月", "id_number": "990102198212050020"}
STEPS = ["post.order.accepted", "post.order.picked-up", "post.order.out-for-delivery", "post.order.delivered"]


class Carrier:
    """A carrier's program: its app's credential, and the webhooks that its developer looks after."""

    def __init__(self, url: str) -> None:
        self.developer = Visitor(url, language="en").sign_up()
        page = self.developer.make_app("company@v1", "post@v1", name="North Road Express")
        self.app_id = urlsplit(page.url).path.rpartition("/")[2]
        found = re.search(r"kt_[0-9a-z]+", page.source)
        assert found
        self.client_id, self.secret = found.group(0), page.with_class("secret")[0].text.strip()
        self.http = httpx.Client(base_url=url, timeout=30)
        answer = self.http.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, auth=(self.client_id, self.secret)
        )
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def call(self, method: str, path: str, body: Any = None, *, expect: int = 200) -> dict[str, Any]:
        """A call of a department's service."""
        answer = self.http.request(method, f"/api{path}", json=body)
        assert answer.status_code == expect, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def manage(self, method: str, path: str, body: Any = None, *, expect: int = 200) -> dict[str, Any]:
        """What the developer does on the platform."""
        answer = self.developer.ask(method, f"/platform/v1{path}", **({} if body is None else {"json": body}))
        assert answer.status_code == expect, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def move_clock(self, duration: str) -> None:
        self.manage("POST", "/sandbox/clock", {"app_id": self.app_id, "advance": duration})

    def found_company(self) -> dict[str, Any]:
        """A new company: its name reserved, registered, its licence issued."""
        name = self.call(
            "POST", "/company/v1/name-reservations",
            {"trade_name": "拾路", "trade_english_name": "Shilu", "industry": "65", "kind": "limited-liability",
             "applicant": FOUNDER},
            expect=201,
        )  # fmt: skip
        return self.call(
            "POST", "/company/v1/registrations",
            {"reservation_number": name["number"], "registered_capital_yuan": 500000, "district_code": "990102",
             "address": "开门市西样区目录街120号3层0306室", "legal_representative": FOUNDER,
             "shareholders": [{**FOUNDER, "share_percent": 100}]},
            expect=201,
        )  # fmt: skip

    def order_delivery(self, code: str) -> str:
        """Have the licence brought to the founder. Returns the number of the mail item."""
        order = self.call(
            "POST", "/post/v1/orders",
            {"item": {"kind": "business-licence", "company_code": code},
             "recipient": {**FOUNDER, "phone": "10000000000"},
             "destination": {"district_code": "990102", "address": "开门市西样区目录街120号3层0306室"},
             "service": "standard"},
            expect=201,
        )  # fmt: skip
        return str(order["number"])

    def deliveries(self, **query: str) -> list[dict[str, Any]]:
        found = self.developer.ask("GET", f"/platform/v1/apps/{self.app_id}/deliveries", params=query)
        items: list[dict[str, Any]] = found.json()["items"]
        return items


@pytest.fixture(scope="module")
def carrier(sandbox: RunningServer) -> Iterator[Carrier]:
    made = Carrier(sandbox.url)
    yield made
    made.http.close()


def told(receiver: Receiver, number: str) -> list[str]:
    """What the receiver accepted of an item, in order of arrival, repetitions left out."""
    messages = {message.id: message for message in receiver.messages if message.status < 300}
    return [one.event["type"] for one in messages.values() if one.event["subject"] == number]


def test_a_licence_on_its_way(carrier: Carrier) -> None:
    registered = carrier.found_company()
    code = registered["code"]
    licence = carrier.call("GET", f"/company/v1/companies/{code}/licence")
    assert (licence["number"], licence["status"]) == (registered["licence_number"], "valid")

    webhooks = f"/apps/{carrier.app_id}/webhooks"
    with receiving() as receiver:
        made = carrier.manage("POST", webhooks, {"url": receiver.url, "types": STEPS}, expect=201)
        place = f"{webhooks}/{made['endpoint_id']}"
        assert carrier.manage("POST", f"{place}/verify")["state"] == "active"

        number = carrier.order_delivery(code)
        receiver.wait_until(lambda: told(receiver, number) == STEPS[:1])
        assert carrier.call("GET", f"/post/v1/orders/{number}/track")["status"] == "accepted"

        carrier.move_clock("PT12H")
        receiver.wait_until(lambda: told(receiver, number) == STEPS[:2])
        carrier.move_clock("P3D")
        receiver.wait_until(lambda: told(receiver, number) == STEPS)
        assert carrier.call("GET", f"/post/v1/orders/{number}/track")["status"] == "delivered"
        for message in receiver.messages:
            event = Webhook(made["secret"]).verify(message.body, message.headers)
            assert event["data"]["number"] == number
        assert [one.event["sequence"] for one in receiver.messages] == ["1", "2", "3", "4"]

    # The carrier's server is down now; the second item travels all the same.
    second = carrier.order_delivery(code)
    carrier.move_clock("P3D")
    for _ in range(300):
        waiting = carrier.deliveries(status="waiting")
        if len(waiting) == len(STEPS) and max(one["attempts"] for one in waiting) >= 1:
            break
        time.sleep(0.1)
    assert {one["subject"] for one in waiting} == {second}
    first = min(waiting, key=lambda one: one["sequence"])
    assert (first["attempts"] > 0, first["last_status"]) == (True, 0)

    with receiving(receiver=receiver):  # up again: what waited comes by itself, in its order
        receiver.wait_until(lambda: told(receiver, second) == STEPS, 60)
        before = receiver.ids
        since = waiting[-1]["created_at"]
        replayed = carrier.manage("POST", f"{place}/replay", {"since": since}, expect=202)["replayed"]
        assert replayed == len(STEPS)
        receiver.wait_until(lambda: len(receiver.ids) == len(before) + replayed)
        assert sorted(receiver.ids[len(before) :]) == sorted(one["event_id"] for one in waiting)
        assert receiver.ids[len(before) :] == before[-replayed:], "the same events, in the same order"
    page = carrier.developer.open(f"/apps/{carrier.app_id}/webhooks/{made['endpoint_id']}")
    assert second in page.text
    feed = carrier.manage("GET", f"/apps/{carrier.app_id}/events")
    assert [one["type"] for one in feed["events"]] == STEPS * 2
