"""authorization_details: what is read, what is filled in, and every way to get them wrong."""

import asyncio
import json
import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.catalogue.service import subscribe
from api.core import clock
from api.core.caller import OPERATOR
from api.identity.consents.details import (
    DEFAULT_DAYS,
    MAX_BYTES,
    Detail,
    DetailsError,
    parse,
    read_details,
    read_granted,
    read_until,
)
from api.identity.models import App
from tests.identity.consents.conftest import TAX, World, publish
from tests.identity.consents.contracts import WELFARE

PERSON = {"type": "kaimen-service", "service": "welfare@v1", "purpose": "benefit"}


@pytest.fixture(scope="module")
async def welfare(world: World) -> App:
    """An app that may ask about persons, for two purposes."""
    await publish("welfare", WELFARE)
    app = await world.bank_app("tax@v1:bank-credit")
    for purpose in ("benefit", "research"):
        await subscribe(
            OPERATOR, app_id=app.id, organisation_id=app.organisation_id, environment="sandbox",
            version_id="welfare@v1", purpose=purpose,
        )  # fmt: skip
    return app


async def test_all_fields_of_what_needs_consent_are_asked_for_by_default(world: World) -> None:
    (detail,) = await world.details(TAX)
    assert detail.operations == ("getTaxPaid",), "other operations of the service rest on another ground"
    assert detail.fields[:4] == ("code", "name", "from_year", "to_year")
    assert "years.paid_yuan" in detail.fields
    assert detail.refused == ()
    assert detail.is_about_organisation
    assert detail.until_moment > clock.now() + timedelta(days=DEFAULT_DAYS - 1)


async def test_what_is_not_asked_for_is_left_out_by_name(world: World) -> None:
    (detail,) = await world.details({**TAX, "fields": ["total_paid_yuan", "years"]})
    assert detail.fields[-1] == "total_paid_yuan"
    assert {one.partition(".")[0] for one in detail.fields} == {"years", "total_paid_yuan"}
    assert set(detail.refused) == {"code", "name", "from_year", "to_year", "total_unpaid_yuan"}


async def test_the_text_does_not_change_between_showing_and_agreeing(world: World) -> None:
    first = await world.details(TAX)
    await asyncio.sleep(1.1)
    assert await world.details(TAX) == first


async def test_scopes_alone_amount_to_details(world: World, welfare: App) -> None:
    (detail,) = await read_details(world.app, "", "openid tax:tax-paid:read")
    assert (detail.service, detail.purpose) == ("tax@v1", "bank-credit")
    assert await read_details(world.app, "", "openid profile") == []
    assert await read_details(world.app, "", "tax:rating:read") == [], "that rests on a contract"
    with pytest.raises(DetailsError, match="benefit, research"):
        await read_details(welfare, "", "welfare:me:read")


async def test_a_detail_covers_the_operations_that_the_scopes_open(world: World, welfare: App) -> None:
    person = {**PERSON, "operations": ["getMe", "getFamily"]}
    (both,) = await world.details(person, app=welfare)
    assert both.operations == ("getMe", "getFamily")
    (one,) = await world.details(PERSON, scope="openid welfare:me:read", app=welfare)
    assert one.operations == ("getMe",)
    assert "size" not in one.fields
    assert not one.is_about_organisation


async def test_details_survive_being_stored(world: World) -> None:
    passed = [{"name": "担保公司", "contact": "a@b.example", "purpose": "担保"}]
    details = await world.details({**TAX, "pass_on": passed})
    assert read_granted([one.as_json() for one in details]) == details


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "payment"}, "kaimen-service"),
        ({"type": None}, "kaimen-service"),
        ({"colour": "red"}, "unknown member colour"),
        ({"service": ""}, "service is required"),
        ({"service": 7}, "service is required"),
        ({"service": "tax"}, "is not published"),
        ({"service": "tax@v9"}, "is not published"),
        ({"service": "../../etc@v1"}, "is not published"),
        ({"service": "tax@v1\0"}, "printable"),
        ({"service": "company@v1"}, "needs consent"),
        ({"purpose": ""}, "purpose is required"),
        ({"purpose": "advertising"}, "allows bank-credit"),
        ({"purpose": "x" * 300}, "200"),
        ({"purpose": "For your own good"}, "a-z, 0-9 and hyphens"),
        ({"purpose": "bank-credit\n"}, "printable"),
        ({"fields": []}, "list of one or more"),
        ({"fields": "code"}, "list of one or more"),
        ({"fields": ["salary"]}, "no field salary"),
        ({"fields": ["yea"]}, "no field yea"),
        ({"fields": ["code", "code"]}, "twice"),
        ({"fields": [{}]}, "list of one or more"),
        ({"operations": ["getRating"]}, "getTaxPaid"),
        ({"operations": ["nothing"]}, "getTaxPaid"),
        ({"until": "tomorrow"}, "RFC 3339"),
        ({"until": "2027-02-01T00:00:00"}, "time zone"),
        ({"until": "2020-01-01"}, "in the past"),
        ({"until": "2999-01-01"}, "366 days"),
        ({"until": "9999-12-31T23:59:59+23:59"}, "366 days"),
        ({"until": 2027}, "until is a string"),
        ({"pass_on": {}}, "list of at most"),
        ({"pass_on": [{}] * 6}, "list of at most"),
        ({"pass_on": [{"name": "x"}]}, "name, contact, purpose"),
        ({"pass_on": [{"name": "x", "contact": "\u202e", "purpose": "y"}]}, "contact"),
        ({"pass_on": [{"name": "x", "contact": "y", "purpose": "z"}] * 2}, "twice"),
    ],
)
async def test_what_is_wrong_is_said(world: World, change: dict[str, Any], reason: str) -> None:
    with pytest.raises(DetailsError, match=reason) as told:
        await read_details(world.app, json.dumps([{**TAX, **change}]))
    assert told.value.error == "invalid_authorization_details"
    assert told.value.reason.isascii()


