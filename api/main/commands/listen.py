"""`kaimen listen`: an app's events, brought to a server on this machine as a webhook would bring them.

It fetches the feed and posts each event, signed, to the address given. Nothing is acknowledged and nothing is
retried: it is for looking at events while one writes their receiver.
"""

import base64
import json
import signal
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import click

from api.core import clock
from api.events.signing import KeyPair, make_key_pair, secret_of, signed_headers
from api.main.client import Answer, RemoteClient, UnreachableError, send
from api.main.commands.call import ENVIRONMENTS, ask_token
from api.main.context import Platform, platform_command, settings_of_shell
from api.main.credentials import Credential
from api.main.output import fail, fail_with_problem, print_json

SCOPE = "platform:events:read"
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
_WAIT_SECONDS = 20
_LONGEST_PAUSE_SECONDS = 15.0


@click.command()
@click.argument("app_id", default="")
@click.option(
    "--forward", default="", help="Post each event there, signed; without it they are only printed."
)
@click.option("--type", "types", multiple=True, help="An event type; may be repeated. Default: all.")
@click.option(
    "--from", "begin", default="latest", show_default=True, help="latest, acknowledged, or a cursor."
)
@click.option("--secret", default="", help="Sign with this secret (whsec_…) instead of one of this session.")
@click.option("--count", type=click.IntRange(1), default=None, help="End after so many events.")
@click.option(
    "--client-id", envvar="KAIMEN_CLIENT_ID", default="", help="As the app itself, with its credential."
)
@click.option("--client-secret", envvar="KAIMEN_CLIENT_SECRET", default="")
@platform_command
def listen(
    platform: Platform, app_id: str, forward: str, types: tuple[str, ...], begin: str, secret: str, count: int | None,
    client_id: str, client_secret: str,
) -> None:  # fmt: skip
    """Forward an app's events to a server on this machine; Ctrl-C or SIGTERM ends it.

    With the operator's rights on KAIMEN_HOME, with --server and a personal token, or as the app with --client-id.
    """
    source: _Source = _OfPlatform(platform)
    if client_id or client_secret:
        source = _OfApp(Credential(client_id, client_secret, ENVIRONMENTS.get(client_id[:3], "sandbox")))
        app_id = app_id or source.app_id
    if not app_id:
        raise click.UsageError("name the app, or give --client-id and --client-secret")
    if forward and urlsplit(forward).scheme not in {"http", "https"}:
        raise click.UsageError("--forward is an address such as http://127.0.0.1:3000/events")
    pair = _pair_of(secret)
    if forward and not platform.as_json:
        click.echo(f"Forwarding to {forward}, signed with {pair.secret_text}. Ctrl-C ends.", err=True)
    shown = 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for event in _events(source, app_id, begin, types, platform.as_json):
            _show(event, _forward(event, forward, pair) if forward else {}, as_json=platform.as_json)
            shown += 1
            if count is not None and shown >= count:
                break
    except KeyboardInterrupt:
        pass
    if not platform.as_json:
        click.echo(f"{shown} event(s).", err=True)


class _Source:
    """Who fetches."""

    def fetch(self, path: str, query: dict[str, Any]) -> Answer:
        raise NotImplementedError


class _OfPlatform(_Source):
    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def fetch(self, path: str, query: dict[str, Any]) -> Answer:
        return self._platform.ask("GET", path, query=query)


class _OfApp(_Source):
    """The app itself, at its own plane; its token is renewed when it ends."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential
        self._origin = settings_of_shell().issuer_of(credential.environment)
        self._token = self._renewed()

    @property
    def app_id(self) -> str:
        payload = self._token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["app"])

    def fetch(self, path: str, query: dict[str, Any]) -> Answer:
        answer = RemoteClient(self._origin, self._token).request("GET", path, query=query)
        if answer.status == 401:
            self._token = self._renewed()
            answer = RemoteClient(self._origin, self._token).request("GET", path, query=query)
        return answer

    def _renewed(self) -> str:
        answer = ask_token(self._origin, self._credential, SCOPE)
        body = answer.json if isinstance(answer.json, dict) else {}
        if not answer.is_success:
            fail(f"{body.get('error', answer.status)}: {body.get('error_description', '')}")
        return str(body["access_token"])


def _events(
    source: _Source, app_id: str, begin: str, types: tuple[str, ...], as_json: bool
) -> Iterator[dict[str, Any]]:
    """Events for ever, over lost connections and restarts of the server."""
    cursor, pause = "" if begin == "acknowledged" else begin, 1.0
    wait = 0  # the first answer only tells where we are
    while True:
        query = {"cursor": cursor, "types": ",".join(types), "wait": wait}
        try:
            answer = source.fetch(f"/platform/v1/apps/{app_id}/events", query)
        except UnreachableError as error:
            answer = Answer(503)
            reason = str(error)
        else:
            reason = f"HTTP {answer.status}"
        if answer.status >= 500 or answer.status == 429:
            click.echo(f"… {reason}; trying again in {pause:.0f} s", err=True)
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            continue
        if not answer.is_success:
            problem = answer.json if isinstance(answer.json, dict) else {"title": f"HTTP {answer.status}"}
            fail_with_problem(problem, as_json=as_json)
        pause, wait = 1.0, _WAIT_SECONDS
        cursor = answer.json["cursor"]
        yield from answer.json["events"]


def _forward(event: dict[str, Any], forward: str, pair: KeyPair) -> dict[str, Any]:
    """Post an event. Returns status and latency, or the reason why there was no answer."""
    parts = urlsplit(forward)
    body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    headers = signed_headers([pair], event["id"], clock.now(), body) | {"Content-Type": CONTENT_TYPE}
    origin = f"{parts.scheme}://{parts.netloc}"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    begun = time.monotonic()
    try:
        status = send(origin, "POST", target, headers=headers, body=body, timeout=10).status
    except UnreachableError as error:
        return {"status": 0, "error": str(error)}
    return {"status": status, "latency_ms": round((time.monotonic() - begun) * 1000)}


def _show(event: dict[str, Any], outcome: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json({"event": event, "forwarded": outcome or None})
        return
    told = ""
    if outcome:
        told = (
            f" → {outcome['status']} ({outcome['latency_ms']} ms)"
            if outcome["status"]
            else f" → {outcome['error']}"
        )
    click.echo(
        f"{event['time']}  {event['type']}  {event['subject']} #{event['sequence']}  {event['id']}{told}"
    )


def _pair_of(secret: str) -> KeyPair:
    if not secret:
        return make_key_pair()
    try:
        return KeyPair(secret_of(secret), make_key_pair().private_key)
    except ValueError as error:
        raise click.UsageError(f"--secret: {error}") from error
