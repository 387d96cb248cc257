"""One kept HTTP connection, and what its answers hold. A 429 is waited out: a quota is no difference between faces."""

import http.client
import time
from urllib.parse import urlsplit

import msgspec

from api.contract.model import Json
from sandbox.parity.drivers.protocol import TRIES, wait_of

Answer = tuple[int, dict[str, str], bytes]
_TIMEOUT_S = 60


class Connection:
    """To one origin."""

    def __init__(self, origin: str) -> None:
        parts = urlsplit(origin)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)

    def send(self, method: str, target: str, headers: dict[str, str], body: bytes | None) -> Answer:
        """(status, headers by lower-case name, body). Raises OSError where no server answers."""
        for attempt in range(TRIES):
            try:
                self._connection.request(method, target, body=body, headers=headers)
                response = self._connection.getresponse()
                data = response.read()
            except (http.client.HTTPException, ConnectionError):
                self._connection.close()
                if attempt + 1 == TRIES:
                    raise OSError("the server does not answer") from None
                continue
            named = {name.lower(): value for name, value in response.getheaders()}
            if response.status == 429 and attempt + 1 < TRIES:
                time.sleep(wait_of(named.get("retry-after")))
                continue
            return response.status, named, data
        raise OSError("the server does not answer")

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


def decoded(data: bytes, content_type: str) -> tuple[Json, bool]:
    """(value, whether it is JSON) of a body."""
    if not data:
        return None, True
    if "json" not in content_type:
        return data.decode("utf-8", "replace"), False
    try:
        return msgspec.json.decode(data), True
    except msgspec.DecodeError:
        return data.decode("utf-8", "replace"), False
