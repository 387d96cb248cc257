"""A second-hand home changes hands: housing, tax, justice and real estate registration see the same home."""

from typing import Any

import pytest

from sandbox.city.base import City
from sandbox.city.population import personas
from tests.sandbox.conftest import Client

TANG_UNIT = "990102001001GB00010F00000010"
TANG_CERTIFICATE = "虚（2013）开门市不动产权第0000010号"
LATER = "2026-07-03T13:00:00+08:00"  # three days after noon of the day of the count


def person(slug: str) -> dict[str, str]:
    sketch = next(one for one in personas.PEOPLE if one.slug == slug)
    return {"name": sketch.name, "id_number": personas.number_of(slug)}


def sale(**changed: Any) -> dict[str, Any]:
    return {
        "unit_number": TANG_UNIT, "sellers": [person("tang-yue")], "buyers": [person("xu-ran")],
        "price_yuan": 1_380_000, "signed_on": "2026-06-29", **changed,
    }  # fmt: skip


async def sell(app: Client) -> tuple[str, str]:
    """File, pay, apply: the numbers of contract and transfer."""
    contract = (await app("housing/fileSaleContract", body=sale())).body["number"]
    assert (await app("tax/payDeedTax", body={"contract_number": contract})).status == 201
    transfer = await app("realestate/applyTransfer", body={"contract_number": contract})
    assert transfer.status == 201, transfer.body
    return contract, transfer.body["number"]


async def holdings(app: Client, slug: str, **more: Any) -> list[str]:
    body = {"id_number": personas.number_of(slug)}
    found = await app("realestate/listHoldings", body=body, **more)
    return [one["unit_number"] for one in found.body["items"]]


async def test_a_home_is_sold_step_by_step(app: Client, other_app: Client) -> None:
    unfiled = await app("realestate/applyTransfer", body={"contract_number": "HT20260630500001"})
    assert unfiled.body["rule"] == "realestate-contract-not-filed"
    contract = (await app("housing/fileSaleContract", body=sale())).body["number"]
    untaxed = await app("realestate/applyTransfer", body={"contract_number": contract})
    assert untaxed.body["rule"] == "realestate-deed-tax-unpaid"
    receipt = (await app("tax/payDeedTax", body={"contract_number": contract})).body
    assert (receipt["rate_percent"], receipt["amount_yuan"]) == (1.0, 13_800), (
        "a first home of less than 140 m²"
    )
    transfer = (await app("realestate/applyTransfer", body={"contract_number": contract})).body
    assert transfer["status"] == "accepted"

    assert await holdings(app, "tang-yue") == [TANG_UNIT]
    assert (await app("realestate/getUnit", unit_number=TANG_UNIT)).body["is_being_transferred"] is True
    done = (await app("realestate/getTransfer", number=transfer["number"], clock=LATER)).body
    assert done["status"] == "registered"
    assert await holdings(app, "tang-yue", clock=LATER) == []
    assert await holdings(app, "xu-ran", clock=LATER) == [TANG_UNIT]
    new = (await app("realestate/getCertificate", number=done["certificate_number"], clock=LATER)).body
    assert new["owners"] == [{**person("xu-ran"), "share_percent": 100}]
    old = await app("realestate/getCertificate", number=TANG_CERTIFICATE, clock=LATER)
    assert (old.status, old.body["rule"]) == (410, "realestate-certificate-cancelled")
    verified = await app("realestate/verifyCertificate", number=TANG_CERTIFICATE, holder="唐月", clock=LATER)
    assert verified.body["matches"] is False
    assert (await app("housing/getSaleContract", number=contract, clock=LATER)).body["status"] == "completed"

    assert await holdings(other_app, "tang-yue", clock=LATER) == [TANG_UNIT]


async def test_a_new_certificate_is_nobodys_before_its_day(app: Client) -> None:
    _, number = await sell(app)
    later = (await app("realestate/getTransfer", number=number, clock=LATER)).body["certificate_number"]
    assert (await app("realestate/getCertificate", number=later)).status == 404


