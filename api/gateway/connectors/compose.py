"""The connector of composed services (`compose:`): begins cases, works them off step by step, takes them back.

Every step is a call of its own (inner.py) under an idempotency key made of case and step, so a case may be gone on
with at any time, after a crash too, and nothing is done twice. What was not done says why and whether it may be
tried again; what was done and is not wanted any more is undone where its department can, and else said to stand.
"""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from api.contract.composition import (
    UNDO,
    Composition,
    CompositionError,
    Step,
    evaluate,
    is_wanted,
    read_composition,
    split_given,
)
from api.contract.model import Operation, Service
from api.core import clock, problem_types
from api.core.problems import Failure, Problem, Refusal, Text, render
from api.gateway.cases import (
    DONE,
    FAILED,
    NOT_WANTED,
    REFUSED,
    STANDS,
    STARTED,
    UNDONE,
    UNKNOWN,
    WAITING,
    Case,
    Cases,
    StepState,
    new_number,
)
from api.gateway.compiled import CompiledOperation
from api.gateway.connector import Connector, ConnectorFactory, Context, Request, Result
from api.gateway.exchange import Exchange
from api.gateway.inner import Inner, run_inner

SCHEME = "compose"
TERM_SECONDS = 120.0  # after which a case whose process died may be gone on with
_ENOUGH_SECONDS = 0.5  # left before the deadline, to begin another step
_JSON = (b"content-type", b"application/json")
_OVER = frozenset({DONE, NOT_WANTED})
_encode = msgspec.json.Encoder().encode


