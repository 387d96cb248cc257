"""Samples are run for real: each language sends the request that the contract describes, whatever the text in it."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from api.contract.build import service_of
from api.contract.importing import read_contract
from api.contract.load import load_files
from api.contract.model import Service
from sdk.requests import example_request
from sdk.samples import LANGUAGES, TOKEN, samples
from tests.databases import missing

# quotes, escapes of five languages, line ends of every kind, comment ends, command substitution
HOSTILE = "a\"b'c\\d\\u0022e\n\r\t`$(id)`${x}%s</script>*/ # {{x}} #{y} 企业 😀 \u2028 \u2029"
HOSTILE_JSON = {"__proto__": HOSTILE, HOSTILE: [1, 2.5, None, True, {"空": ""}], "text": HOSTILE}
RUNTIMES = {"curl": "curl", "python": "python3", "javascript": "node", "java": "java", "go": "go"}


def contract(operation: dict[str, Any], *, path: str = "/a/{id}", method: str = "post") -> Service:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Sample", "version": "1.0.0"},
        "paths": {path: {method: operation}},
    }
    found = read_contract(load_files({"a.json": json.dumps(document).encode()}, "a.json")).service
    assert found is not None
    return found


@pytest.fixture(scope="module")
def received() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server on a free port, and what it was sent."""
    seen: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            seen.append(
                {
                    "method": self.command,
                    "target": self.path,
                    "headers": dict(self.headers.items()),
                    "body": body,
                }
            )
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer  # noqa: N815 - http.server's names

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/api/sample/v1", seen
    server.shutdown()
    server.server_close()
    thread.join()


def run(language: str, source: str, folder: Path) -> None:
    if shutil.which(RUNTIMES[language]) is None:
        missing(f"{RUNTIMES[language]}, which runs the samples in {language}")
    environment = {
        **os.environ,
        TOKEN: "sample-token",
        "GOFLAGS": "-mod=mod",
        "GO111MODULE": "off",
        "GOCACHE": str(folder / "cache"),
    }
    name, command = {
        "curl": ("sample.sh", ["bash"]),
        "python": ("sample.py", ["python3", "-W", "error"]),
        "javascript": ("sample.mjs", ["node"]),
        "java": ("Sample.java", ["java", "-Dfile.encoding=UTF-8"]),
        "go": ("sample.go", ["go", "run"]),
    }[language]
    path = folder / name
    path.write_text(source, encoding="utf-8")
    done = subprocess.run(
        [*command, str(path)], env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "sample-token" not in done.stdout


@pytest.mark.parametrize(
    "language", [pytest.param(one, marks=pytest.mark.full) if one == "go" else one for one in LANGUAGES]
)
def test_hostile_text_arrives_as_it_is(
    language: str, received: tuple[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    base_url, seen = received
    service = contract(
        {
            "operationId": "createA",
            "summary": HOSTILE + "\nimport os; System.exit(1)",
            "x-idempotent": True,
            "parameters": [
                {
                    "name": "id",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string"},
                    "example": "a/b?c#d 企业",
                },
                {
                    "name": "q",
                    "in": "query",
                    "required": True,
                    "schema": {"type": "string"},
                    "example": HOSTILE,
                },
                {
                    "name": "ids",
                    "in": "query",
                    "required": True,
                    "schema": {"type": "array"},
                    "explode": False,
                    "example": ["x,y", "z&"],
                },
                {
                    "name": "X-Note",
                    "in": "header",
                    "required": True,
                    "schema": {"type": "string"},
                    "example": 'it\'s "fine" $HOME',
                },
                {
                    "name": "X-Name",
                    "in": "header",
                    "required": True,
                    "schema": {"type": "string"},
                    "example": "企业",
                },
                {
                    "name": "tab",
                    "in": "cookie",
                    "required": True,
                    "schema": {"type": "string"},
                    "example": "a;b",
                },
            ],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"type": "object"}, "example": HOSTILE_JSON}},
            },
            "responses": {"200": {"description": "", "content": {"application/json": {"schema": {}}}}},
        }
    )
    [source] = [
        one.source
        for one in samples(service.operations[0], base_url=base_url, schemas=service.schemas)
        if one.language == language
    ]
    seen.clear()
    run(language, source, tmp_path)
    [request] = seen
    assert request["method"] == "POST"
    target = urlsplit(request["target"])
    assert unquote(target.path) == "/api/sample/v1/a/a/b?c#d 企业"
    assert target.path.count("/") == 5
    parts = [part.partition("=") for part in target.query.split("&")]
    assert [(name, unquote(value)) for name, _, value in parts] == [("q", HOSTILE), ("ids", "x,y,z&")]
    assert parts[1][2] == "x%2Cy,z%26"
    headers = {name.lower(): value for name, value in request["headers"].items()}
    assert headers["authorization"] == "Bearer sample-token"
    assert headers["x-note"] == 'it\'s "fine" $HOME'
    assert unquote(headers["x-name"]) == "企业"
    assert headers["cookie"] == "tab=a%3Bb"
    assert headers["accept"] == "application/json"
    assert headers["idempotency-key"]
    assert json.loads(request["body"]) == HOSTILE_JSON


