"""The packed table of apps, interned subscriptions, ids in sixteen bytes."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.core import ids
from api.gateway.app_table import ACTIVE, DELETED, SUSPENDED, AppTable, pack_id, unpack_id
from tests.gateway.made import PLANS, grant_of


@given(st.binary(min_size=16, max_size=16))
def test_ids_are_packed_without_loss(key: bytes) -> None:
    assert pack_id(unpack_id("a", key)) == key


def test_ids_of_another_form_have_a_place_too() -> None:
    keys = {pack_id(text) for text in ("a_demo", "a_demo2", "plain", "a_" + "u" * 26, "a_" + "z" * 26, "")}
    assert len(keys) == 6
    assert all(len(key) == 16 for key in keys)


@pytest.mark.parametrize("odd", [False, True])
def test_what_is_put_is_read(odd: bool) -> None:
    table = AppTable()
    table.plans.set("standard", PLANS["standard"])
    app_id, organisation = ("a_one", "o_one") if odd else (ids.random_id("a"), ids.random_id("o"))
    number = table.put(app_id, organisation, kind="department", status="suspended", grants=[grant_of()])
    row = table.row(number, app_id)
    assert (row.organisation_id, row.organisation_kind, row.status) == (organisation, "department", SUSPENDED)
    assert row.plan.name == "standard"
    assert list(row.rights) == ["company@v1"]
    assert table.find(app_id) == number
    assert table.find("a_nobody") == -1


def test_changes_keep_the_number_and_move_the_version() -> None:
    table = AppTable()
    app_id = ids.random_id("a")
    number = table.put(app_id, ids.random_id("o"))
    version = table.version
    assert table.put(app_id, "o_other", status="active", kind="company", plan="partner") == number
    assert table.version > version
    row = table.row(number, app_id)
    assert (row.organisation_id, row.status, row.plan.name) == ("o_other", ACTIVE, "partner")
    assert row.plan.quotas == (None, None, None, None)  # a plan that nobody defined gives nothing
    table.set_rights(app_id, [grant_of("tax@v1", "bank-credit")])
    assert table.row(number, app_id).rights["tax@v1"].single is not None
    table.remove(app_id)
    assert table.row(number, app_id).status == DELETED
    assert table.row(number, app_id).rights == {}
    table.remove("a_nobody")
    table.set_rights("a_nobody", [])
    assert len(table) == 1


def test_agrees_with_a_dictionary_under_random_changes() -> None:
    chance = random.Random(7)
    table = AppTable()
    known: dict[str, str] = {}
    names = [ids.random_id("a") for _ in range(3_000)]
    for _ in range(12_000):
        app_id = chance.choice(names)
        if app_id in known and chance.random() < 0.2:
            table.remove(app_id)
            known[app_id] = "deleted"
        else:
            known[app_id] = chance.choice(["active", "suspended"])
            table.put(app_id, "o_x", status=known[app_id], grants=[grant_of(f"s{chance.randrange(9)}@v1")])
    states = {"active": ACTIVE, "suspended": SUSPENDED, "deleted": DELETED}
    assert len(table) == len(known)
    for app_id in names:
        number = table.find(app_id)
        if app_id not in known:
            assert number == -1
        else:
            assert table.row(number, app_id).status == states[known[app_id]]
    assert len(table.pool) <= 10


def test_sets_of_subscriptions_are_shared_and_given_back() -> None:
    table = AppTable()
    apps = [ids.random_id("a") for _ in range(100)]
    for app_id in apps:
        table.put(app_id, "o_x", grants=[grant_of("a@v1"), grant_of("b@v1")])
    assert len(table.pool) == 2  # the empty one and this
    first, second = (table.row(table.find(app_id), app_id).rights for app_id in apps[:2])
    assert first is second
    for app_id in apps:
        table.set_rights(app_id, [grant_of("a@v1")])
    assert len(table.pool) == 2


def test_a_row_is_small() -> None:
    """≤ 350 bytes an app are allowed, 150 wanted; here the tables alone, at 20,000 apps."""
    table = AppTable()
    for _ in range(20_000):
        table.put(ids.random_id("a"), ids.random_id("o"), grants=[grant_of()])
    assert table.size_bytes() / len(table) < 100


def test_purposes_of_a_standing() -> None:
    table = AppTable()
    number = table.put("a_x", "o_x", grants=[
        grant_of("tax@v1", "bank-credit"), grant_of("tax@v1", "hiring", level="L2"),
        grant_of("post@v1", status="pending", level=""), grant_of("law@v1", level=""),
    ])  # fmt: skip
    rights = table.row(number, "a_x").rights
    assert set(rights["tax@v1"].purposes) == {"bank-credit", "hiring"}
    assert rights["tax@v1"].single is None
    assert rights["tax@v1"].purposes["hiring"][1].subscription == "tax@v1:hiring"
    assert rights["post@v1"].is_pending
    assert not rights["post@v1"].purposes
    assert rights["law@v1"].is_pending  # active, and no level granted yet
