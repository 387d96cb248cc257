"""Records of the tax bureau. Keys are unified social credit codes: a company's code is its taxpayer number."""

import msgspec

from sandbox.city.base import City
from sandbox.city.population import places
from sandbox.city.state import Record
from sandbox.city.world import Kind

OFFICES = {district.code: f"国家税务总局开门市{district.zh}税务局" for district in places.DISTRICTS}


def _read_taxpayer(city: City, code: str) -> Record | None:
    row = city.one(
        "SELECT t.kind, t.status, t.registered_on, c.district FROM taxpayer t JOIN company c ON c.id = t.company "
        "WHERE c.code = ?",
        code,
    )
    if row is None:
        return None
    return {
        "code": code,
        "kind": row[0],
        "status": row[1],
        "registered_on": row[2],
        "authority": OFFICES[row[3]],
    }


def _read_ratings(city: City, code: str) -> Record | None:
    rows = city.all(
        "SELECT r.year, r.grade, r.score, r.published_on, r.deductions FROM rating r JOIN company c ON c.id = r.company "
        "WHERE c.code = ? ORDER BY r.year DESC",
        code,
    )
    items = []
    for year, grade, score, published_on, deductions in rows:
        item = {"code": code, "year": year, "grade": grade, "published_on": published_on}
        if score is not None:
            item["score"] = score
        item["deductions"] = msgspec.json.decode(deductions)
        items.append(item)
    return {"items": items} if items else None


def _read_years(city: City, code: str) -> Record | None:
    rows = city.all(
        "SELECT y.year, y.revenue_yuan, y.vat_due_yuan, y.income_tax_due_yuan, y.surcharges_due_yuan, y.paid_yuan "
        "FROM tax_year y JOIN company c ON c.id = y.company WHERE c.code = ? ORDER BY y.year",
        code,
    )
    items = [
        {
            "year": year,
            "revenue_yuan": revenue,
            "vat_due_yuan": vat,
            "income_tax_due_yuan": income,
            "surcharges_due_yuan": surcharges,
            "paid_yuan": paid,
            "unpaid_yuan": vat + income + surcharges - paid,
        }
        for year, revenue, vat, income, surcharges, paid in rows
    ]
    return {"items": items}


def _read_arrears(city: City, code: str) -> Record | None:
    rows = city.all(
        "SELECT a.year, a.tax, a.amount_yuan, a.due_on FROM arrear a JOIN company c ON c.id = a.company "
        "WHERE c.code = ? ORDER BY a.year, a.tax",
        code,
    )
    return {
        "items": [
            {"year": year, "tax": tax, "amount_yuan": amount, "due_on": due_on}
            for year, tax, amount, due_on in rows
        ]
    }


def _read_deed_tax(city: City, contract: str) -> Record | None:
    row = city.one("SELECT price_yuan, deed_tax_paid_on FROM sale_contract WHERE number = ?", contract)
    if row is None or row[1] is None:
        return None
    return {
        "number": contract.replace("HT", "QS", 1),
        "contract_number": contract,
        "price_yuan": row[0],
        "rate_percent": 1.0,
        "amount_yuan": row[0] // 100,
        "paid_at": f"{row[1]}T11:00:00+08:00",
    }


DEPARTMENT = "tax"
DEED_TAX = Kind("deed-tax", DEPARTMENT, _read_deed_tax)  # key: the number of the sale contract
TAXPAYER = Kind("taxpayer", DEPARTMENT, _read_taxpayer)
RATINGS = Kind("ratings", DEPARTMENT, _read_ratings)  # {"items": newest first}
TAX_YEARS = Kind("tax-years", DEPARTMENT, _read_years)  # {"items": oldest first}
ARREARS = Kind("arrears", DEPARTMENT, _read_arrears)  # {"items": oldest first}


def _read_nothing(city: City, key: str) -> Record | None:
    return None


def _read_returns(city: City, code: str) -> Record | None:
    """The monthly returns of the years that are closed: a twelfth of the year each, filed in time."""
    rows = city.all(
        "SELECT y.year, y.revenue_yuan, y.vat_due_yuan FROM tax_year y JOIN company c ON c.id = y.company "
        "WHERE c.code = ? ORDER BY y.year",
        code,
    )
    items = []
    for year, revenue, vat in rows:
        for month in range(1, 13):
            after = f"{year + month // 12}-{month % 12 + 1:02d}"
            items.append(
                {
                    "code": code,
                    "period": f"{year}-{month:02d}",
                    "sales_yuan": revenue // 12,
                    "tax_yuan": vat // 12,
                    "due_on": f"{after}-15",
                    "is_late": False,
                    "late_fee_yuan": 0,
                    "filed_at": f"{after}-12T10:00:00+08:00",
                }
            )
    return {"items": items}


VAT_RETURNS = Kind("vat-returns", DEPARTMENT, _read_returns)  # {"items": oldest first}, by company
INVOICES = Kind("invoices", DEPARTMENT, _read_nothing)  # key: the number of the grant
