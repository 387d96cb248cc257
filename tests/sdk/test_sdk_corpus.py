"""The corpus of real contracts: values made for its schemas fit, and every operation has samples."""

import pytest

from api.contract.model import Service
from api.contract.normalise_bodies import is_json
from sdk.samples import LANGUAGES, samples
from sdk.synthesis import Synthesiser
from tests.contract.papers import read_corpus

pytestmark = pytest.mark.corpus


@pytest.fixture(scope="module")
def services() -> list[Service]:
    return [one.service for _, one in read_corpus() if one.service is not None]


def test_values_fit_nearly_every_json_body(services: list[Service]) -> None:
    good, bad = 0, []
    for service in services:
        maker = Synthesiser(service.schemas)
        for operation in service.operations:
            bodies = [
                (response.status, media) for response in operation.responses for media in response.media
            ]
            if operation.body is not None:
                bodies += [("request", media) for media in operation.body.media]
            for what, media in bodies:
                if not is_json(media.content_type) or media.schema is None:
                    continue
                value = maker.value(media.schema, seed=operation.id, is_request=what == "request")
                if maker.is_valid(value, media.schema):
                    good += 1
                else:
                    bad.append(f"{service.name} {operation.id} {what}")
    assert good > 5000
    assert good / (good + len(bad)) >= 0.99, bad[:20]


def test_every_operation_has_samples_that_are_code(services: list[Service]) -> None:
    for service in services:
        for operation in service.operations:
            made = samples(operation, base_url="https://api.example/api/x/v1", schemas=service.schemas)
            assert tuple(one.language for one in made) == LANGUAGES
            [python] = [one.source for one in made if one.language == "python"]
            compile(python, operation.id, "exec")
