"""What the electronic licence library does: a directory, licences of people and companies, and proof for those who ask.

It keeps food permits of its own; all other licences are made of what their departments keep, at each call.
"""

import hashlib
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.city.clock import local_text
from sandbox.city.department import Answer, Call, Department, Event, Refused
from sandbox.city.departments.licence.records import (
    PERMIT,
    PRESENTATION,
    REVOCATION,
    TYPES,
    find,
    licences_of_company,
    licences_of_person,
)
from sandbox.city.departments.market_regulation.records import COMPANY, check_code
from sandbox.city.numbering import location
from sandbox.city.paging import make_cursor, read_cursor
from sandbox.city.residents import CITIZEN
from sandbox.city.state import Record
from sandbox.city.world import World

department = Department(
    "licence", "政务服务数据管理局", "Government Data Bureau", Path(__file__).parent, protocol="http"
)

_CODE_MINUTES = 5
_FOOD = frozenset({"13", "15", "51", "52", "61", "62"})  # industries that may deal in food
_PERMIT_YEARS = 5
_NUMBERS = {
    "business-licence": re.compile("[0-9]{18}"),
    "food-permit": re.compile("JY[0-9]{14}"),
    "driving-licence": re.compile("[0-9]{17}[0-9X]"),
    "property-certificate": re.compile("虚（[0-9]{4}）开门市不动产权第[0-9]{7}号"),
    "disability-card": re.compile("[0-9]{17}[0-9X][1-7][1-4]"),
}
_TOLD = ("type", "number", "holder", "authority", "issued_on", "expires_on", "status", "digest")


def _shown(licence: Record) -> Record:
    """What is told of a licence: all but the holder's own number."""
    return {name: licence[name] for name in _TOLD if name in licence}


@department.operation("listLicenceTypes")
def list_licence_types(call: Call) -> Answer:
    wanted, limit = call.text("holder"), call.number("limit", 20)
    after = int(read_cursor(call.text("cursor"), "licence-cursor-invalid", wanted) or 0)
    items = [
        {"type": kind, "name": zh, "english_name": en, "holder": holder, "department": issuer}
        for kind, zh, en, holder, issuer in TYPES
        if wanted in {"", holder}
    ]
    answer: dict[str, Any] = {"items": items[after : after + limit]}
    if len(items) > after + limit:
        answer["next"] = make_cursor(str(after + limit), wanted)
    return Answer(answer)


def _person(call: Call, number: str) -> list[Record]:
    if call.world.get(CITIZEN, number) is None:
        raise Refused("licence-holder-unknown")
    return licences_of_person(call.world, number)


@department.operation("listLicences")
def list_licences(call: Call) -> Answer:
    number = call.body["id_number"]
    return Answer({"id_number": number, "items": [_shown(one) for one in _person(call, number)]})


@department.operation("listCompanyLicences")
def list_company_licences(call: Call) -> Answer:
    code = str(call.path["code"])
    check_code(code, "licence-code-invalid")
    if call.world.get(COMPANY, code) is None:
        raise Refused("licence-company-unknown", code=code)
    return Answer({"code": code, "items": [_shown(one) for one in licences_of_company(call.world, code)]})


def _one_of(call: Call) -> Record:
    """The person's licence that the body names: by type, and by number where there are several."""
    body = call.body
    held = [one for one in _person(call, body["id_number"]) if one["type"] == body["type"]]
    if "number" in body:
        held = [one for one in held if one["number"] == body["number"]]
    if not held:
        raise Refused("licence-none", licence_type=body["type"])
    return held[0]


@department.operation("getLicence")
def get_licence(call: Call) -> Answer:
    licence = _one_of(call)
    return Answer(
        {**_shown(licence), "id_number": licence["holder_code"], "fetched_at": local_text(call.world.now)}
    )


@department.operation("verifyLicence")
def verify_licence(call: Call) -> Answer:
    body, world = call.body, call.world
    if not _NUMBERS[body["type"]].fullmatch(body["number"]):
        raise Refused("licence-number-invalid", licence_type=body["type"], number=body["number"])
    licence = find(world, body["type"], body["number"])
    answer = {"type": body["type"], "number": body["number"], "checked_at": local_text(world.now)}
    is_forged = (
        licence is None
        or licence["holder"] != body["holder"]
        or ("digest" in body and body["digest"] != licence["digest"])
    )
    if licence is None or is_forged:
        return Answer({**answer, "result": "forged", "is_good": False})
    answer |= {"result": licence["status"], "is_good": licence["status"] == "valid"}
    if "expires_on" in licence:
        answer["expires_on"] = licence["expires_on"]
    return Answer(answer)


