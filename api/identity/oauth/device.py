"""Device authorization (RFC 8628): a device without a browser shows a short code, its person types it elsewhere.

    POST /oauth/device ──▶ device code, user code      the device polls the token endpoint with the device code
    /device, user code ──▶ claim ──▶ AuthorizationRequest ──consent──▶ granted | refused

The request that waits for its person is an ordinary AuthorizationRequest, so page, consent and its rules are those of
every other journey; it ends in the device's row instead of a redirect. Both codes are stored as hashes: the device
code has 256 bits, the user code has 34 and is keyed besides.
"""

import hashlib
import hmac
import secrets
import unicodedata
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import IntegrityError
from tortoise.expressions import F, Q

from api.core import clock, crypto, ids, store
from api.core.crypto import Vault
from api.core.problem_types_platform import NOT_FOUND
from api.core.problems import Refusal, Text
from api.identity.oauth.authorization import Asked
from api.identity.oauth.errors import GrantRefused
from api.identity.oauth.families import TooLate
from api.identity.oauth.models import DeviceAuthorization

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
DEVICE_SECONDS = 900
INTERVAL_SECONDS = 5
MAX_INTERVAL_SECONDS = 60
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so no words; no digits to mistake (RFC 8628 §6.1)
_LENGTH = 8
WAITING, GRANTED, REFUSED, SPENT = "waiting", "granted", "refused", "spent"
_WHAT = Text("待确认的设备", "waiting device")


class DeviceCodes(Struct, frozen=True):
    """What the device gets: its own code, and the one that it shows (`WDJB-MJHT`)."""

    device_code: str
    user_code: str
    expires_in: int
    interval: int


class Device(Struct, frozen=True):
    """A device as the token endpoint sees it. `is_hasty`: it did not leave the interval between two polls."""

    hash: str
    client_id: str
    state: str
    family_id: str
    expires_at: datetime
    is_hasty: bool


def read_user_code(typed: str) -> str:
    """The letters of a user code as typed: any case, width, spaces and dashes; "" for what is none."""
    if len(typed) > 64:
        return ""
    letters = "".join(one for one in unicodedata.normalize("NFKC", typed).upper() if one.isalnum())
    return letters if len(letters) == _LENGTH and set(letters) <= set(_LETTERS) else ""


def show_user_code(letters: str) -> str:
    """As it is shown and read out: two groups of four."""
    return f"{letters[:4]}-{letters[4:]}"


class Devices:
    """The waiting devices of one plane."""

    def __init__(self, environment: str, vault: Vault) -> None:
        self.environment = environment
        self._key = vault.derive(f"device-user-code:{environment}")

    async def start(self, *, app_id: str, client_id: str, asked: Asked) -> DeviceCodes:
        """Codes for a device whose request has been checked. The user code is new; a collision draws again."""
        device_code = ids.random_secret("kd")
        for _ in range(5):
            letters = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
            try:
                await DeviceAuthorization.create(
                    using_db=store.plane(self.environment),
                    hash=crypto.hash_secret(device_code),
                    user_code=self._keyed(letters),
                    app_id=app_id,
                    client_id=client_id,
                    parameters=msgspec.to_builtins(asked),
                    interval=INTERVAL_SECONDS,
                    expires_at=clock.now() + timedelta(seconds=DEVICE_SECONDS),
                )
            except IntegrityError:
                continue
            return DeviceCodes(device_code, show_user_code(letters), DEVICE_SECONDS, INTERVAL_SECONDS)
        raise RuntimeError("five user codes in a row were taken; something is wrong with the random source")

    async def find(self, typed: str) -> DeviceAuthorization:
        """The device that waits under a typed user code. Raises Refusal NOT_FOUND, alike for every reason."""
        letters = read_user_code(typed)
        row = None
        if letters:
            waiting = DeviceAuthorization.filter(
                user_code=self._keyed(letters), state=WAITING, expires_at__gt=clock.now()
            )
            row = await waiting.using_db(store.plane(self.environment)).first()
        if row is None:
            raise no_device()
        return row

    async def poll(self, device_code: str) -> Device | None:
        """The device of a code that polls now; None for a code of nobody. Notes the poll.

        Who comes sooner than the interval allows makes it five seconds longer (RFC 8628 §3.5).
        """
        key, moment = crypto.hash_secret(device_code), clock.now()
        rows = DeviceAuthorization.filter(hash=key).using_db(store.plane(self.environment))
        row = await rows.first()
        if row is None:
            return None
        is_hasty = False
        if row.state == WAITING:
            rested = Q(polled_at=None) | Q(polled_at__lte=moment - timedelta(seconds=row.interval))
            is_hasty = not await rows.filter(rested, interval=row.interval).update(polled_at=moment)
            if is_hasty and row.interval < MAX_INTERVAL_SECONDS:
                await rows.filter(interval=row.interval).update(interval=F("interval") + 5, polled_at=moment)
        return Device(key, row.client_id, row.state, row.family_id, row.expires_at, is_hasty)

    async def refuse(self, key: str) -> bool:
        """The person said no. False where it was decided, or has expired, before."""
        waiting = DeviceAuthorization.filter(hash=key, state=WAITING, expires_at__gt=clock.now())
        return bool(await waiting.using_db(store.plane(self.environment)).update(state=REFUSED))

    async def sweep(self) -> None:
        """Delete what ran out an hour ago; until then a device is told that it came too late."""
        gone = DeviceAuthorization.filter(expires_at__lt=clock.now() - timedelta(hours=1))
        await gone.using_db(store.plane(self.environment)).delete()

    def _keyed(self, letters: str) -> str:
        return hmac.new(self._key, letters.encode(), hashlib.sha256).hexdigest()


class DeviceGranted(Struct, frozen=True):
    """The person said yes: the device may fetch the tokens of this family, once. Raises Refusal NOT_FOUND."""

    hash: str
    family_id: str

    async def write(self, connection: BaseDBAsyncClient) -> None:
        waiting = DeviceAuthorization.filter(hash=self.hash, state=WAITING, expires_at__gt=clock.now())
        if not await waiting.using_db(connection).update(state=GRANTED, family_id=self.family_id):
            raise no_device()


class DeviceSpent(Struct, frozen=True):
    """The one use of a device code; of racers one gets the tokens."""

    hash: str

    async def write(self, connection: BaseDBAsyncClient) -> None:
        granted = DeviceAuthorization.filter(hash=self.hash, state=GRANTED).using_db(connection)
        if not await granted.update(state=SPENT):
            raise TooLate(device_code_spent())


def no_device() -> Refusal:
    """Said of a user code under which nothing waits, whatever the reason."""
    return Refusal(NOT_FOUND, what=_WHAT)


def device_code_spent() -> GrantRefused:
    """Said of a device code that has given its tokens."""
    return GrantRefused("This device code was used before; start a new device authorization.")
