"""Subscriptions over a real socket of a served process, with a client that is not ours."""

import asyncio
import base64
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright import async_api
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from api.graphql import limits
from api.graphql.sockets import LOOK_SECONDS
from tests.browser import chromium
from tests.events import serving
from tests.identity.oauth.journeys import make_proof
from tests.identity.oauth.plane import new_key
from tests.server import Installation

SECONDS = 30  # for anything that is waited for
EVENTS = "subscription ($types: [String!], $cursor: String) { events(types: $types, cursor: $cursor) { cursor id type source subject data } }"


class Plane:
    """A sandbox with one app that follows events."""

    def __init__(self, installation: Installation, url: str, log: Path) -> None:
        self.installation = installation
        self.url = url
        self.log = log
        self.app = serving.make_app(installation)

    def token(self, **headers: str) -> str:
        answer = httpx.post(
            f"{self.url}/oauth/token", data={"grant_type": "client_credentials"}, headers=headers,
            auth=(self.app["client_id"], self.app["client_secret"]), timeout=SECONDS,
        )  # fmt: skip
        token: str = answer.json()["access_token"]
        return token

    def revoke(self, token: str) -> None:
        httpx.post(
            f"{self.url}/oauth/revoke", data={"token": token},
            auth=(self.app["client_id"], self.app["client_secret"]), timeout=SECONDS,
        ).raise_for_status()  # fmt: skip

    @contextlib.asynccontextmanager
    async def socket(self, payload: Any = None) -> AsyncIterator[ClientConnection]:
        """An open socket; initialised where there is a payload."""
        url = self.url.replace("http://", "ws://") + "/graphql"
        async with (
            asyncio.timeout(SECONDS * 2),
            connect(url, subprotocols=["graphql-transport-ws"]) as socket,
        ):  # type: ignore[list-item]
            if payload is not None:
                await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
                assert await read(socket) == {"type": "connection_ack"}
            yield socket

    async def tell(self, *numbers: int) -> list[str]:
        return await serving.tell(
            self.installation, self.app["app_id"], range(numbers[0], numbers[-1] + 1), subjects=1
        )


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    installation = serving.install(tmp_path_factory.mktemp("subscriptions"))
    with installation.serving() as running:
        yield Plane(installation, running.url, running.log_path)


async def read(socket: ClientConnection) -> Any:
    async with asyncio.timeout(SECONDS):
        return json.loads(await socket.recv())


async def subscribe(socket: ClientConnection, name: str, query: str = EVENTS, **variables: Any) -> None:
    payload = {"query": query, "variables": variables}
    await socket.send(json.dumps({"id": name, "type": "subscribe", "payload": payload}))


