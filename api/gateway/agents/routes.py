"""`/agent/v1/…` of a data plane's process: where agents come for calls. See letters.py for what travels.

The credential is looked up for every request, and again before a call is handed out after a wait, so what is
revoked gets nothing from that moment on.
"""

import asyncio
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.params import FromPath
from msgspec import Struct

from api.catalogue.agents.service import Connected, connected_by
from api.catalogue.inputs import is_id, is_version_id
from api.core import problem_types
from api.core.problem_types_agents import AGENT_REFUSED
from api.core.problem_types_platform import INPUT_INVALID, NOT_FOUND
from api.core.problems import Refusal, Text
from api.gateway.agents.calls import AgentCalls
from api.gateway.agents.hub import Hub
from api.gateway.agents.letters import (
    BEAT_SECONDS,
    LETTER_BYTES,
    MAX_WAIT_SECONDS,
    MEDIA_TYPE,
    AnswerLetter,
    Beat,
    Taking,
    Welcome,
)
from api.gateway.agents.serving import served, services_of

AnyRequest = Request[Any, Any, Any]
_T = TypeVar("_T", bound=Struct)
_MAX_CALLS = 500  # of one process at once


async def _connected(request: AnyRequest) -> Connected:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    environment = request.app.state.data_plane.settings.environment
    found = await connected_by(secret.strip(), environment) if scheme.lower() == "bearer" else None
    if found is None:
        raise Refusal(AGENT_REFUSED)
    return found


def _hub(request: AnyRequest) -> Hub:
    hub: Hub = request.app.state.data_plane.agents
    return hub


async def _read(request: AnyRequest, shape: type[_T], limit: int = 64 * 1024) -> _T:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise Refusal(problem_types.REQUEST_TOO_LARGE, limit_bytes=limit)
    try:
        return msgspec.msgpack.decode(body, type=shape)
    except (msgspec.MsgspecError, ValueError) as error:
        message = Text("不是代理的消息。", "It is no letter of an agent.")
        raise Refusal(INPUT_INVALID, errors=({"pointer": "", "message": message},), count=1) from error


def _packed(letter: Struct) -> Response[bytes | None]:
    return Response(msgspec.msgpack.encode(letter), media_type=MEDIA_TYPE)


def _process_of(text: str) -> str:
    if len(text) > 40 or not is_id(text):
        raise Refusal(INPUT_INVALID, errors=({"pointer": "/process", "message": "no id"},), count=1)
    return text


@post("/hello", status_code=200, include_in_schema=False)
async def hello(request: AnyRequest) -> Response[bytes | None]:
    """Who the credential stands for, and what it serves."""
    who = await _connected(request)
    environment = request.app.state.data_plane.settings.environment
    services = await services_of(who.name, environment)
    return _packed(
        Welcome(who.name, environment, services, round(BEAT_SECONDS * 1000), round(MAX_WAIT_SECONDS * 1000))
    )


@post("/calls/take", status_code=200, include_in_schema=False)
async def take(request: AnyRequest) -> Response[bytes | None]:
    """A call for this process, or 204 when none came in the time."""
    who = await _connected(request)
    asked = await _read(request, Taking)
    process, hub = _process_of(asked.process), _hub(request)
    calls: AgentCalls = hub.calls

    gone = asyncio.ensure_future(request.receive())  # the body is read: what comes now is the end of the line

    async def is_wanted() -> bool:
        """Whether the process is still there and may have a call: one handed to nobody would be lost."""
        await _connected(request)
        return not gone.done() and await calls.is_taking(process)

    seconds = min(max(asked.wait_ms, 0) / 1000, MAX_WAIT_SECONDS)
    try:
        while await hub.wait_for_call(who.name, seconds, is_wanted=is_wanted):
            taken = await calls.take(who.name, process) if await is_wanted() and not gone.done() else None
            if taken is not None:
                return _packed(taken)
            if gone.done() or seconds == 0:
                break
            seconds = min(seconds, 1.0)  # another was quicker
    finally:
        gone.cancel()
    return Response(None, status_code=204)


@post("/calls/{call_id:str}/answer", status_code=200, include_in_schema=False)
async def answer(request: AnyRequest, call_id: FromPath[str]) -> Response[bytes | None]:
    """Bring the answer. 410: nobody waits for it any more."""
    who = await _connected(request)
    letter = await _read(request, AnswerLetter, LETTER_BYTES)
    if len(call_id) > 40 or not is_id(call_id):
        raise Refusal(NOT_FOUND, what=Text("这次调用", "such call"))
    hub = _hub(request)
    if not await hub.calls.answer(call_id, who.name, letter):
        return Response(None, status_code=410)
    hub.answered(call_id)
    return Response(None, status_code=204)


@post("/beat", status_code=200, include_in_schema=False)
async def beat(request: AnyRequest) -> Response[bytes | None]:
    """A process is alive and works on these calls; or it is about to leave and takes no more."""
    who = await _connected(request)
    told = await _read(request, Beat)
    hub = _hub(request)
    calls = [one for one in told.calls[:_MAX_CALLS] if len(one) <= 40 and is_id(one)]
    version = "".join(one for one in told.version[:40] if one.isascii() and one.isprintable())
    await hub.calls.beat(_process_of(told.process), who.name, version, calls, is_leaving=told.is_leaving)
    if told.is_leaving:
        hub.wake_all()
    return Response(None, status_code=204)


@get("/services/{service:str}", include_in_schema=False)
async def service(request: AnyRequest, service: FromPath[str]) -> Response[bytes | None]:
    """Contract and mapping of a service that is published with this agent."""
    who = await _connected(request)
    plane = request.app.state.data_plane
    found = None
    if is_version_id(service):
        found = await served(who.name, plane.settings.environment, service, plane.vault)
    if found is None:
        raise Refusal(NOT_FOUND, what=Text("这个服务", "such service of this agent"))
    return _packed(found)


router = Router("/agent/v1", route_handlers=[hello, take, answer, beat, service])
