"""What medical insurance does: enrolments, settlements, treatment in other cities, the drug catalogue.

Who works where is asked of social security, who lives and whose child somebody is of public security.
"""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.city.department import Answer, Call, Department, Event, Refused
from sandbox.city.departments.health.records import BY_CODE, CERTIFICATE
from sandbox.city.departments.medical_insurance.records import (
    DRUGS,
    DRUGS_BY_CODE,
    ENROLMENT,
    FIRST_REMOTE,
    MATERNITY,
    MATERNITY_DAYS,
    MATERNITY_PERCENT,
    NEWBORN_DAYS,
    REMOTE,
    SETTLEMENTS,
    Drug,
    enrolment_of,
)
from sandbox.city.departments.public_security.records import PERSON, brief, living, parents_of, years_between
from sandbox.city.numbering import digits_of, number_for
from sandbox.city.paging import make_cursor, read_cursor
from sandbox.city.population import places
from sandbox.city.state import Record
from sandbox.city.world import World

department = Department(
    "medical-insurance",
    "医疗保障局",
    "Healthcare Security Administration",
    Path(__file__).parent,
    protocol="soap",
)

_CURSOR_INVALID = "insurance-cursor-invalid"
_LONGEST_STAY = timedelta(days=366)


# --- enrolments -------------------------------------------------------------------------------
@department.operation("getEnrolment")
def get_enrolment(call: Call) -> Answer:
    number, world = call.body["id_number"], call.world
    person = world.get(PERSON, number)
    if person is None:
        raise Refused("insurance-person-not-found")
    enrolment = enrolment_of(world, number)
    if enrolment is None:
        raise Refused("insurance-not-enrolled")
    return Answer({**brief(person), **enrolment})


@department.operation("enrolNewborn")
def enrol_newborn(call: Call) -> Answer:
    body, world = call.body, call.world
    child = living(world, body["id_number"])
    if child is None:
        raise Refused("insurance-child-not-registered")
    born = date.fromisoformat(child["born_on"])
    if enrolment_of(world, child["number"]) is not None:
        raise Refused("insurance-enrolled-already")
    if world.today > born + timedelta(days=NEWBORN_DAYS):
        raise Refused("insurance-too-late", last_day=(born + timedelta(days=NEWBORN_DAYS)).isoformat())
    guardian = living(world, body["guardian_number"])
    if guardian is None or guardian["number"] not in parents_of(child):
        raise Refused("insurance-guardian-not-parent")
    world.put(ENROLMENT, child["number"], {"id_number": child["number"], "since": child["born_on"]})
    told = {"scheme": "resident", "since": child["born_on"], "enrolled_on": world.today.isoformat()}
    answer = {**brief(child), "scheme": "resident", "since": child["born_on"], "status": "active"}
    return Answer(answer, 201, events=[Event("insurance.enrolled", child["number"], told)])


@department.operation("claimMaternityExpenses")
def claim_maternity_expenses(call: Call) -> Answer:
    body, world = call.body, call.world
    number = body["certificate_number"]
    certificate = world.get(CERTIFICATE, number)
    if certificate is None or certificate["mother"] != body["mother_number"]:
        raise Refused("insurance-certificate-unknown", certificate_number=number)
    claimed = world.get(MATERNITY, number)
    if claimed is not None:
        raise Refused("insurance-maternity-claimed", certificate_number=number, number=claimed["number"])
    enrolment = enrolment_of(world, body["mother_number"])
    if enrolment is None or enrolment["status"] == "ended":
        raise Refused("insurance-mother-not-insured")
    last = datetime.fromisoformat(certificate["born_at"]).date() + timedelta(days=MATERNITY_DAYS)
    if world.today > last:
        raise Refused("insurance-maternity-too-late", last_day=last.isoformat())
    scheme = enrolment["scheme"]
    record = {
        "number": "SY" + digits_of("maternity", number),
        "certificate_number": number,
        "scheme": scheme,
        "expenses_yuan": body["expenses_yuan"],
        "reimbursed_yuan": body["expenses_yuan"] * MATERNITY_PERCENT[scheme] // 100,
        "claimed_on": world.today.isoformat(),
    }
    world.put(MATERNITY, number, record)
    return Answer(record, 201)


# --- settlements ------------------------------------------------------------------------------
@department.operation("listSettlements")
def list_settlements(call: Call) -> Answer:
    body, world = call.body, call.world
    person = living(world, body["id_number"])
    if person is None:
        raise Refused("insurance-person-not-found")
    if enrolment_of(world, person["number"]) is None:
        raise Refused("insurance-not-enrolled")
    first, last = body.get("from", "2000-01-01"), body.get("until", world.today.isoformat())
    record = world.get(SETTLEMENTS, person["number"]) or {"items": []}
    items = [
        {**one, "hospital_name": BY_CODE[one["hospital_code"]].zh}
        for one in record["items"] if first <= one["settled_on"] <= last
    ]  # fmt: skip
    return Answer(
        {
            **brief(person),
            "items": items,
            "total_yuan": sum(one["total_yuan"] for one in items),
            "fund_yuan": sum(one["fund_yuan"] for one in items),
        }
    )


