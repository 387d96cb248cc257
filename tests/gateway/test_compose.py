"""Composed services: cases worked off, told honestly, gone on with, and taken back."""

import asyncio
import os
from typing import Any

import httpx
import msgspec
import pytest
from msgspec import structs

from api.contract.composition import CompositionError, evaluate, read_composition
from api.core.crypto import Vault
from api.core.store import Stores
from api.gateway.cases import STARTED, Case, Cases, StepState
from api.gateway.connector import Context, Request, Result
from api.gateway.connectors.compose import ComposeConnector
from api.gateway.kept_answers import KeptAnswers
from api.gateway.metrics import Metrics
from api.gateway.recorder import Recorder
from api.gateway.rest import RestFace
from api.gateway.snapshot import ServiceEntry, Snapshot
from api.settings import Settings
from tests.gateway.made import JSON, Body, Media, Response, World, operation, service

ANY = (Media("application/json", None),)
BODY = Body(required=True, media=ANY)


def post(name: str, path: str, **more: Any) -> Any:
    return operation(
        name, method="POST", path=path, body=more.pop("body", BODY), responses=(Response("2XX", "", ANY),), **more
    )  # fmt: skip


REGISTER = service(
    [
        post("issueCertificate", "/certificates", idempotent=True),
        post("voidCertificate", "/certificates/{number}/void", body=None),
        post("registerChild", "/children", idempotent=True),
        post("payFee", "/fees"),  # not idempotent, and nobody gives it back
    ],
    name="register",
)
STEPS: list[dict[str, Any]] = [
    {
        "id": "certificate", "title": {"zh-CN": "出生证明", "en": "Certificate"}, "operation": "register@v1/issueCertificate",
        "given": {"body": {"name": "$.input.name"}}, "keep": {"number": "$.answer.number"},
        "undo": {"operation": "register@v1/voidCertificate", "given": {"number": "$.answer.number"}},
    },
    {
        "id": "fee", "title": {"zh-CN": "缴费", "en": "Fee"}, "operation": "register@v1/payFee",
        "when": "$.input.pay", "given": {"body": {"case": "$.case"}},
    },
    {
        "id": "child", "title": {"zh-CN": "落户", "en": "Household"}, "operation": "register@v1/registerChild",
        "given": {"body": {"certificate": "$.steps.certificate.number", "note": "$.input.note?"}},
    },
]  # fmt: skip


def desk(**changes: Any) -> Any:
    composition = {
        "start": "startCase", "read": "getCase", "resume": "resumeCase", "cancel": "cancelCase", "steps": STEPS, **changes,
    }  # fmt: skip
    return service(
        [
            post("startCase", "/cases", idempotent=True),
            operation("getCase", path="/cases/{number}", responses=(Response("200", "", ANY),)),
            post("resumeCase", "/cases/{number}/resumption", body=None),
            post("cancelCase", "/cases/{number}/cancellation", body=None),
        ],
        document={"x-composition": composition},
    )


