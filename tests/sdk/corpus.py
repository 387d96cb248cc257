"""The real documents that every emitter is tried on: a fixed sample, or all of them."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from api.contract.importing import read_contract
from api.contract.load import load_path
from sdk.model import SdkModel
from sdk.modelling import model_of

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / ".." / "shared" / "contracts"
CITY = ROOT / "sandbox" / "city" / "departments"
SAMPLE_EVERY = 24


def needs_corpus() -> None:
    """Skip, saying so, where the folder is absent; under CI=true that is a failure."""
    if not CORPUS.is_dir():
        if os.environ.get("CI") == "true":
            raise AssertionError("../shared/contracts is absent")
        pytest.skip("../shared/contracts is absent")


@cache
def models(*, is_sample: bool) -> tuple[tuple[str, SdkModel], ...]:
    """(name, model) of every document that is a contract: those of the city, and of the corpus all or one in twenty-four."""
    return tuple(_models(is_sample=is_sample))


def _models(*, is_sample: bool) -> Iterator[tuple[str, SdkModel]]:
    files = [path for path in sorted(CORPUS.rglob("*")) if path.suffix in {".yaml", ".yml", ".json"}]
    city = sorted(CITY.glob("*/contract.yaml"))
    chosen = [*files[::SAMPLE_EVERY], *city[::9]] if is_sample else [*files, *city]
    for number, path in enumerate(chosen):
        if is_sample and path.stat().st_size > 600_000:
            continue
        service = read_contract(load_path(path)).service
        if service is not None:
            yield f"d{number:03d}-{path.stem}", model_of([service])
