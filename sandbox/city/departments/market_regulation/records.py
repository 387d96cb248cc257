"""Records of market regulation that other departments read too. Keys are unified social credit codes."""

from typing import Any

from sandbox.city.base import City
from sandbox.city.department import Refused
from sandbox.city.population import identifiers, industries, places
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

_COMPANY = """
SELECT c.code, c.name, c.english_name, c.kind, c.status, c.industry, c.established_on, c.registered_capital_yuan,
    p.name, c.district, c.address, c.english_address, c.ended_on, c.term_ends_on, c.abnormal_since, c.abnormal_reason, c.id
FROM company c JOIN citizen p ON p.id = c.legal_representative WHERE c.code = ?
"""
_HOLDINGS = """
SELECT p.name, h.name, h.code, s.share_basis_points, s.capital_yuan, s.since FROM holding s
LEFT JOIN citizen p ON p.id = s.citizen LEFT JOIN company h ON h.id = s.holder WHERE s.company = ? ORDER BY s.place
"""
INDUSTRIES = {
    industry.code: {"code": industry.code, "name": industry.zh, "english_name": industry.en}
    for industry in industries.INDUSTRIES
}
SCOPES = {industry.code: industry.scope_zh for industry in industries.INDUSTRIES}
AUTHORITIES = {
    district.code: f"开门市{district.zh.removesuffix('新区')}市场监督管理局" for district in places.DISTRICTS
}


def _read_company(city: City, code: str) -> Record | None:
    row = city.one(_COMPANY, code)
    if row is None:
        return None
    record: Record = {
        "code": row[0],
        "name": row[1],
        "english_name": row[2],
        "kind": row[3],
        "status": row[4],
        "industry": INDUSTRIES[row[5]],
        "business_scope": SCOPES[row[5]],
        "established_on": row[6],
        "registered_capital_yuan": row[7],
        "legal_representative": row[8],
        "registration_authority": AUTHORITIES[row[9]],
        "district_code": row[9],
        "address": row[10],
        "english_address": row[11],
        "is_abnormal": row[14] is not None,
        "shareholders": [_shareholder(*holding) for holding in city.all(_HOLDINGS, row[16])],
    }
    if row[12] is not None:
        record["ended_on"] = row[12]
    if row[13] is not None:
        record["term_ends_on"] = row[13]
    if row[14] is not None:
        record["abnormal"] = {"since": row[14], "reason": row[15]}
    return record


def _read_brief(city: City, code: str) -> Record | None:
    row = city.one("SELECT code, name, status FROM company WHERE code = ?", code)
    return None if row is None else {"code": row[0], "name": row[1], "status": row[2]}


def _shareholder(
    person: str | None, company: str | None, code: str | None, share: int, capital: int, since: str
) -> dict[str, Any]:
    holder: dict[str, Any] = {
        "kind": "person" if company is None else "company",
        "name": person if company is None else company,
        "share_percent": share / 100,
        "capital_yuan": capital,
        "since": since,
    }
    if code is not None:
        holder["code"] = code
    return holder


def _read_licence(city: City, code: str) -> Record | None:
    row = city.one(
        "SELECT l.number, l.issued_on, l.expires_on FROM licence l JOIN company c ON c.id = l.company WHERE c.code = ?",
        code,
    )
    if row is None:
        return None
    record = {"number": row[0], "issued_on": row[1]}
    if row[2] is not None:
        record["expires_on"] = row[2]
    return record


def _read_reports(city: City, code: str) -> Record | None:
    rows = city.all(
        "SELECT r.year, r.filed_on, r.is_late, r.employees, r.revenue_yuan, r.profit_yuan, r.assets_yuan, "
        "r.liabilities_yuan FROM annual_report r JOIN company c ON c.id = r.company WHERE c.code = ? ORDER BY r.year DESC",
        code,
    )
    items = [
        {
            "year": row[0],
            "filed_on": row[1],
            "is_late": bool(row[2]),
            "employees": row[3],
            "revenue_yuan": row[4],
            "profit_yuan": row[5],
            "assets_yuan": row[6],
            "liabilities_yuan": row[7],
        }
        for row in rows
    ]
    return {"items": items}


def _read_nothing(city: City, key: str) -> Record | None:
    return None


