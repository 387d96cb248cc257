"""The housing fund: deposits follow employers and the clock, loans follow the sale of a home."""

from typing import Any

from sandbox.city.department import Answer
from sandbox.city.departments.market_regulation.records import COMPANY
from sandbox.city.population import personas
from tests.sandbox.conftest import Client

XU = personas.number_of("xu-ran")
UNIT = "990102001001GB00010F00000010"
SALE = {
    "unit_number": UNIT,
    "sellers": [{"name": "唐月", "id_number": personas.number_of("tang-yue")}],
    "buyers": [{"name": "徐然", "id_number": XU}],
    "price_yuan": 1_380_000,
    "signed_on": "2026-06-29",
}


async def balance(app: Client, clock: str = "2026-06-30T12:00:00+08:00") -> int:
    return int((await app("fund/getAccount", body={"id_number": XU}, clock=clock)).body["balance_yuan"])


async def test_a_loan_is_granted_once_the_home_is_registered(app: Client) -> None:
    contract = (await app("housing/fileSaleContract", body=SALE)).body["number"]
    wanted = {"id_number": XU, "contract_number": contract, "amount_yuan": 700_000, "years": 25}
    loan = (await app("fund/applyLoan", body=wanted)).body
    assert loan["status"] == "accepted"
    assert (await app("fund/applyLoan", body=wanted)).body["rule"] == "fund-loan-running"
    later = "2026-07-06T12:00:00+08:00"
    assert (await app("fund/getLoan", number=loan["number"], clock=later)).body["status"] == "approved"
    await app("tax/payDeedTax", body={"contract_number": contract})
    await app("realestate/applyTransfer", body={"contract_number": contract})
    assert (await app("fund/getLoan", number=loan["number"], clock=later)).body["status"] == "granted"
    gone = await app("fund/cancelLoan", number=loan["number"], clock=later)
    assert gone.body["rule"] == "fund-loan-granted"


async def test_a_cancelled_loan_makes_room_for_another(app: Client) -> None:
    contract = (await app("housing/fileSaleContract", body=SALE)).body["number"]
    wanted: dict[str, Any] = {
        "id_number": XU,
        "contract_number": contract,
        "amount_yuan": 700_000,
        "years": 25,
    }
    first = (await app("fund/applyLoan", body=wanted)).body["number"]
    assert (await app("fund/cancelLoan", number=first)).body["status"] == "cancelled"
    assert (await app("fund/applyLoan", body=wanted)).status == 201


async def test_a_withdrawal_lowers_the_balance(app: Client, other_app: Client) -> None:
    before = await balance(app)
    contract = (await app("housing/fileSaleContract", body=SALE)).body["number"]
    body = {"id_number": XU, "reason": "purchase", "reference": contract, "amount_yuan": 50_000}
    assert (await app("fund/withdraw", body=body)).body["balance_yuan"] == before - 50_000
    assert await balance(app) == before - 50_000
    assert await balance(other_app) == before


async def test_rent_is_limited_and_needs_a_running_lease(app: Client) -> None:
    body = {"id_number": XU, "reason": "rent", "reference": "ZL20240901000001", "amount_yuan": 20_000}
    assert (await app("fund/withdraw", body=body)).status == 201
    assert (await app("fund/withdraw", body=body)).body["rule"] == "fund-rent-limit"
    ended = await app("fund/withdraw", body=body, clock="2026-10-01T12:00:00+08:00")
    assert ended.body["rule"] == "fund-reason-not-met"


async def test_an_employer_that_ends_pays_no_more(app: Client) -> None:
    code = personas.code_of("hengzhu-machinery")
    assert await balance(app, "2026-09-20T12:00:00+08:00") == await balance(app) + 3 * 2880
    company = (await app("company/getCompany", code=code)).body
    ended = {**company, "status": "deregistered", "ended_on": "2026-07-01"}

    changes = {(COMPANY.department, f"company/{code}"): ended}
    await app.side.states.run(app.state_id, lambda state: Answer(changes=changes))
    sealed = (await app("fund/getAccount", body={"id_number": XU})).body
    assert sealed["status"] == "sealed"


async def test_a_new_company_pays_for_its_people(app: Client) -> None:
    code = (await app("company/registerCompany")).body["code"]
    body = {
        "code": code,
        "month": "2026-06",
        "employees": [{"id_number": personas.number_of("tang-yue"), "name": "唐月", "base_yuan": 8000}],
    }
    assert (await app("fund/depositForEmployees", body=body)).body["total_yuan"] == 1920
    account = (await app("fund/getAccount", body={"id_number": personas.number_of("tang-yue")})).body
    assert (account["code"], account["balance_yuan"]) == (code, 1920)
    assert (await app("fund/depositForEmployees", body=body)).body["rule"] == "fund-deposit-made"
