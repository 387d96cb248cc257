import pytest

from tests.server import Installation


@pytest.fixture(scope="module")
def installation(home):
    made = Installation(home)
    made.seed()
    return made
