"""Electronic licences follow those who issued them: transport, market regulation, real estate, the federation."""

from typing import Any

from sandbox.city.department import Answer
from sandbox.city.departments.market_regulation.records import COMPANY
from sandbox.city.population import personas
from tests.sandbox.conftest import Client

TEA = personas.code_of("manshan-tea")
LIN = personas.number_of("lin-xi")
TANG = personas.number_of("tang-yue")


async def verified(app: Client, **body: Any) -> str:
    return str((await app("licence/verifyLicence", body=body)).body["result"])


async def test_a_copy_is_verified_by_its_digest(app: Client) -> None:
    copy = (await app("licence/getLicence", body={"type": "driving-licence", "id_number": LIN})).body
    check = {name: copy[name] for name in ("type", "number", "holder", "digest")}
    assert await verified(app, **check) == "valid"
    assert await verified(app, **check | {"digest": copy["digest"][::-1]}) == "forged"
    assert await verified(app, **check | {"holder": "周鸣"}) == "forged"


async def test_a_revoked_company_takes_its_licences_along(app: Client, other_app: Client) -> None:
    found = (await app("licence/listCompanyLicences", code=TEA)).body["items"]
    assert [(one["type"], one["status"]) for one in found] == [
        ("business-licence", "valid"),
        ("food-permit", "valid"),
    ]
    company = (await app("company/getCompany", code=TEA)).body
    changes = {(COMPANY.department, f"company/{TEA}"): {**company, "status": "revoked"}}
    await app.side.states.run(app.state_id, lambda state: Answer(changes=changes))
    now = (await app("licence/listCompanyLicences", code=TEA)).body["items"]
    assert [one["status"] for one in now] == ["revoked", "cancelled"]
    assert [one["status"] for one in (await other_app("licence/listCompanyLicences", code=TEA)).body["items"]] == [
        "valid", "valid",
    ]  # fmt: skip


async def test_a_sold_home_has_a_new_certificate(app: Client) -> None:
    sale = {
        "unit_number": "990102001001GB00010F00000010",
        "sellers": [{"name": "唐月", "id_number": TANG}],
        "buyers": [{"name": "徐然", "id_number": personas.number_of("xu-ran")}],
        "price_yuan": 1_380_000,
        "signed_on": "2026-06-29",
    }
    old = (await app("licence/getLicence", body={"type": "property-certificate", "id_number": TANG})).body
    contract = (await app("housing/fileSaleContract", body=sale)).body["number"]
    await app("tax/payDeedTax", body={"contract_number": contract})
    await app("realestate/applyTransfer", body={"contract_number": contract})
    later = "2026-07-05T12:00:00+08:00"
    check = {name: old[name] for name in ("type", "number", "holder")}
    gone = await app("licence/verifyLicence", body=check, clock=later)
    assert gone.body["result"] == "forged", "it is no certificate of hers any more"
    body = {"type": "property-certificate", "id_number": personas.number_of("xu-ran")}
    new = await app("licence/getLicence", body=body, clock=later)
    assert new.body["status"] == "valid"
    none = await app("licence/getLicence", body={**body, "id_number": TANG}, clock=later)
    assert none.status == 404


async def test_a_code_is_redeemed_once_and_in_time(app: Client) -> None:
    shown = (await app("licence/presentLicence", clock="2026-06-30T10:00:00+08:00")).body
    late = await app("licence/redeemPresentation", code=shown["code"], clock="2026-06-30T10:06:00+08:00")
    assert (late.status, late.body["rule"]) == (410, "licence-code-expired")
    first = await app("licence/redeemPresentation", code=shown["code"], clock="2026-06-30T10:04:00+08:00")
    assert first.body["holder"] == "林溪"
    again = await app("licence/redeemPresentation", code=shown["code"], clock="2026-06-30T10:04:30+08:00")
    assert again.body["rule"] == "licence-code-used"


async def test_a_revocation_is_told_by_every_verification(app: Client) -> None:
    found = (await app("licence/listCompanyLicences", code=TEA)).body["items"]
    permit = next(one for one in found if one["type"] == "food-permit")
    check = {name: permit[name] for name in ("type", "number", "holder")}
    body = {
        "type": "food-permit",
        "number": permit["number"],
        "reason": "serious-violation",
        "document": "开许撤〔2026〕1号",
    }
    assert (await app("licence/revokeLicence", body=body)).status == 201
    assert await verified(app, **check) == "revoked"
    assert (await app("licence/revokeLicence", body=body)).body["rule"] == "licence-revoked-already"
    issued = await app("licence/issuePermit", body={"code": TEA})
    assert issued.status == 201, "a new one may be issued"
    assert await verified(app, **check | {"number": issued.body["number"]}) == "valid"


async def test_a_permit_expires_by_the_clock(app: Client) -> None:
    number = (await app("licence/issuePermit", scenario="issued")).body["number"]
    found = await app("licence/listCompanyLicences", code=TEA, clock="2032-01-01T09:00:00+08:00")
    permit = next(one for one in found.body["items"] if one["number"] == number)
    assert permit["status"] == "expired"
