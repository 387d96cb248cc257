"""What the utilities do: accounts of electricity, water, gas and heating, their bills, and outages.

Whose home it is, the real estate register says: an account goes to a new holder once the home is his.
"""

from pathlib import Path
from typing import Any

from sandbox.city.clock import local_text
from sandbox.city.department import Answer, Call, Department, Event, Refused
from sandbox.city.departments.public_security.records import named
from sandbox.city.departments.real_estate.records import settled
from sandbox.city.departments.utilities.records import (
    ACCOUNT,
    OUTAGE,
    PAYMENT,
    READING,
    SUPPLIES,
    bill_of,
    bills_of,
    due_yuan,
    months_until,
    outage_status,
    planned_outages,
    reading_of,
    restored_at,
)
from sandbox.city.numbering import created, next_number
from sandbox.city.paging import make_cursor, read_cursor
from sandbox.city.population import places
from sandbox.city.state import Record

department = Department("utilities", "公用事业局", "Public Utilities", Path(__file__).parent, protocol="http")

_CURSOR_INVALID = "utilities-cursor-invalid"
_MOST_A_READING = 5000  # units that a meter may have gone on since it was read


def _account(call: Call) -> Record:
    number = str(call.path["account"])
    account = call.world.get(ACCOUNT, number)
    if account is None:
        raise Refused("utilities-account-not-found", account=number)
    return account


def _account_of_holder(call: Call) -> Record:
    """The account, where the query names its holder."""
    account = _account(call)
    if account["holder"]["number"] != call.text("holder"):
        raise Refused("utilities-holder-mismatch", account=account["account"])
    return account


@department.operation("getAccount")
def get_account(call: Call) -> Answer:
    return Answer(_shown(call, _account_of_holder(call)))


def _shown(call: Call, account: Record) -> dict[str, Any]:
    shown = {name: account[name] for name in ("account", "kind", "unit_number", "address", "opened_on")}
    shown["holder_name"], shown["holder_number"] = account["holder"]["name"], account["holder"]["number"]
    shown["meter_reading"] = reading_of(call.world, account)
    shown["unit"] = SUPPLIES[account["kind"]].unit
    shown["due_yuan"] = due_yuan(call.world, account)
    return shown


# --- bills ------------------------------------------------------------------------------------------
@department.operation("listBills")
def list_bills(call: Call) -> Answer:
    account, limit, wanted = _account_of_holder(call), call.number("limit", 20), call.text("status")
    after = int(read_cursor(call.text("cursor"), _CURSOR_INVALID, account["account"], wanted) or 0)
    bills = [bill for bill in bills_of(call.world, account) if wanted in {"", bill["status"]}]
    answer: dict[str, Any] = {"account": account["account"], "items": bills[after : after + limit]}
    if len(bills) > after + limit:
        answer["next"] = make_cursor(str(after + limit), account["account"], wanted)
    return Answer(answer)


@department.operation("payBill")
def pay_bill(call: Call) -> Answer:
    account, month, world = _account(call), str(call.path["month"]), call.world
    bill = bill_of(world, account, month) if month in months_until(world.today) else None
    if bill is None or not bill["usage"]:
        raise Refused("utilities-bill-not-found", account=account["account"], month=month)
    if bill["status"] == "paid":
        raise Refused("utilities-bill-paid", month=month)
    if call.body["amount_yuan"] != bill["amount_yuan"]:
        raise Refused("utilities-amount-differs", month=month, amount=bill["amount_yuan"])
    number = next_number(call, PAYMENT, "SJ")
    payment = {"receipt": number, "paid_at": local_text(world.now), "amount_yuan": bill["amount_yuan"]}
    world.put(PAYMENT, f"{account['account']}/{month}", payment)
    shown = {"account": account["account"], "month": month, **payment, "due_yuan": due_yuan(world, account)}
    return created(call, f"accounts/{account['account']}/bills", shown)


# --- meter and holder -------------------------------------------------------------------------------
@department.operation("submitReading")
def submit_reading(call: Call) -> Answer:
    account, world = _account(call), call.world
    last, told = reading_of(world, account), call.body["reading"]
    if told < last:
        raise Refused("utilities-reading-too-low", reading=told, last=last)
    if told > last + _MOST_A_READING:
        raise Refused("utilities-reading-implausible", reading=told, last=last)
    world.put(READING, account["account"], {"reading": told, "read_at": local_text(world.now)})
    shown = {
        "account": account["account"],
        "reading": told,
        "used": told - last,
        "read_at": local_text(world.now),
    }
    return created(call, f"accounts/{account['account']}", shown)


@department.operation("transferAccount")
def transfer_account(call: Call) -> Answer:
    account, world, new = _account(call), call.world, call.body["new_holder"]
    if named(world, new["number"], new["name"]) is None:
        raise Refused("utilities-person-unknown")
    if new["number"] == account["holder"]["number"]:
        raise Refused("utilities-holder-already", account=account["account"])
    home = settled(world, account["unit_number"])
    if home is None or all(owner["id_number"] != new["number"] for owner in home["owners"]):
        raise Refused("utilities-not-the-owner", unit_number=account["unit_number"])
    owed = due_yuan(world, account)
    if owed:
        raise Refused("utilities-bills-unpaid", account=account["account"], owed=owed)
    kept = world.kept(ACCOUNT, account["account"]) or account
    after = {**kept, "holder": dict(new), "opened_on": world.today.isoformat(), "is_auto_paid": False}
    world.put(ACCOUNT, account["account"], after)
    return created(call, f"accounts/{account['account']}", _shown(call, after))


# --- outages ----------------------------------------------------------------------------------------
def _shown_outage(call: Call, outage: Record) -> dict[str, Any]:
    shown = {**outage, "status": outage_status(call.world, outage)}
    if "reported_at" in outage:
        shown["restored_at" if shown["status"] == "restored" else "expected_at"] = local_text(
            restored_at(outage)
        )
    return shown


@department.operation("listOutages")
def list_outages(call: Call) -> Answer:
    district, world = call.text("district"), call.world
    if district and district not in places.BY_CODE:
        raise Refused("utilities-area-not-served", district_code=district)
    reported = {"TX0000000001": world.get(OUTAGE, "TX0000000001")} | dict(world.changed(OUTAGE))
    known = [*planned_outages(world.today), *(one for _, one in sorted(reported.items()) if one is not None)]
    shown = [_shown_outage(call, one) for one in known if district in {"", one["district_code"]}]
    return Answer({"items": [one for one in shown if one["status"] != "restored"][:100]})


@department.operation("getOutage")
def get_outage(call: Call) -> Answer:
    number = str(call.path["number"])
    outage = call.world.get(OUTAGE, number)
    if outage is None:
        outage = next((one for one in planned_outages(call.world.today) if one["number"] == number), None)
    if outage is None:
        raise Refused("utilities-outage-not-found", number=number)
    return Answer(_shown_outage(call, outage))


@department.operation("reportOutage")
def report_outage(call: Call) -> Answer:
    body, world = call.body, call.world
    if body["district_code"] not in places.BY_CODE:
        raise Refused("utilities-area-not-served", district_code=body["district_code"])
    number = next_number(call, OUTAGE, "TX")
    outage = {"number": number, **body, "reported_at": local_text(world.now)}
    world.put(OUTAGE, number, outage)
    over = restored_at(outage)
    data = {
        "number": number,
        "kind": outage["kind"],
        "district_code": outage["district_code"],
        "restored_at": local_text(over),
    }
    events = [Event("utilities.outage.restored", number, data, over)]
    return created(call, f"outages/{number}", _shown_outage(call, outage), events)
