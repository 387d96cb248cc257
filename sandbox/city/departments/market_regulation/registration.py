"""Starting and keeping a company: a name is reserved, the company registered, its address changed, its reports filed.

`behaviour` declares these as operations. What is registered here is seen by tax, post, credit and all others.
"""

import re
from datetime import date
from typing import Any

from sandbox.city.clock import local_text
from sandbox.city.department import Answer, Call, Refused
from sandbox.city.departments.market_regulation.records import (
    ANNUAL_REPORTS,
    AUTHORITIES,
    COMPANY,
    COMPANY_PEOPLE,
    INDUSTRIES,
    LICENCE,
    NAME,
    SCOPES,
    check_code,
    duties_of,
)
from sandbox.city.departments.tax.records import ARREARS
from sandbox.city.numbering import location, next_serial
from sandbox.city.population import identifiers, industries, places
from sandbox.city.residents import CITIZEN
from sandbox.city.state import Record
from sandbox.city.world import World

_DAYS_RESERVED = 60
_FORBIDDEN = re.compile("中国|中华|全国|国家|国务院|政府|军|警|法院")
_FIRST_OWN = 1  # of the organisation numbers that apps get: they begin with MB, those of the base with MA
_BARRED_YEARS = 3  # Source: 《中华人民共和国公司法》（2023 年修订） article 178


def _days_between(earlier: str, later: date) -> int:
    return (later - date.fromisoformat(earlier[:10])).days


def name_status(world: World, name: Record) -> str:
    """reserved, used, or expired, by the world's day."""
    if "used_by" in name:
        return "used"
    return "expired" if _days_between(name["reserved_at"], world.today) > _DAYS_RESERVED else "reserved"


def _shown_name(world: World, name: Record) -> Record:
    return {**name, "status": name_status(world, name)}


def reserve_name(call: Call) -> Answer:
    """The name is free and allowed: it is kept for sixty days."""
    body, world = call.body, call.world
    industry = industries.BY_CODE.get(body["industry"])
    if industry is None:
        raise Refused("company-industry-unknown", industry=body["industry"])
    if _FORBIDDEN.search(body["trade_name"]):
        raise Refused("company-name-forbidden", trade_name=body["trade_name"])
    composed = industries.compose_name(body["trade_name"], body["trade_english_name"], industry, body["kind"])
    _check_free(world, composed.zh)
    applicant = _person(world, body["applicant"])
    name: Record = {
        "number": next_serial(world, NAME, "MC"),
        "name": composed.zh,
        "english_name": composed.en,
        "kind": body["kind"],
        "industry": body["industry"],
        "applicant": {"name": applicant["name"], "id_number": applicant["number"]},
        "reserved_at": local_text(world.now),
    }
    world.put(NAME, name["number"], name)
    where = location(call.context.service, f"/name-reservations/{name['number']}")
    return Answer(_shown_name(world, name), 201, [where])


def _check_free(world: World, name: str) -> None:
    taken = world.city.one("SELECT 1 FROM company WHERE name = ?", name) is not None
    taken = taken or any(one is not None and one["name"] == name for _, one in world.changed(COMPANY))
    taken = taken or any(
        one is not None and one["name"] == name and name_status(world, one) != "expired"
        for _, one in world.changed(NAME)
    )
    if taken:
        raise Refused("company-name-taken", full_name=name)


def _person(world: World, person: dict[str, Any]) -> Record:
    """The living adult of that name and number."""
    citizen = world.get(CITIZEN, person["id_number"])
    if citizen is None or citizen["name"] != person["name"] or "died_on" in citizen:
        raise Refused("company-person-unknown", name=person["name"])
    if _days_between(citizen["born_on"], world.today) < 18 * 365.25:
        raise Refused("company-person-minor", name=person["name"])
    return citizen


