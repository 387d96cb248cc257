"""What a consent covers: purpose, term, organisation, fields; what is cut out of an answer; step-up."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from api.contract.answer_fields import escape, fields_of
from api.contract.model import Basis, Body, Level, Media, Operation, Response
from api.gateway.consent import cut, tree_of
from api.gateway.rest import RestFace
from api.gateway.snapshot import ServiceEntry, Snapshot
from api.settings import Settings
from tests.gateway.made import JSON, World, grant_of, operation, parameter, service
from tests.gateway.test_pipeline import Log

CODE, OTHER = "91990106MA0000015L", "91990103MA0000074C"
PATH = f"/api/company/v1/taxpayers/{CODE}/tax-paid"
MARKED = {"type": "string", "x-element": "GB 32100-2015"}
TAX_PAID = {
    "type": "object",
    "properties": {
        "code": {"type": "string"},
        "total": {"type": "number"},
        "years": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"year": {"type": "integer"}, "paid": {"type": "number"}},
            },
        },
    },
}
FIELDS = ["code", "total", "years.year", "years.paid"]
ANSWER = {
    "code": CODE, "total": 7, "secret": "not in the contract",
    "years": [{"year": 2024, "paid": 3, "note": "x"}, {"year": 2025, "paid": 4}],
}  # fmt: skip


def tax_paid(**more: Any) -> Operation:
    values = {
        "path": "/taxpayers/{code}/tax-paid", "level": Level.L3, "basis": Basis.CONSENT, "purposes": ("bank-credit", "audit"),
        "subject": "organisation", "responses": (Response("200", "", (Media("application/json", TAX_PAID),)),),
    }  # fmt: skip
    return operation("getTaxPaid", **(values | more))


class Place:
    """A served world with consented operations."""

    def __init__(self, *operations: Operation, **settings: Any) -> None:
        made = structs.replace(Settings(), flood_per_second=1_000_000, **settings)
        self.log = Log()
        self.world = World(
            operations or [tax_paid()], settings=made, recorder=self.log, metrics=self.log, evidence=self.log
        )
        self.world.apps.put(
            self.world.app_id, "o_bank", kind="company", grants=[grant_of(purpose="bank-credit")]
        )
        self.world.connector.body = json.dumps(ANSWER).encode()
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=RestFace(self.world.gateway)), base_url="http://gateway"
        )

    def token(self, *details: dict[str, Any], **more: Any) -> str:
        given = [self.detail(**one) for one in details or ({},)]
        claims = {
            "grant": "g_1",
            "sub": "c_1",
            "consent": "intl$sha256:1",
            "mandate": "m_1",
            "acr": "substantial",
        } | more
        return self.world.tokens.give(self.world.app_id, authorization_details=given, **claims).decode()

    def detail(self, **changes: Any) -> dict[str, Any]:
        good = {
            "type": "kaimen-service", "service": "company@v1", "operations": ["getTaxPaid"], "purpose": "bank-credit",
            "fields": FIELDS, "refused": [], "until": "2096-01-01T00:00:00Z", "organisation": CODE, "mandate": "m_1",
        }  # fmt: skip
        return {name: value for name, value in (good | changes).items() if value is not None}

    async def get(self, token: str = "", path: str = PATH, **headers: str) -> httpx.Response:
        return await self.http.get(
            path, headers={"authorization": f"Bearer {token or self.token()}"} | headers
        )


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    made = Place()
    async with made.http:
        yield made


def refused(answer: httpx.Response, slug: str, rule: str, status: int = 403) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    problem = answer.json()
    assert (problem["type"].split("/")[-2], problem["rule"]) == (slug, rule)
    assert problem["next"]
    return dict(problem)


async def test_what_was_agreed_to_comes_and_nothing_else(place: Place) -> None:
    answer = await place.get()
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "code": CODE, "total": 7, "years": [{"year": 2024, "paid": 3}, {"year": 2025, "paid": 4}],
    }  # fmt: skip
    assert "kaimen-withheld" not in answer.headers
    assert int(answer.headers["content-length"]) == len(answer.content)
    exchange = place.log.exchanges[-1]
    decision = exchange.decision
    assert decision is not None
    assert (decision.grant, decision.subject, decision.consent, decision.mandate) == (
        "g_1",
        "c_1",
        "intl$sha256:1",
        "m_1",
    )
    assert place.log.evidence == ["getTaxPaid"]
    assert place.world.connector.contexts[-1].subject == "c_1"
    assert place.world.connector.contexts[-1].purpose == "bank-credit"


async def test_refused_fields_are_cut_and_named(place: Place) -> None:
    token = place.token({"fields": ["code", "years.year"], "refused": ["total", "years.paid"]})
    answer = await place.get(token)
    assert answer.json() == {"code": CODE, "years": [{"year": 2024}, {"year": 2025}]}
    assert answer.headers["kaimen-withheld"] == "total, years.paid"
    token = place.token({"fields": ["total"], "refused": ["code", "years.year", "years.paid"]})
    assert (await place.get(token)).json() == {"total": 7}
    token = place.token({"fields": [], "refused": FIELDS})
    refused(await place.get(token), "consent-outdated", "fields-refused")


async def test_fields_that_the_contract_has_added_since_need_a_new_consent(place: Place) -> None:
    problem = refused(
        await place.get(place.token({"fields": ["code", "years.year"]})), "consent-outdated", "fields-added"
    )
    assert problem["fields"] == ["total", "years.paid"]
    token = place.token()
    assert (await place.get(token)).status_code == 200
    wider = {"type": "object", "properties": {**TAX_PAID["properties"], "debts": {"type": "number"}}}  # type: ignore[dict-item]
    changed = tax_paid(responses=(Response("200", "", (Media("application/json", wider),)),))
    entry = ServiceEntry(service([changed], digest="sha256:1"), place.world.connector, owner_id="o_owner")
    place.world.holder.current = Snapshot.of([entry], place.world.apps)
    problem = refused(await place.get(token), "consent-outdated", "fields-added")  # the token is cached
    assert problem["fields"] == ["debts"]


async def test_term_service_operation_and_purpose(place: Place) -> None:
    for until in ("2020-01-01T00:00:00Z", "2020-01-01", "nonsense"):
        refused(await place.get(place.token({"until": until})), "consent-outdated", "consent-expired")
    for changes in ({"service": "company@v2"}, {"operations": ["getCompany"]}, {"type": "other"}):
        refused(await place.get(place.token(changes)), "consent-outdated", "operation-not-covered")
    for changes in ({"purpose": "audit"}, {"purpose": "marketing"}):
        refused(await place.get(place.token(changes)), "consent-outdated", "purpose-not-covered")
    refused(await place.get(**{"kaimen-purpose": "audit"}), "consent-outdated", "operation-not-covered")
    assert (await place.get(**{"kaimen-purpose": "bank-credit"})).status_code == 200
    assert (await place.get(place.token({"operations": None}))).status_code == 200
    two = place.token({"purpose": "audit", "fields": ["code"], "refused": FIELDS[1:]}, {})
    assert (await place.get(two)).json()["total"] == 7
    refused(await place.get(place.token(grant="")), "consent-required", "consent-required")


async def test_the_organisation_is_the_one_that_consented(place: Place) -> None:
    token = place.token()
    before = len(place.world.connector.requests)
    refused(await place.get(token, PATH.replace(CODE, OTHER)), "mandate-refused", "other-organisation")
    refused(await place.get(place.token({"organisation": ""})), "mandate-refused", "not-a-representative")
    assert len(place.world.connector.requests) == before
    assert (await place.get(token, PATH.replace(CODE, CODE.lower()))).status_code == 200
    place.world.gateway.withdrawals.mandates["m_1"] = 0.0
    refused(await place.get(token), "mandate-refused", "mandate-ended")


async def test_where_the_organisation_stands_is_the_contracts_to_say() -> None:
    in_query = tax_paid(path="/tax-paid", parameters=(parameter("code", required=True), parameter("year")))
    marked = tax_paid(
        path="/tax-paid",
        parameters=(parameter("a"), parameter("codes", schema={"type": "array", "items": MARKED})),
    )
    unnamed = tax_paid(path="/tax-paid", parameters=(parameter("code"), parameter("year")))
    for one, query, rule in (
        (in_query, f"?code={CODE}", ""), (in_query, f"?code={OTHER}", "other-organisation"),
        (marked, f"?a={OTHER}&codes={CODE}", ""), (marked, f"?codes={CODE}&codes={OTHER}", "other-organisation"),
        (marked, f"?a={CODE}", "organisation-unnamed"), (unnamed, f"?code={CODE}", "organisation-unnamed"),
    ):  # fmt: skip
        made = Place(one)
        async with made.http:
            answer = await made.get(path="/api/company/v1/tax-paid" + query)
            if rule:
                refused(answer, "mandate-refused", rule)
                assert made.log.exchanges[-1].cost == 0  # what was charged came back
            else:
                assert answer.status_code == 200, answer.text


async def test_an_organisation_in_the_body() -> None:
    schema = {"type": "object", "properties": {"code": MARKED, "year": {"type": "integer"}}}
    made = Place(
        tax_paid(path="/tax-paid", method="POST", body=Body(True, (Media("application/json", schema),)))
    )
    async with made.http:
        for code, status in ((CODE, 200), (OTHER, 403), (None, 403)):
            headers = {"authorization": f"Bearer {made.token()}"}
            body = {"year": 2025} | ({"code": code} if code else {})
            answer = await made.http.post("/api/company/v1/tax-paid", headers=headers, json=body)
            assert answer.status_code == status, answer.text


async def test_answers_that_cannot_be_cut_are_withheld() -> None:
    made = Place(environment="live")  # nobody checks answers there
    connector = made.world.connector
    async with made.http:
        for body, headers in (
            (b"no json", [JSON]), (b"{}", [(b"content-type", b"text/csv")]),
            (b"{}", [JSON, (b"content-encoding", b"gzip")]), (b"\xff", [JSON]),
        ):  # fmt: skip
            connector.body, connector.headers = body, headers
            answer = await made.get()
            assert (answer.status_code, answer.json()["rule"]) == (502, "fields-uncut"), answer.text
        connector.body, connector.headers = b"", [JSON]
        assert (await made.get()).content == b""
        connector.body, connector.status = b'{"why": "not found"}', 404
        answer = await made.get()
        assert (answer.status_code, answer.json()) == (404, {"why": "not found"})


async def test_a_streamed_answer_is_cut_too_and_its_marks_go() -> None:
    made = Place(environment="live")

    class Stream:
        def __init__(self) -> None:
            self.chunks = [json.dumps(ANSWER).encode()[at : at + 20] for at in range(0, 200, 20)]

        def __aiter__(self) -> "Stream":
            return self

        async def __anext__(self) -> bytes:
            if not self.chunks:
                raise StopAsyncIteration
            return self.chunks.pop(0)

    made.world.connector.body = Stream()
    made.world.connector.headers = [JSON, (b"etag", b'"whole"'), (b"content-length", b"999")]
    async with made.http:
        answer = await made.get()
    assert answer.json()["total"] == 7
    assert "secret" not in answer.text
    assert "etag" not in answer.headers
    assert int(answer.headers["content-length"]) == len(answer.content)


async def test_a_file_is_agreed_to_as_a_whole() -> None:
    pdf = (Response("200", "", (Media("application/pdf", None), Media("application/json", TAX_PAID))),)
    made = Place(tax_paid(responses=pdf), environment="live")
    made.world.connector.body, made.world.connector.headers = b"%PDF", [(b"content-type", b"application/pdf")]
    async with made.http:
        whole = await made.get(made.token({"fields": ["*", *FIELDS]}))
        assert (whole.status_code, whole.content) == (200, b"%PDF")
        part = await made.get(made.token({"fields": FIELDS, "refused": ["*"]}))
        assert part.status_code == 502
    encodings = [
        value
        for one in made.world.connector.requests
        for name, value in one.forward_headers
        if name == b"accept-encoding"
    ]
    assert set(encodings) == {b"identity"}


# --- step-up ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("required", "acr", "is_enough"),
    [
        ("substantial", "substantial", True), ("substantial", "high", True), ("high", "substantial", False),
        ("low", "", False), ("high", "made-up", False), ("urn:x", "urn:x", True), ("urn:x", "high", False),
    ],
)  # fmt: skip
async def test_assurance(required: str, acr: str, is_enough: bool) -> None:
    for one in (
        tax_paid(assurance=required),
        operation("getTaxPaid", path="/taxpayers/{code}/tax-paid", assurance=required),
    ):
        made = Place(one)
        made.world.connector.body = b'{"code": "1", "name": "x", "total": 1}'
        async with made.http:
            answer = await made.get(made.token(acr=acr))
        if is_enough:
            assert answer.status_code == 200, answer.text
            continue
        problem = refused(answer, "assurance-too-low", "assurance-too-low", 401)
        assert (problem["required"], problem["presented"]) == (required, acr or "—")
        challenge = answer.headers["www-authenticate"]
        assert 'error="insufficient_user_authentication"' in challenge
        assert f'acr_values="{required}"' in challenge


async def test_an_app_alone_has_no_assurance() -> None:
    made = Place(operation("getTaxPaid", path="/taxpayers/{code}/tax-paid", assurance="low"))
    async with made.http:
        answer = await made.get(made.world.token.decode())
    refused(answer, "assurance-too-low", "assurance-too-low", 401)


# --- cutting ----------------------------------------------------------------------------------------
def test_cutting() -> None:
    def cut_by(value: Any, **fields: bool) -> Any:
        return cut(value, tree_of(fields))

    assert cut_by({"a": 1, "b": 2}, a=True, b=False) == {"a": 1}
    assert cut({"a": {"b": 1, "c": 2}}, tree_of({"a.b": True, "a.c": False})) == {"a": {"b": 1}}
    assert cut({"a": {"b": 1}, "d": 1}, tree_of({"a.b": False, "d": True})) == {"d": 1}
    assert cut([{"a": 1, "b": 2}, None, [{"a": 3}]], tree_of({"a": True, "b": False})) == [
        {"a": 1},
        None,
        [{"a": 3}],
    ]
    assert cut({"a": None}, tree_of({"a.b": True})) == {"a": None}
    assert cut({"a": "not an object"}, tree_of({"a.b": True})) == {"a": None}
    open_object = tree_of({"a.*": True, "a.known": False})
    assert cut({"a": {"known": 1, "other": 2}, "b": 3}, open_object) == {"a": {"other": 2}}
    assert cut({"x.y": 1, "x~z": 2}, tree_of({"x~1y": True, "x~0z": False})) == {"x.y": 1}
    assert cut({"a": 1}, tree_of({"*": True})) == {"a": 1}
    assert tree_of({"*": False}) is False
    assert tree_of({}) is True
    assert cut({"a": {"b": {"deep": 1}}}, tree_of({"a.b": True})) == {"a": {"b": {"deep": 1}}}


NAMES = st.sampled_from(["a", "b", "c.d", "e~f", "*x"])
VALUES = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=20,
)


def paths_in(value: Any, above: tuple[str, ...] = ()) -> set[str]:
    """The names of all fields that hold something."""
    if isinstance(value, list):
        return {name for one in value for name in paths_in(one, above)}
    if isinstance(value, dict):
        return {name for key, one in value.items() for name in paths_in(one, (*above, escape(key)))}
    return {".".join(above)} if value is not None and above else set()


@given(value=st.dictionaries(NAMES, VALUES, min_size=1, max_size=4), draw=st.randoms())
def test_no_refused_or_undeclared_field_is_ever_left(value: Any, draw: Any) -> None:
    names = sorted(paths_in(value))
    chosen = {name: draw.random() < 0.5 for name in names if draw.random() < 0.8}
    left = paths_in(cut(value, tree_of(chosen))) if chosen else set()
    agreed = {name for name, keep in chosen.items() if keep}
    # below an agreed field everything comes, unless it is a field of its own that was refused
    assert all(any(name == one or name.startswith(one + ".") for one in agreed) for name in left)
    assert all(chosen.get(name, True) for name in left)


def test_names_of_fields_and_cutting_mean_the_same() -> None:
    one = tax_paid()
    assert list(fields_of(one, service([one]))) == FIELDS
    assert cut(ANSWER, tree_of(dict.fromkeys(FIELDS, True))) == {
        name: ANSWER[name] for name in ("code", "total")
    } | {"years": [{"year": 2024, "paid": 3}, {"year": 2025, "paid": 4}]}