def _read_name(city: City, number: str) -> Record | None:
    """The one name of the base that is reserved and not used yet."""
    if number != _RESERVED["number"]:
        return None
    return dict(_RESERVED)


_RESERVED: Record = {
    "number": "MC20260615000001",
    "name": "开门拾光（样例）咨询有限公司",
    "english_name": "Kaimen Shiguang (Sample) Consulting Co., Ltd.",
    "kind": "limited-liability",
    "industry": "72",
    "applicant": {"name": "唐月", "id_number": "990102198212050020"},
    "reserved_at": "2026-06-15T10:30:00+08:00",
}


DEPARTMENT = "market-regulation"
COMPANY = Kind("company", DEPARTMENT, _read_company)
COMPANY_BRIEF = Kind(
    "company", DEPARTMENT, _read_brief
)  # the same records, read for code, name and status alone
LICENCE = Kind("licence", DEPARTMENT, _read_licence)
ANNUAL_REPORTS = Kind("annual-reports", DEPARTMENT, _read_reports)  # {"items": newest first}

NAME = Kind("name", DEPARTMENT, _read_name)  # key: the number of the reservation
COMPANY_PEOPLE = Kind(
    "company-people", DEPARTMENT, _read_nothing
)  # {"numbers": leader and owners} of those that apps founded

FIRST_REPORT_YEAR = 2019  # reports of earlier years are not kept


def duties_of(world: World, company: Record) -> list[Record]:
    """The annual reports that a company has to file, newest first: filed, late, due or overdue, by the world's day.

    A year is reported from 1 January to 30 June of the next. Source: 《企业信息公示暂行条例》 article 8.
    """
    found = world.get(ANNUAL_REPORTS, company["code"]) or {"items": []}
    filed = {item["year"]: item for item in found["items"]}
    first = max(int(company["established_on"][:4]), FIRST_REPORT_YEAR)
    duties = []
    for year in range(world.today.year - 1, first - 1, -1):
        due_on = f"{year + 1}-06-30"
        report = filed.get(year)
        if report is not None:
            status = "late" if report["is_late"] else "filed"
        else:
            status = "overdue" if world.today.isoformat() > due_on else "due"
        duty = {"year": year, "due_on": due_on, "status": status}
        if report is not None:
            duty["filed_on"] = report["filed_on"]
        duties.append(duty)
    return duties


def is_own(world: World, code: str) -> bool:
    """Whether the company was founded by the app: then its standing follows the app's clock."""
    return world.get(COMPANY_PEOPLE, code) is not None


def abnormal_by_clock(world: World, company: Record) -> Record | None:
    """The entry on the list of abnormal operations of a company that the app founded and that did not report."""
    if company["status"] != "active" or not is_own(world, company["code"]):
        return None
    overdue = [duty["year"] for duty in duties_of(world, company) if duty["status"] == "overdue"]
    return {"since": f"{overdue[-1] + 1}-07-08", "reason": "annual-report-not-filed"} if overdue else None


def licence_status(world: World, company: Record, licence: Record) -> str:
    """valid, expired, revoked or cancelled, as of the world's day; it follows the company."""
    if company["status"] != "active":
        return "revoked" if company["status"] == "revoked" else "cancelled"
    expires = licence.get("expires_on")
    return "expired" if expires is not None and expires < world.today.isoformat() else "valid"


def check_code(code: str, slug: str) -> None:
    """Refuse a code whose check characters are wrong, before anything is looked up. Raises Refused(slug)."""
    if not identifiers.is_credit_code(code):
        raise Refused(slug, code=code)


def is_connected(world: World, code: str, citizen_number: str) -> bool:
    """Whether the citizen leads, owns or works for the company: who may receive its papers."""
    own = world.get(COMPANY_PEOPLE, code)
    if own is not None:
        return citizen_number in own["numbers"]
    row = world.city.one(
        "SELECT 1 FROM citizen p, company c WHERE p.number = ? AND c.code = ? AND (c.legal_representative = p.id "
        "OR EXISTS (SELECT 1 FROM holding s WHERE s.company = c.id AND s.citizen = p.id) "
        "OR EXISTS (SELECT 1 FROM employment e WHERE e.citizen = p.id AND e.company = c.id))",
        citizen_number,
        code,
    )
    return row is not None
