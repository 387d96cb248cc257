"""Webhooks as developers have them: over HTTP and from a shell, against a served installation."""

import asyncio
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from api.events import feed
from api.main.answers import DEFAULT_DEPARTMENT
from tests.events.receiver import receiving
from tests.events.serving import install, make_app, tell
from tests.server import KAIMEN, Installation, RunningServer, free_port


@pytest.fixture(scope="module")
def installation(home: Path) -> Installation:
    return install(home)


@pytest.fixture(scope="module")
def server(installation: Installation) -> Iterator[RunningServer]:
    with installation.serving() as running:
        yield running


@pytest.fixture(scope="module")
def app(installation: Installation, server: RunningServer) -> dict[str, Any]:
    return make_app(installation)


def token_of(installation: Installation, app: dict[str, Any], scope: str) -> str:
    found = installation.json(
        "token", "--client-id", app["client_id"], "--client-secret", app["client_secret"], "--scope", scope
    )
    return str(found["access_token"])


def client_of(server: RunningServer, token: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
    return httpx.Client(base_url=server.url, headers=headers, timeout=30)


@pytest.fixture(scope="module")
def http(installation: Installation, server: RunningServer, app: dict[str, Any]) -> Iterator[httpx.Client]:
    """The platform API as an app that its owner lets manage apps."""
    scope = "platform:apps:write"
    installation.json("app", "platform-scopes", app["app_id"], scope)
    with client_of(server, token_of(installation, app, scope)) as client:
        client.base_url = f"{server.url}/platform/v1/apps/{app['app_id']}"
        yield client


def add_endpoint(http: httpx.Client, url: str, **more: Any) -> dict[str, Any]:
    answer = http.post("/webhooks", json={"url": url, **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_no_event_before_the_handshake_and_a_key_that_rotates(
    installation: Installation, app: dict[str, Any], http: httpx.Client
) -> None:
    app_id = app["app_id"]
    with receiving() as receiver:
        made = add_endpoint(http, receiver.url, types=["parcel.delivered"])
        assert made["state"] == "unverified"
        place = f"/webhooks/{made['endpoint_id']}"
        early = await tell(installation, app_id, range(1))
        assert http.get("/events", params={"wait": 10}).json()["events"][0]["id"] == early[0]
        assert receiver.messages == receiver.handshakes == []

        receiver.echoes = False
        refused = http.post(f"{place}/verify")
        assert refused.status_code == 422
        assert refused.json()["type"].endswith("/problems/webhook-handshake-failed/")
        assert "echo the challenge" in refused.json()["detail"]
        receiver.echoes = True
        assert http.post(f"{place}/verify").json()["state"] == "active"
        shaken = receiver.handshakes[-1]
        Webhook(made["secret"]).verify(shaken.body, shaken.headers)

        await tell(installation, app_id, range(1, 2))
        await tell(installation, app_id, range(5, 6), type_="parcel.delayed")
        await asyncio.to_thread(receiver.wait_for, 1)
        Webhook(made["secret"]).verify(receiver.messages[0].body, receiver.messages[0].headers)

        rotated = http.post(f"{place}/rotate", json={}).json()
        assert len(http.get(place).json()["keys"]) == 2
        await tell(installation, app_id, range(2, 3))
        await asyncio.to_thread(receiver.wait_for, 2)
        for secret in (made["secret"], rotated["secret"]):
            Webhook(secret).verify(receiver.messages[1].body, receiver.messages[1].headers)
        http.post(f"{place}/rotate", json={"overlap_hours": 0})
        assert len(http.get(place).json()["keys"]) == 1

        answer = http.post(f"{place}/replay", json={"since": "2020-01-01T00:00:00Z"})
        assert answer.json() == {"replayed": 3}  # also the one before the handshake, none of the other type
        await asyncio.to_thread(receiver.wait_for, 5)
        assert early[0] in receiver.ids

        assert http.patch(place, json={"url": receiver.url + "/2"}).json()["state"] == "unverified"
        [last] = await tell(installation, app_id, range(3, 4))
        while last not in [one["id"] for one in http.get("/events").json()["events"]]:
            await asyncio.sleep(0.1)
        assert http.delete(place).status_code == 200
        assert http.get(place).status_code == 404
    assert len(receiver.messages) == 5


async def test_down_then_failed_then_replayed(
    installation: Installation, app: dict[str, Any], http: httpx.Client
) -> None:
    with receiving() as receiver:
        made = add_endpoint(http, receiver.url)
        place, of_it = f"/webhooks/{made['endpoint_id']}", {"endpoint": made["endpoint_id"]}
        assert http.post(f"{place}/verify").status_code == 200
    sent = await tell(installation, app["app_id"], range(100, 103))
    for _ in range(200):
        waiting = http.get("/deliveries", params=of_it).json()["items"]
        if len(waiting) == 3 and all(one["attempts"] for one in waiting):
            break
        await asyncio.sleep(0.1)
    assert {one["state"] for one in waiting} == {"waiting"}
    detail = http.get(f"/deliveries/{waiting[0]['delivery_id']}").json()
    assert detail["attempt_log"][0]["status"] == 0
    assert detail["event"]["id"] in sent

    http.post(f"{place}/disable")
    failed = http.get("/deliveries", params={"status": "failed", "gaps": "true"}).json()["items"]
    assert {one["reason"] for one in failed} == {"endpoint-disabled"}
    assert http.post(f"{place}/replay", json={"failed": True}).status_code == 409
    with receiving(receiver=receiver):
        http.post(f"{place}/verify")
        assert http.post(f"{place}/replay", json={"failed": True}).json() == {"replayed": 3}
        await asyncio.to_thread(receiver.wait_for, 3)
        assert sorted(receiver.ids) == sorted(sent)
        one = http.get("/deliveries", params={**of_it, "limit": 1}).json()["items"][0]
        assert http.post(f"/deliveries/{one['delivery_id']}/replay").status_code == 202
        await asyncio.to_thread(receiver.wait_for, 4)
        assert receiver.ids[3] == one["event_id"]
    http.delete(place)


async def test_an_app_fetches_its_own_events_and_no_others(
    installation: Installation, server: RunningServer, app: dict[str, Any]
) -> None:
    other = make_app(installation)
    sent = await tell(installation, other["app_id"], range(200, 205), subjects=2)
    token = token_of(installation, other, "platform:events:read")  # nobody had to give it that
    with client_of(server, token) as http:
        path = f"/platform/v1/apps/{other['app_id']}/events"
        first = http.get(path, params={"limit": 3, "wait": 10}).json()
        while len(first["events"]) < 3:  # released a moment apart
            first = http.get(path, params={"limit": 3, "wait": 10}).json()
        rest = http.get(path, params={"cursor": first["cursor"]}).json()
        assert [one["id"] for one in [*first["events"], *rest["events"]]] == sent
        assert [one["sequence"] for one in first["events"]] == ["1", "1", "2"]
        assert first["has_more"] is True
        assert http.post(f"{path}/ack", json={"cursor": first["cursor"]}).json() == {"acknowledged": "3"}
        assert [one["id"] for one in http.get(path).json()["events"]] == sent[3:]
        assert http.post(f"{path}/ack", json={"cursor": "1"}).json() == {"acknowledged": "3"}
        assert http.post(f"{path}/ack", json={"cursor": "99"}).status_code == 400
        assert http.get(path, params={"cursor": "latest"}).json()["events"] == []
        assert http.get(path, params={"types": "parcel.delayed"}).json()["events"] == []
        assert http.get(f"/platform/v1/apps/{app['app_id']}/events").status_code == 404
        assert http.post(
            f"/platform/v1/apps/{other['app_id']}/webhooks", json={"url": "https://a.example/"}
        ).status_code in {403, 404}
    assert httpx.get(server.url + path).status_code == 401


async def test_a_department_tells_an_event(
    installation: Installation, server: RunningServer, http: httpx.Client
) -> None:
    """By an app of the owning organisation; data by the contract; the same one told twice is told once."""
    owner = make_app(installation, "--organisation", DEFAULT_DEPARTMENT[0])
    installation.json("app", "platform-scopes", owner["app_id"], "platform:events:write")
    stranger = token_of(installation, owner, "platform:events:read")
    path = "/platform/v1/services/parcel@v1/events"
    event = {"type": "parcel.delivered", "subject": "parcel/told", "data": {"number": 1}, "id": "mine-1"}
    with client_of(server, stranger) as client:
        assert client.post(path, json=event).status_code == 403
    with client_of(server, token_of(installation, owner, "platform:events:write")) as client:
        told = client.post(path, json={**event, "app_id": owner["app_id"]})
        assert told.status_code == 202, told.text
        assert told.json()["is_new"] is True
        again = client.post(path, json={**event, "app_id": owner["app_id"]}).json()
        assert again == {"event_id": told.json()["event_id"], "is_new": False}
        for more, pointer in (
            ({"data": {"number": "one"}}, "/data/number"),
            ({"type": "parcel.lost"}, "/type"),
            ({"app_id": "a_00000000000000000000000000"}, "/app_id"),
            ({"data": {"text": "x" * 70_000}}, "/data"),
        ):
            refused = client.post(path, json={**event, "id": "", **more})
            assert refused.status_code == 400, more
            assert refused.json()["errors"][0]["pointer"] == pointer
        assert client.post(path, json={**event, "environment": "live"}).status_code == 404
        everybody = client.post(path, json={**event, "id": ""})
        assert everybody.status_code == 202
    with client_of(server, token_of(installation, owner, "platform:events:read")) as client:
        for _ in range(100):
            events = client.get(f"/platform/v1/apps/{owner['app_id']}/events", params={"wait": 5}).json()[
                "events"
            ]
            if len(events) == 2:
                break
        assert [one["id"] for one in events] == [told.json()["event_id"], everybody.json()["event_id"]]
    others = [one["id"] for one in http.get("/events", params={"limit": 100}).json()["events"]]
    assert everybody.json()["event_id"] in others
    assert told.json()["event_id"] not in others


def test_what_an_endpoint_may_be(http: httpx.Client) -> None:
    for url in (
        "http://169.254.169.254/",
        "ftp://127.0.0.1/",
        "http://user:pw@127.0.0.1/",
        "http://10.0.0.1/",
        "x",
    ):
        answer = http.post("/webhooks", json={"url": url})
        assert answer.status_code == 400, url
        assert answer.json()["errors"][0]["pointer"] == "/url"
    answer = http.post("/webhooks", json={"url": "http://127.0.0.1:9/x", "types": ["tax.paid"]})
    assert "parcel.delayed" in answer.json()["errors"][0]["message"]
    types = http.get("/event-types").json()["items"]
    assert [one["type"] for one in types] == ["parcel.delivered", "parcel.delayed"]
    assert types[0]["title"] == {"zh": "包裹已妥投", "en": "Parcel delivered"}


def test_the_whole_way_from_a_shell(installation: Installation, app: dict[str, Any]) -> None:
    app_id = app["app_id"]
    with receiving() as receiver:
        made = installation.json("webhook", "create", app_id, receiver.url, "--concurrency", "2")
        assert installation.json("webhook", "verify", app_id, made["endpoint_id"])["state"] == "active"
        assert made["endpoint_id"] in installation.command("webhook", "list", app_id).stdout
        asyncio.run(tell(installation, app_id, range(300, 301)))
        receiver.wait_for(1)
    shown = installation.command("webhook", "deliveries", app_id, "--endpoint", made["endpoint_id"]).stdout
    assert "parcel/300" in shown
    assert "parcel.delayed" in installation.command("webhook", "types", app_id).stdout
    cursor = installation.json("event", "list", app_id)["cursor"]
    assert installation.json("event", "ack", app_id, cursor)["acknowledged"] == cursor
    installation.command("webhook", "delete", app_id, made["endpoint_id"])


async def test_listen_forwards_and_outlives_a_restart(
    installation: Installation, app: dict[str, Any]
) -> None:
    """Against a second process of the plane, which goes away and comes back."""
    port, secret = free_port(), "whsec_" + "QUJD" * 11
    environ = installation.environ | {"KAIMEN_SANDBOX_URL": f"http://127.0.0.1:{port}"}
    with receiving() as receiver:
        command = [
            *KAIMEN, "listen", "--forward", receiver.url, "--secret", secret, "--from", "acknowledged", "--json",
            "--client-id", app["client_id"], "--client-secret", app["client_secret"], "--type", "parcel.delayed",
        ]  # fmt: skip

        def begin() -> subprocess.Popen[str]:
            return subprocess.Popen(
                command, env=environ, cwd=installation.home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )  # fmt: skip

        listener = begin()
        try:
            _, told = await asyncio.to_thread(listener.communicate, timeout=60)
            assert listener.returncode == 3, told  # there is no server to get a token from
            with installation.serving(port=port) as going:
                listener = begin()
                first = await tell(installation, app["app_id"], range(400, 402), type_="parcel.delayed")
                await asyncio.to_thread(receiver.wait_until, lambda: set(first) <= set(receiver.ids), 60)
                with client_of(going, token_of(installation, app, "platform:events:read")) as client:
                    path = f"/platform/v1/apps/{app['app_id']}/events"
                    query = {"cursor": "latest", "wait": feed.MAX_WAIT_SECONDS}
                    polling = asyncio.create_task(asyncio.to_thread(client.get, path, params=query))
                    await asyncio.sleep(0.5)
                    await asyncio.to_thread(going.stop)
                    waited = await polling
                assert waited.status_code == 200, "who waits for events is answered when the process ends"
                assert waited.json()["events"] == []
            with installation.serving(port=port):
                second = await tell(installation, app["app_id"], range(402, 404), type_="parcel.delayed")
                await asyncio.to_thread(receiver.wait_until, lambda: set(second) <= set(receiver.ids), 60)
                listener.send_signal(signal.SIGTERM)
                lines, errors = await asyncio.to_thread(listener.communicate, timeout=60)
        finally:
            if listener.poll() is None:
                listener.kill()
                listener.communicate()
    assert listener.returncode == 0, errors
    assert "trying again" in errors
    assert receiver.ids[-4:] == [*first, *second]
    Webhook(secret).verify(receiver.messages[-1].body, receiver.messages[-1].headers)
    assert {json.loads(line)["forwarded"]["status"] for line in lines.splitlines()} == {204}


def test_a_live_process_serves_the_feed_of_live_apps(
    installation: Installation, server: RunningServer
) -> None:
    with installation.serving("live") as live:
        path = "/platform/v1/apps/a_00000000000000000000000000"
        assert httpx.get(f"{live.url}{path}/events").json()["rule"] == "not-found"  # no such app
        assert httpx.get(f"{live.url}{path}/webhooks").json()["rule"] == "page-not-found"
        assert "kaimen_webhook_waiting" in httpx.get(live.url + "/metrics").text


def test_metrics_tell_of_deliveries(server: RunningServer) -> None:
    text = httpx.get(server.url + "/metrics").text
    assert "# TYPE kaimen_webhook_attempts_total counter" in text
    assert "kaimen_webhook_waiting" in text
