"""A citizen's consent opens that citizen's data: a call that names another person's identity number is refused."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import structs

from api.contract.model import Body, Media, Parameter
from api.identity.consents.subjects import SubjectIds, person_mark
from api.identity.installation import Installation, configure, current, vault
from api.settings import Settings
from tests.gateway.made import parameter
from tests.gateway.test_consent import Place, refused, tax_paid

MINE, OTHERS = "99010120160521002X", "990101198603140027"
MARKED = {"type": "string", "x-element": "GB 11643-1999"}


@pytest.fixture(autouse=True)
async def home(tmp_path: Path) -> AsyncIterator[None]:
    before = current()
    configure(Installation(settings=Settings(home=str(tmp_path))))
    yield
    configure(before)


def marked(name: str, location: str = "path") -> Parameter:
    return structs.replace(parameter(name, location, required=location == "path"), schema=MARKED)


def mark(number: str) -> str:
    return person_mark(SubjectIds(vault(), "sandbox"), number)


async def test_a_number_is_that_of_who_consented() -> None:
    made = Place(tax_paid(path="/people/{number}", subject="person", parameters=(marked("number"),)))
    async with made.http:
        token = made.token({"person": mark(MINE), "organisation": "", "mandate": ""})
        path = "/api/company/v1/people/"
        assert (await made.get(token, path + MINE)).status_code == 200
        assert (await made.get(token, path + MINE.lower())).status_code == 200
        before = len(made.world.connector.requests)
        refused(await made.get(token, path + OTHERS), "consent-outdated", "other-person")
        unknown = made.token({"organisation": "", "mandate": ""})
        refused(await made.get(unknown, path + MINE), "consent-outdated", "other-person")
        assert len(made.world.connector.requests) == before


async def test_in_query_and_body_too() -> None:
    body = Body(True, (Media("application/json", {"type": "object", "properties": {"number": MARKED}}),))
    listed = structs.replace(parameter("numbers"), schema={"type": "array", "items": MARKED})
    made = Place(
        tax_paid(method="POST", path="/people", subject="person", parameters=(listed,), body=body),
    )
    async with made.http:
        token = made.token({"person": mark(MINE), "organisation": "", "mandate": ""})
        headers = {"authorization": f"Bearer {token}"}
        path = "/api/company/v1/people"
        for query, number, status in (
            ("", MINE, 200), ("", OTHERS, 403), (f"?numbers={MINE}", MINE, 200), (f"?numbers={MINE}&numbers={OTHERS}", MINE, 403),
        ):  # fmt: skip
            answer = await made.http.post(path + query, json={"number": number}, headers=headers)
            assert answer.status_code == status, answer.text


async def test_a_call_without_a_number_goes_by_the_subject() -> None:
    made = Place(tax_paid(path="/me", subject="person", parameters=(marked("number", "query"),)))
    async with made.http:
        token = made.token({"organisation": "", "mandate": ""})
        assert (await made.get(token, "/api/company/v1/me")).status_code == 200
        assert made.world.connector.contexts[-1].subject == "c_1"