class Department:
    """Does what it is asked, unless `broken` says otherwise for an operation."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.broken: dict[str, int] = {}

    async def call(self, one: Any, request: Request, context: Context) -> Result:
        self.asked.append((one.id, request.json if request.json is not None else dict(request.path)))
        status = self.broken.get(one.id)
        if status == 0:
            await asyncio.sleep(3600)
        if status is not None:
            problem = {"type": "http://docs/problems/not-today/", "title": "not today", "status": status}
            return Result(status, [JSON], msgspec.json.encode({**problem, "next": "come tomorrow"}))
        return Result(201, [JSON], b'{"number":"C-%d"}' % len(self.asked))

    async def health(self) -> bool:
        return True

    async def close(self) -> None:
        return None

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.asked]


class Desk:
    def __init__(self, settings: Any = None, **changes: Any) -> None:
        made = structs.replace(Settings(), flood_per_second=1_000_000, **(settings or {}))
        metrics = Metrics()
        self.recorder = Recorder(made, metrics)
        vault = Vault(os.urandom(32))
        self.world = World(
            settings=made, metrics=metrics, recorder=self.recorder, kept_answers=KeptAnswers("sandbox", vault)
        )
        self.cases = Cases("sandbox", vault)
        self.department = Department()
        composed = desk(**changes)
        connector = ComposeConnector(composed, lambda: self.world.gateway, self.cases)
        entries = [ServiceEntry(composed, connector), ServiceEntry(REGISTER, self.department)]
        self.world.holder.current = Snapshot.of(entries, self.world.apps)
        self.face = RestFace(self.world.gateway)

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.face), base_url="http://gateway", timeout=30
        ) as client:
            return await client.request(
                method, f"/api/company/v1{path}", json=body,
                headers={"authorization": self.world.bearer().decode(), "accept-language": "en", **named},
            )  # fmt: skip

    async def start(self, **given: Any) -> dict[str, Any]:
        answer = await self.ask("POST", "/cases", {"name": "小满", **given})
        assert answer.status_code == 201, answer.text
        assert answer.headers["location"] == f"/api/company/v1/cases/{answer.json()['number']}"
        return dict(answer.json())


def states(case: dict[str, Any]) -> list[str]:
    return [item["status"] for item in case["items"]]


async def test_everything_is_done_in_order_and_handed_on(stores: Stores) -> None:
    at = Desk()
    case = await at.start(pay=True)
    assert case["status"] == "done"
    assert "next" not in case
    assert at.department.asked == [
        ("issueCertificate", {"name": "小满"}),
        ("payFee", {"case": case["number"]}),
        ("registerChild", {"certificate": "C-1"}),
    ]
    assert case["items"][0]["result"] == {"number": "C-1"}
    assert (await at.ask("GET", f"/cases/{case['number']}")).json() == case


async def test_what_is_not_wanted_is_left_out(stores: Stores) -> None:
    at = Desk()
    case = await at.start(note="urgent")
    assert states(case) == ["done", "not-wanted", "done"]
    assert at.department.asked[1] == ("registerChild", {"certificate": "C-1", "note": "urgent"})


async def test_a_refused_part_is_told_and_gone_on_with(stores: Stores) -> None:
    at = Desk()
    at.department.broken = {"registerChild": 422}
    case = await at.start()
    assert (case["status"], states(case)) == ("partly-done", ["done", "not-wanted", "refused"])
    assert case["items"][2]["problem"]["next"] == "come tomorrow"
    assert "resumeCase" in case["next"]
    at.department.broken = {}
    resumed = (await at.ask("POST", f"/cases/{case['number']}/resumption")).json()
    assert resumed["status"] == "done"
    assert at.department.names == ["issueCertificate", "registerChild", "registerChild"], (
        "the first is not done again"
    )


async def test_what_a_missing_part_needs_waits(stores: Stores) -> None:
    at = Desk()
    at.department.broken = {"issueCertificate": 503}
    case = await at.start(pay=True)
    assert states(case) == ["failed", "done", "waiting"]
    assert at.department.names == ["issueCertificate", "payFee"]
    assert case["items"][0]["is_retryable"]


async def test_taking_back_says_what_stands(stores: Stores) -> None:
    at = Desk()
    case = await at.start(pay=True)
    back = (await at.ask("POST", f"/cases/{case['number']}/cancellation")).json()
    assert (back["status"], states(back)) == (
        "partly-undone",
        ["undone", "cannot-be-undone", "cannot-be-undone"],
    )
    assert at.department.asked[-1] == ("voidCertificate", {"number": "C-1"})
    again = (await at.ask("POST", f"/cases/{case['number']}/cancellation")).json()
    assert again["items"] == back["items"], "what was taken back is not taken back again"


async def test_all_or_nothing(stores: Stores) -> None:
    at = Desk(on_failure="undo")
    at.department.broken = {"registerChild": 409}
    case = await at.start()
    assert (case["status"], states(case)) == ("undone", ["undone", "not-wanted", "refused"])
    assert at.department.names[-1] == "voidCertificate"


async def test_a_dead_process_leaves_a_case_that_says_so(stores: Stores) -> None:
    """A step that was begun: done again under its key where that is safe, else nobody claims to know."""
    at = Desk()
    steps = {one["id"]: StepState() for one in STEPS}
    steps["certificate"].status = steps["fee"].status = STARTED
    left = Case(
        "case_left", at.world.app_id, "2026-06-30T00:00:00Z", "waiting", {"name": "x", "pay": True}, steps
    )
    await at.cases.begin("case_left", "company@v1", left, 0)
    case = (await at.ask("POST", "/cases/case_left/resumption")).json()
    assert states(case) == ["done", "unknown", "done"]
    assert "payFee" not in at.department.names


async def test_one_at_a_time_and_nobody_elses(stores: Stores) -> None:
    at = Desk()
    case = await at.start()
    assert await at.cases.take(case["number"], 60)
    busy = await at.ask("POST", f"/cases/{case['number']}/resumption")
    assert (busy.status_code, busy.json()["rule"], busy.headers["retry-after"]) == (
        409,
        "case-under-way",
        "2",
    )
    assert (await at.ask("GET", f"/cases/{case['number']}")).status_code == 200
    missing = await at.ask("GET", "/cases/case_unknown")
    assert (missing.status_code, missing.json()["rule"]) == (404, "case-not-found")
    racing = [at.cases.take("case_race", 60) for _ in range(8)]
    left = Case("case_race", at.world.app_id, "", "waiting", {}, {})
    await at.cases.begin("case_race", "company@v1", left, -1)
    assert sum(await asyncio.gather(*racing)) == 1


async def test_a_slow_department_costs_its_own_step_only(stores: Stores) -> None:
    at = Desk(settings={"call_deadline_ms": 1500})
    at.department.broken = {"issueCertificate": 0}
    answer = await at.ask("POST", "/cases", {"name": "x", "pay": True}, idempotency_key="k-1")
    assert answer.status_code == 504
    again = await at.ask("POST", "/cases", {"name": "x", "pay": True}, idempotency_key="k-1")
    assert again.json()["rule"] == "idempotency-outcome-unknown", "the case exists; it is not begun twice"


async def test_each_step_is_in_the_log_under_the_outer_call(stores: Stores) -> None:
    at = Desk()
    case = await at.start()
    at.recorder.catch_up()
    rows = list(at.recorder._rows)
    outer = next(row for row in rows if row[5] == "startCase")
    inner = [row for row in rows if row[6] == "compose"]
    assert {row[2] for row in inner} == {outer[0]}
    assert [row[0] for row in inner] == [item["request_id"] for item in case["items"] if "request_id" in item]
    assert {row[3] for row in rows} == {at.world.app_id}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start": "getCase"}, "is no POST operation"),
        ({"on_failure": "hope"}, "keep or undo"),
        ({"steps": []}, "1 to 20"),
        ({"steps": [STEPS[0], STEPS[0]]}, "there twice"),
        ({"steps": [STEPS[2]]}, "reads of certificate"),
        ({"steps": [{**STEPS[0], "operation": "register"}]}, "no operation as in"),
        ({"scenarios": {"x": {"nothing": "y"}}}, "a step that there is not"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_declaration_that_does_not_hold_together(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(CompositionError, match=message):
        read_composition(desk(**changes))


def test_references() -> None:
    known = {"input": {"list": [{"a": 1}], "zero": 0}}
    assert evaluate({"a": "$.input.list.0.a", "b": ["$.input.none?", "x"], "c": "$.input.zero"}, known) == {
        "a": 1, "b": ["x"], "c": 0,
    }  # fmt: skip
    with pytest.raises(LookupError):
        evaluate("$.input.none", known)
