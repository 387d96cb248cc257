"""A family's affairs: a birth, a marriage, a divorce and a death, as every department that they concern sees them."""

import pytest

from api.core.store import placeholders, plane
from sandbox.city.departments.public_security.records import PERSON
from sandbox.city.population import personas
from tests.sandbox.conftest import Client
from tests.sandbox.departments.changing import change

LIN, HANG, CHILD = (personas.number_of(slug) for slug in ("lin-xi", "chen-hang", "chen-xiaoman"))
FATHER, MOTHER, NEWBORN = (personas.number_of(slug) for slug in ("zhao-lei", "lin-xiaoya", "zhao-xinsheng"))
OLD = personas.number_of("qian-shouyi")
SISTER = "K900000001"


async def told(app: Client, subject: str) -> list[str]:
    """The types of the events about a subject of this app that stand in the outbox."""
    connection = plane("sandbox")
    subject_mark, app_mark = placeholders(connection, 2).split(", ")
    _, rows = await connection.execute_query(
        f"SELECT type FROM event WHERE subject = {subject_mark} AND app_id = {app_mark}",
        [subject, app.state_id],
    )
    return [row["type"] for row in rows]


async def registered(app: Client, **values: str) -> str:
    """Register the newborn sister; her identity number."""
    answer = await app("household/registerBirth", body=values or {"applicant_number": MOTHER})
    assert answer.status == 201, answer.body
    return str(answer.body["id_number"])


# --- births -----------------------------------------------------------------------------------
async def test_a_newborn_goes_from_hospital_to_register_to_insurance(app: Client, other_app: Client) -> None:
    issued = await app("health/issueBirthCertificate")
    number = issued.body["number"]
    assert (issued.status, issued.body["is_registered"]) == (201, False)
    assert await told(app, number) == ["health.birth-certificate.issued"]
    child = await registered(app, certificate_number=number, applicant_number=HANG)
    assert (await app("health/getBirthCertificate", number=number)).body["is_registered"] is True
    household = (await app("household/getHousehold", body={"id_number": LIN})).body
    assert [one["relation"] for one in household["members"]] == ["head", "spouse", "child", "child"]
    assert household["members"][-1]["id_number"] == child
    lookup = {"id_number": child}
    assert (await app("insurance/getEnrolment", body=lookup)).body["rule"] == "insurance-not-enrolled"
    enrolled = await app("insurance/enrolNewborn", body={"id_number": child, "guardian_number": LIN})
    assert enrolled.body["since"] == "2026-06-29"
    assert await told(app, child) == ["insurance.enrolled"]
    assert (await app("insurance/getEnrolment", body=lookup)).body["scheme"] == "resident"
    vaccine = {"id_number": child, "vaccine": "BCG", "dose": 1}
    assert (await app("health/recordVaccination", body=vaccine)).status == 201
    due = (await app("health/listVaccinations", body=lookup)).body["due"]
    assert ("BCG", 1) not in [(one["vaccine"], one["dose"]) for one in due]
    assert (await other_app("household/getPerson", body=lookup)).status == 404
    assert (await other_app("health/getBirthCertificate", number=number)).status == 404


async def test_a_certificate_is_used_once(app: Client) -> None:
    assert await registered(app) != NEWBORN
    again = await app("household/registerBirth", body={"applicant_number": FATHER})
    assert (again.status, again.body["rule"]) == (409, "household-birth-registered")
    assert SISTER in again.body["detail"]


async def test_insurance_waits_for_the_register(app: Client) -> None:
    unknown = personas.number_of("zhao-xinsheng")[:14]
    body = {"id_number": unknown + "8025", "guardian_number": MOTHER}
    assert (await app("insurance/enrolNewborn", body=body)).body["rule"] == "insurance-child-not-registered"
    body["id_number"] = await registered(app)
    assert (await app("insurance/enrolNewborn", body=body)).status == 201


async def test_a_mother_has_no_two_births_in_a_season(app: Client) -> None:
    assert (await app("health/issueBirthCertificate")).status == 201
    again = await app(
        "health/issueBirthCertificate", body={"child_name": "陈小船", "born_at": "2026-06-20T08:00:00+08:00"}
    )
    assert again.body["rule"] == "health-certificate-issued"
    twin = await app("health/issueBirthCertificate", body={"child_name": "陈小船"})
    assert twin.status == 201


# --- marriages --------------------------------------------------------------------------------
async def test_a_wedding_is_booked_registered_and_known_everywhere(app: Client, other_app: Client) -> None:
    booked = await app("civil/bookMarriageRegistration")
    early = await app("civil/registerMarriage", body={"booking_number": booked.body["number"]})
    assert (early.status, early.body["rule"]) == (409, "civil-not-the-day")
    day = "2026-07-07T10:00:00+08:00"
    married = await app("civil/registerMarriage", body={"booking_number": booked.body["number"]}, clock=day)
    assert married.status == 201
    assert await told(app, married.body["certificate_number"]) == ["civil.marriage.registered"]
    for slug in ("xu-ran", "feng-ting"):
        person = {"id_number": personas.number_of(slug)}
        assert (await app("household/getPerson", body=person, clock=day)).body["marital_status"] == "married"
        assert (await other_app("household/getPerson", body=person, clock=day)).body[
            "marital_status"
        ] == "single"
    again = await app("civil/bookMarriageRegistration", clock="2026-06-30T12:00:00+08:00", scenario="")
    assert again.body["rule"] == "civil-married-already"


