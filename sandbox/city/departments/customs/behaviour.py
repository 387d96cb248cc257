"""What customs does: it registers exporters and releases what they declare, small consignments by itself.

Whether a company is in business is asked of market regulation, whether it is a dishonest debtor of justice.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

from sandbox.city.clock import local_text
from sandbox.city.department import Answer, Call, Department, Event, Refused
from sandbox.city.departments.customs.records import (
    DECLARATION,
    EXPORTER,
    declaration_status,
    exporter_status,
)
from sandbox.city.departments.customs.tariffs import BY_CODE, TARIFFS, tariff_shown
from sandbox.city.departments.justice.records import is_dishonest
from sandbox.city.departments.market_regulation.records import COMPANY_BRIEF, check_code
from sandbox.city.numbering import location, next_serial
from sandbox.city.paging import make_cursor, read_cursor
from sandbox.city.state import Record
from sandbox.city.world import World

department = Department("customs", "开门海关", "Kaimen Customs", Path(__file__).parent, protocol="http")

_CURSOR_INVALID = "customs-cursor-invalid"
_INSPECTED_FROM_YUAN = 1_000_000
_HOURS_TO_RELEASE, _HOURS_TO_INSPECT = 2, 24


@department.operation("listTariffs")
def list_tariffs(call: Call) -> Answer:
    query, limit = call.text("query").strip().casefold(), call.number("limit", 20)
    after = int(read_cursor(call.text("cursor"), _CURSOR_INVALID, query) or 0)
    found = [one for one in TARIFFS if query in f"{one.code} {one.name} {one.english_name}".casefold()]
    answer: dict[str, Any] = {"items": [tariff_shown(one) for one in found[after : after + limit]]}
    if len(found) > after + limit:
        answer["next"] = make_cursor(str(after + limit), query)
    return Answer(answer)


@department.operation("getTariff")
def get_tariff(call: Call) -> Answer:
    code = str(call.path["tariff_code"])
    if code not in BY_CODE:
        raise Refused("customs-tariff-unknown", tariff_code=code)
    return Answer(tariff_shown(BY_CODE[code]))


@department.operation("getExporter")
def get_exporter(call: Call) -> Answer:
    code = str(call.path["code"])
    check_code(code, "customs-code-invalid")
    exporter = call.world.get(EXPORTER, code)
    if exporter is None:
        raise Refused("customs-exporter-not-registered", code=code)
    company = call.world.get(COMPANY_BRIEF, code) or {"name": ""}
    return Answer({**exporter, "name": company["name"], "status": exporter_status(call.world, exporter)})


@department.operation("registerExporter")
def register_exporter(call: Call) -> Answer:
    code, world = call.body["code"], call.world
    check_code(code, "customs-code-invalid")
    company = world.get(COMPANY_BRIEF, code)
    if company is None or company["status"] != "active":
        raise Refused("customs-company-not-active", code=code)
    if world.get(EXPORTER, code) is not None:
        raise Refused("customs-registered-already", code=code)
    if is_dishonest(world, code):
        raise Refused("customs-company-dishonest", code=code)
    serial = 90_001 + sum(1 for _ in world.changed(EXPORTER))
    exporter: Record = {
        "code": code,
        "number": f"99019{serial}",
        "since": world.today.isoformat(),
        "grade": "registered",
    }
    world.put(EXPORTER, code, exporter)
    where = location(call.context.service, f"/exporters/{code}")
    return Answer({**exporter, "name": company["name"], "status": "active"}, 201, [where])


def _check_tariff(code: str, body: dict[str, Any]) -> None:
    tariff = BY_CODE.get(code)
    if tariff is None:
        raise Refused("customs-tariff-unknown", tariff_code=code)
    if tariff.control == "banned":
        raise Refused("customs-export-banned", name=tariff.name)
    if tariff.control == "licence" and not body.get("licence_number"):
        raise Refused("customs-licence-needed", name=tariff.name)


@department.operation("declareExport")
def declare_export(call: Call) -> Answer:
    """Accepted at once, released later: by itself after two hours, or once it was inspected."""
    body, world = call.body, call.world
    code = body["code"]
    check_code(code, "customs-code-invalid")
    exporter = world.get(EXPORTER, code)
    if exporter is None:
        raise Refused("customs-exporter-not-registered", code=code)
    if exporter_status(world, exporter) != "active":
        raise Refused("customs-exporter-cancelled", code=code)
    _check_tariff(body["tariff_code"], body)
    number = next_serial(world, DECLARATION, "BG")
    declaration: Record = {
        "number": number,
        **{name: body[name] for name in ("code", "tariff_code", "quantity", "value_yuan", "destination")},
        "accepted_at": local_text(world.now),
    }
    events = []
    if body["value_yuan"] < _INSPECTED_FROM_YUAN and exporter["grade"] != "discredited":
        events.append(_release(world, declaration, _HOURS_TO_RELEASE))
    world.put(DECLARATION, number, declaration)
    where = location(call.context.service, f"/declarations/{number}")
    return Answer(_shown(world, declaration), 202, [where], events)


def _release(world: World, declaration: Record, hours: int) -> Event:
    """Set the hour of release; the event that tells of it."""
    moment = world.now + timedelta(hours=hours)
    declaration["releases_at"] = local_text(moment)
    told = {name: declaration[name] for name in ("number", "code", "tariff_code", "value_yuan")}
    return Event(
        "customs.declaration.released",
        declaration["number"],
        {**told, "released_at": local_text(moment)},
        moment,
    )


def _shown(world: World, declaration: Record) -> Record:
    status = declaration_status(world, declaration)
    shown = {name: value for name, value in declaration.items() if name != "releases_at"}
    shown["status"] = status
    if status == "accepted":
        shown["expected_at"] = declaration["releases_at"]
    if status == "released":
        shown["released_at"] = declaration["releases_at"]
        tariff = BY_CODE[declaration["tariff_code"]]
        shown["rebate_yuan"] = declaration["value_yuan"] * tariff.rebate_percent // 100
    return shown


def _declaration(call: Call) -> Record:
    number = str(call.path["number"])
    declaration = call.world.get(DECLARATION, number)
    if declaration is None:
        raise Refused("customs-declaration-not-found", number=number)
    return declaration


@department.operation("getDeclaration")
def get_declaration(call: Call) -> Answer:
    return Answer(_shown(call.world, _declaration(call)))


@department.operation("listDeclarations")
def list_declarations(call: Call) -> Answer:
    """The app's own declarations, the oldest first."""
    wanted, limit, world = call.text("status"), call.number("limit", 20), call.world
    after = int(read_cursor(call.text("cursor"), _CURSOR_INVALID, wanted) or 0)
    found = [_shown(world, one) for _, one in world.changed(DECLARATION) if one is not None]
    found = [one for one in found if wanted in {"", one["status"]}]
    answer: dict[str, Any] = {"items": found[after : after + limit]}
    if len(found) > after + limit:
        answer["next"] = make_cursor(str(after + limit), wanted)
    return Answer(answer)


