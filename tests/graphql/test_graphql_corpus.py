"""Every real document makes a schema that validates; and thousands of operations make one schema in time."""

import json
import os
import subprocess
import sys
import time
import tracemalloc
from functools import cache
from pathlib import Path

import pytest
from graphql import parse, print_schema, validate_schema
from msgspec.structs import replace

from api.contract.importing import read_contract
from api.contract.load import load_path
from api.contract.model import Service
from api.graphql.building import build
from sandbox.city.inventory import read_services

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / ".." / "shared" / "contracts"
SAMPLE_EVERY = 12
TYPED = 0.75


@cache
def corpus(every: int) -> tuple[Service, ...]:
    if not CORPUS.is_dir():
        if os.environ.get("CI") == "true":
            raise AssertionError("../shared/contracts is absent")
        pytest.skip("../shared/contracts is absent")
    files = [path for path in sorted(CORPUS.rglob("*")) if path.suffix in {".yaml", ".yml", ".json"}]
    found = (read_contract(load_path(path)).service for path in files[::every])
    return tuple(one for one in found if one is not None)


def check(services: tuple[Service, ...]) -> None:
    typed = 0
    for service in services:
        built = build([service])
        assert validate_schema(built.schema) == [], service.key
        parse(print_schema(built.schema))
        typed += not built.losses[service.key]
    assert typed >= TYPED * len(services)


def test_the_city_is_typed_whole() -> None:
    built = build(read_services().values())
    assert validate_schema(built.schema) == []
    assert not any(built.losses.values())


def test_the_same_services_make_the_same_schema() -> None:
    services = list(read_services().values())
    assert print_schema(build(services).schema) == print_schema(build(services[::-1]).schema)


@pytest.mark.corpus
def test_a_sample_of_real_documents() -> None:
    check(corpus(SAMPLE_EVERY))


@pytest.mark.corpus
@pytest.mark.full
def test_all_real_documents_and_three_thousand_operations_in_one_schema(
    capsys: pytest.CaptureFixture[str],
) -> None:
    services = corpus(1)
    check(services)
    typed = sum(not build([one]).losses[one.key] for one in services)
    unique = list({one.key: one for one in services}.values())
    for most in (300, 3000):
        chosen: list[Service] = []
        again = 0
        while sum(len(known.operations) for known in chosen) < most:
            again += 1  # there are not 3,000 operations: the same documents under other names
            for one in sorted(unique, key=lambda one: (len(one.operations), one.key)):
                if sum(len(known.operations) for known in chosen) < most:
                    chosen.append(replace(one, name=f"{one.name}-{again}"))
        begun = time.process_time()
        built = build(chosen)
        spent = time.process_time() - begun
        tracemalloc.start()
        build(chosen)
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert validate_schema(built.schema) == []
        count = sum(len(one.operations) for one in chosen)
        with capsys.disabled():
            print(
                f"\n{count} operations, {len(built.schema.type_map)} types: {spent:.2f} s CPU, {held / 2**20:.1f} MiB"
            )
    with capsys.disabled():
        print(f"{typed} of {len(services)} documents without a JSON fallback")


def test_a_contract_is_judged_without_strawberry() -> None:
    """In a process of its own: what is imported, and that the verdict says why."""
    program = """
import json, sys
from api.contract import verdicts
from api.main.judges import register_judges
from sandbox.city.inventory import read_services
from tests.gateway import made
register_judges()
mixed = {"oneOf": [{"type": "string"}, {"type": "object", "properties": {"a": {"type": "string"}}}]}
odd = made.service([made.operation(responses=(made.Response("200", "", (made.Media("application/json", mixed),)),))])
told = verdicts.judge(odd)["graphql"]
city = [verdicts.judge(one)["graphql"].verdict for one in read_services().values()]
nothing = verdicts.judge(None)
print(json.dumps([told.verdict, told.reasons, told.reasons_zh, city, nothing["graphql"].verdict, "strawberry" in sys.modules]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    verdict, reasons, reasons_zh, city, nothing, has_strawberry = json.loads(done.stdout)
    assert verdict == "degraded"
    assert "alternatives of different kinds" in reasons[0]
    assert "候选项的种类不同" in reasons_zh[0]
    assert set(city) == {"ok"}
    assert (nothing, has_strawberry) == ("refused", False)
