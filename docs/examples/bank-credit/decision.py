"""The bank's own part: a decision on a loan from tax paid and a credit report, with reasons. No network, no platform."""

from dataclasses import dataclass
from typing import Any

_RATES = {"AAA": 345, "AA": 375, "A": 405, "B": 480}  # grade -> basis points a year
_LOWEST_GRADE = "B"
_YEARS_WANTED = 2
_TAX_MULTIPLE = 3  # a loan of at most so many times the tax paid in an average year


@dataclass(frozen=True)
class Decision:
    """Amounts are yuan, the rate basis points a year; both are 0 where there is no loan."""

    is_granted: bool
    amount_yuan: int
    rate_basis_points: int
    reasons: tuple[str, ...]


def decide(wanted_yuan: int, tax: dict[str, Any], report: dict[str, Any]) -> Decision:
    """Decide on a loan of `wanted_yuan`.

    `tax` is an answer of getTaxPaid (tax@v1), `report` one of getCreditReport (credit@v1). A field that the company
    did not consent to is not there: then the bank says which one it is missing instead of guessing.
    """
    missing = [name for name in ("total_paid_yuan", "total_unpaid_yuan", "years") if name not in tax]
    missing += [name for name in ("grade", "score", "tax_owed_yuan") if name not in report]
    if missing:
        return _refused(f"the consent does not cover {', '.join(missing)}")

    against = []
    if report["grade"] not in _RATES:
        against.append(f"credit grade {report['grade']} is below {_LOWEST_GRADE} (score {report['score']})")
    owed = max(report["tax_owed_yuan"], tax["total_unpaid_yuan"])
    if owed:
        against.append(f"¥{owed:,} of tax is owed")
    if len(tax["years"]) < _YEARS_WANTED:
        against.append(f"{len(tax['years'])} years of tax records, {_YEARS_WANTED} are needed")
    if against:
        return _refused(*against)

    limit = tax["total_paid_yuan"] // len(tax["years"]) * _TAX_MULTIPLE
    amount = min(wanted_yuan, limit)
    reasons = [
        f"credit grade {report['grade']} (score {report['score']})",
        f"¥{tax['total_paid_yuan']:,} of tax paid from {tax['from_year']} to {tax['to_year']}, nothing owed",
    ]
    if amount < wanted_yuan:
        reasons.append(f"limited to {_TAX_MULTIPLE} times the tax paid in an average year")
    return Decision(True, amount, _RATES[report["grade"]], tuple(reasons))


def _refused(*reasons: str) -> Decision:
    return Decision(False, 0, 0, reasons)
