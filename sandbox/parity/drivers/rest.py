"""REST: requests written by the SDK's serialiser, from the contract."""

import json

from msgspec.structs import replace

from api.contract.model import Operation
from sandbox.parity.cases import Case
from sandbox.parity.drivers.connection import Connection, decoded
from sandbox.parity.drivers.protocol import Keys, Seen, Target, seen_of, takes_key
from sdk.requests import example_request

_OWN = frozenset({"accept", "content-type", "idempotency-key"})


class Rest:
    """The REST face. It does not say what a call cost."""

    name = "rest"

    def __init__(self, target: Target) -> None:
        self._connection, self._target, self._keys = Connection(target.origin), target, Keys(self.name)

    def ask(self, case: Case) -> Seen:
        """Ask one case."""
        service = self._target.services[case.service]
        request = example_request(
            _with_values(case),
            base_url=f"/api/{service.name}/{service.version}",
            schemas=service.schemas,
            scenario=case.scenario,
        )
        headers = {name: value for name, value in request.headers if name.lower() not in _OWN}
        headers["Accept-Language"] = "en"
        if takes_key(case.operation):
            headers["Idempotency-Key"] = self._keys.next()
        if case.with_token:
            headers["Authorization"] = f"Bearer {self._target.token}"
        if case.purpose:
            headers["Kaimen-Purpose"] = case.purpose
        body = None
        if case.has_body:
            body = json.dumps(case.body, ensure_ascii=False).encode()
            headers["Content-Type"] = "application/json"
        sent = {name: value.encode().decode("latin-1") for name, value in headers.items()}
        status, named, data = self._connection.send(case.operation.method, request.url, sent, body)
        value, is_json = decoded(data, named.get("content-type", ""))
        return seen_of(status, value, is_json=is_json, synthetic=named.get("kaimen-sandbox", ""))

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


def _with_values(case: Case) -> Operation:
    """The operation with the case's values for its examples, and nothing optional but those."""
    chosen = []
    for one in case.operation.parameters:
        inner = case.values.get(one.location, {})
        if one.name in inner:
            chosen.append(replace(one, example=inner[one.name], has_example=True, required=True))
    return replace(case.operation, parameters=tuple(chosen), body=None)
