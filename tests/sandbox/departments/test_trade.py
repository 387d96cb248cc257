"""Customs and procurement: what companies may do follows the registers, and the clock decides what becomes of it."""

from datetime import datetime

from sandbox.city.department import Answer
from sandbox.city.departments.market_regulation.records import COMPANY
from sandbox.city.population import personas
from tests.sandbox.conftest import Client

HENGZHU = personas.code_of("hengzhu-machinery")
TEA = personas.code_of("manshan-tea")
DEBTOR = personas.code_of("qianshou-materials")
CATERING = personas.code_of("chidao-catering")
COURT = "（2026）虚01执123号"


async def deregister(app: Client, code: str) -> None:
    company = (await app("company/getCompany", code=code)).body
    changes = {(COMPANY.department, f"company/{code}"): {**company, "status": "deregistered"}}
    await app.side.states.run(app.state_id, lambda state: Answer(changes=changes))


async def test_a_deregistered_company_exports_nothing(app: Client, other_app: Client) -> None:
    assert (await app("customs/declareExport")).status == 202
    await deregister(app, HENGZHU)
    assert (await app("customs/getExporter", code=HENGZHU)).body["status"] == "cancelled"
    assert (await app("customs/declareExport")).body["rule"] == "customs-exporter-cancelled"
    assert (await other_app("customs/declareExport")).status == 202


async def test_a_small_declaration_is_released_by_itself(app: Client) -> None:
    declared = await app("customs/declareExport")
    assert declared.status == 202
    number = declared.body["number"]
    assert declared.headers["location"].endswith(f"/declarations/{number}")
    assert datetime.fromisoformat(declared.body["expected_at"]).hour == 14
    waiting = await app("customs/getDeclaration", number=number, clock="2026-06-30T13:59:00+08:00")
    assert waiting.body["status"] == "accepted"
    released = (await app("customs/getDeclaration", number=number, clock="2026-06-30T14:01:00+08:00")).body
    assert (released["status"], released["rebate_yuan"]) == ("released", 25_740)
    own = (await app("customs/listDeclarations", status="released", clock="2026-06-30T15:00:00+08:00")).body
    assert [one["number"] for one in own["items"]] == [number]


async def test_a_large_one_is_amended_inspected_and_released(app: Client) -> None:
    body = {
        "code": HENGZHU,
        "tariff_code": "8413709990",
        "quantity": 10,
        "value_yuan": 2_000_000,
        "destination": "BRA",
    }
    number = (await app("customs/declareExport", body=body)).body["number"]
    amended = await app("customs/amendDeclaration", number=number, body={"value_yuan": 1_800_000})
    assert amended.body["value_yuan"] == 1_800_000
    assert amended.body["status"] == "inspection"
    assert (await app("customs/bookInspection", number=number)).body["status"] == "accepted"
    assert (await app("customs/withdrawDeclaration", number=number)).body["rule"] == "customs-not-changeable"
    later = await app("customs/getDeclaration", number=number, clock="2026-07-01T12:01:00+08:00")
    assert later.body["rebate_yuan"] == 234_000


async def test_a_new_exporter_declares_at_once(app: Client) -> None:
    code = personas.code_of("chuchen-software")
    body = {
        "code": code,
        "tariff_code": "8471300000",
        "quantity": 5,
        "value_yuan": 40_000,
        "destination": "SGP",
    }
    assert (await app("customs/declareExport", body=body)).body["rule"] == "customs-exporter-not-registered"
    assert (await app("customs/registerExporter", body={"code": code})).status == 201
    assert (await app("customs/declareExport", body=body)).status == 202


async def test_a_supplier_becomes_eligible(app: Client) -> None:
    """Chidao Catering is listed as abnormal for its reports; with them it may bid."""
    before = (await app("procurement/checkSupplier", code=CATERING)).body
    assert before["obstacles"] == ["abnormal-operations-list"]
    bid = {"tender_number": "ZB20260602", "code": CATERING, "price_yuan": 60_000, "delivery_days": 5}
    assert (await app("procurement/submitBid", body=bid)).body["rule"] == "procurement-supplier-not-eligible"
    figures = {"employees": 4, "revenue_yuan": 1, "profit_yuan": 0, "assets_yuan": 10, "liabilities_yuan": 0}
    for year in (2024, 2025):
        await app("company/fileAnnualReport", code=CATERING, body={"year": year, **figures})
    assert (await app("procurement/checkSupplier", code=CATERING)).body["is_eligible"] is True
    assert (await app("procurement/submitBid", body=bid)).status == 201


async def test_a_paid_arrear_is_one_obstacle_less(app: Client) -> None:
    for item in (await app("tax/listArrears", code=DEBTOR, case_number=COURT)).body["items"]:
        body = {"year": item["year"], "tax": item["tax"], "amount_yuan": item["amount_yuan"]}
        await app("tax/payArrears", code=DEBTOR, body=body)
    left = (await app("procurement/checkSupplier", code=DEBTOR)).body["obstacles"]
    assert left == ["dishonest-debtor", "serious-penalty"]


async def test_the_lowest_bid_wins_and_is_published(app: Client, other_app: Client) -> None:
    bid = {"tender_number": "ZB20260603", "code": HENGZHU, "price_yuan": 2_000_000, "delivery_days": 30}
    number = (await app("procurement/submitBid", body=bid)).body["number"]
    assert (await app("procurement/submitBid", body=bid)).body["rule"] == "procurement-bid-submitted"
    after = "2026-07-20T09:00:00+08:00"
    assert (await app("procurement/getBid", number=number, clock="2026-07-15T09:00:00+08:00")).body[
        "status"
    ] == "submitted"
    assert (await app("procurement/getBid", number=number, clock=after)).body["status"] == "won"

    async def price(client: Client) -> int:
        awards = (await client("procurement/listAwards", clock=after)).body["items"]
        return int(next(one["price_yuan"] for one in awards if one["tender_number"] == "ZB20260603"))

    assert (await price(app), await price(other_app)) == (2_000_000, 2_288_000)


async def test_a_withdrawn_bid_makes_room_for_a_better_one(app: Client) -> None:
    bid = {"tender_number": "ZB20260602", "code": TEA, "price_yuan": 85_000, "delivery_days": 9}
    first = (await app("procurement/submitBid", body=bid)).body["number"]
    assert (await app("procurement/withdrawBid", number=first)).body["status"] == "withdrawn"
    second = (await app("procurement/submitBid", body={**bid, "price_yuan": 70_000})).body["number"]
    after = "2026-07-20T09:00:00+08:00"
    assert (await app("procurement/getBid", number=second, clock=after)).body["status"] == "won"


async def test_there_is_a_tender_to_bid_for_on_any_day(app: Client) -> None:
    for day in ("2026-01-01", "2026-02-10", "2026-12-31", "2031-05-11"):
        found = await app("procurement/listTenders", status="open", clock=f"{day}T09:00:00+08:00")
        assert len(found.body["items"]) >= 4, day
