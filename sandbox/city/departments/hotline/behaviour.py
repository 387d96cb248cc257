"""What the hotline 12345 does: it takes a case, gives it to the department whose matter it is, and brings the answer.

A case about a company is taken where market regulation knows the company; one about a company that is no longer
active goes to the courts, not to the hotline.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.city.clock import local_day, local_text
from sandbox.city.department import Answer, Call, Department, Event, Refused
from sandbox.city.departments.hotline.records import (
    CASE,
    TOPICS,
    cases_of,
    reply_of,
    status_of,
    steps_of,
)
from sandbox.city.departments.market_regulation.records import COMPANY_BRIEF
from sandbox.city.numbering import created, next_number
from sandbox.city.paging import make_cursor, read_cursor
from sandbox.city.population import places
from sandbox.city.state import Record

department = Department(
    "hotline", "12345政务服务便民热线", "Hotline 12345", Path(__file__).parent, protocol="http"
)

_CURSOR_INVALID = "hotline-cursor-invalid"
_SAME_WITHIN = timedelta(days=7)
_MOST_NOTES = 10
_OPEN = frozenset({"submitted", "assigned", "reopened"})


def _case(call: Call) -> Record:
    number = str(call.path["number"])
    case = call.world.get(CASE, number)
    if case is None:
        raise Refused("hotline-case-not-found", number=number)
    return case


def _brief(call: Call, case: Record) -> dict[str, Any]:
    shown = {name: case[name] for name in ("number", "topic", "title", "district_code", "submitted_at")}
    shown |= {"department": TOPICS[case["topic"]][1], "status": status_of(call.world, case)}
    reply = reply_of(call.world, case)
    if reply is not None:
        shown["reply"] = reply
    if "rating" in case:
        shown["stars"] = case["rating"]["stars"]
    return shown


def _whole(call: Call, case: Record) -> dict[str, Any]:
    shown = {
        **_brief(call, case),
        "text": case["text"],
        "is_public": case["is_public"],
        "notes": case["notes"],
    }
    if "company_code" in case:
        shown["company_code"] = case["company_code"]
    return shown


@department.operation("submitCase")
def submit_case(call: Call) -> Answer:
    body, world = call.body, call.world
    if body["district_code"] not in places.BY_CODE:
        raise Refused("hotline-not-our-city", district_code=body["district_code"])
    if "company_code" in body:
        _check_company(call, body["company_code"])
    for other in cases_of(world):
        is_recent = world.now - datetime.fromisoformat(other["submitted_at"]) <= _SAME_WITHIN
        same = (other["topic"], other["title"]) == (body["topic"], body["title"])
        if same and is_recent and status_of(world, other) in _OPEN:
            raise Refused("hotline-case-twice", number=other["number"])
    number = next_number(call, CASE, f"RX{local_day(world.now):%Y%m%d}", 8)
    case = {"is_public": False, **body, "number": number, "submitted_at": local_text(world.now), "notes": []}
    world.put(CASE, number, case)
    return created(call, f"cases/{number}", _whole(call, case), _told(case, world.now))


def _check_company(call: Call, code: str) -> None:
    company = call.world.get(COMPANY_BRIEF, code)
    if company is None:
        raise Refused("hotline-company-unknown", code=code)
    if company["status"] != "active":
        raise Refused("hotline-company-gone", code=code)


def _told(case: Record, since: datetime) -> list[Event]:
    """What subscribers are told of from now on: that it was assigned, answered and closed."""
    return [
        Event(
            f"hotline.case.{status}",
            case["number"],
            {"number": case["number"], "topic": case["topic"], "status": status, "at": local_text(moment)},
            moment,
        )
        for moment, status in steps_of(case)
        if moment >= since and status in {"assigned", "answered", "closed"}
    ]


@department.operation("getCase")
def get_case(call: Call) -> Answer:
    return Answer(_whole(call, _case(call)))


@department.operation("listPublicCases")
def list_public_cases(call: Call) -> Answer:
    topic, district, limit = call.text("topic"), call.text("district"), call.number("limit", 20)
    after = read_cursor(call.text("cursor"), _CURSOR_INVALID, topic, district, form="RX[0-9]{16}")
    cases = [
        case
        for case in cases_of(call.world)
        if case["is_public"]
        and case["number"] > after
        and topic in {"", case["topic"]}
        and district in {"", case["district_code"]}
        and status_of(call.world, case) != "withdrawn"
    ]
    answer: dict[str, Any] = {"items": [_brief(call, case) for case in cases[:limit]]}
    if len(cases) > limit:
        answer["next"] = make_cursor(cases[limit - 1]["number"], topic, district)
    return Answer(answer)


@department.operation("addNote")
def add_note(call: Call) -> Answer:
    case, world = _case(call), call.world
    status = status_of(world, case)
    if status not in _OPEN:
        raise Refused("hotline-case-closed", number=case["number"], found=status)
    if len(case["notes"]) >= _MOST_NOTES:
        raise Refused("hotline-notes-full", number=case["number"], most=_MOST_NOTES)
    kept = world.kept(CASE, case["number"]) or case
    notes = [*kept["notes"], {"at": local_text(world.now), "text": call.body["text"]}]
    world.put(CASE, case["number"], {**kept, "notes": notes})
    return created(call, f"cases/{case['number']}", _whole(call, {**case, "notes": notes}))


@department.operation("rateCase")
def rate_case(call: Call) -> Answer:
    case, world, body = _case(call), call.world, call.body
    status = status_of(world, case)
    if status in {*_OPEN, "withdrawn"}:
        raise Refused("hotline-not-answered", number=case["number"], found=status)
    if "rating" in case:
        raise Refused("hotline-rated", number=case["number"])
    rating = {"stars": body["stars"], "is_resolved": body["is_resolved"], "at": local_text(world.now)}
    kept = world.kept(CASE, case["number"]) or case
    world.put(CASE, case["number"], {**kept, "rating": rating})
    after = {**case, "rating": rating}
    events = _told(after, world.now)
    return Answer(_whole(call, after), 201, events=events, calls_off=[case["number"]])


@department.operation("withdrawCase")
def withdraw_case(call: Call) -> Answer:
    case, world = _case(call), call.world
    status = status_of(world, case)
    if status == "withdrawn":
        return Answer(_whole(call, case))
    if status not in _OPEN:
        raise Refused("hotline-case-closed", number=case["number"], found=status)
    kept = world.kept(CASE, case["number"]) or case
    moment = local_text(world.now)
    world.put(CASE, case["number"], {**kept, "withdrawn_at": moment})
    return Answer(_whole(call, {**case, "withdrawn_at": moment}), calls_off=[case["number"]])