@pytest.mark.parametrize("language", ["curl", "python", "javascript"])
def test_forms_and_reads(language: str, received: tuple[str, list[dict[str, Any]]], tmp_path: Path) -> None:
    base_url, seen = received
    schema = {"type": "object", "properties": {"a": {"type": "string", "examples": ["x&y=企"]}}}
    for media in ("application/x-www-form-urlencoded", "multipart/form-data"):
        service = contract(
            {
                "requestBody": {"content": {media: {"schema": schema}}},
                "responses": {"204": {"description": ""}},
            },
            path="/forms",
        )
        [source] = [
            one.source
            for one in samples(service.operations[0], base_url=base_url, schemas=service.schemas)
            if one.language == language
        ]
        seen.clear()
        run(language, source, tmp_path)
        assert (
            seen[0]["headers"]
            .get("Content-Type", seen[0]["headers"].get("content-type", ""))
            .startswith(media)
        )
        assert (
            b"a=x%26y%3D%E4%BC%81" in seen[0]["body"]
            or 'name="a"\r\n\r\nx&y=企\r\n'.encode() in seen[0]["body"]
        )
    service = contract({"responses": {"200": {"description": ""}}}, path="/things", method="get")
    [source] = [
        one.source
        for one in samples(
            service.operations[0], base_url=base_url, schemas=service.schemas, scenario="revoked"
        )
        if one.language == language
    ]
    seen.clear()
    run(language, source, tmp_path)
    assert (seen[0]["method"], seen[0]["target"], seen[0]["body"]) == ("GET", "/api/sample/v1/things", b"")
    assert {name.lower(): value for name, value in seen[0]["headers"].items()}["kaimen-scenario"] == "revoked"


@pytest.mark.parametrize(
    ("parameter", "value", "query"),
    [
        ({}, "a b", "p=a%20b"),
        ({}, [1, 2], "p=1&p=2"),
        ({"explode": False}, [1, 2], "p=1,2"),
        ({"style": "spaceDelimited", "explode": False}, [1, 2], "p=1%202"),
        ({"style": "pipeDelimited", "explode": False}, [1, 2], "p=1%7C2"),
        ({"style": "deepObject"}, {"a": 1, "b": "x"}, "p%5Ba%5D=1&p%5Bb%5D=x"),
        ({}, {"a": 1, "b": "x"}, "a=1&b=x"),
        ({"explode": False}, {"a": 1, "b": "x"}, "p=a,1,b,x"),
        ({"content": {"application/json": {"schema": {}}}}, {"a": [1]}, "p=%7B%22a%22%3A%20%5B1%5D%7D"),
        ({}, True, "p=true"),
    ],
)
def test_styles_of_query_parameters(parameter: dict[str, Any], value: Any, query: str) -> None:
    described = {
        "name": "p",
        "in": "query",
        "required": True,
        "example": value,
        **({} if "content" in parameter else {"schema": {}}),
        **parameter,
    }
    service = contract({"parameters": [described], "responses": {}}, path="/a", method="get")
    request = example_request(service.operations[0], base_url="https://api.example/", schemas={})
    assert request.url == f"https://api.example/a?{query}"


@pytest.mark.parametrize(
    ("parameter", "value", "path"),
    [
        ({}, ["x", "y"], "/x,y"),
        ({}, {"a": 1}, "/a,1"),
        ({"explode": True}, {"a": 1}, "/a=1"),
        ({"style": "label"}, "x", "/.x"),
        ({"style": "matrix"}, "x", "/;p=x"),
        ({}, "../x", "/..%2Fx"),
    ],
)
def test_styles_of_path_parameters(parameter: dict[str, Any], value: Any, path: str) -> None:
    described = {"name": "p", "in": "path", "required": True, "schema": {}, "example": value, **parameter}
    service = contract({"parameters": [described], "responses": {}}, path="/{p}", method="get")
    assert (
        example_request(service.operations[0], base_url="https://api.example", schemas={}).url
        == f"https://api.example{path}"
    )


def test_values_without_examples_are_made_up_and_fit() -> None:
    service = contract(
        {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[0-9]{8}$"}}],
            "requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer", "minimum": 5, "maximum": 5}}}}}},
            "responses": {},
        }
    )  # fmt: skip
    request = example_request(service.operations[0], base_url="https://api.example", schemas=service.schemas)
    assert request.url.rsplit("/", 1)[-1].isdecimal()
    assert request.json == {"n": 5}
    assert request == example_request(
        service_of(service.document).operations[0], base_url="https://api.example", schemas=service.schemas
    )


def test_optional_parameters_with_an_example_are_set_on_request() -> None:
    service = contract(
        {"parameters": [{"name": "q", "in": "query", "schema": {}, "example": "x"}], "responses": {}},
        path="/a",
        method="get",
    )
    operation = service.operations[0]
    assert example_request(operation, base_url="https://a.example", schemas={}).url.endswith("/a")
    assert example_request(
        operation, base_url="https://a.example", schemas={}, with_optional=True
    ).url.endswith("/a?q=x")
