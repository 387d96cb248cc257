"""Every real contract through the whole pipeline: the example that the platform shows, answered and checked.

For each operation of ../shared/contracts: the sample request that documentation and SDKs show is accepted, and
the synthetic answer fits the contract. What a contract makes impossible is listed, with the reason.
"""

import collections
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from msgspec import structs

from api.contract.importing import read_contract
from api.contract.load import load_path
from api.contract.model import Grade, Level, Service
from api.gateway import pipeline
from api.gateway.exchange import Exchange
from api.gateway.snapshot import ServiceEntry, Snapshot
from api.settings import Settings
from sandbox.synthetic import SyntheticConnector
from sdk.requests import example_request
from tests.catalogue.documents import corpus
from tests.gateway.made import World, grant_of
from tests.gateway.test_pipeline import Log

pytestmark = [pytest.mark.corpus, pytest.mark.full]

BASE = "https://gateway"
# What the contract itself makes impossible: nothing that we could answer or accept would be right.
_TIME, _EXAMPLE, _ONE_OF = (
    "example is no RFC 3339 time",
    "example breaks its own schema",
    "oneOf with alike branches",
)
IMPOSSIBLE = {
    "createAuthorizationResponseCallback": "the path is a runtime expression",
    "freightRating": _TIME, "orderCreate": _TIME, "getAccessorials": _TIME,
    "orderSearch": "an array within a deepObject has no serialisation",
    "LandedCost": _EXAMPLE, "Upload": _EXAMPLE, "PushToImageRepository": _EXAMPLE, "Deprecated_Upload": _EXAMPLE,
    "Deprecated_PushToImageRepository": _EXAMPLE, "getBcGeographicalNamesWebServiceSearchNear": _EXAMPLE,
    "getBcGeographicalNamesWebServiceSearchChanges": _EXAMPLE, "getBedAssignmentsHistory": _EXAMPLE,
    "triggerBusinessSourceAdjustableSummaryMtdIndividual": _ONE_OF,
    "getBusinessSourceAdjustableSummaryMtdSelfEmploymentBusiness": _ONE_OF,
    "createBusinessSourceAdjustableSummaryMtdSelfEmploymentBusiness": _ONE_OF,
    "getBusinessSourceAdjustableSummaryMtdUkPropertyBusiness": _ONE_OF,
    "createBusinessSourceAdjustableSummaryMtdUkPropertyBusiness": _ONE_OF,
    "createBusinessSourceAdjustableSummaryMtdForeignPropertyBusiness": _ONE_OF,
}  # fmt: skip


async def call(world: World, service: Service, operation: Any) -> Exchange:
    request = example_request(
        operation, base_url=f"{BASE}/api/{service.name}/{service.version}", schemas=service.schemas
    )
    address = urlsplit(request.url)
    body = None if request.body is None else request.body.encode()
    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers]
    headers = [pair for pair in headers if pair[0] != b"authorization"]
    headers.append(
        (b"authorization", world.bearer(world.tokens.give(world.app_id, " ".join(operation.scopes))))
    )
    exchange = Exchange(
        request_id="rs_x", face="rest", method=request.method, raw_path=address.path.encode(),
        query_string=address.query.encode(), headers=headers, client_address="127.0.0.1", started_ns=0, started_at_us=0,
    )  # fmt: skip
    exchange.body = body
    exchange.content_length = None if body is None else len(body)
    if pipeline.admit(exchange, world.gateway):
        await pipeline.run(exchange, world.gateway)
    pipeline.finish(exchange, world.gateway)
    return exchange


def world_of(service: Service) -> World:
    log = Log()
    settings = structs.replace(Settings(), flood_per_second=1_000_000)
    world = World(settings=settings, recorder=log, metrics=log, evidence=log)
    entry = ServiceEntry(service, SyntheticConnector(service))
    purposes = {purpose for operation in service.operations for purpose in operation.purposes}
    grants = [grant_of(service.key, purpose) for purpose in sorted(purposes) or [""]]
    world.apps.put(world.app_id, "o_x", kind="department", plan="open", grants=grants)
    world.holder.current = Snapshot.of([entry], world.apps)
    return world


async def test_every_example_is_accepted_and_every_answer_fits() -> None:
    statuses: collections.Counter[int] = collections.Counter()
    strange: list[str] = []
    for file, root in corpus():
        imported = read_contract(load_path(file, root))
        if imported.service is None:
            strange.append(f"{file.name}: {imported.findings[:1]}")
            continue
        service = imported.service
        world = world_of(service)
        for operation in service.operations:
            if operation.grade != Grade.GENERAL or operation.level >= Level.L4:
                continue
            exchange = await call(world, service, operation)
            statuses[exchange.status] += 1
            if not 200 <= exchange.status < 400 and operation.id not in IMPOSSIBLE:
                problem = exchange.problem
                why = f"{problem.rule} {problem.errors[:2] or problem.facts}" if problem else "answered so"
                strange.append(f"{Path(file).name} {operation.id}: {exchange.status} {why}"[:300])
    assert strange == []
    assert sum(statuses.values()) >= 1_400