@pytest.mark.parametrize(
    "text", ["", "{", "null", "7", "[]", "{}", "[[]]", "[null]", '"x"', "[" * 5000, " " * (MAX_BYTES + 1)]
)
def test_what_is_no_list_of_objects(text: str) -> None:
    with pytest.raises(DetailsError):
        parse(text)


async def test_one_request_is_about_one_matter(world: World, welfare: App) -> None:
    company = {**PERSON, "operations": ["getEmployer"]}
    with pytest.raises(DetailsError, match="mixes"):
        await world.details({**PERSON, "operations": ["getMe", "getEmployer"]}, app=welfare)
    with pytest.raises(DetailsError, match="a person or about an organisation"):
        await world.details({**PERSON, "operations": ["getMe"]}, TAX, app=welfare)
    with pytest.raises(DetailsError, match="same service and purpose"):
        await world.details(TAX, TAX)
    with pytest.raises(DetailsError, match="one organisation"):
        await world.details({**company, "organisation": "A"}, {**TAX, "organisation": "B"}, app=welfare)
    with pytest.raises(DetailsError, match="about persons"):
        await world.details({**PERSON, "operations": ["getMe"], "organisation": "A"}, app=welfare)


async def test_an_app_asks_only_for_what_it_may_have(world: World, welfare: App) -> None:
    stranger = await world.bank_app("company@v1")
    with pytest.raises(DetailsError, match="no active subscription"):
        await world.details(TAX, app=stranger)
    with pytest.raises(DetailsError, match="tax:tax-paid:read"):
        await world.details(TAX, scope="tax:rating:read")


def test_until_is_a_day_in_china() -> None:
    now = datetime(2026, 11, 23, 15, 59, tzinfo=UTC)
    assert read_until("2026-11-23", now=now) == "2026-11-23T15:59:59.000Z"
    assert read_until("", now=now) == "2027-02-21T15:59:59.000Z"
    assert read_until("2026-11-24T00:00:00+08:00", now=now) == "2026-11-23T16:00:00.000Z"


_json = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_members = st.fixed_dictionaries(
    {
        "type": st.just("kaimen-service"),
        "service": st.just("tax@v1") | _json,
        "purpose": st.just("x") | _json,
    },
    optional=dict.fromkeys(("fields", "until", "organisation", "operations", "pass_on"), _json),
)


@given(st.lists(_members | _json, max_size=3))
def test_nothing_but_the_one_error_comes_of_reading(value: list[Any]) -> None:
    with suppress(DetailsError):
        parse(json.dumps(value))


async def test_nonsense_against_the_catalogue_is_refused_in_words(world: World) -> None:
    chance = random.Random(5)
    names = ["code", "years", "x", "", "years.paid_yuan", "a\0", "🦀" * 50]
    moments = ["2027-01-01", "x", "", "2027-01-01T00:00:00Z", "-1", "9" * 200]
    for _ in range(200):
        detail: dict[str, Any] = {
            "type": "kaimen-service",
            "service": chance.choice(["tax@v1", "tax@v1", "company@v1", "@", "tax@", "é@v1", "x" * 300]),
            "purpose": chance.choice(["bank-credit", "court-enforcement", "", "'--"]),
            "fields": chance.sample(names, chance.randint(1, 3)),
            "until": chance.choice(moments),
            "organisation": chance.choice(["", "91990106MA0000015L", "\0", "x" * 300]),
        }
        for name in list(detail)[3:]:
            if chance.random() < 0.5:
                del detail[name]
        try:
            read = await read_details(
                world.app, json.dumps([detail]), chance.choice(["", "openid", "a:b", "tax:tax-paid:read"])
            )
        except DetailsError:
            continue
        assert all(isinstance(one, Detail) for one in read)