def _in_inspection(call: Call) -> Record:
    """The declaration of the path, waiting for its inspection: until then it may be changed."""
    declaration = _declaration(call)
    status = declaration_status(call.world, declaration)
    if status != "inspection":
        raise Refused("customs-not-changeable", number=declaration["number"], state=status)
    return declaration


@department.operation("amendDeclaration")
def amend_declaration(call: Call) -> Answer:
    declaration, world = _in_inspection(call), call.world
    amended = {name: call.body[name] for name in ("quantity", "value_yuan") if name in call.body}
    if not amended:
        raise Refused("customs-nothing-to-change", number=declaration["number"])
    kept = world.kept(DECLARATION, declaration["number"]) or declaration
    world.put(DECLARATION, declaration["number"], {**kept, **amended})
    return Answer(_shown(world, {**declaration, **amended}))


@department.operation("bookInspection")
def book_inspection(call: Call) -> Answer:
    declaration, world = _in_inspection(call), call.world
    kept = dict(world.kept(DECLARATION, declaration["number"]) or declaration)
    event = _release(world, kept, _HOURS_TO_INSPECT)
    kept["yard"] = call.body["yard"]
    world.put(DECLARATION, declaration["number"], kept)
    return Answer(_shown(world, kept), 202, [], [event])


@department.operation("withdrawDeclaration")
def withdraw_declaration(call: Call) -> Answer:
    declaration, world = _declaration(call), call.world
    status = declaration_status(world, declaration)
    if status == "withdrawn":
        return Answer(_shown(world, declaration))
    _in_inspection(call)
    kept = world.kept(DECLARATION, declaration["number"]) or declaration
    withdrawn = {**kept, "withdrawn_at": local_text(world.now)}
    world.put(DECLARATION, declaration["number"], withdrawn)
    return Answer(_shown(world, withdrawn))
