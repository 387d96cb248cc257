"""Types of a contract through the face: what goes in and comes out is what the contract says, nothing is changed."""

from typing import Any

from api.gateway.snapshot import ServiceEntry, Snapshot
from tests.gateway import made
from tests.graphql.asking import Asking, Departments

DOG = {
    "type": "object", "required": ["kind", "bark"],
    "properties": {"kind": {"type": "string"}, "bark": {"type": "string"}},
}  # fmt: skip
CAT = {
    "type": "object", "required": ["kind", "lives"],
    "properties": {"kind": {"type": "string"}, "lives": {"type": "integer", "minimum": 0, "maximum": 9}},
}  # fmt: skip
SCHEMAS: dict[str, Any] = {
    "Dog": DOG,
    "Cat": CAT,
    "Pet": {
        "oneOf": [{"$ref": "#/components/schemas/Dog"}, {"$ref": "#/components/schemas/Cat"}],
        "discriminator": {
            "propertyName": "kind",
            "mapping": {"犬": "#/components/schemas/Dog", "cat": "#/components/schemas/Cat"},
        },
    },
    "Loose": {"oneOf": [{"$ref": "#/components/schemas/Dog"}, {"$ref": "#/components/schemas/Cat"}]},
    "Record": {
        "type": "object",
        "properties": {
            "big": {"type": "integer"},
            "small": {"type": "integer", "format": "int32"},
            "day": {"type": "string", "format": "date", "description": "登记日"},
            "moment": {"type": "string", "format": "date-time"},
            "amount": {"type": "string", "format": "decimal"},
            "ratio": {"type": "number"},
            "pets": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}},
            "loose": {"$ref": "#/components/schemas/Loose"},
            "self": {"$ref": "#/components/schemas/Record"},
            "名称": {"type": "string"},
        },
    },
}
REFERENCE = {"$ref": "#/components/schemas/Record"}
VALUE = {
    "big": 2**60, "small": -7, "day": "2026-02-28", "moment": "2026-06-30T12:00:00+08:00",
    "amount": "12345678901234567890.10", "ratio": 0.1, "名称": "甲",
    "pets": [{"kind": "犬", "bark": "w"}, {"kind": "cat", "lives": 9}],
    "loose": {"kind": "?", "lives": 3}, "self": {"big": 1},
}  # fmt: skip


class Registry(Departments):
    sent: Any = None

    def putRecord(self, request: Any) -> Any:  # noqa: N802
        self.sent = request.json
        return VALUE


def asking() -> Asking:
    here = Asking()
    registry = here.departments = Registry()
    media = (made.Media("application/json", REFERENCE),)
    one = made.service(
        [
            made.operation(
                "putRecord", verb="create", method="POST", path="/records", parameters=(made.parameter("since", schema={"type": "string", "format": "date"}),),
                body=made.Body(True, media), responses=(made.Response("200", "", media),),
            )
        ],
        schemas=SCHEMAS,
    )  # fmt: skip
    apps = here.world.holder.current.apps
    here.world.holder.current = Snapshot.of([ServiceEntry(one, registry, owner_id="o_owner")], apps)
    return here


OUT = (
    "{ big small day moment amount ratio _self: self { big } loose { __typename ... on CompanyCat { lives } }"
    " pets { __typename ... on CompanyDog { bark } ... on CompanyCat { lives } } }"
)


async def ask(here: Asking, value: Any, **more: Any) -> Any:
    query = f"mutation ($i: CompanyRecordInput!, $s: Date) {{ company {{ createProfile(input: $i, since: $s) {OUT} }} }}"
    return await here.ask(query, {"i": value} | more)


async def test_values_come_out_as_they_are() -> None:
    body = await ask(asking(), {"big": 1})
    assert "errors" not in body, body
    told = body["data"]["company"]["createProfile"]
    assert (told["big"], told["small"], told["ratio"]) == (2**60, -7, 0.1)
    assert (told["day"], told["moment"]) == ("2026-02-28", "2026-06-30T12:00:00+08:00")
    assert told["amount"] == "12345678901234567890.10"
    assert told["_self"] == {"big": 1}
    assert told["pets"] == [
        {"__typename": "CompanyDog", "bark": "w"},
        {"__typename": "CompanyCat", "lives": 9},
    ]
    assert told["loose"] == {"__typename": "CompanyCat", "lives": 3}


async def test_values_go_in_as_they_are() -> None:
    here = asking()
    value = {
        "big": 2**60,
        "day": "2026-02-28",
        "amount": "0.10",
        "pets": [{"dog": {"kind": "犬", "bark": "w"}}],
    }
    body = await ask(here, value, s="2026-01-01")
    assert "errors" not in body, body
    registry: Any = here.departments
    assert registry.sent == value | {"pets": [{"kind": "犬", "bark": "w"}]}


async def test_values_that_do_not_fit_are_refused_without_being_shown() -> None:
    for value in (
        {"big": "many"}, {"day": "28.02.2026"}, {"moment": "2026-06-30"}, {"amount": "1e5"},
        {"pets": [{"dog": {"kind": "x"}, "cat": {"kind": "y"}}]},
    ):  # fmt: skip
        here = asking()
        body = await ask(here, value)
        assert body["errors"][0]["extensions"]["rule"] == "graphql-variables", body
        assert here.departments.asked == []
        for shown in ("many", "28.02", "1e5"):
            assert shown not in str(body)


async def test_the_schema_says_it_in_chinese_first() -> None:
    _, _, text = await asking().request(b"", path="/graphql/schema", method="GET")
    assert "登记日" in text
    assert "union CompanyPet = CompanyDog | CompanyCat" in text
    assert "big: Long" in text
    assert "amount: Decimal" in text
    assert "input CompanyPetInput @oneOf" in text