@department.operation("listSettlementMicrodata")
def list_settlement_microdata(call: Call) -> Answer:
    """Row by row and without names; still it is about single people, so only the clean room has it."""
    world, year, limit = call.world, call.number("year", call.world.today.year - 1), call.number("limit", 20)
    after = int(read_cursor(call.text("cursor"), _CURSOR_INVALID, str(year)) or 0)
    if year >= world.today.year:
        raise Refused("insurance-year-open", year=year)
    items: list[dict[str, Any]] = []
    rows = world.city.all("SELECT id, number FROM citizen WHERE id > ? ORDER BY id LIMIT 400", after)
    last = after
    for citizen, number in rows:
        person = world.get(PERSON, number)
        found = world.get(SETTLEMENTS, number) or {"items": []}
        rows_of_person = [one for one in found["items"] if one["settled_on"][:4] == str(year)]
        if len(items) + len(rows_of_person) > limit:
            break
        last = citizen
        if person is not None:
            items += [_microdatum(person, one) for one in rows_of_person]
    answer: dict[str, Any] = {"year": year, "items": items}
    if last > after and world.city.one("SELECT 1 FROM citizen WHERE id > ? LIMIT 1", last) is not None:
        answer["next"] = make_cursor(str(last), str(year))
    return Answer(answer)


def _microdatum(person: Record, item: Record) -> dict[str, Any]:
    age = years_between(person["born_on"], date.fromisoformat(item["settled_on"]))
    return {
        "age_from": age // 5 * 5,
        "sex": person["sex"],
        "district_code": person["district_code"],
        "month": item["settled_on"][:7],
        **{key: item[key] for key in ("hospital_code", "kind", "total_yuan", "fund_yuan")},
    }


# --- treatment in other cities ----------------------------------------------------------------
@department.operation("registerRemoteTreatment")
def register_remote_treatment(call: Call) -> Answer:
    body, world = call.body, call.world
    person = living(world, body["id_number"])
    if person is None or person["name"] != body["name"]:
        raise Refused("insurance-person-unknown")
    if enrolment_of(world, person["number"]) is None:
        raise Refused("insurance-person-not-insured")
    if body["destination_code"].startswith(places.DIVISION[:4]):
        raise Refused("insurance-same-city", destination_code=body["destination_code"])
    first, last = date.fromisoformat(body["from"]), date.fromisoformat(body["until"])
    if not world.today <= first <= last <= first + _LONGEST_STAY:
        raise Refused("insurance-period-invalid")
    for one in _registrations(world):
        is_same = one["id_number"] == person["number"] and "cancelled_on" not in one
        if is_same and one["from"] <= body["until"] and body["from"] <= one["until"]:
            raise Refused("insurance-remote-overlap", number=one["number"])
    record = {
        "number": number_for(world, REMOTE, "YD", person["number"], body["destination_code"], body["from"]),
        "id_number": person["number"],
        **{key: body[key] for key in ("destination_code", "from", "until", "reason")},
    }
    world.put(REMOTE, record["number"], record)
    place = f"/api/{call.context.service.replace('@', '/')}/remote-treatments/{record['number']}"
    return Answer(_shown_remote(world, record), 201, [(b"location", place.encode())])


def _registrations(world: World) -> list[Record]:
    found = {FIRST_REMOTE: world.get(REMOTE, FIRST_REMOTE)} | dict(world.changed(REMOTE))
    return [one for one in found.values() if one is not None]


def _shown_remote(world: World, record: Record) -> dict[str, Any]:
    today = world.today.isoformat()
    status = "active" if record["from"] <= today else "planned"
    if record["until"] < today:
        status = "ended"
    enrolment = enrolment_of(world, record["id_number"])
    if enrolment is None or enrolment["status"] == "ended":
        status = "ended"
    if "cancelled_on" in record:
        status = "cancelled"
    return {
        "number": record["number"],
        "status": status,
        **{key: record[key] for key in ("destination_code", "from", "until", "reason")},
    }


def _registration(call: Call) -> Record:
    number = str(call.path["number"])
    record = call.world.get(REMOTE, number)
    if record is None:
        raise Refused("insurance-remote-not-found", number=number)
    return record


@department.operation("getRemoteTreatment")
def get_remote_treatment(call: Call) -> Answer:
    return Answer(_shown_remote(call.world, _registration(call)))


@department.operation("cancelRemoteTreatment")
def cancel_remote_treatment(call: Call) -> Answer:
    record, world = _registration(call), call.world
    status = _shown_remote(world, record)["status"]
    if status == "ended":
        raise Refused("insurance-remote-ended", number=record["number"])
    if status != "cancelled":
        record = {**(world.kept(REMOTE, record["number"]) or record), "cancelled_on": world.today.isoformat()}
        world.put(REMOTE, record["number"], record)
    return Answer(_shown_remote(world, record))


# --- drugs ------------------------------------------------------------------------------------
def _shown_drug(drug: Drug) -> dict[str, Any]:
    return {
        "code": drug.code,
        "name": drug.zh,
        "english_name": drug.en,
        "category": drug.category,
        "form": drug.form,
        "self_paid_percent": drug.self_paid_percent,
    }


@department.operation("searchDrugs")
def search_drugs(call: Call) -> Answer:
    query, category, limit = call.text("query").casefold(), call.text("category"), call.number("limit", 20)
    after = read_cursor(call.text("cursor"), _CURSOR_INVALID, query, category, form="[A-Z0-9]{7}")
    found = [
        one for one in DRUGS
        if one.code > after and category in {"", one.category}
        and (query in one.zh or query in one.en.casefold() or one.code.casefold().startswith(query))
    ]  # fmt: skip
    answer: dict[str, Any] = {"items": [_shown_drug(one) for one in found[:limit]]}
    if len(found) > limit:
        answer["next"] = make_cursor(found[limit - 1].code, query, category)
    return Answer(answer)


@department.operation("getDrug")
def get_drug(call: Call) -> Answer:
    code = str(call.path["code"])
    if code not in DRUGS_BY_CODE:
        raise Refused("insurance-drug-not-found", code=code)
    return Answer(_shown_drug(DRUGS_BY_CODE[code]))
