"""Endpoints of an app: making, changing, verifying, rotating keys, disabling, deleting. All of it is in the journal.

No event is sent before the endpoint has echoed the challenge of a handshake, and none after its address changed
until it has echoed another one.
"""

import hmac
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
from msgspec import Struct

from api.core import clock, ids
from api.core.caller import Caller
from api.core.egress import EgressError
from api.core.problem_types_events import WEBHOOK_HANDSHAKE_FAILED
from api.core.problem_types_platform import CONFLICT, NOT_FOUND
from api.core.problems import Refusal, Text
from api.events import deliveries
from api.events.endpoints.keys import keys_of, make_key, opened
from api.events.endpoints.models import Endpoint, SigningKey
from api.events.envelope import CONTENT_TYPE, handshake
from api.events.permissions import changeable_app, readable_app
from api.events.sender import Reply, Sender, egress_for_webhooks, split_url
from api.events.signing import signed_headers
from api.events.types import types_of_app
from api.identity.apps.rows import changing
from api.identity.inputs import Inputs, check_id
from api.identity.installation import current, vault
from api.identity.models import App

MAX_ENDPOINTS = 10  # of one app
MAX_CONCURRENCY = 50
MAX_OVERLAP_HOURS = 168
WHAT = Text("事件端点", "webhook endpoint")


class NewKeys(Struct, frozen=True):
    """An endpoint with keys just made; the secret is shown this once."""

    endpoint: Endpoint
    secret: str
    public_key: str


class EndpointChange(Struct, frozen=True):
    """What is to be changed; None stays as it is."""

    url: str | None = None
    description: str | None = None
    types: Sequence[str] | None = None
    concurrency: int | None = None


async def endpoints_of(caller: Caller, app_id: str) -> list[Endpoint]:
    """The endpoints of an app, the oldest first. Raises not-found, permission-denied."""
    app = await readable_app(caller, app_id)
    return await Endpoint.filter(app_id=app.id).order_by("created_at", "id")


async def get_endpoint(caller: Caller, app_id: str, endpoint_id: str) -> Endpoint:
    """One endpoint of an app. Raises not-found, permission-denied."""
    app = await readable_app(caller, app_id)
    return await _find(app, endpoint_id)


async def active_keys_of(endpoint: Endpoint) -> list[SigningKey]:
    """The keys that sign now, the newest first."""
    return await keys_of(endpoint.id, clock.now())


async def create_endpoint(
    caller: Caller, app_id: str, *, url: str, description: str = "", types: Sequence[str] = (), concurrency: int = 5
) -> NewKeys:  # fmt: skip
    """An endpoint, not verified yet, with its first keys. No types: all that the app may know of.

    Raises not-found, permission-denied, input-invalid, conflict (too many).
    """
    app = await changeable_app(caller, app_id)
    wanted = EndpointChange(url, description, types, concurrency)
    values = await _checked(app, wanted)
    async with changing(caller, "webhook:create", app) as entry:
        if await Endpoint.filter(app_id=app.id).count() >= MAX_ENDPOINTS:
            raise _too_many()
        endpoint = await Endpoint.create(
            id=ids.random_id("we"),
            app_id=app.id,
            environment=app.environment,
            created_by=caller.actor,
            created_at=clock.now(),
            **values,
        )
        key, pair = await make_key(endpoint.id, vault())
        entry.detail |= {"endpoint": endpoint.id, "key": key.id}
    return NewKeys(endpoint, pair.secret_text, key.public_key)


async def update_endpoint(caller: Caller, app_id: str, endpoint_id: str, wanted: EndpointChange) -> Endpoint:
    """Change an endpoint. At another address it has to be verified again. Raises as `create_endpoint`."""
    app = await changeable_app(caller, app_id)
    endpoint = await _find(app, endpoint_id)
    values = await _checked(app, wanted)
    moves = "url" in values and values["url"] != endpoint.url
    if moves:
        values |= {"state": "unverified", "reason": "", "verified_at": None, "disabled_at": None}
    async with changing(
        caller, "webhook:update", app, endpoint=endpoint.id, fields=sorted(values), moved=moves
    ):
        await Endpoint.filter(id=endpoint.id).update(**values)
    if moves:
        await deliveries.give_up_waiting(app.environment, endpoint.id, "endpoint-disabled")
    return await _find(app, endpoint_id)


