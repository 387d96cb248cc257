"""Utilities: accounts follow the real estate register, bills and repairs follow the clock."""

from sandbox.city.departments.real_estate.records import HOME
from sandbox.city.departments.utilities.records import account_number
from sandbox.city.population import personas
from tests.sandbox.conftest import Client
from tests.sandbox.departments.changing import change

TANG = personas.number_of("tang-yue")
XU = personas.number_of("xu-ran")
ZHAO = personas.number_of("zhao-lei")
GAS = account_number("gas", 10)  # of the home that Tang Yue sells
NEW_HOLDER = {"new_holder": {"name": "徐然", "number": XU}}


async def pay_all(app: Client, account: str, holder: str, **more: str) -> int:
    paid = 0
    bills = (await app("utilities/listBills", account=account, holder=holder, limit=100, **more)).body[
        "items"
    ]
    for bill in bills:
        if bill["status"] != "paid":
            body = {"amount_yuan": bill["amount_yuan"]}
            answer = await app("utilities/payBill", account=account, month=bill["month"], body=body, **more)
            assert answer.status == 201, answer.body
            paid += 1
    return paid


async def test_an_account_follows_the_home_once_it_is_sold_and_paid(app: Client, other_app: Client) -> None:
    refused = await app("utilities/transferAccount", account=GAS, body=NEW_HOLDER)
    assert refused.body["rule"] == "utilities-not-the-owner"
    unit = (await app("utilities/getAccount", account=GAS, holder=TANG)).body["unit_number"]
    owners = [{"name": "徐然", "id_number": XU, "share_percent": 100.0}]
    await change(app, HOME, unit, owners=owners)
    refused = await app("utilities/transferAccount", account=GAS, body=NEW_HOLDER)
    assert refused.body["rule"] == "utilities-bills-unpaid"
    assert await pay_all(app, GAS, TANG) == 1
    moved = await app("utilities/transferAccount", account=GAS, body=NEW_HOLDER)
    assert (moved.status, moved.body["holder_name"], moved.body["due_yuan"]) == (201, "徐然", 0)
    assert (await app("utilities/getAccount", account=GAS, holder=TANG)).body[
        "rule"
    ] == "utilities-holder-mismatch"
    assert (await other_app("utilities/getAccount", account=GAS, holder=TANG)).status == 200


async def test_bills_come_and_fall_due_by_the_clock(app: Client) -> None:
    account = account_number("electricity", 6)

    async def bills(clock: str) -> dict[str, str]:
        page = await app("utilities/listBills", account=account, holder=ZHAO, limit=100, clock=clock)
        return {bill["month"]: bill["status"] for bill in page.body["items"]}

    assert (await bills("2026-06-25T12:00:00+08:00"))["2026-05"] == "due"
    assert (await bills("2026-06-26T12:00:00+08:00"))["2026-05"] == "overdue"
    assert "2026-06" not in await bills("2026-07-04T12:00:00+08:00")
    assert (await bills("2026-07-05T12:00:00+08:00"))["2026-06"] == "due"
    assert await pay_all(app, account, ZHAO, clock="2026-07-05T12:00:00+08:00") == 2
    assert set((await bills("2026-07-06T12:00:00+08:00")).values()) == {"paid"}


async def test_pages_hold_every_bill_once(app: Client) -> None:
    account, seen, cursor = account_number("water", 6), [], {}
    for _ in range(20):
        page = (await app("utilities/listBills", account=account, holder=ZHAO, limit=4, **cursor)).body
        seen += [bill["month"] for bill in page["items"]]
        if "next" not in page:
            break
        cursor = {"cursor": page["next"]}
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == 17  # January 2025 to May 2026


async def test_a_reading_only_goes_on(app: Client) -> None:
    before = (await app("utilities/getAccount", holder=ZHAO)).body["meter_reading"]
    account = account_number("electricity", 6)
    taken = await app("utilities/submitReading", account=account, body={"reading": before + 40})
    assert (taken.status, taken.body["used"]) == (201, 40)
    lower = await app("utilities/submitReading", account=account, body={"reading": before + 39})
    assert lower.body["rule"] == "utilities-reading-too-low"
    assert (await app("utilities/getAccount", holder=ZHAO)).body["meter_reading"] == before + 40


async def test_an_outage_is_reported_repaired_and_over(app: Client, other_app: Client) -> None:
    number = (await app("utilities/reportOutage")).body["number"]
    seen = []
    for clock in ("12:10", "12:40", "16:00"):
        outage = await app("utilities/getOutage", number=number, clock=f"2026-06-30T{clock}:00+08:00")
        seen.append(outage.body["status"])
    assert seen == ["reported", "dispatched", "restored"]
    assert number in [one["number"] for one in (await app("utilities/listOutages")).body["items"]]
    assert number not in [one["number"] for one in (await other_app("utilities/listOutages")).body["items"]]


async def test_an_account_follows_a_transfer_of_the_real_estate_register(app: Client) -> None:
    water, seller = account_number("water", 5), personas.number_of("zhou-ming")
    buyer = {"new_holder": {"name": "欧阳𬱖", "number": personas.number_of("ouyang-wei")}}
    assert (await app("realestate/applyTransfer")).status == 201
    assert await pay_all(app, water, seller)
    early = await app("utilities/transferAccount", account=water, body=buyer)
    assert early.body["rule"] == "utilities-not-the-owner"
    registered = "2026-07-04T09:00:00+08:00"  # three days later
    moved = await app("utilities/transferAccount", account=water, body=buyer, clock=registered)
    assert (moved.status, moved.body["holder_name"]) == (201, "欧阳𬱖")
