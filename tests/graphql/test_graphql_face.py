"""Queries through the pipeline: nested fields gathered, names mapped, rights, cost, and what is refused before it runs."""

import json
import time
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from api.graphql import limits
from api.graphql.documents import AppDocuments, Documents
from api.graphql.face import GraphqlFace
from tests.gateway import made
from tests.graphql.asking import Asking

CPU_SECONDS = 0.05


async def test_two_hundred_companies_with_their_rating_are_three_calls() -> None:
    asking = Asking()
    body = await asking.ask("{ company { listProfile(limit: 200) { code taxRating { grade } } } }")
    assert "errors" not in body
    listed = body["data"]["company"]["listProfile"]
    assert len(listed) == 200
    assert all(one["taxRating"] == {"grade": "A"} for one in listed)
    assert asking.departments.asked == ["listCompanies", "listRatings", "listRatings"]
    cost = body["extensions"]["kaimen"]["cost"]
    assert cost == {"estimated": {"light": 400}, "charged": 400}


async def test_the_same_key_is_asked_once() -> None:
    asking = Asking()
    body = await asking.ask(
        '{ company { a: profile(code: "x") { taxRating { grade } } b: profile(code: "x") { taxRating { grade } } } }'
    )
    assert body["data"]["company"]["a"] == body["data"]["company"]["b"] == {"taxRating": {"grade": "A"}}
    assert asking.departments.asked.count("getRating") == 1


async def test_names_that_graphql_does_not_take_are_mapped_both_ways() -> None:
    asking = Asking()
    body = await asking.ask(
        "mutation ($i: CompanyInput!) { company { createProfile(input: $i) { code status labels { key value } } } }",
        {"i": {"code": "n", "status": "in_business", "labels": [{"key": "a b", "value": 2**40}]}},
    )
    assert body["data"]["company"]["createProfile"] == {
        "code": "n", "status": "in_business", "labels": [{"key": "a b", "value": 2**40}],
    }  # fmt: skip


async def test_changes_run_one_after_the_other() -> None:
    asking = Asking()
    body = await asking.ask(
        'mutation { company { a: createProfile(input: {code: "1"}) { code } b: createProfile(input: {code: "2"}) { code } } }'
    )
    assert [one["path"][-1] for one in body["extensions"]["kaimen"]["operations"]] == ["a", "b"]


async def test_a_field_above_the_level_granted_is_null_and_not_in_that_schema() -> None:
    asking = Asking(level="L2")
    body = await asking.ask('{ company { profile(code: "x") { name phone } } }')
    assert body["data"]["company"]["profile"] == {"name": "公司", "phone": None}
    [error] = body["errors"]
    assert error["path"] == ["company", "profile", "phone"]
    assert error["extensions"]["rule"] == "field-withheld"
    assert error["extensions"]["next"]
    status, _, own = await asking.request(b"", path="/graphql/schema", method="GET")
    assert status == 200
    assert "phone" not in own
    _, _, whole = await Asking(level="L3").request(b"", path="/graphql/schema", method="GET")
    assert "phone" in whole


async def test_without_the_scope_the_field_is_null_with_the_words_of_rest() -> None:
    asking = Asking()
    token = asking.world.tokens.give(asking.world.app_id, "company:profile:read")
    query = {"query": '{ company { profile(code: "x") { name taxRating { grade } } } }'}
    _, _, body = await asking.request(json.dumps(query).encode(), token=token)
    assert body["data"]["company"]["profile"] == {"name": "公司", "taxRating": None}
    assert body["errors"][0]["extensions"]["step"] == "authorise"
    assert body["errors"][0]["extensions"]["scope"] == "tax:rating:read"
    _, _, own = await asking.request(b"", path="/graphql/schema", method="GET", token=token)
    assert "taxRating" not in own


async def test_the_whole_cost_is_held_against_the_plan_before_anything_runs() -> None:
    asking = Asking()
    listed = " ".join(f"a{number}: listProfile {{ code taxRating {{ grade }} }}" for number in range(3))
    body = await asking.ask("{ company { " + listed + " } }")
    assert body["errors"][0]["extensions"]["rule"] == "graphql-cost"
    assert body["errors"][0]["extensions"]["cost"] == 1200
    assert asking.departments.asked == []


def _fragments(count: int) -> str:
    """Each fragment spreads the next one twice: 2 to the power of `count` fields."""
    parts = [f"fragment f{n} on CompanyQuery {{ ...f{n + 1} ...f{n + 1} }}" for n in range(count)]
    return (
        "{ company { ...f0 } } "
        + " ".join(parts)
        + f' fragment f{count} on CompanyQuery {{ profile(code: "x") {{ code }} }}'
    )