class ComposeConnector:
    """Works off the cases of one composed service."""

    keeps_keys = False

    def __init__(self, service: Service, gateway: Callable[[], Any], cases: Cases) -> None:
        """Raises LookupError where the service's composition does not hold together."""
        try:
            self._composition: Composition = read_composition(service)
        except CompositionError as error:
            raise LookupError(str(error)) from error
        self._service = service
        self._gateway = gateway
        self._cases = cases

    async def call(self, operation: Operation, request: Request, context: Context) -> Result:
        """Begin, read, resume or cancel a case.

        Raises Refusal: case-not-found, case-under-way; Failure: upstream-invalid (an operation that is none of these).
        """
        composition = self._composition
        if operation.id == composition.start:
            return await self._start(request, context)
        number = str(request.path.get("number", ""))
        if operation.id == composition.read:
            return self._answer(await self._found(number, context), context)
        if operation.id not in {composition.resume, composition.cancel}:
            raise Failure(problem_types.UPSTREAM_INVALID, service=context.service, rule="no-behaviour")
        await self._found(number, context)
        if not await self._cases.take(number, TERM_SECONDS):
            raise Refusal(problem_types.CASE_UNDER_WAY, number=number, headers={"Retry-After": "2"})
        try:
            case = await self._found(number, context)
            if operation.id == composition.resume:
                await self._work(case, context)
            else:
                await self._take_back(case, context)
        finally:
            await self._cases.give_back(number)
        return self._answer(case, context)

    async def health(self) -> bool:
        """The parts have their own."""
        return True

    async def close(self) -> None:
        """Nothing of its own."""

    # -- cases --------------------------------------------------------------------------------------
    async def _found(self, number: str, context: Context) -> Case:
        case = await self._cases.find(number, self._service.key, context.app_id)
        if case is None:
            raise Refusal(problem_types.CASE_NOT_FOUND, number=number[:60])
        return case

    async def _start(self, request: Request, context: Context) -> Result:
        case = Case(
            number=new_number(), app_id=context.app_id, created_at=clock.to_text(_now(context)), status=WAITING,
            input=request.json, steps={one.id: StepState() for one in self._composition.steps},
            purpose=context.purpose,
        )  # fmt: skip
        await self._cases.begin(case.number, self._service.key, case, TERM_SECONDS)
        try:
            await self._work(case, context)
        finally:
            await self._cases.give_back(case.number)
        place = f"/api/{self._service.name}/{self._service.version}/cases/{case.number}"
        answer = self._answer(case, context)
        return Result(201, [*answer.headers, (b"location", place.encode())], answer.body)

    async def _work(self, case: Case, context: Context) -> None:
        """Do what is not done, in order; a step that waits for another that was not done goes on waiting."""
        for step in self._composition.steps:
            state = case.steps[step.id]
            if state.status in _OVER or state.status in {UNDONE, STANDS}:
                continue
            if any(case.steps[one].status != DONE for one in step.required):
                state.status = WAITING
                continue
            known = self._known(case)
            if not is_wanted(step, known):
                state.status = NOT_WANTED
                continue
            if time.monotonic() + _ENOUGH_SECONDS > context.deadline:
                break
            await self._do(case, step, known, context)
        self._conclude(case)
        is_bad = any(one.status in {REFUSED, FAILED, UNKNOWN} for one in case.steps.values())
        if is_bad and self._composition.on_failure == UNDO:
            await self._take_back(case, context)
        await self._cases.write(case)

    async def _do(self, case: Case, step: Step, known: dict[str, Any], context: Context) -> None:
        state = case.steps[step.id]
        inner = self._inner(step.id, step.operation, step.given, known, case, context)
        if state.status == STARTED and not inner.compiled.operation.idempotent:
            state.status = UNKNOWN  # it was begun, nobody knows how it ended, and it can't be asked again
            return
        if state.status == UNKNOWN:
            return
        state.status, state.at = STARTED, clock.to_text(_now(context))
        state.tries += 1
        await self._cases.write(case)
        exchange = await run_inner(self._gateway(), context, inner)
        state.request_id = exchange.request_id
        body = _body_of(exchange)
        if exchange.problem is None and 200 <= exchange.status < 300:
            state.status, state.problem, state.answer = DONE, None, body
            state.kept = {
                name: evaluate(text + "?" if not text.endswith("?") else text, {"answer": body})
                for name, text in step.keep.items()
            }
            state.kept = {name: value for name, value in state.kept.items() if isinstance(value, _PLAIN)}
        else:
            state.status = _status_of(exchange)
            state.problem = self._problem_of(exchange, body, context)
        await self._cases.write(case)

    async def _take_back(self, case: Case, context: Context) -> None:
        """Undo what was done, the last first."""
        for step in reversed(self._composition.steps):
            state = case.steps[step.id]
            if state.status in {WAITING, REFUSED, FAILED}:
                state.status = NOT_WANTED if state.status == WAITING else state.status
                continue
            if state.status != DONE:
                continue
            if step.undo is None:
                state.status = STANDS
                continue
            known = {**self._known(case), "answer": state.answer}
            inner = self._inner(f"{step.id}.undo", step.undo.operation, step.undo.given, known, case, context)
            exchange = await run_inner(self._gateway(), context, inner)
            state.request_id = exchange.request_id
            if exchange.problem is None and 200 <= exchange.status < 300:
                state.status, state.problem = UNDONE, None
            else:
                state.status = STANDS
                state.problem = self._problem_of(exchange, _body_of(exchange), context)
            await self._cases.write(case)
        self._conclude(case)
        await self._cases.write(case)

    def _conclude(self, case: Case) -> None:
        """The status of the case, of those of its steps."""
        found = {one.status for one in case.steps.values()} - {NOT_WANTED}
        if found & {UNDONE, STANDS}:
            case.status = "partly-undone" if STANDS in found else "undone"
        elif found <= {DONE}:
            case.status = "done"
        elif DONE in found:
            case.status = "partly-done"
        elif found & {REFUSED, FAILED, UNKNOWN}:
            case.status = "not-done"
        else:
            case.status = WAITING

    # -- calls --------------------------------------------------------------------------------------
    def _known(self, case: Case) -> dict[str, Any]:
        return {
            "case": case.number,
            "input": case.input,
            "steps": {name: one.kept for name, one in case.steps.items() if one.status == DONE},
        }

    def _inner(
        self, name: str, operation: str, given: dict[str, Any], known: dict[str, Any], case: Case, context: Context
    ) -> Inner:  # fmt: skip
        compiled = self._compiled(operation, context)
        try:
            path, query, headers, body = split_given(compiled.operation, evaluate(given, known))
        except (LookupError, CompositionError) as error:
            raise Failure(
                problem_types.UPSTREAM_INVALID, service=context.service, rule=f"composition: {error}"
            ) from error
        scenario = self._composition.scenarios.get(context.scenario, {}).get(name, "")
        return Inner(compiled, path, query, headers, body, f"{case.number}.{name}", scenario)

    def _compiled(self, operation: str, context: Context) -> CompiledOperation:
        version, _, name = operation.partition("/")
        service, _, major = version.partition("@")
        entry = self._gateway().snapshots.current.services.get(service, {}).get(major)
        compiled: CompiledOperation | None = entry.compiled(name) if entry is not None else None
        if compiled is None or entry.state == "retired" or compiled.needs_consent or compiled.is_closed:
            raise Failure(
                problem_types.UPSTREAM_INVALID, service=context.service, rule=f"composition: {operation} is not to be had"
            )  # fmt: skip
        return compiled

    def _problem_of(self, exchange: Exchange, body: Any, context: Context) -> dict[str, Any]:
        """The step's problem+json: the department's own, or the gateway's."""
        if exchange.problem is not None:
            text = render(
                exchange.problem, language=context.locale, docs_url=self._gateway().docs_url, request_id=exchange.request_id
            )  # fmt: skip
            found: dict[str, Any] = msgspec.json.decode(text)
            return found
        return body if isinstance(body, dict) else {"status": exchange.status}

    # -- the answer ---------------------------------------------------------------------------------
    def _answer(self, case: Case, context: Context) -> Result:
        language = "zh-CN" if context.locale == "zh" else "en"
        items = [self._item(step, case.steps[step.id], language) for step in self._composition.steps]
        body = {"number": case.number, "status": case.status, "created_at": case.created_at, "items": items}
        following = self._following(case)
        if following is not None:
            body["next"] = following.zh if context.locale == "zh" else following.en
        return Result(200, [_JSON], _encode(body))

    def _item(self, step: Step, state: StepState, language: str) -> dict[str, Any]:
        item: dict[str, Any] = {
            "id": step.id,
            "title": step.title.get(language) or step.title.get("zh-CN", step.id),
            "operation": step.operation,
            "status": state.status,
            "is_retryable": state.status in {FAILED, STARTED, REFUSED},
        }
        if state.at:
            item["at"] = state.at
        if state.request_id:
            item["request_id"] = state.request_id
        if state.kept and state.status in {DONE, STANDS}:
            item["result"] = {name: str(value) for name, value in state.kept.items()}
        if state.problem is not None and state.status != DONE:
            shown = ("type", "title", "status", "detail", "rule", "next")
            item["problem"] = {name: state.problem[name] for name in shown if name in state.problem}
        return item

    def _following(self, case: Case) -> Text | None:
        """What to do next, where there is something to do."""
        found = {one.status for one in case.steps.values()}
        resume, cancel = self._composition.resume, self._composition.cancel
        if case.status in {"done", "undone"}:
            return None
        if STANDS in found:
            return Text(
                "标为 cannot-be-undone 的事项已办成且不能撤回:向其主管部门办理。",
                "What stands as cannot-be-undone was done and is not taken back here: see its department.",
            )
        if found & {STARTED, FAILED, WAITING, REFUSED} and resume:
            return Text(
                f"按各事项 problem 的 next 处理后调用 {resume} 继续"
                + (f";或调用 {cancel} 撤回已办事项。" if cancel else "。"),
                f"Follow the next of each item's problem, then call {resume} to go on"
                + (f"; or {cancel} to take back what was done." if cancel else "."),
            )
        return Text("联系主管部门核对结果未知的事项。", "Ask the department about what is unknown.")


_PLAIN = (str, int, float, bool)


def _now(context: Context) -> datetime:
    return datetime.fromisoformat(context.clock) if context.clock else clock.now()


def _body_of(exchange: Exchange) -> Any:
    body = exchange.result.body if exchange.result is not None else b""
    if not isinstance(body, bytes) or not body:
        return None
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None


def _status_of(exchange: Exchange) -> str:
    """A refusal is a no; a failure may be tried again; and sometimes nobody knows."""
    problem: Problem | None = exchange.problem
    if problem is not None and problem.kind is problem_types.IDEMPOTENCY_OUTCOME_UNKNOWN:
        return UNKNOWN
    return (
        FAILED if exchange.status >= 500 or (exchange.status == 409 and _is_retryable(problem)) else REFUSED
    )


def _is_retryable(problem: Problem | None) -> bool:
    return problem is not None and problem.kind.is_retryable


def compose_factory(gateway: Callable[[], Any], cases: Cases) -> ConnectorFactory:
    """The factory for upstreams `compose:`; `gateway` gives the process's gateway once it runs."""

    def make(upstream: str, service: Service) -> Connector:
        return ComposeConnector(service, gateway, cases)

    return make
