"""The Python SDK on the conformance scenarios: JSON lines in, JSON lines out (scenarios.yaml).

`runner.py FOLDER [async]`: the package is in the folder; with `async` the client for asyncio is tried.
"""

import asyncio
import dataclasses
import datetime as dt
import hashlib
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

sys.path.insert(0, sys.argv[1])
import kaimen_conformance as sdk

IS_ASYNC = sys.argv[2:] == ["async"]


def item_out(item: Any) -> dict[str, Any]:
    """The item as the contract writes it, from its attributes."""
    made = item.to_dict()
    assert isinstance(item.created_at, dt.datetime)
    made["created_at_unix"] = int(item.created_at.timestamp())
    if item.data is not None:
        made["data"] = item.data.decode()
    assert dataclasses.is_dataclass(item)
    assert type(item).from_dict(item.to_dict()) == item
    return made


def client_of(request: dict[str, Any]) -> Any:
    given = dict(request["client"])
    if "private_key_jwk" in given:
        given["private_key"] = given.pop("private_key_jwk")
    return (sdk.AsyncKaimen if IS_ASYNC else sdk.Kaimen)(base_url=request["base_url"], **given)


def options(args: dict[str, Any]) -> dict[str, Any]:
    return {name: args[name] for name in ("scenario", "headers", "idempotency_key") if name in args}


def parameters(args: dict[str, Any]) -> dict[str, Any]:
    made = dict(args)
    if "since" in made:
        made["since"] = dt.datetime.fromisoformat(made["since"])
    return made


def shape_out(shape: Any) -> dict[str, Any]:
    known = isinstance(shape, sdk.models.Circle | sdk.models.Square)
    return {**shape.to_dict(), "type": shape.kind.value if known else "unknown"}


def webhook(args: dict[str, Any]) -> dict[str, Any]:
    event = sdk.verify_webhook(args["payload"], args["headers"], args.get("secret") or args["public_key"])
    assert isinstance(event, sdk.events.ConformanceItemClosedEvent)
    return {"type": event.type, "id": event.data.id}


def described(client: Any) -> dict[str, str]:
    seen = [repr(client), str(client), repr(client.conformance), repr(vars(client))]
    inner = client._transport
    seen += [repr(inner), repr(inner.calls.config), repr(inner.calls.tokens), repr(vars(inner))]
    return {"text": "\n".join(seen)}


class Sync:
    """What the client for threads does."""

    def get(self, client: Any, args: dict[str, Any]) -> Any:
        def call(_: int = 0) -> dict[str, Any]:
            return item_out(client.conformance.item.get(args["id"], options=options(args)))

        if args.get("raw"):
            raw = client.with_raw(client.conformance.item.get, args["id"])
            return {"status": raw.status, "request_id": raw.request_id, "header": raw.headers["Request-Id"]}
        if "concurrent" in args:
            with ThreadPoolExecutor(args["concurrent"]) as pool:
                return list(pool.map(call, range(args["concurrent"])))
        found = []
        for number in range(args.get("times", 1)):
            if number and "pause" in args:
                time.sleep(args["pause"])
            found.append(call())
        return found if "times" in args else found[0]

    def list(self, client: Any, args: dict[str, Any]) -> Any:
        return [item.id for item in client.conformance.item.list(**parameters(args))]

    def first_page(self, client: Any, args: dict[str, Any]) -> Any:
        page = client.conformance.item.list(**parameters(args))
        return {"ids": [item.id for item in page.items], "next": page.next_cursor}

    def create(self, client: Any, args: dict[str, Any]) -> Any:
        return item_out(client.conformance.item.create(args["item"], options=options(args)))

    def update(self, client: Any, args: dict[str, Any]) -> Any:
        change = sdk.models.ItemChange(**args["change"])
        return item_out(client.conformance.item.update(args["id"], change))

    def delete(self, client: Any, args: dict[str, Any]) -> Any:
        return client.conformance.item.delete(args["id"])

    def download(self, client: Any, args: dict[str, Any]) -> Any:
        digest, length = hashlib.sha256(), 0
        with client.conformance.file.download(args["id"]) as found:
            for chunk in found.iter_bytes():
                digest.update(chunk)
                length += len(chunk)
        return {"bytes": length, "sha256": digest.hexdigest()}

    def upload(self, client: Any, args: dict[str, Any]) -> Any:
        return client.conformance.file.upload(args["id"], chunks(args["bytes"]))

    def shape(self, client: Any, args: dict[str, Any]) -> Any:
        return shape_out(client.conformance.shape.get(args["id"]))

    def describe(self, client: Any, args: dict[str, Any]) -> Any:
        client.conformance.item.get("i1")
        return described(client)

    def reset(self, client: Any, args: dict[str, Any]) -> Any:
        return client.sandbox.reset()


