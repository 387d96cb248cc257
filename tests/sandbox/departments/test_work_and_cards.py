"""Work and what hangs on it: contributions, insurance, subsidies, benefits; and appointments that fill up."""

from typing import Any

from sandbox.city.base import City
from sandbox.city.departments.market_regulation.records import COMPANY
from sandbox.city.departments.medical_insurance.records import ENROLMENT
from sandbox.city.population import personas
from sandbox.city.population.chapters.newcomers import number_of
from tests.sandbox.conftest import Client
from tests.sandbox.departments.changing import change

TEA, SOFTWARE = personas.code_of("manshan-tea"), personas.code_of("chuchen-software")
LIN, FENG, GUO, ZHOU = (personas.number_of(slug) for slug in ("lin-xi", "feng-ting", "guo-wei", "zhou-ming"))
LATER = "2026-08-05T12:00:00+08:00"


async def ended(app: Client, number: str, reason: str = "contract-ended") -> None:
    body = {"company_code": TEA, "id_number": number, "ended_on": "2026-06-29", "reason": reason}
    answer = await app("social/endEmployment", body=body)
    assert answer.status == 201, answer.body


async def test_contributions_end_with_the_employer(app: Client, other_app: Client) -> None:
    body = {"id_number": LIN, "from_month": "2026-03", "to_month": "2026-05"}
    before = (await app("social/getContributions", body=body)).body
    assert [one["month"] for one in before["months"]] == ["2026-03", "2026-04", "2026-05"]
    await change(app, COMPANY, TEA, status="revoked", ended_on="2026-04-15")
    after = (await app("social/getContributions", body=body)).body
    assert [one["month"] for one in after["months"]] == ["2026-03", "2026-04"]
    assert after["is_insured"] is False
    assert (await app("social/getCompanyStatus", code=TEA)).body["status"] == "closed"
    assert (await app("social/listEmployees", code=TEA)).body["items"] == []
    assert (await app("insurance/getEnrolment", body={"id_number": LIN})).body["scheme"] == "resident"
    claim = await app("social/claimUnemployment", body={"id_number": LIN, "name": "林溪"})
    assert (claim.status, claim.body["to_month"]) == (201, "2028-06"), (
        "fourteen years give twenty-four months"
    )
    assert (await other_app("social/getContributions", body=body)).body == before


async def test_every_employee_contributes_by_his_employer(app: Client, city: City) -> None:
    rows = city.all(
        "SELECT c.number, k.code, k.status FROM employment e JOIN citizen c ON c.id = e.citizen "
        "JOIN company k ON k.id = e.company WHERE c.died IS NULL ORDER BY c.id LIMIT 60"
    )
    for number, code, status in rows:
        found = (
            await app(
                "social/getContributions",
                body={"id_number": number, "from_month": "2024-06", "to_month": "2026-05"},
            )
        ).body
        assert {one["company_code"] for one in found["months"]} <= {code}
        assert found["is_insured"] == (status == "active")
        enrolment = (await app("insurance/getEnrolment", body={"id_number": number})).body
        assert enrolment["scheme"] == ("employee" if status == "active" else "resident")


async def test_a_new_job_ends_the_benefit(app: Client) -> None:
    claim = (await app("social/claimUnemployment")).body
    assert claim["status"] == "paid"
    job = {"id_number": ZHOU, "name": "周鸣", "since": "2026-06-29"}
    assert (await app("social/registerEmployment", body=job)).status == 201
    assert (await app("social/getUnemploymentClaim", number=claim["number"])).body[
        "status"
    ] == "ended-by-employment"
    staff = (await app("social/listEmployees", code=SOFTWARE)).body["items"]
    assert "周鸣" in [one["name"] for one in staff]
    again = await app("social/registerEmployment", body=job)
    assert again.body["rule"] == "social-employed-already"


async def test_who_resigned_gets_no_benefit(app: Client) -> None:
    await ended(app, FENG, "resigned")
    refused = await app("social/claimUnemployment", body={"id_number": FENG, "name": "冯婷"}, clock=LATER)
    assert refused.body["rule"] == "social-resigned"


async def test_a_subsidy_for_the_jobless_follows_the_job(app: Client) -> None:
    living = {"subsidy": "living"}
    assert (await app("disability/applySubsidy", body=living)).body["rule"] == "disability-has-income"
    await ended(app, FENG)
    granted = await app("disability/applySubsidy", body=living)
    assert (granted.status, granted.body["monthly_yuan"]) == (201, 120)
    job = {"id_number": FENG, "name": "冯婷", "since": "2026-06-30"}
    assert (await app("social/registerEmployment", body=job)).status == 201
    shown = (await app("disability/getSubsidyGrant", number=granted.body["number"])).body
    assert (shown["status"], shown["monthly_yuan"]) == ("suspended", 0)


async def test_a_card_comes_after_the_assessment(app: Client) -> None:
    applied = (await app("disability/applyCard", body={"category": "visual"})).body
    before = await app("disability/getCard", body={"id_number": personas.number_of("qian-shouyi")})
    assert before.body["rule"] == "disability-no-card"
    later = (await app("disability/getCardApplication", number=applied["number"], clock=LATER)).body
    assert later["status"] in {"issued", "refused"}
    card = await app("disability/getCard", body={"id_number": personas.number_of("qian-shouyi")}, clock=LATER)
    assert card.status == (200 if later["status"] == "issued" else 404)