async def delete_endpoint(caller: Caller, app_id: str, endpoint_id: str) -> Endpoint:
    """Delete an endpoint with its keys; its delivery log stays for its time. Raises not-found, permission-denied."""
    app = await changeable_app(caller, app_id)
    endpoint = await _find(app, endpoint_id)
    async with changing(caller, "webhook:delete", app, endpoint=endpoint.id):
        await SigningKey.filter(endpoint_id=endpoint.id).delete()
        await Endpoint.filter(id=endpoint.id).delete()
    await deliveries.give_up_waiting(app.environment, endpoint.id, "endpoint-deleted")
    return endpoint


async def disable_endpoint(caller: Caller, app_id: str, endpoint_id: str) -> Endpoint:
    """Send nothing more to an endpoint; what waits is given up. Verifying enables it again."""
    app = await changeable_app(caller, app_id)
    endpoint = await _find(app, endpoint_id)
    async with changing(caller, "webhook:disable", app, endpoint=endpoint.id, reason="owner"):
        await (
            Endpoint.filter(id=endpoint.id)
            .exclude(state="disabled")
            .update(state="disabled", reason="owner", disabled_at=clock.now())
        )
    await deliveries.give_up_waiting(app.environment, endpoint.id, "endpoint-disabled")
    return await _find(app, endpoint_id)


async def rotate_keys(caller: Caller, app_id: str, endpoint_id: str, *, overlap_hours: int = 24) -> NewKeys:
    """New keys; the present ones sign beside them for `overlap_hours`, older ones end now.

    Raises not-found, permission-denied, input-invalid.
    """
    app = await changeable_app(caller, app_id)
    endpoint = await _find(app, endpoint_id)
    inputs = Inputs()
    if not 0 <= overlap_hours <= MAX_OVERLAP_HOURS:
        inputs.fault("/overlap_hours", f"须为 0 至 {MAX_OVERLAP_HOURS}。", f"It is 0 to {MAX_OVERLAP_HOURS}.")
    inputs.check()
    async with changing(
        caller, "webhook:rotate", app, endpoint=endpoint.id, overlap_hours=overlap_hours
    ) as entry:
        now = clock.now()
        await SigningKey.filter(endpoint_id=endpoint.id).exclude(expires_at=None).update(expires_at=now)
        await SigningKey.filter(endpoint_id=endpoint.id, expires_at=None).update(
            expires_at=now + timedelta(hours=overlap_hours)
        )
        key, pair = await make_key(endpoint.id, vault())
        entry.detail["key"] = key.id
    return NewKeys(endpoint, pair.secret_text, key.public_key)


async def verify_endpoint(caller: Caller, app_id: str, endpoint_id: str) -> Endpoint:
    """Send the handshake and enable the endpoint when it echoes the challenge.

    Raises not-found, permission-denied, webhook-handshake-failed (with what it answered).
    """
    app = await changeable_app(caller, app_id)
    endpoint = await _find(app, endpoint_id)
    challenge = secrets.token_urlsafe(32)
    reply = await _shake_hands(endpoint, challenge)
    fault = _fault_of(reply, challenge)
    if fault is not None:
        raise Refusal(
            WEBHOOK_HANDSHAKE_FAILED, reason=fault, status_received=reply.status, latency_ms=reply.latency_ms,
        )  # fmt: skip
    async with changing(caller, "webhook:verify", app, endpoint=endpoint.id):
        changed = await Endpoint.filter(id=endpoint.id, url=endpoint.url).update(
            state="active", reason="", verified_at=clock.now(), disabled_at=None
        )
        if not changed:
            raise Refusal(NOT_FOUND, what=WHAT)
    await deliveries.forget_health(app.environment, endpoint.id)
    return await _find(app, endpoint_id)