async def test_a_home_is_not_sold_twice(app: Client) -> None:
    contract, number = await sell(app)
    again = await app("realestate/applyTransfer", body={"contract_number": contract})
    assert (again.body["rule"], again.body["number"]) == ("realestate-transfer-under-way", number)
    second = await app("housing/fileSaleContract", body=sale())
    assert second.body["rule"] == "housing-contract-under-way"
    too_late = await app("housing/cancelSaleContract", number=contract, body={"reason": "agreed"})
    assert too_late.body["rule"] == "housing-contract-in-transfer"
    sold_on = await app(
        "housing/fileSaleContract",
        body=sale(sellers=[person("xu-ran")], buyers=[person("maierdan")]),
        clock=LATER,
    )
    assert sold_on.status == 201, "the new owner may sell"
    await app("tax/payDeedTax", body={"contract_number": sold_on.body["number"]}, clock=LATER)
    second_transfer = await app(
        "realestate/applyTransfer", body={"contract_number": sold_on.body["number"]}, clock=LATER
    )
    assert second_transfer.status == 201
    last = "2026-07-07T13:00:00+08:00"
    assert TANG_UNIT in await holdings(app, "maierdan", clock=last)
    assert await holdings(app, "xu-ran", clock=last) == []


async def test_a_mortgage_stops_a_sale_until_it_is_released(app: Client) -> None:
    bank = {"unit_number": TANG_UNIT, "bank_code": "KMB002", "amount_yuan": 300_000}
    mortgage = (await app("realestate/registerMortgage", body=bank)).body
    contract = (await app("housing/fileSaleContract", body=sale())).body["number"]
    await app("tax/payDeedTax", body={"contract_number": contract})
    refused = await app("realestate/applyTransfer", body={"contract_number": contract})
    assert refused.body["rule"] == "realestate-mortgaged"
    release = await app("realestate/releaseMortgage", number=mortgage["number"], body={"bank_code": "KMB002"})
    assert release.body["status"] == "released"
    assert (await app("realestate/applyTransfer", body={"contract_number": contract})).status == 201


async def test_a_cancelled_contract_is_neither_taxed_nor_registered(app: Client) -> None:
    contract = (await app("housing/fileSaleContract", body=sale())).body["number"]
    await app("housing/cancelSaleContract", number=contract, body={"reason": "loan-refused"})
    assert (await app("tax/payDeedTax", body={"contract_number": contract})).status == 409
    assert (await app("realestate/applyTransfer", body={"contract_number": contract})).status == 422
    assert (await app("housing/fileSaleContract", body=sale())).status == 201, "it may be sold anew"


async def test_the_second_home_is_taxed_by_what_the_buyer_owns(app: Client) -> None:
    """Aynur owns two homes already and may buy none; Merdanjan owns one."""
    limit = await app("housing/fileSaleContract", body=sale(buyers=[person("aynur")]))
    assert limit.body["rule"] == "housing-purchase-limit"
    contract = (await app("housing/fileSaleContract", body=sale(buyers=[person("maierdan")]))).body["number"]
    receipt = (await app("tax/payDeedTax", body={"contract_number": contract})).body
    assert receipt["rate_percent"] == 1.0


async def test_a_lease_follows_ownership_and_the_clock(app: Client) -> None:
    lease = {
        "unit_number": TANG_UNIT, "landlord": person("tang-yue"), "tenant": person("zhou-ming"),
        "rent_yuan": 3000, "starts_on": "2026-07-01", "ends_on": "2027-06-30",
    }  # fmt: skip
    number = (await app("housing/fileLease", body=lease)).body["number"]
    assert (await app("housing/getLease", number=number)).body["status"] == "upcoming"
    assert (await app("housing/getLease", number=number, clock=LATER)).body["status"] == "running"
    overlap = await app(
        "housing/fileLease", body={**lease, "starts_on": "2027-01-01", "ends_on": "2027-12-31"}
    )
    assert overlap.body["rule"] == "housing-lease-overlap"
    stranger = await app("housing/fileLease", body={**lease, "landlord": person("zhou-ming")})
    assert stranger.body["rule"] == "housing-landlord-not-owner"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")
async def test_every_home_has_owners_who_make_a_whole(app: Client, city: City) -> None:
    broken = city.all(
        "SELECT home, SUM(share_basis_points) FROM ownership GROUP BY home HAVING SUM(share_basis_points) <> 10000"
    )
    assert broken == []
    homeless = city.all("SELECT id FROM household WHERE id NOT IN (SELECT id FROM home)")
    assert homeless == []
    unowned = city.all("SELECT id FROM home WHERE id NOT IN (SELECT home FROM ownership)")
    assert unowned == []
    young = city.all(
        "SELECT p.number FROM ownership o JOIN citizen p ON p.id = o.citizen JOIN home e ON e.id = o.home "
        "WHERE date(p.born, '+18 years') > e.registered_on AND e.acquired <> 'inheritance'"
    )
    assert young == []
    assert city.all("SELECT home FROM mortgage WHERE home NOT IN (SELECT id FROM home)") == []