HOSTILE = {
    "graphql-depth": ["{" + "a{" * 900 + "b" + "}" * 901, "{ company " + "{ a " * 20 + "}" * 21],
    "graphql-width": ["{ company { " + " ".join(f"f{n}" for n in range(300)) + " } }"],
    "graphql-aliases": [
        "{ company { " + " ".join(f'a{n}: profile(code: "x") {{ code }}' for n in range(60)) + " } }"
    ],
    "graphql-repeats": ["{ company { " + "listProfile { code } " * 40 + "} }"],
    "graphql-cycle": [
        "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }",
        "{ ...a } fragment a on Query { company { ...a } }",
    ],
    "graphql-fields": [_fragments(12)],
    "graphql-tokens": ["{ company { profile(code: [" + "1 " * 4000 + "]) { code } } }"],
    "graphql-size": ["#" + "x" * 1_000_000, "{ a } " + " " * 100_000],
    "graphql-directives": ["{ company " + "@include(if: true) " * 80 + "{ listProfile { code } } }"],
    "graphql-definitions": [" ".join(f"query q{n} {{ __typename }}" for n in range(80))],
    "graphql-introspection": [
        "{ __schema { types { fields { type { fields { type { name } } } } } } }",
        '{ __type(name: "Query") { name } }',
        "{ ...a } fragment a on Query { b: __schema { types { name } } }",
    ],
    "graphql-syntax": ["{ a", "query {", "\x00"],
}


@pytest.mark.parametrize(
    ("rule", "document"), [(rule, one) for rule, many in HOSTILE.items() for one in many]
)
async def test_hostile_documents_are_refused_at_once_and_by_name(rule: str, document: str) -> None:
    asking = Asking()
    await asking.ask("{ __typename }")
    sent = json.dumps({"query": document}).encode()
    spent = []
    for _ in range(3):
        begun = time.process_time()
        status, _, body = await asking.request(sent)
        spent.append(time.process_time() - begun)
        assert status == 400
        assert body["errors"][0]["extensions"]["rule"] == rule
    assert asking.departments.asked == []
    assert min(spent) < CPU_SECONDS


async def test_no_piece_of_a_document_reaches_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    asking = Asking()
    for document in (
        "{ secretpiece",
        "{ secretpiece }",
        'query ($secretpiece: Long!) { company { profile(code: "secretpiece") { secretpiece } } }',
    ):
        await asking.ask(document)
    await asking.ask(
        "query ($c: String!) { company { profile(code: $c) { code } } }", {"c": {"a": "secretpiece"}}
    )
    recorder: Any = asking.gateway.recorder
    recorder.catch_up()
    assert "secretpiece" not in repr(list(recorder._rows))
    seen = capfd.readouterr()
    assert "secretpiece" not in seen.out + seen.err


async def test_suggestions_do_not_name_what_a_caller_may_not_see() -> None:
    body = await Asking().ask('{ company { profil(code: "x") { code } } }')
    assert "Did you mean" not in json.dumps(body)


async def test_a_publication_is_in_the_schema_at_once_and_what_runs_goes_on() -> None:
    asking = Asking()
    assert "data" in await asking.ask('{ company { profile(code: "x") { code } } }')
    holder = asking.world.holder
    tax = holder.current.entry("tax", "v1")
    renamed = msgspec.structs.replace(tax.service, version="v2")
    entries = [*holder.current.entries(), made.ServiceEntry(renamed, asking.departments, owner_id="o_owner")]
    holder.current = made.Snapshot.of(entries, holder.current.apps)
    body = await asking.ask(
        '{ tax_v2 { rating(code: "x") { grade } } company { profile(code: "x") { code } } }'
    )
    assert body["data"]["company"] == {"profile": {"code": "x"}}
    assert body["errors"][0]["extensions"]["rule"] == "not-subscribed"


class Late(made.Holder):
    """A feed that brings an app's subscriptions when it is asked for what is new."""

    def __init__(self, now: Any, later: Any) -> None:
        super().__init__(now)
        self._later = later

    async def refresh(self) -> bool:
        self.current = self._later
        return True


async def test_the_schema_of_an_app_that_was_just_subscribed_is_whole() -> None:
    asking = Asking()
    later = asking.world.holder.current
    apps = made.apps_with_plans()
    apps.put(asking.world.app_id, "o_bank", kind="company")
    asking.gateway.snapshots = Late(made.Snapshot.of(list(later.entries()), apps), later)
    _, _, text = await asking.request(b"", path="/graphql/schema", method="GET")
    assert "type CompanyQuery" in text


async def test_an_app_with_a_list_runs_registered_documents_alone() -> None:
    document = '{ company { profile(code: "x") { code } } }'
    digest = sha256(document.encode()).hexdigest()

    async def load(app_id: str) -> AppDocuments:
        return AppDocuments({digest: document}, is_exclusive=True)

    asking = Asking()
    asking.face = GraphqlFace(Documents(load))
    assert (await asking.ask("", id="sha256:" + digest))["data"] == {"company": {"profile": {"code": "x"}}}
    assert "data" in await asking.ask(document)
    refused = await asking.ask('{ company { profile(code: "y") { code } } }')
    assert refused["errors"][0]["extensions"]["rule"] == "graphql-not-registered"
    unknown = await asking.ask("", id="0" * 64)
    assert unknown["errors"][0]["extensions"]["rule"] == "graphql-document-unknown"


async def test_requests_that_are_no_graphql() -> None:
    asking = Asking()
    for body in (b"", b"[]", b"{}", b'{"query": 1}', b"[" * 100_000):
        status, _, said = await asking.request(body)
        assert status == 400
        assert said["errors"][0]["extensions"]["rule"] == "graphql-request-invalid"
    status, head, _ = await asking.request(b"", method="GET")
    assert (status, head["allow"]) == (405, "POST")
    status, head, _ = await asking.request(b'{"query":"{a}"}', token=b"")
    assert status == 401
    assert "www-authenticate" in head
    assert limits.MAX_DOCUMENT_BYTES < limits.MAX_BODY_BYTES
