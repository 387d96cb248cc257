"""What departments do, and that they agree: change a cause in one and see the effect in another."""

from typing import Any

import pytest

from api.core.problems import Failure
from sandbox.city import department
from sandbox.city.base import City, CityFile
from sandbox.city.connector import CitySide
from sandbox.city.departments import DEPARTMENTS
from sandbox.city.departments.market_regulation.records import COMPANY
from sandbox.city.paging import make_cursor
from sandbox.city.population import personas
from sandbox.city.state import States
from tests.sandbox.conftest import NOON, Answer, Client

TEA = personas.code_of("manshan-tea")
MACHINERY = personas.code_of("hengzhu-machinery")
DEBTOR = personas.code_of("qianshou-materials")
COURT = "（2026）虚01执123号"


async def revoke(app: Client, code: str) -> None:
    """Change the cause, for this app alone: market regulation revokes the company."""
    company = (await app("company/getCompany", code=code)).body
    key = (COMPANY.department, f"company/{code}")

    changes = {key: {**company, "status": "revoked", "ended_on": "2026-06-30"}}
    await app.side.states.run(app.state_id, lambda state: department.Answer(changes=changes))


# --- one cause, many effects ------------------------------------------------------------------
async def test_a_revocation_is_felt_everywhere_and_by_this_app_alone(app: Client, other_app: Client) -> None:
    before = await app("tax/getRating", code=TEA)
    assert before.body["grade"] == "A"
    await revoke(app, TEA)
    assert (await app("company/getCompany", code=TEA)).body["status"] == "revoked"
    assert (await app("company/getLicence", code=TEA)).body["status"] == "revoked"
    assert (await app("tax/getTaxpayer", code=TEA)).body["status"] == "abnormal"
    rating = (await app("tax/getRating", code=TEA)).body
    assert rating["grade"] == "D"
    assert "abnormal-taxpayer" in [item["reason"] for item in rating["deductions"]]
    refused = await app("post/createOrder")
    assert (refused.status, refused.body["rule"]) == (422, "post-licence-not-valid")
    assert (await app("company/searchCompanies", query="满山")).body["items"][0]["status"] == "revoked"
    assert (await app("company/searchCompanies", query="满山", status="active")).body["items"] == []
    batch = await app("company/listCompaniesByCode", codes=[TEA, MACHINERY])
    assert [item["status"] for item in batch.body["items"]] == ["revoked", "active"]
    assert (await app("tax/listRatingsByCode", codes=[TEA])).body["items"][0]["grade"] == "D"

    assert (await other_app("company/getCompany", code=TEA)).body["status"] == "active"
    assert (await other_app("tax/getRating", code=TEA)).body == before.body
    assert (await other_app("post/createOrder")).status == 201


async def test_departments_say_the_same_of_every_company(app: Client, city: City) -> None:
    for code, status in city.all("SELECT code, status FROM company ORDER BY id LIMIT 40"):
        company = (await app("company/getCompany", code=code, scenario="")).body
        taxpayer = (await app("tax/getTaxpayer", code=code)).body
        licence = (await app("company/getLicence", code=code)).body
        assert company["status"] == status
        assert taxpayer["name"] == company["name"] == licence["company_name"]
        assert (
            taxpayer["status"]
            == {"active": "normal", "revoked": "abnormal", "deregistered": "deregistered"}[status]
        )
        assert (licence["status"] in {"valid", "expired"}) == (status == "active")
        reports = {
            item["year"]: item for item in (await app("company/listAnnualReports", code=code)).body["items"]
        }
        paid = (await app("tax/getTaxPaid", code=code, from_year=2019, to_year=2025)).body
        for year in paid["years"]:
            if year["year"] in reports:
                assert year["revenue_yuan"] == reports[year["year"]]["revenue_yuan"]
        arrears = (await app("tax/listArrears", code=code, case_number=COURT)).body
        assert arrears["total_yuan"] == paid["total_unpaid_yuan"]
        assert sum(holder["share_percent"] for holder in company["shareholders"]) == pytest.approx(100)
        for holder in company["shareholders"]:
            if holder["kind"] == "company":
                assert (await app("company/getCompany", code=holder["code"])).body["name"] == holder["name"]


async def test_every_persona_answers(app: Client) -> None:
    for sketch in personas.COMPANIES:
        code = personas.code_of(sketch.slug)
        company = await app("company/getCompany", code=code)
        assert company.body["status"] == sketch.status
        assert sketch.trade_zh in company.body["name"]
        for operation in ("company/listAnnualReports", "company/getLicence", "tax/getTaxpayer"):
            assert (await app(operation, code=code)).status == 200
    owed = (await app("tax/listArrears", code=DEBTOR, case_number="（2026）虚01民初9号")).body
    assert {item["tax"] for item in owed["items"]} == {"vat", "income-tax"}


