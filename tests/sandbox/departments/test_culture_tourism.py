"""Culture and tourism: visits under one's real name, places that run out, cards that expire."""

from sandbox.city.population import personas
from sandbox.city.residents import CITIZEN
from tests.sandbox.conftest import Client
from tests.sandbox.departments.changing import change

SHEN = personas.number_of("shen-ruohan")
XU = personas.number_of("xu-ran")


async def test_whoever_is_dead_books_nothing(app: Client, other_app: Client) -> None:
    await change(app, CITIZEN, SHEN, died_on="2026-06-20")
    assert (await app("culture/bookVisit")).body["rule"] == "culture-visitor-unknown"
    assert (await other_app("culture/bookVisit")).status == 201


async def test_a_booking_takes_a_place_and_gives_it_back(app: Client) -> None:
    async def left() -> int:
        slots = (await app("culture/listSlots", museum="M01", day="2026-07-02")).body["items"]
        return next(one["left"] for one in slots if one["slot"] == "11:00")

    before = await left()
    booking = (await app("culture/bookVisit")).body
    assert await left() == before - 1
    assert (await app("culture/bookVisit")).body["rule"] == "culture-visit-twice"
    assert (await app("culture/cancelBooking", number=booking["number"])).body["status"] == "cancelled"
    assert await left() == before
    assert (await app("culture/bookVisit")).status == 201


async def test_a_full_slot_and_a_closed_museum_refuse(app: Client) -> None:
    closed = await app("culture/bookVisit", body={"day": "2026-07-06"})
    assert closed.body["rule"] == "culture-museum-closed"
    refused = 0
    for day in range(1, 31):  # some afternoon of a month is full
        clock = f"2026-07-{day:02d}T08:00:00+08:00"
        slots = (await app("culture/listSlots", museum="M04", day=clock[:10], clock=clock)).body["items"]
        for slot in slots:
            if slot["left"] == 0:
                body = {"museum": "M04", "day": clock[:10], "slot": slot["slot"]}
                full = await app("culture/bookVisit", body=body, clock=clock)
                assert full.body["rule"] == "culture-slot-full"
                refused += 1
    assert refused


async def test_a_card_is_issued_once_until_it_expires(app: Client) -> None:
    assert (await app("culture/applyLibraryCard")).status == 201
    assert (await app("culture/applyLibraryCard")).body["rule"] == "culture-card-valid"
    assert (await app("culture/getLibraryCard", person=XU)).body["status"] == "valid"
    later = "2031-08-01T09:00:00+08:00"
    assert (await app("culture/getLibraryCard", person=XU, clock=later)).body["status"] == "expired"
    assert (await app("culture/applyLibraryCard", clock=later)).status == 201


async def test_events_come_page_by_page(app: Client) -> None:
    seen, cursor = [], {}
    for _ in range(40):
        page = (await app("culture/listEvents", limit=3, **cursor)).body
        seen += [(one["begins_at"], one["event"]) for one in page["items"]]
        if "next" not in page:
            break
        cursor = {"cursor": page["next"]}
    assert seen == sorted(set(seen))
    assert len(seen) > 3


async def test_a_death_that_is_registered_ends_visits_and_cards(app: Client) -> None:
    visitor = {"name": "陈航", "number": personas.number_of("chen-hang")}
    assert (await app("culture/bookVisit", body={"visitor": visitor})).status == 201
    assert (await app("household/registerDeath")).status == 201
    assert (await app("culture/bookVisit", body={"visitor": visitor, "day": "2026-07-03"})).status == 422
    assert (await app("culture/applyLibraryCard", body=visitor)).body["rule"] == "culture-visitor-unknown"
