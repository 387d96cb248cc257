"""The conformance contract, its model, and the server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.contract.build import service_of
from api.contract.load import load_path
from api.contract.model import Service
from api.contract.normalise import normalise
from sdk.model import SdkModel
from sdk.modelling import model_of
from tests.sdk.conformance.server import Server, serve


@pytest.fixture(scope="session")
def conformance_service() -> Service:
    document = load_path(Path(__file__).parent / "contract.yaml").document
    assert document is not None
    return service_of(normalise(document).document)


@pytest.fixture(scope="session")
def conformance_model(conformance_service: Service) -> SdkModel:
    return model_of([conformance_service])


@pytest.fixture(scope="session")
def conformance_server() -> Iterator[Server]:
    server, stop = serve()
    yield server
    stop()