class Async:
    """What the client for asyncio does."""

    async def get(self, client: Any, args: dict[str, Any]) -> Any:
        async def call() -> dict[str, Any]:
            return item_out(await client.conformance.item.get(args["id"], options=options(args)))

        if args.get("raw"):
            raw = await client.with_raw(client.conformance.item.get, args["id"])
            return {"status": raw.status, "request_id": raw.request_id, "header": raw.headers["Request-Id"]}
        if "concurrent" in args:
            return list(await asyncio.gather(*(call() for _ in range(args["concurrent"]))))
        found = []
        for number in range(args.get("times", 1)):
            if number and "pause" in args:
                await asyncio.sleep(args["pause"])
            found.append(await call())
        return found if "times" in args else found[0]

    async def list(self, client: Any, args: dict[str, Any]) -> Any:
        return [item.id async for item in client.conformance.item.list(**parameters(args))]

    async def first_page(self, client: Any, args: dict[str, Any]) -> Any:
        page = await client.conformance.item.list(**parameters(args))
        return {"ids": [item.id for item in page.items], "next": page.next_cursor}

    async def create(self, client: Any, args: dict[str, Any]) -> Any:
        return item_out(await client.conformance.item.create(args["item"], options=options(args)))

    async def update(self, client: Any, args: dict[str, Any]) -> Any:
        return item_out(await client.conformance.item.update(args["id"], args["change"]))

    async def delete(self, client: Any, args: dict[str, Any]) -> Any:
        return await client.conformance.item.delete(args["id"])

    async def download(self, client: Any, args: dict[str, Any]) -> Any:
        digest, length = hashlib.sha256(), 0
        async with await client.conformance.file.download(args["id"]) as found:
            async for chunk in found.iter_bytes():
                digest.update(chunk)
                length += len(chunk)
        return {"bytes": length, "sha256": digest.hexdigest()}

    async def upload(self, client: Any, args: dict[str, Any]) -> Any:
        async def given() -> AsyncIterator[bytes]:
            for chunk in chunks(args["bytes"]):
                yield chunk

        return await client.conformance.file.upload(args["id"], given())

    async def shape(self, client: Any, args: dict[str, Any]) -> Any:
        return shape_out(await client.conformance.shape.get(args["id"]))

    async def describe(self, client: Any, args: dict[str, Any]) -> Any:
        await client.conformance.item.get("i1")
        return described(client)

    async def reset(self, client: Any, args: dict[str, Any]) -> Any:
        return await client.sandbox.reset()


def chunks(length: int) -> Iterator[bytes]:
    for start in range(0, length, 65536):
        yield bytes([7]) * min(65536, length - start)


def played(request: dict[str, Any]) -> Any:
    action, args = request["action"], request["args"]
    if action == "webhook":
        return webhook(args)
    if action == "scenarios":
        found = vars(sdk.Scenarios.conformance.item_get)
        return {"item_get": [value for name, value in found.items() if name.isupper()]}
    if not IS_ASYNC:
        with client_of(request) as client:
            perform: Callable[..., Any] = getattr(Sync(), action)
            return perform(client, args)

    async def run() -> Any:
        async with client_of(request) as client:
            return await getattr(Async(), action)(client, args)

    return asyncio.run(run())


def error_out(error: Exception) -> dict[str, Any]:
    names = ("status", "type", "step", "rule", "next", "request_id", "retry_after", "errors")
    given = {name: getattr(error, name) for name in names if hasattr(error, name)}
    return {"class": type(error).__name__.removesuffix("Error"), "message": str(error), **given}


for line in sys.stdin:
    try:
        out: dict[str, Any] = {"ok": True, "value": played(json.loads(line))}
    except sdk.KaimenError as error:
        out = {"ok": False, "error": error_out(error)}
    print(json.dumps(out, ensure_ascii=False), flush=True)
