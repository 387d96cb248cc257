"""The hotline: a case goes its way by the clock, and market regulation decides about companies."""

from sandbox.city.departments.market_regulation.records import COMPANY
from sandbox.city.population import personas
from tests.sandbox.conftest import Client
from tests.sandbox.departments.changing import change

CATERING = personas.code_of("chidao-catering")
CASE = {
    "topic": "consumer", "title": "预付卡不退", "text": "停业后不退预付款。", "district_code": "990103", "company_code": CATERING, "is_public": False,
}  # fmt: skip


async def test_a_company_that_is_gone_is_a_matter_of_the_courts(app: Client, other_app: Client) -> None:
    await change(app, COMPANY, CATERING, status="deregistered")
    refused = await app("hotline/submitCase", body=CASE)
    assert refused.body["rule"] == "hotline-company-gone"
    assert (await other_app("hotline/submitCase", body=CASE)).status == 201


async def test_a_case_is_assigned_answered_rated_and_closed(app: Client) -> None:
    case = (await app("hotline/submitCase", body=CASE)).body
    assert (case["status"], case["department"], case["is_public"]) == ("submitted", "市场监督管理局", False)
    twice = await app("hotline/submitCase", body=CASE)
    assert (twice.body["rule"], twice.body["number"]) == ("hotline-case-twice", case["number"])
    noted = await app("hotline/addNote", number=case["number"], body={"text": "余额三百元。"})
    assert len(noted.body["notes"]) == 1
    early = await app("hotline/rateCase", number=case["number"])
    assert early.body["rule"] == "hotline-not-answered"
    answered, rating = "2026-07-06T12:00:00+08:00", {"stars": 2, "is_resolved": False}
    seen = await app("hotline/getCase", number=case["number"], clock=answered)
    assert (seen.body["status"], seen.body["reply"]["department"]) == ("answered", "市场监督管理局")
    again = await app("hotline/rateCase", number=case["number"], body=rating, clock=answered)
    assert again.body["status"] == "reopened"
    later = await app("hotline/getCase", number=case["number"], clock="2026-07-10T12:00:00+08:00")
    assert later.body["status"] == "answered"
    late = await app("hotline/withdrawCase", number=case["number"], clock="2026-07-10T12:00:00+08:00")
    assert late.body["rule"] == "hotline-case-closed"


async def test_only_what_may_be_public_is_listed_page_by_page(app: Client) -> None:
    for title in ("甲", "乙", "丙"):
        body = {
            "topic": "bus",
            "title": title,
            "text": "多开一班车。",
            "district_code": "990106",
            "is_public": title != "丙",
        }
        assert (await app("hotline/submitCase", body=body)).status == 201
    titles, cursor = [], {}
    for _ in range(10):
        page = (await app("hotline/listPublicCases", limit=2, **cursor)).body
        titles += [case["title"] for case in page["items"]]
        assert all("text" not in case for case in page["items"])
        if "next" not in page:
            break
        cursor = {"cursor": page["next"]}
    assert sorted(titles) == sorted(["夜间施工噪声", "希望7路增加早班车", "甲", "乙"])