async def _shake_hands(endpoint: Endpoint, challenge: str) -> Reply:
    message_id = ids.random_id("hs")
    body = handshake(message_id, endpoint.id, challenge)
    pairs = opened(await keys_of(endpoint.id, clock.now()), vault())
    headers = signed_headers(pairs, message_id, clock.now(), body)
    sender = Sender(current().settings)
    try:
        return await sender.post(endpoint.url, {"content-type": CONTENT_TYPE, **headers}, body)
    finally:
        await sender.close()


def _fault_of(reply: Reply, challenge: str) -> Text | None:
    if not reply.status:
        return Text(f"没有应答({reply.error})。", f"There was no answer ({reply.error}).")
    if not reply.is_success:
        return Text(f"应答状态是 {reply.status},不是 2xx。", f"The answer was {reply.status}, none of 2xx.")
    if not hmac.compare_digest(_echo_of(reply.body), challenge.encode()):
        return Text("应答没有回送挑战值。", "The answer does not echo the challenge.")
    return None


def _echo_of(body: bytes) -> bytes:
    """The challenge in an answer: `{"challenge": …}`, or the bare text."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body.strip()
    echo = found.get("challenge") if isinstance(found, dict) else found
    return echo.encode("utf-8", "replace") if isinstance(echo, str) else b""


async def _checked(app: App, wanted: EndpointChange) -> dict[str, Any]:
    """The given values, checked. Raises input-invalid with every fault."""
    inputs = Inputs()
    values: dict[str, Any] = {}
    if wanted.url is not None:
        values["url"] = await _checked_url(inputs, app, wanted.url)
    if wanted.description is not None:
        values["description"] = inputs.line("/description", wanted.description, maximum=200, minimum=0)
    if wanted.types is not None:
        values["types"] = await _checked_types(inputs, app, wanted.types)
    if wanted.concurrency is not None:
        if not 1 <= wanted.concurrency <= MAX_CONCURRENCY:
            inputs.fault("/concurrency", f"须为 1 至 {MAX_CONCURRENCY}。", f"It is 1 to {MAX_CONCURRENCY}.")
        values["concurrency"] = wanted.concurrency
    inputs.check()
    return values


async def _checked_url(inputs: Inputs, app: App, url: str) -> str:
    url = inputs.line("/url", url, maximum=500)
    settings = current().settings
    egress = egress_for_webhooks(settings)
    try:
        target, _ = split_url(url)
        if target.scheme != "https" and app.environment == "live" and not settings.embedded:
            inputs.fault("/url", "正式环境的端点须用 https。", "A live endpoint is https.")
        await egress.resolve(target.host, target.port)
    except EgressError as error:
        inputs.fault("/url", f"不能发送到此地址:{error}", f"Nothing can be sent there: {error}")
    except (OSError, UnicodeError):
        inputs.fault("/url", "主机名无法解析。", "The host's name does not resolve.")
    return url


async def _checked_types(inputs: Inputs, app: App, types: Sequence[str]) -> list[str]:
    chosen = sorted(set(types))
    if not chosen:
        return []
    known = {name for _, name in await types_of_app(app.id, app.environment)}
    for index, name in enumerate(chosen):
        if name not in known:
            offered = ", ".join(sorted(known)) or "—"
            inputs.fault(
                f"/types/{index}",
                f"应用没有订阅提供事件 {name[:80]} 的服务;可选:{offered}。",
                f"The app is subscribed to no service that tells {name[:80]}; it may have: {offered}.",
            )
    return chosen


async def _find(app: App, endpoint_id: str) -> Endpoint:
    row = await Endpoint.get_or_none(id=check_id(endpoint_id, "we", WHAT), app_id=app.id)
    if row is None:
        raise Refusal(NOT_FOUND, what=WHAT)
    return row


def _too_many() -> Refusal:
    return Refusal(
        CONFLICT,
        rule="webhook-limit",
        limit=MAX_ENDPOINTS,
        reason=Text(f"应用最多有 {MAX_ENDPOINTS} 个端点。", f"An app has at most {MAX_ENDPOINTS} endpoints."),
        following=Text("先删除不再使用的端点。", "Delete one that is no longer used."),
    )