@pytest.mark.parametrize(
    ("moment", "rule"),
    [("2026-07-30T12:00:00", "civil-cooling-off"), ("2026-07-31T12:00:00", ""), ("2026-08-29T12:00:00", ""),
     ("2026-08-30T12:00:00", "civil-application-closed")],
)  # fmt: skip
async def test_a_divorce_waits_for_thirty_days_and_no_longer_than_sixty(
    app: Client, moment: str, rule: str
) -> None:
    applied = await app("civil/applyDivorce")
    body = {"application_number": applied.body["number"]}
    answer = await app("civil/registerDivorce", body=body, clock=f"{moment}+08:00")
    assert answer.body.get("rule", "") == rule
    shown = await app("household/getPerson", body={"id_number": LIN}, clock=f"{moment}+08:00")
    assert shown.body["marital_status"] == ("married" if rule else "divorced")


async def test_a_divorce_that_is_withdrawn_leaves_all_as_it_was(app: Client) -> None:
    number = (await app("civil/applyDivorce")).body["number"]
    assert (await app("civil/applyDivorce")).body["rule"] == "civil-divorce-under-way"
    assert (await app("civil/withdrawDivorceApplication", number=number)).body["status"] == "withdrawn"
    assert (await app("civil/applyDivorce")).status == 201


# --- a death ----------------------------------------------------------------------------------
async def test_a_death_is_felt_everywhere(app: Client) -> None:
    assert (await app("household/registerDeath")).status == 201
    dead = {"id_number": HANG}
    assert (await app("household/getPerson", body=dead)).body["is_alive"] is False
    assert (await app("household/getHousehold", body=dead)).body["rule"] == "household-person-dead"
    assert (await app("civil/getMarriage", body={"id_number": LIN})).body["status"] == "widowed"
    assert (await app("insurance/getEnrolment", body=dead)).body["status"] == "ended"
    assert (await app("social/getContributions", body=dead)).status == 404
    assert (await app("household/verifyIdentity", body={"id_number": HANG, "name": "陈航"})).body[
        "result"
    ] == "dead"
    booking = await app("health/bookAppointment", body={"id_number": HANG, "name": "陈航"})
    assert booking.body["rule"] == "health-patient-unknown"
    assert (await app("household/registerDeath")).body["rule"] == "household-person-dead"


async def test_an_allowance_stops_with_death(app: Client) -> None:
    assert (await app("civil/getElderlyAllowance")).body["status"] == "paid"
    await change(app, PERSON, OLD, died_on="2026-06-29")
    stopped = (await app("civil/getElderlyAllowance")).body
    assert (stopped["status"], stopped["monthly_yuan"], stopped["stopped_on"]) == ("stopped", 0, "2026-06-29")


async def test_only_kin_register_a_death(app: Client) -> None:
    stranger = {"id_number": OLD, "died_on": "2026-06-30", "applicant_number": LIN}
    assert (await app("household/registerDeath", body=stranger)).body["rule"] == "household-applicant-not-kin"


async def test_who_takes_somebody_in_ends_the_living_alone(app: Client) -> None:
    call = {"id_number": OLD, "name": "钱守义", "service": "emergency-call"}
    assert (await app("civil/applyElderlyService", body=call)).status == 201
    lodger = {**call, "id_number": personas.number_of("sun-xiuying"), "name": "孙秀英"}
    assert (await app("civil/applyElderlyService", body=lodger)).body["rule"] == "civil-not-alone"
    away = {
        "id_number": lodger["id_number"],
        "district_code": "990103",
        "address": "开门市南样区纸桥巷9号1幢1单元101室",
    }
    assert (await app("household/moveResidence", body=away)).status == 201
    assert (await app("civil/applyElderlyService", body=lodger)).status == 201


# --- a move -----------------------------------------------------------------------------------
async def test_a_move_costs_the_place_at_school(app: Client) -> None:
    applied = await app("education/applySchoolPlace")
    later = "2026-07-16T09:00:00+08:00"
    assert (await app("education/getApplication", number=applied.body["number"], clock=later)).body[
        "status"
    ] == "accepted"
    moved = await app("household/moveResidence")
    assert moved.body["people"] == 2
    assert (await app("education/getApplication", number=applied.body["number"], clock=later)).body[
        "status"
    ] == "refused"
    assert (await app("household/getHousehold", body={"id_number": HANG})).body["members"][0][
        "id_number"
    ] == HANG
    assert len((await app("household/getHousehold", body={"id_number": CHILD})).body["members"]) == 2
    assert (await app("household/listResidenceMoves")).body["items"] == [moved.body]
    withdrawn = await app("education/withdrawApplication", number=applied.body["number"])
    assert withdrawn.body["status"] == "withdrawn"
    again = await app("education/applySchoolPlace")
    assert again.body["rule"] == "education-not-in-catchment"
