"""What market regulation does: the register of companies, their annual reports and business licences."""

from pathlib import Path
from typing import Any

from sandbox.city.base import City
from sandbox.city.department import Answer, Call, Department, Refused
from sandbox.city.departments.market_regulation import registration
from sandbox.city.departments.market_regulation.records import (
    ANNUAL_REPORTS,
    COMPANY,
    LICENCE,
    abnormal_by_clock,
    check_code,
    licence_status,
)
from sandbox.city.paging import make_cursor, read_cursor
from sandbox.city.population.generate import grams_of, searchable
from sandbox.city.state import Record

department = Department(
    "market-regulation", "市场监督管理局", "Market Regulation Bureau", Path(__file__).parent
)

_BRIEF = ("code", "name", "english_name", "status", "established_on", "district_code")
_BRIEF_COLUMNS = "c.id, c.code, c.name, c.english_name, c.status, c.established_on, c.district"
_CURSOR_INVALID = "company-cursor-invalid"


def _company(call: Call) -> Record:
    code = str(call.path["code"])
    check_code(code, "company-code-invalid")
    record = call.world.get(COMPANY, code)
    if record is None:
        raise Refused("company-not-found", code=code)
    abnormal = abnormal_by_clock(call.world, record)
    return record if abnormal is None else {**record, "is_abnormal": True, "abnormal": abnormal}


@department.operation("getCompany")
def get_company(call: Call) -> Answer:
    return Answer(_company(call))


@department.operation("listCompaniesByCode")
def list_companies_by_code(call: Call) -> Answer:
    items, missing = [], []
    for code in dict.fromkeys(call.texts("codes")):
        check_code(code, "company-code-invalid")
        record = call.world.get(COMPANY, code)
        if record is None:
            missing.append(code)
        else:
            items.append(record)
    return Answer({"items": items, "missing": missing})


@department.operation("listAnnualReports")
def list_annual_reports(call: Call) -> Answer:
    company = _company(call)
    found = call.world.get(ANNUAL_REPORTS, company["code"]) or {"items": []}
    limit = call.number("limit", 20)
    before = read_cursor(call.text("cursor"), _CURSOR_INVALID, company["code"])
    items = [item for item in found["items"] if not before or item["year"] < int(before)]
    answer: dict[str, Any] = {"code": company["code"], "items": items[:limit]}
    if len(items) > limit:
        answer["next"] = make_cursor(str(items[limit - 1]["year"]), company["code"])
    return Answer(answer)


@department.operation("getLicence")
def get_licence(call: Call) -> Answer:
    company = _company(call)
    licence = call.world.get(LICENCE, company["code"])
    if licence is None:
        raise Refused("company-licence-not-issued", code=company["code"])
    answer = {
        **licence,
        "code": company["code"],
        "company_name": company["name"],
        "legal_representative": company["legal_representative"],
        "issuing_authority": company["registration_authority"],
    }
    answer.setdefault("status", licence_status(call.world, company, licence))
    return Answer(answer)


@department.operation("searchCompanies")
def search_companies(call: Call) -> Answer:
    query, status = call.text("query").strip().casefold(), call.text("status")
    limit = call.number("limit", 20)
    after = read_cursor(call.text("cursor"), _CURSOR_INVALID, query, status)
    if not query:
        raise Refused("company-query-empty")
    rows = _search(call.world.city, query, status, int(after or 0), limit + 1)
    answer: dict[str, Any] = {}
    if len(rows) > limit:
        rows = rows[:limit]
        answer["next"] = make_cursor(str(rows[-1][0]), query, status)
    items = [_seen(call, dict(zip(_BRIEF, row[1:], strict=True))) for row in rows]
    if "next" not in answer:
        items += _own(call, {row[1] for row in rows}, query)
    answer["items"] = [item for item in items if item is not None and status in {"", item["status"]}]
    return Answer(answer)


def _seen(call: Call, brief: Record) -> Record | None:
    """The row as this call sees it: changed by the app or by a scenario, or gone."""
    record = call.world.get(COMPANY, brief["code"]) if call.world.is_touched(COMPANY) else brief
    return None if record is None else {name: record[name] for name in _BRIEF}


def _own(call: Call, listed: set[str], query: str) -> list[Record | None]:
    """Companies that the app itself has founded and the base does not know; they stand at the list's end."""
    return [
        {name: record[name] for name in _BRIEF}
        for code, record in call.world.changed(COMPANY)
        if record is not None
        and code not in listed
        and query in searchable(record["name"], record["english_name"])
        and COMPANY.read(call.world.city, code) is None
    ]


def _search(city: City, query: str, status: str, after: int, limit: int) -> list[tuple[Any, ...]]:
    """Rows in order of id: by status where that is rare, else by the rarest piece of the query."""
    if status in {"revoked", "deregistered"}:
        return city.all(
            f"SELECT {_BRIEF_COLUMNS} FROM company c "  # noqa: S608 - our own names
            "WHERE c.status = ? AND c.id > ? AND instr(c.searched, ?) ORDER BY c.id LIMIT ?",
            status, after, query, limit,
        )  # fmt: skip
    leading = _leading(city, query)
    if leading is None:
        return []
    return city.all(
        f"SELECT DISTINCT {_BRIEF_COLUMNS} FROM company_gram g JOIN company c ON c.id = g.company "  # noqa: S608
        "WHERE g.text >= ? AND g.text < ? AND g.company > ? AND instr(c.searched, ?) AND (? = '' OR c.status = ?) "
        "ORDER BY c.id LIMIT ?",
        *leading, after, query, status, status, limit,
    )  # fmt: skip


def _leading(city: City, query: str) -> tuple[str, str] | None:
    """The range of pieces to look at, or None when a piece of the query is in no name at all."""
    if query.isascii():
        first = query.split(maxsplit=1)[0].strip("().,")
        return (first, first + "\U0010ffff") if first else None
    pieces = [piece for piece in grams_of(query) if len(piece) == 2 or len(query) == 1]
    marks = ", ".join("?" * len(pieces))
    counted = dict(city.all(f"SELECT text, companies FROM gram WHERE text IN ({marks})", *pieces))  # noqa: S608
    if not pieces or len(counted) < len(pieces):
        return None
    rarest = min(sorted(pieces), key=lambda piece: int(counted[piece]))
    return rarest, rarest + "\0"


for _name, _handler in {
    "reserveName": registration.reserve_name,
    "getNameReservation": registration.get_name_reservation,
    "registerCompany": registration.register_company,
    "changeAddress": registration.change_address,
    "deregisterCompany": registration.deregister_company,
    "listReportDuties": registration.list_report_duties,
    "fileAnnualReport": registration.file_annual_report,
}.items():
    department.operation(_name)(_handler)