@department.operation("presentLicence")
def present_licence(call: Call) -> Answer:
    """A code for the counter: whoever is given it may look once, within five minutes."""
    licence, world = _one_of(call), call.world
    if licence["status"] != "valid":
        raise Refused("licence-not-valid", licence_type=licence["type"], state=licence["status"])
    place = sum(1 for _ in world.changed(PRESENTATION))
    digits = int.from_bytes(hashlib.sha256(f"{call.state_id}:{place}".encode()).digest()[:6], "big")
    code = f"EL{digits % 10**10:010d}"
    presentation: Record = {
        "code": code,
        "type": licence["type"],
        "number": licence["number"],
        "expires_at": local_text(world.now + timedelta(minutes=_CODE_MINUTES)),
    }
    world.put(PRESENTATION, code, presentation)
    answer = {name: presentation[name] for name in ("code", "type", "expires_at")}
    return Answer(answer, 201, [location(call.context.service, f"/presentations/{code}")])


@department.operation("redeemPresentation")
def redeem_presentation(call: Call) -> Answer:
    code, world = str(call.path["code"]), call.world
    presentation = world.get(PRESENTATION, code)
    if presentation is None:
        raise Refused("licence-code-unknown", code=code)
    if "redeemed_at" in presentation:
        raise Refused("licence-code-used", code=code)
    if datetime.fromisoformat(presentation["expires_at"]) < world.now:
        raise Refused("licence-code-expired", code=code)
    licence = find(world, presentation["type"], presentation["number"])
    if licence is None or licence["status"] != "valid":
        status = "unknown" if licence is None else licence["status"]
        raise Refused("licence-not-valid", licence_type=presentation["type"], state=status)
    kept = world.kept(PRESENTATION, code) or presentation
    world.put(PRESENTATION, code, {**kept, "redeemed_at": local_text(world.now)})
    return Answer(_shown(licence))


@department.operation("issuePermit")
def issue_permit(call: Call) -> Answer:
    """A food business permit: of a company in business whose trade it is."""
    code, world = call.body["code"], call.world
    check_code(code, "licence-code-invalid")
    company = world.get(COMPANY, code)
    if company is None:
        raise Refused("licence-company-unknown", code=code)
    if company["status"] != "active":
        raise Refused("licence-company-not-active", code=code, state=company["status"])
    if company["industry"]["code"] not in _FOOD:
        raise Refused("licence-trade-not-food", industry=company["industry"]["name"])
    today = world.today
    known = world.get(PERMIT, code)
    is_renewable = known is None or known["expires_on"] < (today + timedelta(days=30)).isoformat()
    if known is not None and not is_renewable and not _is_revoked(world, "food-permit", known["number"]):
        raise Refused("licence-permit-held", number=known["number"], day=known["expires_on"])
    serial = 90_000_001 + sum(1 for _ in world.changed(PERMIT))
    expires = today.replace(year=today.year + _PERMIT_YEARS, day=min(today.day, 28)) - timedelta(days=1)
    permit: Record = {
        "number": f"JY{company['district_code']}{serial}",
        "code": code,
        "issued_on": today.isoformat(),
        "expires_on": expires.isoformat(),
    }
    world.put(PERMIT, code, permit)
    told = {"type": "food-permit", **permit}
    event = Event("licence.issued", permit["number"], told)
    where = location(call.context.service, f"/companies/{code}/licences")
    return Answer({**told, "status": "valid"}, 201, [where], [event])


def _is_revoked(world: World, kind: str, number: str) -> bool:
    return world.get(REVOCATION, f"{kind} {number}") is not None


@department.operation("revokeLicence")
def revoke_licence(call: Call) -> Answer:
    """Every verification says so from then on, whatever the issuing department's record says."""
    body, world = call.body, call.world
    kind, number = body["type"], body["number"]
    licence = find(world, kind, number)
    if licence is None:
        raise Refused("licence-none", licence_type=kind)
    if licence["status"] == "revoked":
        raise Refused("licence-revoked-already", number=number)
    revocation: dict[str, Any] = {
        "type": kind,
        "number": number,
        "reason": body["reason"],
        "document": body["document"],
        "revoked_at": local_text(world.now),
    }
    world.put(REVOCATION, f"{kind} {number}", revocation)
    event = Event("licence.revoked", number, revocation)
    return Answer(revocation, 201, [location(call.context.service, "/revocations")], [event])
