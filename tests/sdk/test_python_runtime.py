"""The hand-written core of the Python SDK: values, addresses, pages, bodies."""

import dataclasses
import datetime as dt
import io
from decimal import Decimal
from typing import Any

import httpx
import pytest

from sdk.python.runtime import values
from sdk.python.runtime.address import Param, address
from sdk.python.runtime.calls import Calls, Operation, PageNames
from sdk.python.runtime.config import Facts, Need, Send, config_of
from sdk.python.runtime.errors import KaimenError
from sdk.python.runtime.pages import following, values_at
from sdk.python.runtime.values import UNSET, Member, Model, UnknownVariant, Variants, decode, encode


class Colour(values.OpenStr):
    RED = "red"


@dataclasses.dataclass(kw_only=True, repr=False)
class Thing(Model):
    made_on: dt.date
    price: Decimal | None = None
    colour: Colour | None = None
    note: str | values.Unset | None = UNSET
    pin: str | None = None
    additional_properties: dict[str, Any] = dataclasses.field(default_factory=dict)

    MEMBERS_ = (
        Member("made_on", "madeOn", "d"),
        Member("price", "price", "n"),
        Member("colour", "colour", ("e", "Colour")),
        Member("note", "note", "", False, True),
        Member("pin", "pin", "", True),
    )


TYPES = {
    "Thing": Thing,
    "Colour": Colour,
    "VARIANTS_": {
        "Tagged": Variants("kind", (("Thing", ("thing",), ()),)),
        "Shaped": Variants("", (("Thing", (), ("madeOn",)),)),
    },
}


def test_values_come_and_go() -> None:
    wire = {"madeOn": "2026-06-30", "price": "12.30", "colour": "red", "note": None, "new": {"deep": [1]}}
    thing = decode(("o", "Thing"), wire, TYPES)
    assert (thing.made_on, thing.price, thing.colour) == (dt.date(2026, 6, 30), Decimal("12.30"), Colour.RED)
    assert thing["new"] == {"deep": [1]}
    assert thing.to_dict() == wire
    assert Thing.from_dict(wire) == thing


def test_what_is_absent_stays_absent_and_null_is_sent_where_it_means_something() -> None:
    assert Thing(made_on=dt.date(2026, 1, 2)).to_dict() == {"madeOn": "2026-01-02"}
    assert Thing(made_on=dt.date(2026, 1, 2), note=None).to_dict() == {"madeOn": "2026-01-02", "note": None}


def test_values_that_the_contract_does_not_know_are_kept() -> None:
    thing = decode(("o", "Thing"), {"madeOn": "****-06-30", "colour": "teal", "price": "n/a"}, TYPES)
    assert thing.made_on == "****-06-30"
    assert thing.price == "n/a"
    assert isinstance(thing.colour, Colour)
    assert thing.colour == "teal"
    assert thing.to_dict() == {"madeOn": "****-06-30", "colour": "teal", "price": "n/a"}


def test_unions_are_told_apart_by_their_tag_or_by_their_members() -> None:
    assert isinstance(decode(("u", "Tagged"), {"kind": "thing", "madeOn": "2026-01-02"}, TYPES), Thing)
    other = decode(("u", "Tagged"), {"kind": "other", "x": 1}, TYPES)
    assert isinstance(other, UnknownVariant)
    assert other.to_dict() == {"kind": "other", "x": 1}
    assert isinstance(decode(("u", "Shaped"), {"madeOn": "2026-01-02"}, TYPES), Thing)
    assert isinstance(decode(("u", "Shaped"), {"y": 1}, TYPES), UnknownVariant)


def test_sensitive_members_are_not_shown() -> None:
    shown = repr(Thing(made_on=dt.date(2026, 1, 2), pin="S-1234"))
    assert "S-1234" not in shown
    assert "***" in shown


def test_a_time_without_a_zone_is_sent_with_one() -> None:
    sent = encode(dt.datetime(2026, 6, 30, 9, 0))  # noqa: DTZ001 - what a user writes
    assert dt.datetime.fromisoformat(sent).tzinfo is not None