def get_name_reservation(call: Call) -> Answer:
    number = str(call.path["number"])
    name = call.world.get(NAME, number)
    if name is None:
        raise Refused("company-name-not-reserved", number=number)
    return Answer(_shown_name(call.world, name))


def register_company(call: Call) -> Answer:
    """Founded at once: the company, its licence and its empty list of reports."""
    body, world = call.body, call.world
    if body["district_code"] not in places.BY_CODE:
        raise Refused("company-district-unknown", district_code=body["district_code"])
    shares = sum(one["share_percent"] for one in body["shareholders"])
    if abs(shares - 100) > 0.005:
        raise Refused("company-shares-not-hundred", total=shares)
    leader = _person(world, body["legal_representative"])
    _check_not_barred(world, leader["number"])
    holders = [_person(world, one) for one in body["shareholders"]]
    name = _reserved(world, body["reservation_number"])
    code = _free_code(world, body["district_code"])
    today = world.today.isoformat()
    company = {
        **_base_of(name, body, code, today),
        "legal_representative": leader["name"],
        "is_abnormal": False,
        "shareholders": [
            {
                "kind": "person",
                "name": one["name"],
                "share_percent": one["share_percent"],
                "capital_yuan": int(body["registered_capital_yuan"] * one["share_percent"] / 100),
                "since": today,
            }
            for one in body["shareholders"]
        ],
    }
    serial = 90_000_000 + sum(1 for _ in world.changed(LICENCE)) + 1
    licence = {"number": f"{body['district_code']}{world.today.year}{serial:08d}", "issued_on": today}
    world.put(COMPANY, code, company)
    world.put(LICENCE, code, licence)
    world.put(ANNUAL_REPORTS, code, {"items": []})
    world.put(COMPANY_PEOPLE, code, {"numbers": [leader["number"], *(one["number"] for one in holders)]})
    world.put(NAME, name["number"], {**name, "used_by": code})
    answer = {"code": code, "name": company["name"], "licence_number": licence["number"], "status": "active",
              "established_on": today, "registration_authority": company["registration_authority"]}  # fmt: skip
    return Answer(answer, 201, [location(call.context.service, f"/companies/{code}")])


def _base_of(name: Record, body: dict[str, Any], code: str, today: str) -> Record:
    return {
        "code": code,
        "name": name["name"],
        "english_name": name["english_name"],
        "kind": name["kind"],
        "status": "active",
        "industry": INDUSTRIES[name["industry"]],
        "business_scope": SCOPES[name["industry"]],
        "established_on": today,
        "registered_capital_yuan": body["registered_capital_yuan"],
        "registration_authority": AUTHORITIES[body["district_code"]],
        "district_code": body["district_code"],
        "address": body["address"],
        "english_address": body.get("english_address", places.BY_CODE[body["district_code"]].en),
    }


def _reserved(world: World, number: str) -> Record:
    name = world.get(NAME, number)
    if name is None:
        raise Refused("company-name-not-reserved", number=number)
    status = name_status(world, name)
    if status != "reserved":
        raise Refused("company-name-not-usable", number=number, state=status)
    return name


def _check_not_barred(world: World, id_number: str) -> None:
    """Who led a company when its licence was revoked may lead none for three years."""
    row = world.city.one(
        "SELECT c.name, c.ended_on FROM citizen p JOIN company c ON c.legal_representative = p.id "
        "WHERE p.number = ? AND c.status = 'revoked' ORDER BY c.ended_on DESC LIMIT 1",
        id_number,
    )
    if row is not None and _days_between(row[1], world.today) < _BARRED_YEARS * 365:
        raise Refused("company-representative-barred", company=row[0], day=row[1])


def _free_code(world: World, district: str) -> str:
    number = _FIRST_OWN + sum(1 for _ in world.changed(COMPANY_PEOPLE))
    while True:
        code = identifiers.credit_code(district, "MB" + identifiers.organisation_body(number)[2:])
        if world.kept(COMPANY, code) is None:
            return code
        number += 1


