"""One run over a running installation, as a client of it: contracts, a token, a fresh city, and what was spent."""

import base64
import json
from typing import Any
from urllib.parse import quote, urlencode

from api.contract.build import service_of
from api.contract.model import Service
from api.contract.normalise import normalise
from sandbox.parity.cases import cases_of
from sandbox.parity.certificate import Certificate, certify
from sandbox.parity.drivers import DRIVERS
from sandbox.parity.drivers.connection import Connection
from sandbox.parity.drivers.protocol import Driver, Target

PLATFORM_SCOPES = ("platform:requests:read", "platform:sandbox:write")


class RunError(Exception):
    """The installation does not answer as it has to."""


class Installation:
    """A sandbox at an origin, and an app that is subscribed to what is compared."""

    def __init__(self, origin: str, app_id: str, client_id: str, client_secret: str) -> None:
        self.origin, self.app_id = origin, app_id
        self._basic = base64.b64encode(
            f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}".encode()
        ).decode()
        self._http = Connection(origin)
        self._own: dict[str, str] = {}

    def token(self, scope: str = "") -> str:
        """An access token; `scope` "" asks for all services that the app is subscribed to."""
        form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        headers = {
            "Authorization": f"Basic {self._basic}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        answer = self._ask("POST", "/oauth/token", headers, urlencode(form).encode())
        return str(answer["access_token"])

    def services(self, keys: list[str]) -> dict[str, Service]:
        """The contracts as published, by key."""
        made = {}
        for key in keys:
            name, _, version = key.partition("@")
            document = self._ask("GET", f"/catalogue/{name}/{version}/openapi.json", {}, None)
            made[key] = service_of(normalise(document).document)
        return made

    def reset(self) -> None:
        """The app sees the city as it was generated."""
        self._ask("POST", "/platform/v1/sandbox/reset", self._as_app(), json.dumps({}).encode())

    def ledger(self) -> dict[str, int]:
        """Quota units spent by the app so far, by operation (company@v1/getCompany)."""
        rows = self._ask("GET", f"/platform/v1/apps/{self.app_id}/usage?days=2", self._as_app(), None)
        spent: dict[str, int] = {}
        for row in rows["items"] if isinstance(rows, dict) else rows:
            key = f"{row['service']}/{row['operation']}"
            spent[key] = spent.get(key, 0) + row["cost"]
        return spent

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def _as_app(self) -> dict[str, str]:
        if not self._own:
            self._own = {
                "Authorization": f"Bearer {self.token(' '.join(PLATFORM_SCOPES))}",
                "Content-Type": "application/json",
            }
        return self._own

    def _ask(self, method: str, target: str, headers: dict[str, str], body: bytes | None) -> Any:
        status, _, data = self._http.send(method, target, headers, body)
        if not 200 <= status < 300:
            raise RunError(
                f"{method} {target.partition('?')[0]} → {status}: {data[:300].decode(errors='replace')}"
            )
        return json.loads(data)


def compare(
    installation: Installation, services: dict[str, Service], *, faces: list[str], seeds: int, date: str, most: int = 0
) -> list[Certificate]:  # fmt: skip
    """A certificate for each service. `most` bounds the cases of one service, 0 for all."""
    target = Target(installation.origin, installation.token(), services)
    absent = {name: "it was not asked for" for name in DRIVERS if name not in faces}
    made = []
    drivers: list[Driver] = []
    try:
        drivers.extend(DRIVERS[name](target) for name in faces)
        for service in services.values():
            cases, excluded = cases_of(service, seeds=seeds)
            if most and len(cases) > most:
                cases = cases[:: -(-len(cases) // most)]
            made.append(
                certify(
                    service, cases, excluded, drivers, ledger=installation.ledger, reset=installation.reset, date=date,
                    absent=absent,
                )
            )  # fmt: skip
    finally:
        for driver in drivers:
            driver.close()
    return made
