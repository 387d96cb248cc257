"""The signing keys of endpoints, and what the courier has to know of an endpoint to send to it."""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from tortoise.expressions import Q

from api.core import clock, ids
from api.core.crypto import Vault
from api.events.endpoints.models import Endpoint, SigningKey
from api.events.signing import KeyPair, make_key_pair, seal, unseal
from api.identity.models import App

_MOST_OPENED = 1024
_opened: OrderedDict[str, KeyPair] = OrderedDict()  # keys never change


class Destination(Struct, frozen=True):
    """Where to send, how much at once, signed with which keys; `obstacle` says why nothing is to be sent."""

    url: str
    concurrency: int
    pairs: tuple[KeyPair, ...]
    obstacle: str = ""


async def make_key(endpoint_id: str, vault: Vault) -> tuple[SigningKey, KeyPair]:
    """Inside an open `audit.write`: new keys of an endpoint."""
    pair = make_key_pair()
    key_id = ids.random_id("whk")
    secret, private_key = seal(vault, key_id, pair)
    row = await SigningKey.create(
        id=key_id,
        endpoint_id=endpoint_id,
        secret=secret,
        private_key=private_key,
        public_key=pair.public_key,
        created_at=clock.now(),
    )
    return row, pair


async def keys_of(endpoint_id: str, moment: datetime) -> list[SigningKey]:
    """The keys that sign at this moment, the newest first."""
    ends = Q(expires_at=None) | Q(expires_at__gt=moment)
    return await SigningKey.filter(ends, endpoint_id=endpoint_id).order_by("-created_at", "-id")


def opened(keys: Sequence[SigningKey], vault: Vault) -> tuple[KeyPair, ...]:
    """The keys themselves."""
    return tuple(_open(key, vault) for key in keys)


def _open(key: SigningKey, vault: Vault) -> KeyPair:
    pair = _opened.get(key.id)
    if pair is None:
        pair = _opened[key.id] = unseal(vault, key.id, key.secret, key.private_key)
        while len(_opened) > _MOST_OPENED:
            _opened.popitem(last=False)
    return pair


async def destination_of(endpoint_id: str, vault: Vault) -> Destination | None:
    """The endpoint as it is set now; None where there is none any more."""
    endpoint = await Endpoint.get_or_none(id=endpoint_id)
    if endpoint is None:
        return None
    app = await App.get_or_none(id=endpoint.app_id)
    obstacle = ""
    if app is None or app.status != "active":
        obstacle = "app-stopped"
    elif endpoint.state != "active":
        obstacle = "endpoint-disabled"
    pairs = opened(await keys_of(endpoint.id, clock.now()), vault)
    return Destination(endpoint.url, endpoint.concurrency, pairs, obstacle)