# --- market regulation ------------------------------------------------------------------------
async def all_pages(app: Client, name: str, **values: Any) -> tuple[list[Any], int]:
    items: list[Any] = []
    pages, cursor = 0, {}
    while pages < 100:
        page = await app(name, **values, **cursor)
        assert page.status == 200, page.body
        items += page.body["items"]
        pages += 1
        if "next" not in page.body:
            return items, pages
        cursor = {"cursor": page.body["next"]}
    raise AssertionError("the list does not end")


@pytest.mark.parametrize(
    "query", ["软件", "开门", "启", "有限公司", "（样例）", "kaimen", "(sample) software", "LTD"]
)
async def test_search_finds_what_is_there_and_nothing_else(app: Client, city: City, query: str) -> None:
    expected = [
        code
        for (code,) in city.all(
            "SELECT code FROM company WHERE instr(searched, ?) ORDER BY id", query.casefold()
        )
    ]
    items, pages = await all_pages(app, "company/searchCompanies", query=query, limit=7)
    assert [item["code"] for item in items] == expected
    assert pages == max(1, -(-len(expected) // 7))


@pytest.mark.parametrize("status", ["active", "revoked", "deregistered"])
async def test_search_by_status(app: Client, city: City, status: str) -> None:
    expected = [code for (code,) in city.all("SELECT code FROM company WHERE status = ? ORDER BY id", status)]
    items, _ = await all_pages(
        app, "company/searchCompanies", query="开门", status=status, limit=3 if status != "active" else 50
    )
    assert [item["code"] for item in items] == expected


@pytest.mark.parametrize(
    "query", ["查无", "zzz", "()", "启\n澜", "'; DROP TABLE company; --", "%", "_", "*", "é", "😀", "\u0000"]
)
async def test_search_for_odd_things(app: Client, query: str) -> None:
    answer = await app("company/searchCompanies", query=query)
    assert answer.status == 200
    assert answer.body["items"] == []


async def test_cursors_are_of_their_list_only(app: Client) -> None:
    first = await app("company/searchCompanies", query="开门", limit=2)
    for cursor in (
        first.body["next"] + "x", "", "!!", "开门", make_cursor("5", "软件", ""), make_cursor("-1", "开门", ""), make_cursor("x", "开门", ""),
        make_cursor("9" * 40, "开门", ""),
    ):  # fmt: skip
        answer = await app("company/searchCompanies", query="开门", cursor=cursor)
        if cursor == "":
            assert answer.status == 200
        else:
            assert (answer.status, answer.body["rule"]) == (400, "company-cursor-invalid")
    other = await app("company/searchCompanies", query="软件", cursor=first.body["next"])
    assert other.body["rule"] == "company-cursor-invalid"


async def test_annual_reports_page_by_page(app: Client) -> None:
    whole = (await app("company/listAnnualReports", code=TEA)).body["items"]
    assert [item["year"] for item in whole] == list(range(2025, 2018, -1))
    items, pages = await all_pages(app, "company/listAnnualReports", code=TEA, limit=3)
    assert (items, pages) == (whole, 3)


async def test_a_licence_expires_by_the_clock(app: Client, city: City) -> None:
    row = city.one(
        "SELECT c.code, l.expires_on FROM licence l JOIN company c ON c.id = l.company "
        "WHERE c.status = 'active' AND l.expires_on > '2026-07-01' LIMIT 1"
    )
    assert row is not None
    code, expires = row
    last_day = await app("company/getLicence", code=code, clock=f"{expires}T23:59:59+08:00")
    assert last_day.body["status"] == "valid"
    day_after = await app("company/getLicence", code=code, clock=f"{expires}T16:00:00+00:00")
    assert day_after.body["status"] == "expired", "midnight in the city is sixteen o'clock UTC"


async def test_batches_keep_order_and_drop_repetition(app: Client) -> None:
    answer = await app("company/listCompaniesByCode", codes=[MACHINERY, TEA, MACHINERY, personas.UNUSED_CODE])
    assert [item["code"] for item in answer.body["items"]] == [MACHINERY, TEA]
    assert answer.body["missing"] == [personas.UNUSED_CODE]
    joined = await app("company/listCompaniesByCode", codes=f"{MACHINERY},{TEA}")
    assert [item["code"] for item in joined.body["items"]] == [MACHINERY, TEA]


# --- tax --------------------------------------------------------------------------------------
async def test_late_fees_grow_with_the_days(app: Client) -> None:
    fees = []
    for clock in (NOON, "2026-07-10T12:00:00+08:00"):
        body = (
            await app("tax/listArrears", code=MACHINERY, case_number=COURT, clock=clock, scenario="")
        ).body
        assert body["items"] == []
        body = (
            await app("tax/listArrears", code=DEBTOR, case_number="（2026）虚02民终7号", clock=clock)
        ).body
        for item in body["items"]:
            assert item["late_fee_yuan"] == item["amount_yuan"] * item["days_overdue"] * 5 // 10_000
        assert body["total_late_fee_yuan"] == sum(item["late_fee_yuan"] for item in body["items"])
        fees.append([item["days_overdue"] for item in body["items"]])
    assert [after - before for before, after in zip(*fees, strict=True)] == [10] * len(fees[0])


@pytest.mark.parametrize(
    ("purpose", "case_number", "status"),
    [
        ("court-enforcement", COURT, 200),
        ("court-enforcement", "（2026）虚证字第88号", 422),
        ("notarisation", "（2026）虚证字第88号", 200),
        ("notarisation", COURT, 422),
        ("", COURT, 200),
        ("", "（2026）京01执123号", 422),
        ("court-enforcement", "(2026)虚0105民初77号", 200),
    ],
)
async def test_an_inquiry_by_law_names_its_case(
    app: Client, purpose: str, case_number: str, status: int
) -> None:
    answer = await app(
        "tax/listArrears", code=MACHINERY, purpose=purpose, case_number=case_number, scenario=""
    )
    assert answer.status == status


async def test_ratings_of_a_year(app: Client) -> None:
    latest = (await app("tax/getRating", code=MACHINERY)).body
    assert latest["year"] == 2025
    older = (await app("tax/getRating", code=MACHINERY, year=2021)).body
    assert older["year"] == 2021
    none = await app("tax/getRating", code=MACHINERY, year=2010)
    assert (none.status, none.body["rule"]) == (404, "tax-rating-none")
    assert "2010" in none.body["detail"]


async def test_tax_paid_defaults_to_three_full_years(app: Client) -> None:
    body = (await app("tax/getTaxPaid", code=MACHINERY)).body
    assert (body["from_year"], body["to_year"]) == (2023, 2025)
    assert [year["year"] for year in body["years"]] == [2023, 2024, 2025]
    assert body["total_paid_yuan"] == sum(year["paid_yuan"] for year in body["years"])


# --- post -------------------------------------------------------------------------------------
def order(code: str, recipient: tuple[str, str], **changes: Any) -> dict[str, Any]:
    return {
        "item": {"kind": "business-licence", "company_code": code},
        "recipient": {"name": recipient[0], "id_number": recipient[1], "phone": "10000000000"},
        **changes,
    }


def person(slug: str) -> tuple[str, str]:
    return next(one.name for one in personas.PEOPLE if one.slug == slug), personas.number_of(slug)


async def placed(app: Client, clock: str, **changes: Any) -> Answer:
    answer = await app("post/createOrder", clock=clock, body=order(MACHINERY, person("aynur"), **changes))
    assert answer.status == 201, answer.body
    return answer


async def test_an_order_goes_its_way_with_the_clock(app: Client) -> None:
    made = await placed(app, "2026-07-01T08:00:00+08:00", service="express", note="前台代收")
    number = made.body["number"]
    assert made.body["note"] == "前台代收"
    seen = []
    for clock in ("07-01T08:30", "07-01T12:00", "07-02T02:30", "07-02T09:00"):
        moment = f"2026-{clock}:00+08:00"
        tracked = (await app("post/trackOrder", number=number, clock=moment)).body
        shown = (await app("post/getOrder", number=number, clock=moment)).body
        events = (await app("post/listEvents", number=number, clock=moment)).body["items"]
        assert tracked["status"] == shown["status"] == events[-1]["status"]
        assert tracked["last_event"] == events[-1]
        assert [event["at"] for event in events] == sorted(event["at"] for event in events)
        assert all(event["at"] <= moment for event in events)
        assert ("expected_at" in tracked) == (tracked["status"] != "delivered")
        seen.append(tracked["status"])
    assert seen == ["accepted", "in-transit", "out-for-delivery", "delivered"]


async def test_cancelled_only_until_pick_up(app: Client) -> None:
    number = (await placed(app, "2026-07-01T08:00:00+08:00")).body["number"]
    late = await app("post/cancelOrder", number=number, clock="2026-07-01T11:30:00+08:00")
    assert (late.status, late.body["rule"]) == (409, "post-order-not-cancellable")
    done = await app("post/cancelOrder", number=number, clock="2026-07-01T09:00:00+08:00")
    assert done.body["status"] == "cancelled"
    later = (await app("post/listEvents", number=number, clock="2026-08-01T09:00:00+08:00")).body["items"]
    assert [event["event"] for event in later] == ["accepted", "cancelled"]


async def test_a_licence_is_on_one_way_at_a_time(app: Client) -> None:
    start = "2026-07-01T08:00:00+08:00"
    first = await placed(app, start)
    again = await app("post/createOrder", clock=start, body=order(MACHINERY, person("aynur")))
    assert (again.status, again.body["rule"]) == (409, "post-order-under-way")
    assert first.body["number"] in again.body["detail"]
    await app("post/cancelOrder", number=first.body["number"], clock=start)
    await placed(app, start)
    await placed(app, "2026-07-09T08:00:00+08:00")


@pytest.mark.parametrize(
    ("company", "recipient", "changes", "rule"),
    [
        ("manshan-tea", person("chen-hang"), {}, ""),  # a shareholder
        ("hengzhu-machinery", person("ouyang-wei"), {}, ""),
        ("hengzhu-machinery", person("lin-xi"), {}, "post-recipient-not-entitled"),  # holds it only through the tea company
        ("manshan-tea", ("林希", personas.number_of("lin-xi")), {}, "post-recipient-unknown"),
        ("manshan-tea", ("林溪", personas.number_of("chen-hang")), {}, "post-recipient-unknown"),
        ("manshan-tea", ("林溪", "110101199003070011"), {}, "post-recipient-unknown"),
        ("xiemu-culture", person("chen-hang"), {}, "post-licence-not-valid"),
        ("liuyun-trading", person("zhou-ming"), {}, "post-licence-not-valid"),
        ("manshan-tea", person("lin-xi"), {"destination": {"district_code": "110101", "address": "某处某路一号"}}, "post-area-not-served"),
    ],
)  # fmt: skip
async def test_whom_the_post_delivers_to(
    app: Client, company: str, recipient: tuple[str, str], changes: dict[str, Any], rule: str
) -> None:
    body = order(personas.code_of(company), recipient, **changes)
    answer = await app("post/createOrder", body=body)
    assert answer.body.get("rule", "") == rule
    assert answer.status == (422 if rule else 201)
    if rule:
        assert recipient[1] not in str(answer.body), "a refusal repeats no identity number"


async def test_the_dead_receive_nothing(app: Client, city: City) -> None:
    row = city.one("SELECT name, number FROM citizen WHERE died IS NOT NULL LIMIT 1")
    assert row is not None
    answer = await app("post/createOrder", body=order(TEA, row))
    assert answer.body["rule"] == "post-recipient-unknown"


async def test_lists_of_orders_by_status_and_page(app: Client, city: City) -> None:
    rows = city.all(
        "SELECT c.code, p.name, p.number FROM company c JOIN citizen p ON p.id = c.legal_representative "
        "LEFT JOIN licence l ON l.company = c.id WHERE c.status = 'active' AND c.id > 8 "
        "AND (l.expires_on IS NULL OR l.expires_on > '2027') ORDER BY c.id LIMIT 7"
    )
    for number, (code, *recipient) in enumerate(rows):
        clock = f"2026-07-01T08:0{number}:00+08:00"
        made = await app("post/createOrder", clock=clock, body=order(code, tuple(recipient)))
        assert made.status == 201, made.body
    clock = "2026-07-01T09:00:00+08:00"
    items, pages = await all_pages(app, "post/listOrders", limit=3, clock=clock)
    assert [item["item"]["company_code"] for item in items] == [code for code, *_ in rows]
    assert pages == 3
    await app("post/cancelOrder", number=items[2]["number"], clock=clock)
    left, _ = await all_pages(app, "post/listOrders", limit=3, clock=clock, status="accepted")
    assert len(left) == 6
    gone = (await app("post/listOrders", status="cancelled", clock=clock)).body["items"]
    assert [item["number"] for item in gone] == [items[2]["number"]]


async def test_identity_numbers_stay_inside(app: Client) -> None:
    number = (await placed(app, NOON)).body["number"]
    for operation in ("post/getOrder", "post/trackOrder", "post/listEvents"):
        answer = await app(operation, number=number)
        assert personas.number_of("aynur") not in str(answer.body)


# --- without a city ---------------------------------------------------------------------------
async def test_without_a_city_the_upstream_is_unreachable(stores: object, tmp_path: Any) -> None:
    side = CitySide(DEPARTMENTS, CityFile(tmp_path), States("sandbox"), "http://127.0.0.1/docs")
    with pytest.raises(Failure) as failure:
        await Client(side)("company/getCompany")
    assert failure.value.kind.slug == "upstream-unreachable"
    assert failure.value.rule == "city-not-seeded"
    with pytest.raises(LookupError, match="market-regulation"):
        side.connector("city:nowhere", None)
    await side.close()
