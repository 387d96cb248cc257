"""Credit follows tax, registers, courts and authorities; a freeze by the court stops the sale of a home."""

from sandbox.city.population import personas
from tests.sandbox.conftest import Client

DEBTOR = personas.code_of("qianshou-materials")
TEA = personas.code_of("manshan-tea")
CATERING = personas.code_of("chidao-catering")
COURT = "（2026）虚01执123号"
WANG_UNIT = "990103001001GB00004F00000004"
CASE = "（2026）虚01执66号"


async def score(app: Client, code: str, **more: str) -> int:
    return int((await app("credit/getCreditReport", code=code, **more)).body["score"])


async def test_a_paid_arrear_is_credit(app: Client, other_app: Client) -> None:
    before = await score(app, DEBTOR)
    for item in (await app("tax/listArrears", code=DEBTOR, case_number=COURT)).body["items"]:
        body = {"year": item["year"], "tax": item["tax"], "amount_yuan": item["amount_yuan"]}
        await app("tax/payArrears", code=DEBTOR, body=body)
    report = (await app("credit/getCreditReport", code=DEBTOR)).body
    assert (report["score"], report["tax_owed_yuan"]) == (before + 100, 0)
    assert await score(other_app, DEBTOR) == before


async def test_a_penalty_is_shown_repaired_and_gone(app: Client) -> None:
    before = await score(app, TEA)
    penalty = {"code": TEA, "reason": "pollution", "amount_yuan": 1000, "decided_on": "2026-06-25"}
    number = (await app("credit/reportPenalty", body=penalty)).body["number"]
    assert await score(app, TEA) == before - 60
    assert (await app("credit/getPublicCredit", code=TEA)).body["penalties"] == 1
    repair = {"penalty_number": number, "is_fine_paid": True}
    early = await app("credit/applyRepair", body=repair)
    assert (early.body["rule"], early.body["day"]) == ("credit-too-early", "2026-09-23")
    applied = await app("credit/applyRepair", body=repair, clock="2026-10-01T09:00:00+08:00")
    assert applied.body["status"] == "accepted"
    again = await app("credit/applyRepair", body=repair, clock="2026-10-02T09:00:00+08:00")
    assert again.body["rule"] == "credit-repair-under-way"
    assert await score(app, TEA, clock="2026-10-10T09:00:00+08:00") == before - 60
    assert await score(app, TEA, clock="2026-10-12T09:00:00+08:00") == before
    assert (await app("credit/listPenalties", code=TEA, clock="2026-10-12T09:00:00+08:00")).body[
        "items"
    ] == []


async def test_a_withdrawn_repair_leaves_the_penalty(app: Client) -> None:
    number = (await app("credit/applyRepair")).body["number"]
    assert (await app("credit/withdrawRepair", number=number)).body["status"] == "withdrawn"
    shown = await app("credit/listPenalties", code=CATERING, clock="2026-12-01T09:00:00+08:00")
    assert [one["status"] for one in shown.body["items"]] == ["shown"]
    assert (await app("credit/applyRepair")).status == 201, "it may be applied for anew"


async def test_filed_reports_are_credit(app: Client) -> None:
    clock = "2026-07-01T09:00:00+08:00"
    before = await score(app, CATERING, clock=clock)
    figures = {"employees": 4, "revenue_yuan": 1, "profit_yuan": 0, "assets_yuan": 10, "liabilities_yuan": 0}
    for year in (2024, 2025):
        await app("company/fileAnnualReport", code=CATERING, body={"year": year, **figures}, clock=clock)
    assert await score(app, CATERING, clock=clock) == before + 150 + 80


async def test_a_freeze_is_lifted_and_the_home_is_sold(app: Client) -> None:
    transfer = {"contract_number": "HT20260301000001"}
    assert (await app("realestate/applyTransfer", body=transfer)).body["rule"] == "realestate-frozen"
    other = await app(
        "justice/liftFreeze", unit_number=WANG_UNIT, body={"case_number": "（2024）虚01执207号"}
    )
    assert other.body["rule"] == "justice-other-case"
    lifted = await app("justice/liftFreeze", unit_number=WANG_UNIT, body={"case_number": CASE})
    assert lifted.body["status"] == "lifted"
    assert (await app("realestate/getUnit", unit_number=WANG_UNIT)).body["is_frozen"] is False
    frozen = {"unit_number": WANG_UNIT, "case_number": CASE, "until": "2027-06-30"}
    assert (await app("justice/freezeHolding", body=frozen)).status == 201
    assert (await app("realestate/applyTransfer", body=transfer)).body["rule"] == "realestate-frozen"
    sold = await app("realestate/applyTransfer", body=transfer, clock="2027-07-01T09:00:00+08:00")
    assert sold.status == 201, "the freeze has run out"
    later = "2027-07-05T09:00:00+08:00"
    gone = await app("justice/freezeHolding", body={**frozen, "until": "2028-06-30"}, clock=later)
    assert gone.body["rule"] == "justice-not-the-debtors"


async def test_a_notary_issues_by_the_clock(app: Client) -> None:
    booking = (await app("justice/bookNotary")).body
    read = {"number": booking["number"]}
    assert (await app("justice/getNotaryBooking", **read, clock="2026-07-04T09:00:00+08:00")).body[
        "status"
    ] == "in-progress"
    done = (await app("justice/getNotaryBooking", **read, clock="2026-07-08T09:00:00+08:00")).body
    assert done["status"] == "issued"
    certificate = {"number": done["certificate_number"]}
    early = await app("justice/getNotaryCertificate", **certificate, clock="2026-07-05T09:00:00+08:00")
    assert early.status == 404
    issued = await app("justice/getNotaryCertificate", **certificate, clock="2026-07-09T09:00:00+08:00")
    assert issued.body["applicant"]["name"] == "唐月"
    late = await app("justice/cancelNotaryBooking", **read, clock="2026-07-04T09:00:00+08:00")
    assert late.body["rule"] == "justice-booking-begun"


async def test_legal_aid_is_applied_for_once_and_granted_in_a_week(app: Client) -> None:
    number = (await app("justice/applyLegalAid")).body["number"]
    assert (await app("justice/applyLegalAid")).body["rule"] == "justice-aid-applied-already"
    assert (await app("justice/getLegalAid", number=number)).body["status"] == "accepted"
    later = await app("justice/getLegalAid", number=number, clock="2026-07-08T09:00:00+08:00")
    assert later.body["status"] == "granted"