async def test_tax_relief_for_a_veteran_rests_without_his_job(app: Client) -> None:
    claimed = await app("veterans/claimBenefit", body={"benefit": "tax-relief"})
    assert claimed.body["company_code"] == TEA
    await ended(app, GUO)
    shown = (await app("veterans/getBenefitClaim", number=claimed.body["number"], clock=LATER)).body
    assert shown["status"] == "suspended"
    assert "company_code" not in shown


async def test_a_health_check_takes_insurance(app: Client) -> None:
    await change(app, ENROLMENT, GUO, since="2027-01-01")
    assert (await app("veterans/claimBenefit")).body["rule"] == "veterans-condition"
    assert (await app("veterans/claimBenefit", body={"benefit": "museum-pass"})).status == 201


async def test_a_benefit_given_up_may_be_claimed_again(app: Client) -> None:
    assert (await app("veterans/endBenefitClaim")).body["status"] == "ended"
    assert (await app("veterans/claimBenefit", body={"benefit": "bus-pass"})).status == 201


async def test_a_certificate_that_was_applied_for_is_verified_by_its_number(app: Client) -> None:
    number = (await app("veterans/applyCertificate")).body["number"]
    issued = (await app("veterans/getCertificateApplication", number=number, clock=LATER)).body
    check = {"certificate_number": issued["certificate_number"], "name": "王建国"}
    assert (await app("veterans/verifyCertificate", body=check)).body["result"] == "unknown"
    assert (await app("veterans/verifyCertificate", body=check, clock=LATER)).body["result"] == "valid"


# --- appointments, permits, treatment elsewhere -----------------------------------------------
async def test_places_fill_up_and_come_back(app: Client, other_app: Client, city: City) -> None:
    slot = {"hospital_code": "H990105001", "section": "surgery", "date": "2026-07-08", "period": "08:00"}
    listed = {"code": slot["hospital_code"], "section": slot["section"], "date": slot["date"]}
    free = next(one for one in (await app("health/listSlots", **listed)).body["items"] if one["free"])
    slot["period"] = free["period"]
    people = city.all(
        "SELECT number, name FROM citizen WHERE died IS NULL ORDER BY id DESC LIMIT ?", free["free"] + 1
    )
    numbers = []
    for number, name in people[:-1]:
        booked = await app("health/bookAppointment", body={**slot, "id_number": number, "name": name})
        assert booked.status == 201, booked.body
        numbers.append(booked.body["number"])
    number, name = people[-1]
    full = await app("health/bookAppointment", body={**slot, "id_number": number, "name": name})
    assert full.body["rule"] == "health-slot-full"
    assert (await app("health/cancelAppointment", number=numbers[0])).body["status"] == "cancelled"
    assert (
        await app("health/bookAppointment", body={**slot, "id_number": number, "name": name})
    ).status == 201
    assert free in (await other_app("health/listSlots", **listed)).body["items"]


async def test_a_permit_runs_for_a_year(app: Client) -> None:
    assert (await app("household/applyResidencePermit")).body["expires_on"] == "2027-06-29"
    lookup = {"id_number": number_of("Liang Yuan")}
    for clock, status in (("2027-06-29T12:00:00+08:00", "valid"), ("2027-06-30T12:00:00+08:00", "expired")):
        assert (await app("household/getResidencePermit", body=lookup, clock=clock)).body["status"] == status


async def test_who_came_too_early_waits_half_a_year(app: Client) -> None:
    body = {"id_number": number_of("He Xin"), "name": "贺新"}
    refused = await app("household/applyResidencePermit", body=body)
    assert "2026-10-10" in refused.body["detail"]
    assert (
        await app("household/applyResidencePermit", body=body, clock="2026-10-10T09:00:00+08:00")
    ).status == 201


async def test_treatment_elsewhere_is_one_place_at_a_time(app: Client) -> None:
    made = (await app("insurance/registerRemoteTreatment")).body
    assert (await app("insurance/registerRemoteTreatment")).body["rule"] == "insurance-remote-overlap"
    assert (await app("insurance/cancelRemoteTreatment", number=made["number"])).body["status"] == "cancelled"
    assert (await app("insurance/registerRemoteTreatment")).status == 201


async def test_microdata_come_page_by_page_and_name_nobody(app: Client, city: City) -> None:
    items: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    for _ in range(100):
        page = (await app("insurance/listSettlementMicrodata", year=2025, limit=50, **cursor)).body
        items += page["items"]
        if "next" not in page:
            break
        cursor = {"cursor": page["next"]}
    listed = 0
    for (number,) in city.all("SELECT number FROM citizen WHERE died IS NULL ORDER BY id LIMIT 100"):
        body = {"id_number": number, "from": "2025-01-01", "until": "2025-12-31"}
        answer = await app("insurance/listSettlements", body=body)
        listed += len(answer.body.get("items", ()))
    assert len(items) > listed > 0
    assert all("id_number" not in one and "name" not in one for one in items)