@pytest.mark.parametrize(
    ("param", "value", "wanted"),
    [
        (Param("ids", "query", "form", explode=True), ["a", "b,c"], "ids=a&ids=b%2Cc"),
        (Param("ids", "query", "form", explode=False), ["a", "b,c"], "ids=a,b%2Cc"),
        (Param("ids", "query", "pipeDelimited", explode=False), ["a", "b"], "ids=a%7Cb"),
        (Param("ids", "query", "spaceDelimited", explode=False), ["a", "b"], "ids=a%20b"),
        (Param("f", "query", "deepObject", explode=True), {"x": 1, "y": True}, "f%5Bx%5D=1&f%5By%5D=true"),
        (Param("f", "query", "form", explode=True), {"x": "1&2"}, "x=1%262"),
        (Param("f", "query", "form", explode=True, is_json=True), {"x": "甲"}, "f=%7B%22x%22%3A%22%E7%94%B2%22%7D"),
        (Param("on", "query", "form", explode=True), dt.date(2026, 1, 2), "on=2026-01-02"),
    ],
)  # fmt: skip
def test_parameters_are_serialised_as_the_contract_says(param: Param, value: Any, wanted: str) -> None:
    assert address("/x", [param], [value]) == (f"/x?{wanted}", {})
    assert address("/x", [param], [None]) == ("/x", {})


def test_headers_hold_no_line_ends() -> None:
    param = Param("X-Note", "header", "simple", explode=False)
    assert address("/x", [param], ["甲"])[1] == {"x-note": "%E7%94%B2"}
    with pytest.raises(ValueError, match="control"):
        address("/x", [param], ["a\r\nevil: 1"])


@pytest.mark.parametrize(
    ("style", "size", "count", "start", "wanted"),
    [
        ("offset", 10, 10, None, 10),
        ("offset", 10, 10, 20, 30),
        ("offset", 10, 3, 20, None),
        ("offset", None, 0, 20, None),
        ("page", 10, 10, None, 2),
        ("page", None, 7, 3, 4),
    ],
)
def test_lists_by_offset_and_by_page_end(
    style: str, size: int | None, count: int, start: int | None, wanted: int | None
) -> None:
    params = (
        Param("start", "query", "form", explode=True),
        Param("size", "query", "form", explode=True),
    )
    names = PageNames(style, "start", "size", "", "")
    operation: Operation[Any] = Operation("GET", "/x", params, pages=names)
    given, at = values_at(operation, [None, size], start)
    assert following(operation, given, at, ["x"] * count) == (["x"] * count, wanted)


def test_a_cursor_that_does_not_move_ends_the_list() -> None:
    operation: Operation[Any] = Operation("GET", "/x", pages=PageNames("cursor", "c", "", "note", "pin"))
    page = Thing(made_on=dt.date(2026, 1, 2), pin="same")
    assert following(operation, [], "same", page)[1] is None
    assert following(operation, [], "other", page)[1] == "same"


def calls() -> Calls:
    config = config_of(
        Facts("x", "1", (), TYPES), client_id="a", client_secret="b", private_key=None, base_url="http://x.example",
        dpop=False, timeout=30, max_retries=2, scopes=None, scenario=None, headers=None,
    )  # fmt: skip
    return Calls(config, Facts("x", "1", (), TYPES))


def first_request(operation: Operation[Any], body: Any) -> httpx.Request:
    flow = calls().open(operation, (), body, None)
    assert isinstance(next(flow), Need)
    step = flow.send("at")
    assert isinstance(step, Send)
    return step.request


def test_a_form_with_files() -> None:
    operation: Operation[Any] = Operation("POST", "/x", body="multipart", media_type="multipart/form-data")
    body = {
        "note": "甲",
        "list": ["a", "b"],
        "file": ("a.txt", b"--boundary+++"),
        "stream": io.BytesIO(b"bytes"),
    }
    request = first_request(operation, body)
    sent = b"".join(request.stream)  # type: ignore[arg-type]  # synchronous
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'filename="a.txt"' in sent
    assert sent.count(b'name="list"') == 2
    assert "甲".encode() in sent


def test_a_url_encoded_form() -> None:
    kind = "application/x-www-form-urlencoded"
    operation: Operation[Any] = Operation("POST", "/x", body="form", media_type=kind)
    request = first_request(operation, {"a": "1 2", "b": [True, Decimal("1.50")], "c": None})
    assert request.content == b"a=1+2&b=true&b=1.50"
    assert request.headers["content-type"] == kind


def test_what_is_streamed_is_not_sent_twice() -> None:
    operation: Operation[Any] = Operation("PUT", "/x", body="raw", media_type="x/y", is_idempotent=True)
    flow = calls().open(operation, (), iter([b"a"]), None)
    next(flow)
    flow.send("at")
    with pytest.raises(KaimenError):
        flow.send(httpx.Response(503, headers={"retry-after": "0"}))
