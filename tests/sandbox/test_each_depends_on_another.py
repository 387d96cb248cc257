"""Every department has an answer that depends on another's record: an operation of the other changes the cause.

All calls go over the department's real protocol, as the city publishes it. What another app sees stays as it was.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.core import ids
from api.gateway.connector import Connector, Context
from api.gateway.connectors.registry import ConnectorRegistry
from api.main import city_upstreams
from api.settings import Settings
from sandbox.city.base import CityFile
from sandbox.city.connector import CitySide
from sandbox.city.departments import BY_SLUG, DEPARTMENTS
from sandbox.city.departments.utilities.records import account_number
from sandbox.city.install import upstream_of
from sandbox.city.inventory import read_services
from sandbox.city.native.side import NativeSide, mapping_text
from sandbox.city.population import personas
from sandbox.city.rehearsal import example_request
from sandbox.city.state import States
from tests.sandbox.conftest import DOCS_URL, NOON, Answer, find

TEA, CATERING = personas.code_of("manshan-tea"), personas.code_of("chidao-catering")
HENGZHU, DEBTOR = personas.code_of("hengzhu-machinery"), personas.code_of("qianshou-materials")
LIN, HANG, FENG, GUO, XU, TANG = (
    personas.number_of(slug) for slug in ("lin-xi", "chen-hang", "feng-ting", "guo-wei", "xu-ran", "tang-yue")
)
COURT = "（2026）虚01执123号"
WANG_UNIT, FREEZE = "990103001001GB00004F00000004", "（2026）虚01执66号"
TANG_UNIT = "990102001001GB00010F00000010"
REGISTERED = "2026-07-05T12:00:00+08:00"  # a transfer that was applied for at noon of the count is done
LATER = "2026-08-05T12:00:00+08:00"
WEDDING = "2026-07-07T10:00:00+08:00"


class City:
    """The departments of the city over their own protocols, for one app; it notes which operations were called."""

    def __init__(self, connectors: dict[str, Connector], state_id: str) -> None:
        self._connectors = connectors
        self._state_id = state_id
        self.called: list[tuple[str, bool]] = []  # (department, whether the operation may write)

    async def __call__(self, name: str, *, body: Any = None, clock: str = NOON, **values: Any) -> Answer:
        service, operation = find(name)
        if body is not None:
            values["body"] = body
        context = Context(
            request_id="rs_depends", deadline=time.monotonic() + 30, environment="sandbox", app_id=self._state_id,
            state_id=self._state_id, clock=clock, service=service.key,
            purpose=operation.purposes[0] if operation.purposes else "",
        )  # fmt: skip
        self.called.append((service.department, not operation.is_safe))
        result = await self._connectors[service.department].call(
            operation, example_request(operation, values), context
        )
        assert isinstance(result.body, bytes)
        said = msgspec.json.decode(result.body) if result.body else None
        return Answer(result.status, said, {key.decode(): value.decode() for key, value in result.headers})

    async def done(self, name: str, **values: Any) -> Any:
        """The body of a call that must succeed."""
        answer = await self(name, **values)
        assert answer.status < 300, (name, answer.status, answer.body)
        return answer.body


Step = Callable[[City], Awaitable[Any]]


class Dependence(msgspec.Struct, frozen=True):
    """`effect` is asked of the department alone; `cause` calls `other` at least; what is seen before and after."""

    other: str
    effect: Step
    cause: Step
    before: Any
    after: Any


def rule_or_status(answer: Answer) -> Any:
    return answer.body["rule"] if answer.status >= 400 else answer.status


# --- causes --------------------------------------------------------------------------------------------
async def hang_dies(app: City) -> None:
    await app.done("household/registerDeath")


async def taxes_are_paid(app: City) -> None:
    for item in (await app.done("tax/listArrears", code=DEBTOR, case_number=COURT))["items"]:
        body = {"year": item["year"], "tax": item["tax"], "amount_yuan": item["amount_yuan"]}
        await app.done("tax/payArrears", code=DEBTOR, body=body)


def deregistered(code: str) -> Step:
    async def cause(app: City) -> None:
        await app.done(
            "company/deregisterCompany", code=code, body={"reason": "resolution", "applicant": "林溪"}
        )

    return cause


async def reports_are_filed(app: City) -> None:
    figures = {"employees": 40, "revenue_yuan": 1, "profit_yuan": 0, "assets_yuan": 10, "liabilities_yuan": 0}
    for year in (2024, 2025):
        await app.done("company/fileAnnualReport", code=CATERING, body={"year": year, **figures})


def job_ends(number: str) -> Step:
    async def cause(app: City) -> None:
        body = {
            "company_code": TEA,
            "id_number": number,
            "ended_on": "2026-06-29",
            "reason": "contract-ended",
        }
        await app.done("social/endEmployment", body=body)

    return cause


async def home_is_sold(app: City) -> None:
    """Tang Yue's home becomes Xu Ran's, three days later by the clock."""
    sale = {
        "unit_number": TANG_UNIT, "sellers": [{"name": "唐月", "id_number": TANG}],
        "buyers": [{"name": "徐然", "id_number": XU}], "price_yuan": 1_380_000, "signed_on": "2026-06-29",
    }  # fmt: skip
    contract = (await app.done("housing/fileSaleContract", body=sale))["number"]
    await app.done("tax/payDeedTax", body={"contract_number": contract})
    await app.done("realestate/applyTransfer", body={"contract_number": contract})


async def address_moves(app: City) -> None:
    await app.done("company/changeAddress", code=TEA)


# --- effects -------------------------------------------------------------------------------------------
def field(name: str, key: str, **values: Any) -> Step:
    async def effect(app: City) -> Any:
        return (await app.done(name, **values))[key]

    return effect


def is_positive(name: str, key: str, **values: Any) -> Step:
    async def effect(app: City) -> Any:
        return (await app.done(name, **values))[key] > 0

    return effect


def statuses(name: str, **values: Any) -> Step:
    async def effect(app: City) -> Any:
        return [one["status"] for one in (await app.done(name, **values))["items"]]

    return effect


def outcome(name: str, **values: Any) -> Step:
    async def effect(app: City) -> Any:
        return rule_or_status(await app(name, **values))

    return effect


async def company_is_registered(app: City) -> None:
    name = await app.done("company/reserveName")
    people = {"name": "唐月", "id_number": TANG}
    body = {
        "reservation_number": name["number"], "registered_capital_yuan": 800_000, "district_code": "990102",
        "address": "开门市西样区目录街120号3层0305室", "legal_representative": people,
        "shareholders": [{**people, "share_percent": 100}],
    }  # fmt: skip
    code = (await app.done("company/registerCompany", body=body))["code"]
    assert code == NEW_COMPANY


NEW_COMPANY = "91990102MB00000199"  # what the first company of an app in West Sample gets


async def they_marry(app: City) -> None:
    number = (await app.done("civil/bookMarriageRegistration"))["number"]
    await app.done("civil/registerMarriage", body={"booking_number": number}, clock=WEDDING)


async def frozen_home_is_sold(app: City) -> None:
    await app.done("justice/liftFreeze", unit_number=WANG_UNIT, body={"case_number": FREEZE})
    await app.done("realestate/applyTransfer", body={"contract_number": "HT20260301000001"})


LEASE = {
    "unit_number": TANG_UNIT, "landlord": {"name": "唐月", "id_number": TANG},
    "tenant": {"name": "周鸣", "id_number": personas.number_of("zhou-ming")}, "rent_yuan": 3000,
    "starts_on": "2026-08-01", "ends_on": "2027-06-30",
}  # fmt: skip
GAS = account_number("gas", 10)  # of the home that Tang Yue sells

DEPENDENCES: dict[str, Dependence] = {
    "civil-affairs": Dependence(
        "public-security", field("civil/getMarriage", "status", body={"id_number": LIN}), hang_dies, "married", "widowed"
    ),
    "credit": Dependence(
        "tax",
        is_positive("credit/getCreditReport", "tax_owed_yuan", code=DEBTOR),
        taxes_are_paid,
        True,
        False,
    ),
    "culture-tourism": Dependence(
        "public-security",
        outcome("culture/bookVisit", body={"visitor": {"name": "陈航", "number": HANG}}),
        hang_dies,
        201,
        "culture-visitor-unknown",
    ),
    "customs": Dependence(
        "market-regulation",
        field("customs/getExporter", "status", code=HENGZHU),
        deregistered(HENGZHU),
        "active",
        "cancelled",
    ),
    "disability": Dependence(
        "social-security",
        outcome("disability/applySubsidy", body={"subsidy": "living"}),
        job_ends(FENG),
        "disability-has-income",
        201,
    ),
    "ecology": Dependence(
        "market-regulation", field("air/getEmissionPermit", "status", code=TEA), deregistered(TEA), "valid", "cancelled"
    ),
    "emergency": Dependence(
        "public-security",
        outcome("emergency/registerVolunteer", body={"person": {"name": "陈航", "number": HANG}}),
        hang_dies,
        201,
        "emergency-person-unknown",
    ),
    "health": Dependence(
        "public-security",
        outcome("health/bookAppointment", body={"id_number": HANG, "name": "陈航"}),
        hang_dies,
        201,
        "health-patient-unknown",
    ),
    "hotline": Dependence(
        "market-regulation",
        outcome("hotline/submitCase", body={
            "topic": "consumer", "title": "预付卡不退", "text": "停业后不退预付款。", "district_code": "990106",
            "company_code": TEA,
        }),
        deregistered(TEA),
        201,
        "hotline-company-gone",
    ),
    "housing": Dependence(
        "real-estate",
        outcome("housing/fileLease", clock=REGISTERED, body=LEASE),
        home_is_sold,
        201,
        "housing-landlord-not-owner",
    ),
    "housing-fund": Dependence(
        "market-regulation",
        outcome("fund/depositForEmployees", body={"code": TEA}),
        deregistered(TEA),
        201,
        "fund-company-not-active",
    ),
    "justice": Dependence(
        "real-estate",
        outcome("justice/freezeHolding", clock=REGISTERED, body={
            "unit_number": WANG_UNIT, "case_number": FREEZE, "until": "2027-06-30",
        }),
        frozen_home_is_sold,
        "justice-frozen-already",
        "justice-not-the-debtors",
    ),
    "licence": Dependence(
        "market-regulation",
        statuses("licence/listCompanyLicences", code=TEA),
        deregistered(TEA),
        ["valid", "valid"],
        ["cancelled", "cancelled"],
    ),
    "market-regulation": Dependence(
        "tax",
        outcome("company/deregisterCompany", code=DEBTOR),
        taxes_are_paid,
        "company-tax-unsettled",
        201,
    ),
    "medical-insurance": Dependence(
        "social-security",
        field("insurance/getEnrolment", "scheme", body={"id_number": LIN}),
        job_ends(LIN),
        "employee",
        "resident",
    ),
    "meteorology": Dependence(
        "market-regulation", field("weather/getCompanyWeather", "station", code=TEA), address_moves, "Q9906", "Q9905"
    ),
    "post": Dependence(
        "public-security",
        outcome("post/createOrder", body={
            "item": {"kind": "driving-licence"},
            "recipient": {"name": "陈航", "id_number": HANG, "phone": "10000000000"},
            "destination": {"district_code": "990106", "address": "开门市样山县虚舟路15号1幢1单元301室"},
        }),
        hang_dies,
        201,
        "post-recipient-unknown",
    ),
    "procurement": Dependence(
        "market-regulation",
        field("procurement/checkSupplier", "obstacles", code=CATERING),
        reports_are_filed,
        ["abnormal-operations-list"],
        [],
    ),
    "public-security": Dependence(
        "civil-affairs",
        field("household/getPerson", "marital_status", body={"id_number": XU}, clock=WEDDING),
        they_marry,
        "single",
        "married",
    ),
    "real-estate": Dependence(
        "justice",
        outcome("realestate/applyTransfer", body={"contract_number": "HT20260301000001"}),
        lambda app: app.done(
            "justice/liftFreeze", unit_number=WANG_UNIT, body={"case_number": FREEZE}
        ),
        "realestate-frozen",
        201,
    ),
    "social-security": Dependence(
        "market-regulation", field("social/getCompanyStatus", "status", code=TEA), deregistered(TEA), "insured", "closed"
    ),
    "statistics": Dependence(
        "market-regulation",
        field("statistics/getReportingUnit", "size", code=CATERING),
        reports_are_filed,
        "micro",
        "small",
    ),
    "tax": Dependence(
        "market-regulation",
        outcome("tax/registerTaxpayer", body={"code": NEW_COMPANY, "kind": "small-scale"}),
        company_is_registered,
        "tax-company-unknown",
        201,
    ),
    "transport": Dependence(
        "public-security",
        field("transport/verifyDrivingLicence", "is_valid", body={"name": "陈航", "number": HANG, "class": "C1"}),
        hang_dies,
        True,
        False,
    ),
    "education": Dependence(
        "public-security",
        outcome("education/applySchoolPlace"),
        lambda app: app.done("household/moveResidence"),
        201,
        "education-not-in-catchment",
    ),
    "utilities": Dependence(
        "real-estate",
        outcome("utilities/transferAccount", account=GAS, clock=REGISTERED, body={
            "new_holder": {"name": "徐然", "number": XU},
        }),
        home_is_sold,
        "utilities-not-the-owner",
        "utilities-bills-unpaid",
    ),
    "veterans": Dependence(
        "social-security",
        outcome("veterans/claimBenefit", body={"benefit": "tax-relief"}, clock=LATER),
        job_ends(GUO),
        201,
        "veterans-condition",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
async def connectors(stores: object, city_home: Path) -> AsyncIterator[dict[str, Connector]]:
    """Every department as `kaimen city seed` publishes it."""
    side = CitySide(DEPARTMENTS, CityFile(city_home), States("sandbox"), DOCS_URL)
    settings = Settings(home=str(city_home))
    registry = ConnectorRegistry()
    native = NativeSide(
        DEPARTMENTS, read_services, lambda slug: side.connector(f"city:{slug}", None), settings.docs_url
    )
    async with native.running():
        city_upstreams.register_city(registry, settings, side, native)
        made = {
            one.slug: registry.connector_for(upstream_of(one), read_services()[one.slug], mapping_text(one))
            for one in DEPARTMENTS
        }
        yield made
        for one in made.values():
            await one.close()
    await side.close()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")
@pytest.mark.parametrize("slug", list(BY_SLUG))
async def test_another_departments_record_is_felt(slug: str, connectors: dict[str, Connector]) -> None:
    dependence = DEPENDENCES[slug]
    app, other_app = (City(connectors, ids.random_id("a", 8)) for _ in range(2))
    assert await dependence.effect(City(connectors, ids.random_id("a", 8))) == dependence.before
    await dependence.cause(app)
    assert (dependence.other, True) in app.called, "the cause is a write of the other department"
    assert dependence.other != slug
    app.called.clear()
    assert await dependence.effect(app) == dependence.after
    assert {name for name, _ in app.called} == {slug}, "the effect is seen at this department alone"
    assert await dependence.effect(other_app) == dependence.before
