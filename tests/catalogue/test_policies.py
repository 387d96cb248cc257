"""The drawn life cycles, transition by transition, and the offers that decide about subscriptions."""

from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.catalogue import policies
from api.catalogue.offers import (
    Offer,
    OfferedOperation,
    Subscriber,
    deciding_level,
    is_open_at_once,
    obstacle_of,
    reach,
)
from api.contract.model import Grade, Level, Status
from api.core.problems import Refusal
from tests.catalogue.conftest import operation

FORWARD = {
    ("alpha", "beta"), ("alpha", "stable"), ("beta", "stable"),
    ("alpha", "deprecated"), ("beta", "deprecated"), ("stable", "deprecated"), ("deprecated", "retired"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new"), list(product(Status, Status)))
def test_status_goes_where_the_diagram_leads(old: Status, new: Status) -> None:
    assert policies.can_change_status(old, new) == ((old.value, new.value) in FORWARD)


@pytest.mark.parametrize("before", ["alpha", "beta", "stable"])
def test_deprecated_goes_back_to_what_it_was_only(before: str) -> None:
    back = {new.value for new in Status if policies.can_change_status(Status.DEPRECATED, new, before=before)}
    assert back == {before, "retired"}


def test_every_status_has_its_place_in_the_diagram() -> None:
    assert set(policies.STATUS_TRANSITIONS) == set(Status)
    drawing = policies.__doc__ or ""
    assert all(status.value in drawing for status in Status)


def test_a_refused_status_names_what_is_allowed() -> None:
    with pytest.raises(Refusal) as refused:
        policies.check_can_change_status(Status.STABLE, Status.BETA)
    assert refused.value.kind.slug == "conflict"
    assert "deprecated" in refused.value.facts["following"].en


@pytest.mark.parametrize(
    ("present", "wanted", "after"),
    [
        ("alpha", "beta", "beta"), ("alpha", "stable", "stable"), ("beta", "alpha", "beta"), ("stable", "beta", "stable"),
        ("stable", "retired", "stable"), ("stable", "deprecated", "stable"), ("deprecated", "stable", "deprecated"),
        ("beta", None, "beta"),
    ],
)  # fmt: skip
def test_a_document_takes_a_version_forward_only(present: str, wanted: str | None, after: str) -> None:
    assert policies.status_after_import(Status(present), Status(wanted) if wanted else None) == after


def test_retiring_takes_six_months_or_a_reason() -> None:
    today = date(2027, 1, 1)
    policies.check_sunset(today + timedelta(days=policies.NOTICE_DAYS), today, reason="")
    policies.check_sunset(today, today, reason="泄露 leak")
    for sunset, reason, rule in [
        (today + timedelta(days=policies.NOTICE_DAYS - 1), " ", "sunset-notice"),
        (today - timedelta(days=1), "reason", "sunset-past"),
    ]:
        with pytest.raises(Refusal) as refused:
            policies.check_sunset(sunset, today, reason=reason)
        assert refused.value.rule == rule


def test_a_retirement_is_undone_before_the_sunset_only() -> None:
    now = datetime(2027, 7, 1, 12, tzinfo=UTC)
    assert policies.can_unretire(Status.DEPRECATED, "2027-07-02", now)
    assert not policies.can_unretire(Status.DEPRECATED, "2027-07-01", now)
    assert not policies.can_unretire(Status.RETIRED, "2027-07-02", now)


def test_only_a_request_leads_out_of_rejected() -> None:
    assert not policies.can_become("rejected", "suspended")
    assert not policies.can_become("pending", "suspended")
    assert not policies.can_become("suspended", "cancelled")
    assert policies.can_become("rejected", "pending")


# --- offers -------------------------------------------------------------------------------------
COMPANY, DEPARTMENT, OWNER = (
    Subscriber("company"),
    Subscriber("department"),
    Subscriber("department", is_owner=True),
)


def test_purpose_opens_its_operations_and_those_without() -> None:
    plain, credit, audit = (
        operation("a"), operation("b", purposes=("credit",)), operation("c", purposes=("audit", "credit")),
    )  # fmt: skip
    offer = Offer((plain, credit, audit))
    assert [one.id for one in reach(offer, COMPANY, "")] == ["a"]
    assert [one.id for one in reach(offer, COMPANY, "credit")] == ["a", "b", "c"]
    assert [one.id for one in reach(offer, COMPANY, "audit")] == ["a", "c"]
    assert offer.purposes == ("credit", "audit")


def test_level_is_the_highest_that_is_reached_whatever_the_basis() -> None:
    offer = Offer((operation("a"), operation("b", "L3", purposes=("credit",)), operation("c", "L4")))
    assert deciding_level(reach(offer, COMPANY, "")) == Level.L1
    assert deciding_level(reach(offer, COMPANY, "credit")) == Level.L3


@pytest.mark.parametrize(
    ("one", "subscriber", "obstacle"),
    [
        (operation(level="L4"), OWNER, "classification"),
        (operation(grade=Grade.IMPORTANT), OWNER, "classification"),
        (operation(grade=Grade.CORE), COMPANY, "classification"),
        (operation(audience="department"), COMPANY, "audience"),
        (operation(audience="department"), Subscriber("individual"), "audience"),
        (operation(audience="department"), Subscriber(""), "audience"),
        (operation(audience="department"), DEPARTMENT, ""),
        (operation(audience="third-party"), Subscriber("individual"), ""),
        (operation(share="none"), DEPARTMENT, "share"),
        (operation(share="none"), COMPANY, ""),
        (operation(share="none"), OWNER, ""),
        (operation(level="L3"), COMPANY, "classification"),
        (operation(level="L3", purposes=("credit",)), COMPANY, ""),
    ],
)
def test_obstacles(one: OfferedOperation, subscriber: Subscriber, obstacle: str) -> None:
    assert obstacle_of(one, subscriber) == obstacle


levels = st.sampled_from([level.value for level in Level])
operations = st.builds(
    operation,
    name=st.sampled_from("abcdef"),
    level=levels,
    grade=st.sampled_from(list(Grade)),
    purposes=st.sampled_from([(), ("credit",), ("credit", "audit")]),
    share=st.sampled_from(["unconditional", "conditional", "none"]),
    open=st.sampled_from(["open", "conditional", "closed"]),
    audience=st.sampled_from(["department", "third-party", "public"]),
)
subscribers = st.builds(
    Subscriber, st.sampled_from(["department", "company", "individual", ""]), st.booleans()
)


@given(st.lists(operations, max_size=6), subscribers, st.sampled_from(["", "credit", "audit"]))
def test_what_is_open_at_once_is_never_above_l1(
    given_operations: list[OfferedOperation], subscriber: Subscriber, purpose: str
) -> None:
    reached = reach(Offer(tuple(given_operations)), subscriber, purpose)
    assert all(one.level < Level.L4 and one.grade == Grade.GENERAL for one in reached)
    if is_open_at_once(reached, subscriber):
        assert deciding_level(reached) == Level.L1
    if purpose == "":
        assert not any(one.purposes for one in reached)
