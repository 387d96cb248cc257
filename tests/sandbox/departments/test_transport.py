"""Transport: buses move with the clock, vehicles change hands, and other departments' records count."""

import pytest

from sandbox.city.departments.market_regulation.records import COMPANY
from sandbox.city.population import personas
from sandbox.city.residents import CITIZEN
from tests.sandbox.conftest import Client
from tests.sandbox.departments.changing import change

LIN = personas.number_of("lin-xi")
XU = personas.number_of("xu-ran")
GUO = personas.number_of("guo-wei")
TEA = personas.code_of("manshan-tea")


async def test_a_death_cancels_the_licence_and_stops_the_sale(app: Client, other_app: Client) -> None:
    check = {"name": "郭卫", "number": GUO}
    assert (await app("transport/verifyDrivingLicence", body=check)).body == {"is_valid": True, "class": "B2"}
    await change(app, CITIZEN, GUO, died_on="2026-06-29")
    assert (await app("transport/verifyDrivingLicence", body=check)).body["reason"] == "cancelled"
    sale = {"seller_number": GUO, "buyer": {"name": "徐然", "number": XU}, "price_yuan": 1}
    refused = await app("transport/transferVehicle", plate="样F00002", body=sale)
    assert refused.body["rule"] == "transport-person-unknown"
    assert (await other_app("transport/verifyDrivingLicence", body=check)).body["is_valid"]


async def test_a_company_that_is_revoked_sells_no_vehicle(app: Client) -> None:
    sale = {"seller_number": TEA, "buyer": {"name": "徐然", "number": XU}, "price_yuan": 30_000}
    await change(app, COMPANY, TEA, status="revoked")
    refused = await app("transport/transferVehicle", plate="样F00004", body=sale)
    assert refused.body["rule"] == "transport-company-not-active"
    await change(app, COMPANY, TEA, status="active")
    assert (await app("transport/transferVehicle", plate="样F00004", body=sale)).status == 201


async def test_a_vehicle_goes_from_one_list_to_the_other(app: Client) -> None:
    assert (await app("transport/transferVehicle")).status == 201
    assert (await app("transport/listVehicles", person=LIN)).body["items"] == []
    assert [one["plate"] for one in (await app("transport/listVehicles", person=XU)).body["items"]] == [
        "样A00001"
    ]
    again = await app("transport/transferVehicle")
    assert again.body["rule"] == "transport-not-the-owner"


async def test_an_inspection_passes_on_its_day(app: Client) -> None:
    old = (await app("transport/getVehicle", plate="样C00003")).body
    assert not old["is_inspected"]
    body = {"plate": "样C00003", "station": "JC02", "day": "2026-07-03", "hour": 8}
    booked = (await app("transport/bookInspection", body=body)).body
    assert (await app("transport/bookInspection", body=body)).body["rule"] == "transport-already-booked"
    later = "2026-07-04T08:00:00+08:00"
    assert (await app("transport/getInspection", number=booked["number"], clock=later)).body[
        "status"
    ] == "passed"
    new = (await app("transport/getVehicle", plate="样C00003", clock=later)).body
    assert (new["is_inspected"], new["inspected_until"]) == (True, "2027-07-03")
    cancelled = await app("transport/cancelInspection", number=booked["number"])
    assert cancelled.body["status"] == "cancelled"
    assert not (await app("transport/getVehicle", plate="样C00003", clock=later)).body["is_inspected"]


@pytest.mark.parametrize("line", ["1", "2", "7", "12", "18", "N1"])
async def test_buses_move_forward(app: Client, line: str) -> None:
    seen: dict[str, tuple[str, int]] = {}
    hour = "23" if line == "N1" else "08"
    for second in range(0, 60, 20):
        live = await app(
            "transport/listLiveBuses", line=line, clock=f"2026-07-01T{hour}:05:{second:02d}+08:00"
        )
        assert live.body["items"]
        for bus in live.body["items"]:
            before = seen.get(bus["vehicle"])
            if before is not None and before[0] == bus["next_stop"]:
                assert bus["metres_to_next_stop"] < before[1]
            assert bus["arrives_at"] >= live.body["as_of"]
            seen[bus["vehicle"]] = (bus["next_stop"], bus["metres_to_next_stop"])


async def test_a_renewed_licence_lasts_ten_years_and_then_for_ever(app: Client) -> None:
    wang = personas.number_of("wang-jianguo")
    first = await app("transport/renewDrivingLicence", person=wang, body={"health_check_on": "2026-06-12"})
    assert first.status == 201
    assert "expires_on" not in first.body  # its term of ten years is over: it does not expire again
    again = await app("transport/renewDrivingLicence", person=wang, body={"health_check_on": "2026-06-12"})
    assert again.body["rule"] == "transport-licence-long-term"
    shen = personas.number_of("shen-ruohan")
    early = await app("transport/renewDrivingLicence", person=shen, body={"health_check_on": "2026-06-12"})
    assert early.body["rule"] == "transport-renewal-too-early"
    due = await app(
        "transport/renewDrivingLicence",
        person=shen,
        body={"health_check_on": "2032-04-12"},
        clock="2032-05-01T09:00:00+08:00",
    )
    assert due.body["expires_on"] == "2042-06-08"


async def test_a_death_that_is_registered_ends_a_licence(app: Client) -> None:
    check = {"name": "陈航", "number": personas.number_of("chen-hang"), "class": "C1"}
    assert (await app("transport/verifyDrivingLicence", body=check)).body["is_valid"]
    assert (await app("household/registerDeath")).status == 201
    assert (await app("transport/verifyDrivingLicence", body=check)).body["reason"] == "cancelled"
