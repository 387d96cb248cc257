"""What is wrong with an upstream or a mapping is said when it is published, not by the first call."""

from pathlib import Path

import pytest

from api.catalogue import upstreams
from api.core.problems import Refusal
from sandbox.city.inventory import read_services

MAPPING = Path(__file__).resolve().parents[1] / "sandbox" / "mappings" / "tax-async.yaml"


@pytest.mark.parametrize(("before", "after"), [("{ticket}", "{tickt}"), ("ticket: lsh", "ticket: ''")])
def test_a_broken_asynchronous_part(before: str, after: str) -> None:
    text, service = MAPPING.read_text(encoding="utf-8"), read_services()["tax"]
    upstreams.check_mapping(text, "city+http:tax", service)
    with pytest.raises(Refusal):
        upstreams.check_mapping(text.replace(before, after), "city+http:tax", service)


@pytest.mark.parametrize(
    "address", ["ftp://x/y", "gopher:x", "files://host/x", "sql+mysql://h/x", "files:///a/../b"]
)
async def test_an_address_that_no_connector_serves(address: str) -> None:
    with pytest.raises(Refusal):
        await upstreams.check_address(address, "sandbox", "o_1")