def _active(call: Call) -> Record:
    code = str(call.path["code"])
    check_code(code, "company-code-invalid")
    company = call.world.get(COMPANY, code)
    if company is None:
        raise Refused("company-not-found", code=code)
    if company["status"] != "active":
        raise Refused("company-not-active", code=code, state=company["status"])
    return company


def change_address(call: Call) -> Answer:
    company, body, world = _active(call), call.body, call.world
    if body["district_code"] not in places.BY_CODE:
        raise Refused("company-district-unknown", district_code=body["district_code"])
    if body["address"] == company["address"]:
        raise Refused("company-address-same", address=body["address"])
    moved = {
        "district_code": body["district_code"],
        "address": body["address"],
        "english_address": body.get("english_address", places.BY_CODE[body["district_code"]].en),
        "registration_authority": AUTHORITIES[body["district_code"]],
    }
    kept = world.kept(COMPANY, company["code"]) or company
    world.put(COMPANY, company["code"], {**kept, **moved})
    shown = {name: moved[name] for name in ("district_code", "address", "registration_authority")}
    return Answer({"code": company["code"], **shown, "changed_on": world.today.isoformat()})


def deregister_company(call: Call) -> Answer:
    """The simple procedure: nothing is missing at the registry, nothing owed at the tax bureau, and the company ends.

    Source: 《中华人民共和国公司法》（2023 年修订） article 240.
    """
    company, world = _active(call), call.world
    code = company["code"]
    if company["is_abnormal"]:
        raise Refused("company-abnormal", code=code)
    owed = sum(one["amount_yuan"] for one in (world.get(ARREARS, code) or {"items": []})["items"])
    if owed:
        raise Refused("company-tax-unsettled", code=code, owed=owed)
    today = world.today.isoformat()
    kept = world.kept(COMPANY, code) or company
    world.put(COMPANY, code, {**kept, "status": "deregistered", "ended_on": today})
    answer = {"code": code, "name": company["name"], "status": "deregistered", "reason": call.body["reason"],
              "deregistered_on": today}  # fmt: skip
    return Answer(answer, 201, [location(call.context.service, f"/companies/{code}")])


def list_report_duties(call: Call) -> Answer:
    company = _active(call)
    return Answer({"code": company["code"], "items": duties_of(call.world, company)})


def file_annual_report(call: Call) -> Answer:
    """A report that was missing is filed late; with the last of them the company leaves the list of abnormal ones."""
    company, body, world = _active(call), call.body, call.world
    code, year = company["code"], body["year"]
    if year >= world.today.year or year < int(company["established_on"][:4]):
        raise Refused("company-report-year", year=year)
    found = world.get(ANNUAL_REPORTS, code) or {"items": []}
    if any(item["year"] == year for item in found["items"]):
        raise Refused("company-report-filed", year=year)
    if body["liabilities_yuan"] > body["assets_yuan"] * 10:
        raise Refused("company-report-figures", year=year)
    report = {
        "year": year,
        "filed_on": world.today.isoformat(),
        "is_late": world.today > date(year + 1, 6, 30),
        **{name: body[name] for name in ("employees", "revenue_yuan", "profit_yuan", "assets_yuan", "liabilities_yuan")},
    }  # fmt: skip
    kept = world.kept(ANNUAL_REPORTS, code) or {"items": []}
    items = sorted([*kept["items"], report], key=lambda item: -int(item["year"]))
    world.put(ANNUAL_REPORTS, code, {"items": items})
    is_still_missing = any(one["status"] == "overdue" for one in duties_of(world, company))
    kept_company = world.kept(COMPANY, code) or company
    if kept_company.get("is_abnormal") and not is_still_missing:
        cleared = {name: value for name, value in kept_company.items() if name != "abnormal"}
        world.put(COMPANY, code, {**cleared, "is_abnormal": False})
    return Answer(report, 201, [location(call.context.service, f"/companies/{code}/annual-reports")])
