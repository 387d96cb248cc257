"""A company is started, pays its taxes and files its reports: market regulation, tax and post follow one another."""

from typing import Any

from sandbox.city.population import personas
from tests.sandbox.conftest import Client

TANG = {"name": "唐月", "id_number": personas.number_of("tang-yue")}
XU = {"name": "徐然", "id_number": personas.number_of("xu-ran")}
DEBTOR = personas.code_of("qianshou-materials")
COURT = "（2026）虚01执123号"


async def start(app: Client, **changed: Any) -> str:
    """Reserve a name and register a company with it: its code."""
    name = await app("company/reserveName")
    assert name.status == 201, name.body
    body = {
        "reservation_number": name.body["number"], "registered_capital_yuan": 800_000, "district_code": "990102",
        "address": "开门市西样区目录街120号3层0305室", "legal_representative": TANG,
        "shareholders": [{**TANG, "share_percent": 70}, {**XU, "share_percent": 30}], **changed,
    }  # fmt: skip
    registered = await app("company/registerCompany", body=body)
    assert registered.status == 201, registered.body
    return str(registered.body["code"])


async def test_a_new_company_is_known_everywhere(app: Client, other_app: Client) -> None:
    code = await start(app)
    company = (await app("company/getCompany", code=code)).body
    assert company["status"] == "active"
    assert [(one["name"], one["capital_yuan"]) for one in company["shareholders"]] == [
        ("唐月", 560_000),
        ("徐然", 240_000),
    ]
    assert (await app("company/getLicence", code=code)).body["status"] == "valid"
    found = await app("company/searchCompanies", query="拾光")
    assert [one["code"] for one in found.body["items"]] == [code]

    assert (await app("tax/getTaxpayer", code=code)).status == 404
    taxpayer = await app("tax/registerTaxpayer", body={"code": code, "kind": "small-scale"})
    assert taxpayer.body["authority"] == "国家税务总局开门市西样区税务局"
    assert (await app("tax/getTaxpayer", code=code)).body["status"] == "normal"
    again = await app("tax/registerTaxpayer", body={"code": code, "kind": "general"})
    assert again.body["rule"] == "tax-payer-registered"

    order = {
        "item": {"kind": "business-licence", "company_code": code},
        "recipient": {**TANG, "phone": "10000000000"},
        "destination": {"district_code": "990102", "address": "开门市西样区目录街120号10幢2单元1501室"},
    }
    assert (await app("post/createOrder", body=order)).status == 201
    stranger = {
        **order,
        "recipient": {"name": "周鸣", "id_number": personas.number_of("zhou-ming"), "phone": "10000000000"},
    }
    assert (await app("post/createOrder", body=stranger)).body["rule"] == "post-recipient-not-entitled"
    assert (await other_app("company/getCompany", code=code)).status == 404


async def test_two_companies_have_two_codes_and_a_name_is_used_once(app: Client) -> None:
    first = await start(app)
    taken = await app("company/reserveName")
    assert taken.body["rule"] == "company-name-taken"
    second = (await app("company/registerCompany")).body["code"]
    assert first != second
    used = await app("company/registerCompany")
    assert (used.body["rule"], used.body["status"]) == ("company-name-not-usable", 409)


async def test_a_report_falls_due_and_becomes_late(app: Client) -> None:
    code = await start(app)
    figures = {
        "employees": 2,
        "revenue_yuan": 90_000,
        "profit_yuan": 0,
        "assets_yuan": 10,
        "liabilities_yuan": 0,
    }
    spring, autumn = "2027-03-01T09:00:00+08:00", "2027-09-01T09:00:00+08:00"

    async def duty(clock: str) -> Any:
        return (await app("company/listReportDuties", code=code, clock=clock)).body["items"]

    assert await duty("2026-12-31T09:00:00+08:00") == []
    assert await duty(spring) == [{"year": 2026, "due_on": "2027-06-30", "status": "due"}]
    assert (await duty(autumn))[0]["status"] == "overdue"
    assert (await app("company/getCompany", code=code, clock=spring)).body["is_abnormal"] is False
    abnormal = (await app("company/getCompany", code=code, clock=autumn)).body
    assert abnormal["abnormal"] == {"since": "2027-07-08", "reason": "annual-report-not-filed"}
    filed = await app("company/fileAnnualReport", code=code, body={"year": 2026, **figures}, clock=autumn)
    assert filed.body["is_late"] is True
    assert (await app("company/getCompany", code=code, clock=autumn)).body["is_abnormal"] is False
    assert (await duty(autumn))[0]["status"] == "late"


async def test_the_missing_reports_clear_an_abnormal_company(app: Client) -> None:
    code = personas.code_of("chidao-catering")
    figures = {"employees": 4, "revenue_yuan": 1, "profit_yuan": 0, "assets_yuan": 10, "liabilities_yuan": 0}
    duties = (await app("company/listReportDuties", code=code, clock="2026-07-01T09:00:00+08:00")).body[
        "items"
    ]
    missing = [one["year"] for one in duties if one["status"] == "overdue"]
    assert missing == [2025, 2024]
    for year in missing:
        assert (await app("company/getCompany", code=code)).body["is_abnormal"] is True
        filed = await app(
            "company/fileAnnualReport",
            code=code,
            body={"year": year, **figures},
            clock="2026-07-01T09:00:00+08:00",
        )
        assert filed.status == 201
    assert (await app("company/getCompany", code=code)).body["is_abnormal"] is False


async def test_arrears_are_paid_off(app: Client) -> None:
    owed = (await app("tax/listArrears", code=DEBTOR, case_number=COURT)).body
    assert (await app("tax/applyInvoices", code=DEBTOR)).body["rule"] == "tax-arrears-unpaid"
    for item in owed["items"]:
        body = {"year": item["year"], "tax": item["tax"], "amount_yuan": item["amount_yuan"]}
        paid = (await app("tax/payArrears", code=DEBTOR, body=body)).body
        assert (paid["left_yuan"], paid["late_fee_yuan"]) == (0, item["late_fee_yuan"])
    assert (await app("tax/listArrears", code=DEBTOR, case_number=COURT)).body["items"] == []
    total = (await app("tax/getTaxPaid", code=DEBTOR, from_year=2019, to_year=2025)).body
    assert total["total_unpaid_yuan"] == 0
    assert (
        await app("tax/applyInvoices", code=DEBTOR, body={"kind": "ordinary", "quantity": 500})
    ).status == 422


async def test_an_address_moves_tax_office_and_all(app: Client) -> None:
    code = personas.code_of("manshan-tea")
    await app("company/changeAddress", code=code)
    assert (await app("company/getCompany", code=code)).body["district_code"] == "990105"
    assert "样湖" in (await app("company/getLicence", code=code)).body["issuing_authority"]


async def test_vat_is_filed_once_and_late_with_a_fee(app: Client) -> None:
    code = personas.code_of("manshan-tea")
    body = {"period": "2026-05", "sales_yuan": 1_000_000, "input_tax_yuan": 0}
    filed = (await app("tax/fileVat", code=code, body=body, clock="2026-06-25T09:00:00+08:00")).body
    assert (filed["tax_yuan"], filed["is_late"], filed["late_fee_yuan"]) == (130_000, True, 650)
    assert (await app("tax/fileVat", code=code, body=body)).body["rule"] == "tax-vat-filed"
    assert (await app("tax/getVatReturn", code=code, period="2026-05")).body == filed
