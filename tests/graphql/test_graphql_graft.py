"""What is relied on of Strawberry: its roots take the services' fields, and its names are where the graft finds them."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import strawberry
from graphql import GraphQLField, GraphQLString, parse, print_schema, validate_schema
from strawberry.litestar.controller import GraphQLController

from api.graphql import controller
from api.graphql.building import build
from api.graphql.grafting import GraftedSchema
from api.graphql.naming import OWN_TYPES
from tests.gateway import made
from tests.graphql.asking import Asking

ROOT = Path(__file__).resolve().parents[2]


def test_the_graft_leans_on_the_version_that_was_read() -> None:
    assert version("strawberry-graphql") == "0.341.2"
    assert issubclass(GraftedSchema, strawberry.Schema)
    assert issubclass(controller.FaceController, GraphQLController)


def test_the_roots_hold_both() -> None:
    grafted = GraftedSchema({"foreign": GraphQLField(GraphQLString)}, {}, [])
    core = grafted.core
    assert validate_schema(core) == []
    assert core.query_type is not None
    assert list(core.query_type.fields) == ["kaimen", "foreign"]
    assert core.subscription_type is not None
    assert list(core.subscription_type.fields) == ["events"]
    assert core._strawberry_schema is grafted
    text = print_schema(core)
    parse(text)
    assert all(f"type {name} " in text for name in OWN_TYPES if name != "Mutation")


async def test_strawberry_itself_executes_the_grafted_schema() -> None:
    def resolve(*_: Any) -> str:
        return "yes"

    grafted = GraftedSchema({"foreign": GraphQLField(GraphQLString, resolve=resolve)}, {}, [])

    class Prepared:
        document = parse("{ foreign }")

    assert (await grafted.execute("{ foreign }", context_value=Prepared())).data == {"foreign": "yes"}
    results = [one async for one in await grafted.stream("{ other }", context_value=Prepared())]
    assert results[0].data == {"foreign": "yes"}


def test_a_service_never_hides_the_platforms_own_field() -> None:
    built = build([made.service([made.operation()], name="kaimen")])
    assert built.schema.query_type is not None
    assert list(built.schema.query_type.fields) == ["kaimen", "kaimen_service"]


async def test_an_app_asks_what_it_may_ask() -> None:
    asking = Asking(level="L2")
    body = await asking.ask(
        "{ kaimen { request_id environment app { id plan scopes token_expires_at quotas { quota_class units window_seconds left } }"
        " services { id field title level purposes is_pending is_retired operations events } limits { depth aliases } }"
        ' company { profile(code: "x") { code } } }'
    )
    assert "errors" not in body, body
    told = body["data"]["kaimen"]
    assert told["request_id"] == body["extensions"]["kaimen"]["request_id"]
    assert told["app"]["id"] == asking.world.app_id
    assert told["app"]["quotas"][0]["units"] == 600
    assert [one["id"] for one in told["services"]] == ["company@v1", "tax@v1"]
    assert told["services"][0]["field"] == "company"
    assert told["services"][0]["level"] == "L2"
    assert "getCompany" in told["services"][0]["operations"]
    assert told["limits"]["depth"] == 15


async def test_subscriptions_are_sent_to_the_socket() -> None:
    body = await Asking().ask("subscription { events { id } }")
    assert body["errors"][0]["extensions"]["rule"] == "graphql-request-invalid"
    assert "WebSocket" in body["errors"][0]["message"]


def test_a_process_asked_for_rest_has_none_of_it() -> None:
    program = (
        "import sys, api.main.lean, api.main.faces, api.main.serve, api.main.data_plane;"
        "print([one for one in ('graphql', 'strawberry', 'wsproto', 'api.graphql.face') if one in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_the_face_leaves_logging_as_it_is() -> None:
    program = (
        "import logging; before = list(logging.getLogger().handlers), logging.getLogger().level;"
        "from api.graphql.documents import Documents; from api.graphql.face import GraphqlFace; GraphqlFace(Documents());"
        "print((list(logging.getLogger().handlers), logging.getLogger().level) == before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "True", done.stderr
