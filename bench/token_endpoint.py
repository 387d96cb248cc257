"""What a token costs: python -m bench.token_endpoint [FOLDER | POSTGRESQL_URL]

CPU of one request to /oauth/token in µs, from the ASGI call to the last byte, threads of the database included; the
median of several rounds. SQLite stands in FOLDER (a temporary one by default) and waits for its disk.
"""

import asyncio
import base64
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from api.app import create_app
from api.core.crypto import Vault, read_or_make_master_key
from api.core.store import Stores, migrate, open_stores
from api.identity.oauth.client_authentication import ASSERTION_TYPE
from api.identity.oauth.routes import router
from api.identity.oauth.service import AuthorizationService
from api.main.stores import APPS
from api.settings import Settings
from tests.identity.oauth.journeys import COMPANY, Journey, new_journey
from tests.identity.oauth.plane import Plane, TableRights, new_key, sign

TOKEN = "/oauth/token"
ROUNDS, REQUESTS = 7, 100
Prepared = tuple[bytes, list[tuple[bytes, bytes]]]  # body and headers


async def post(app: Any, body: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    """The status of one request to the token endpoint."""
    status = 0
    parts = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return parts.pop() if parts else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)

    own = [
        (b"content-type", b"application/x-www-form-urlencoded"),
        (b"content-length", str(len(body)).encode()),
    ]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": TOKEN, "raw_path": TOKEN.encode(), "query_string": b"", "root_path": "", "headers": [*own, *headers],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {},
    }  # fmt: skip
    await app(scope, receive, send)
    return status


async def show(
    name: str, app: Any, make: Callable[[], Awaitable[Prepared]], requests: int = REQUESTS
) -> None:
    """Print the CPU of one such request."""
    costs = []
    for _ in range(ROUNDS):
        prepared = [await make() for _ in range(requests)]
        began = time.process_time_ns()
        for body, headers in prepared:
            if await post(app, body, headers) != 200:
                raise RuntimeError(f"{name} was refused")
        costs.append((time.process_time_ns() - began) / 1000 / requests)
    print(f"{name:<38}{statistics.median(costs):7.0f} µs CPU   (least {min(costs):.0f})")


def _basic(client_id: str, secret: str) -> list[tuple[bytes, bytes]]:
    return [(b"authorization", b"Basic " + base64.b64encode(f"{client_id}:{secret}".encode()))]


def _assertion(journey: Journey) -> dict[str, str]:
    client = journey.client
    assert client.key is not None
    return {
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": sign(client.key, journey.plane.claims(client)),
    }


async def measure(plane: Plane, app: Any) -> None:
    basic, keyed = await new_journey(plane), await new_journey(plane, keys=[new_key()])
    fapi = await new_journey(plane, profile="fapi2")
    credentials = _basic(basic.client.client_id, basic.client.secret)
    itself = {"grant_type": "client_credentials", "scope": COMPANY}

    async def with_secret() -> Prepared:
        return urlencode(itself).encode(), credentials

    async def with_key() -> Prepared:
        return urlencode(itself | _assertion(keyed)).encode(), []

    def proof() -> list[tuple[bytes, bytes]]:
        return [(b"dpop", fapi.proof(TOKEN, nonce=plane.service.nonces.current()).encode())]

    async def with_proof() -> Prepared:
        return urlencode(itself | _assertion(fapi)).encode(), proof()

    async def with_code() -> Prepared:
        form = {
            "grant_type": "authorization_code", "code": await basic.code(), "redirect_uri": basic.redirect_uri,
            "code_verifier": basic.verifier,
        }  # fmt: skip
        return urlencode(form).encode(), credentials

    given = (await fapi.redeem(await fapi.pushed_code())).json()["refresh_token"]

    async def with_refresh() -> Prepared:
        form = {"grant_type": "refresh_token", "refresh_token": given}
        return urlencode(form | _assertion(fapi)).encode(), proof()

    await show("client_secret_basic", app, with_secret)
    await show("private_key_jwt", app, with_key)
    await show("private_key_jwt and DPoP (fapi2)", app, with_proof)
    await show("authorization_code", app, with_code, 20)
    await show("refresh_token (fapi2)", app, with_refresh, 20)


async def main(where: str) -> None:
    with tempfile.TemporaryDirectory(dir=None if "://" in where else where or None) as folder:
        home = Path(folder)
        stores = Stores(home=home, url=where if "://" in where else "", apps=APPS)
        await migrate(stores)
        settings = Settings(home=folder, database_url=stores.url, embedded=True)
        vault = Vault(read_or_make_master_key(home / "master.key"))
        rights = TableRights()
        async with open_stores(stores, "sandbox"):
            service = AuthorizationService(settings, vault, rights)
            door: Any = create_app(settings, handlers=[router])
            transport = httpx.ASGITransport(app=door)
            async with (
                service.lifespan(door.app),
                httpx.AsyncClient(transport=transport, base_url=service.issuer) as http,
            ):
                await measure(
                    Plane(service=service, http=http, rights=rights, settings=settings, vault=vault), door
                )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else ""))
