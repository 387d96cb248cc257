"""Documents for the contract's tests: small builders, the corpus, and how to read them."""

import csv
import os
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.contract.importing import Imported, read_contract
from api.contract.load import Loaded, load_files, load_path
from api.contract.normalise import Normalised, normalise
from api.contract.profile import normative_example

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "contracts"

Document = dict[str, Any]


def document(paths: Document | None = None, *, openapi: str = "3.1.0", **more: Any) -> Document:
    """A whole document around some paths."""
    title = {"title": "Sample", "version": "1.0.0"}
    return {"openapi": openapi, "info": title, "paths": paths or {}, **more}


def answering(schema: Any, *, openapi: str = "3.1.0", **more: Any) -> Document:
    """A document with one operation, GET /a, that answers the schema."""
    content = {"application/json": {"schema": schema}}
    operation = {"operationId": "getA", "responses": {"200": {"description": "", "content": content}}}
    return document({"/a": {"get": operation}}, openapi=openapi, **more)


def taking(schema: Any, *, media: str = "application/json", **more: Any) -> Document:
    """A document with one operation, POST /a, that takes the schema."""
    body = {"content": {media: {"schema": schema}}}
    operation = {"operationId": "createA", "requestBody": body, "responses": {"204": {"description": ""}}}
    return document({"/a": {"post": operation}}, **more)


def load(given: Any, **files: Any) -> Loaded:
    """Load a value (as JSON) or text; further files by their path with `/` written as `__`."""
    sources = {"entry.yaml": as_bytes(given)}
    sources |= {name.replace("__", "/") + ".yaml": as_bytes(one) for name, one in files.items()}
    return load_files(sources, "entry.yaml")


def as_bytes(given: Any) -> bytes:
    if isinstance(given, bytes):
        return given
    return given.encode() if isinstance(given, str) else msgspec.json.encode(given)


def read(given: Any) -> Imported:
    return read_contract(load(given))


def normal(given: Document) -> Normalised:
    """The normal form; normalising that again must change and lose nothing."""
    loaded = load(given).document
    assert loaded is not None
    made = normalise(loaded)
    again = normalise(made.document)
    assert again.document == made.document
    assert not again.losses
    return made


def answer_of(made: Normalised) -> Any:
    """What GET /a answers in a normalised document."""
    return made.document["paths"]["/a"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]


def rules_of(found: Imported | Loaded | Normalised) -> set[str]:
    """The ids of all findings and losses."""
    return {one.rule for one in (*found.findings, *found.losses)}


def own() -> Document:
    """A fresh copy of the normative example."""
    return normative_example()


@cache
def read_corpus() -> tuple[tuple[dict[str, str], Imported], ...]:
    """Every row of the corpus with what its document came to, read once for all tests."""
    return tuple((row, read_contract(load_path(path, root))) for row, path, root in corpus())


def corpus() -> list[tuple[dict[str, str], Path, Path | None]]:
    """Every row of the corpus with its file and root; skips where it is absent, fails in CI."""
    if not (CORPUS / "index.csv").exists():
        message = f"the corpus of real contracts is not at {CORPUS}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with (CORPUS / "index.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    found = []
    for row in rows:
        path = CORPUS / row["file"]
        root = next((parent for parent in path.parents if parent.name.endswith(".tree")), None)
        found.append((row, path, root))
    return found