async def closing(socket: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as caught:
        await read(socket)
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code, caught.value.rcvd.reason


async def test_events_come_in_order_and_go_on_from_a_cursor(plane: Plane) -> None:
    payload = {"Authorization": f"Bearer {plane.token()}"}
    async with plane.socket(payload) as socket:
        await subscribe(socket, "one")
        await asyncio.sleep(1)  # it begins now: events before are not its
        sent = await plane.tell(1, 2)
        got = [await read(socket) for _ in range(2)]
    assert {one["type"] for one in got} == {"next"}
    events = [one["payload"]["data"]["events"] for one in got]
    assert [one["id"] for one in events] == sent
    assert [one["data"]["number"] for one in events] == [1, 2]
    assert {one["source"] for one in events} == {"/api/parcel/v1"}
    sent = await plane.tell(3, 4)
    async with plane.socket(payload) as socket:
        await subscribe(socket, "two", cursor=events[0]["cursor"], types=[serving.TYPE])
        numbers = [(await read(socket))["payload"]["data"]["events"]["data"]["number"] for _ in range(3)]
        assert numbers == [2, 3, 4]
        await socket.send(json.dumps({"id": "two", "type": "complete"}))
        await subscribe(socket, "two", cursor=events[1]["cursor"])  # the id is free again
        assert (await read(socket))["payload"]["data"]["events"]["id"] == sent[0]


async def test_what_cannot_be_followed_is_told_and_the_socket_stays(plane: Plane) -> None:
    async with plane.socket({"authorization": f"Bearer {plane.token()}", "accept-language": "en"}) as socket:
        for query, variables, rule in (
            (EVENTS, {"types": ["no.such"]}, "graphql-request-invalid"),
            (EVENTS, {"cursor": "later"}, "graphql-request-invalid"),
            ("{ kaimen { request_id } }", {}, "graphql-request-invalid"),
            ("subscription { events { secretpiece } }", {}, "graphql-invalid"),
            ("subscription { secretpiece", {}, "graphql-syntax"),
            ("{" + "a{" * 900 + "b" + "}" * 901, {}, "graphql-depth"),
            ("subscription { __schema { types { name } } }", {}, "graphql-introspection"),
        ):
            await subscribe(socket, "x", query, **variables)
            said = await read(socket)
            assert (said["id"], said["type"]) == ("x", "error"), said
            assert said["payload"][0]["extensions"]["rule"] == rule
            assert said["payload"][0]["extensions"]["next"]
        await subscribe(socket, "x", EVENTS, types=["no.such"])
        assert serving.TYPE in (await read(socket))["payload"][0]["message"]
        for number in range(limits.MAX_SUBSCRIPTIONS):
            await subscribe(socket, f"s{number}")
        await subscribe(socket, "beyond")
        said = await read(socket)
        assert (said["id"], said["type"]) == ("beyond", "error")
    assert "secretpiece" not in plane.log.read_text()


async def test_without_a_good_token_the_connection_is_closed_by_name(plane: Plane) -> None:
    for payload, rule in (
        ({}, "token-missing"),
        ({"authorization": "Bearer nonsense"}, "token-invalid"),
        ({"authorization": f"Bearer {plane.app['client_id']}"}, "token-invalid"),
    ):
        async with plane.socket() as socket:
            await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
            assert await closing(socket) == (4401, rule)
    async with plane.socket() as socket:
        await subscribe(socket, "early")
        assert (await closing(socket))[0] == 4401


async def test_messages_of_no_protocol_end_the_connection_and_reach_no_log(plane: Plane) -> None:
    token = {"authorization": f"Bearer {plane.token()}"}
    before = plane.log.read_text()
    for message in (
        "[", "1", "[]", "[" * 100_000, '{"type": []}', '{"type": "subscribe", "id": [1]}',
        '{"type": "subscribe", "id": "a", "payload": {"query": 1}}', '{"type": "complete"}',
    ):  # fmt: skip
        async with plane.socket(token) as socket:
            await socket.send(message)
            assert (await closing(socket))[0] == 4400, message
    async with plane.socket(token) as socket:
        await socket.send("x" * (limits.MAX_BODY_BYTES + 1))
        assert (await closing(socket))[0] == 1009
    assert plane.log.read_text() == before


async def test_a_revoked_token_ends_its_connection(plane: Plane) -> None:
    token = plane.token()
    async with plane.socket({"authorization": f"Bearer {token}"}) as socket:
        await subscribe(socket, "one")
        plane.revoke(token)
        assert await closing(socket) == (4401, "token-revoked")


async def test_a_token_bound_to_a_key_opens_a_connection_with_one_proof(plane: Plane) -> None:
    key = new_key()
    token = plane.token(DPoP=make_proof(key, f"{plane.url}/oauth/token"))
    digest = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
    proof = make_proof(key, f"{plane.url}/graphql", htm="GET", ath=digest)
    payload = {"authorization": f"DPoP {token}", "dpop": proof}
    async with plane.socket(payload) as socket:
        await subscribe(socket, "one")
        await asyncio.sleep(LOOK_SECONDS + 1)  # the token is asked again, the proof is not
        sent = await plane.tell(9)
        assert (await read(socket))["payload"]["data"]["events"]["id"] == sent[0]
    for given, rule in ((payload, "proof-replayed"), (payload | {"dpop": ""}, "proof-missing")):
        async with plane.socket() as socket:
            await socket.send(json.dumps({"type": "connection_init", "payload": given}))
            assert await closing(socket) == (4401, rule)


async def test_an_app_holds_so_many_connections_and_no_more(plane: Plane) -> None:
    payload = {"authorization": f"Bearer {plane.token()}"}
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(limits.MAX_CONNECTIONS_OF_APP):
            await stack.enter_async_context(plane.socket(payload))
        async with plane.socket() as socket:
            await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
            assert await closing(socket) == (4429, "graphql-connections")
    await asyncio.sleep(0.5)
    async with plane.socket(payload):
        pass


async def test_connections_and_subscriptions_are_on_record(plane: Plane) -> None:
    async with plane.socket({"authorization": f"Bearer {plane.token()}"}) as socket:
        await subscribe(socket, "one")
        await asyncio.sleep(1.5)  # the log is at most one second behind
    rows = await asyncio.to_thread(plane.installation.json, "request", "list", plane.app["app_id"])
    subscription, connection = rows["items"][:2]
    assert (subscription["status"], connection["status"]) == (200, 101)
    shown = await asyncio.to_thread(plane.installation.json, "request", "show", subscription["id"])
    assert shown["parent_id"] == connection["id"]


async def test_a_page_of_another_origin_opens_no_socket(plane: Plane) -> None:
    url = plane.url.replace("http://", "ws://") + "/graphql"
    with pytest.raises(Exception, match="403"):
        async with asyncio.timeout(SECONDS), connect(url, origin="https://evil.example"):  # type: ignore[arg-type]
            pass


async def test_the_console_follows_events_in_a_browser(plane: Plane) -> None:
    async with asyncio.timeout(SECONDS * 4), async_api.async_playwright() as running:
        browser = await running.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = await browser.new_page(locale="en-GB")
        page.set_default_timeout(SECONDS * 1000)
        await page.goto(f"{plane.url}/graphql")
        await page.fill("#token", plane.token())
        await page.click("#use")
        await page.locator("#state.good").wait_for()
        editor = "document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror"
        await page.evaluate(f"() => {editor}.setValue('subscription {{ events {{ id type data }} }}')")
        await page.click(".graphiql-execute-button")
        await asyncio.sleep(2)  # it begins now
        for number in (20, 21):
            [event_id] = await plane.tell(number)
            await page.locator(".result-window .CodeMirror-line", has_text=event_id).first.wait_for()
        await page.click(".graphiql-execute-button")  # it is the stop button now
        await browser.close()
