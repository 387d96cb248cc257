"""The signing keys of one plane: kept sealed in its store, held open in memory by each of its processes.

    next ──rotate──▶ active ──rotate──▶ retired ──tokens expired──▶ gone
      └──────────────── revoke ────────────┴──▶ revoked: its tokens are refused from now on

The JWKS shows the first three, so that a verifier knows a key before the first token is signed with it and as
long as the last one lives. Only the active key signs. Nothing here knows what a token says.
"""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from joserfc.jwk import ECKey
from msgspec import Struct
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from api.core import clock, store
from api.core.crypto import Vault
from api.identity.oauth.jose import encode_segment
from api.identity.oauth.models import SigningKey

ALGORITHM = "ES256"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - a media type, RFC 9068 §2.1
LOOK_AGAIN_SECONDS = 1.0  # how often a token with an unknown key may make a process read its keys again
GRACE_SECONDS = 120  # clock skew, and the time until the slowest process knows that a key has retired


class Signer(Struct, frozen=True):
    """The active key: its id, the finished JOSE header segment of access tokens, the private key."""

    kid: str
    header_segment: bytes
    private_key: EllipticCurvePrivateKey


class KeyRing:
    """Signing and verification keys of a plane. Reading is synchronous and cheap; `refresh` swaps all at once.

    `retire_seconds` is how long a retired key still verifies: the life of the longest token. `when_revoked` is
    called when a key that verified here has been revoked, so that what was verified with it can be forgotten.
    """

    def __init__(self, environment: str, vault: Vault, *, retire_seconds: int = 600) -> None:
        self.environment = environment
        self._vault = vault
        self._retire = timedelta(seconds=retire_seconds + GRACE_SECONDS)
        self._signer: Signer | None = None
        self._by_kid: dict[str, EllipticCurvePublicKey] = {}
        self._by_header: dict[bytes, EllipticCurvePublicKey] = {}
        self._looked_at = 0.0
        self._looking = asyncio.Lock()
        self._seen: tuple[tuple[str, str], ...] = ()
        self.when_revoked: Callable[[], None] | None = None
        self.jwks: bytes = b'{"keys":[]}'
        self.jwks_etag = '""'

    @property
    def signer(self) -> Signer:
        """The active key. Raises RuntimeError before `ensure`: a plane without keys must not start."""
        if self._signer is None:
            raise RuntimeError(
                f"the {self.environment} plane has no signing key; call KeyRing.ensure() first"
            )
        return self._signer

    @property
    def verifies_for(self) -> timedelta:
        """How long a key still verifies after it has retired."""
        return self._retire

    def key_of_header(self, header_segment: bytes) -> EllipticCurvePublicKey | None:
        """The key for a token whose header segment is exactly ours, byte for byte: no parsing needed."""
        return self._by_header.get(header_segment)

    def key_of(self, kid: str) -> EllipticCurvePublicKey | None:
        """The verification key of this id, or None where it is unknown or its tokens have all expired."""
        return self._by_kid.get(kid)

    async def ensure(self) -> None:
        """Make the first active and next key where there is none; of many racers one makes each."""
        for slot in ("active", "next"):
            if not await SigningKey.filter(slot=slot).using_db(self._db).exists():
                try:
                    await self._make(slot)
                except IntegrityError:
                    continue  # another process was first; `refresh` reads its key
        await self.refresh()

    async def refresh(self) -> bool:
        """Read the keys again. Returns whether anything changed; the old view stays whole until then."""
        self._looked_at = clock.unix_seconds()
        rows = await SigningKey.all().using_db(self._db).order_by("created_at", "kid")
        oldest = clock.now() - self._retire
        revoked = {row.kid for row in rows if row.state == "revoked"}
        shown = [
            row
            for row in rows
            if row.kid not in revoked and (row.retired_at is None or row.retired_at > oldest)
        ]
        seen = tuple((row.kid, row.state) for row in shown)
        if seen == self._seen:
            return False
        by_kid: dict[str, EllipticCurvePublicKey] = {}
        signer = None
        for row in shown:
            by_kid[row.kid] = ECKey.import_key(row.public_jwk).get_op_key("verify")
            if row.state == "active":
                signer = self._open(row)
        is_less_trusted = not revoked.isdisjoint(self._by_kid)
        self._by_header = {_header_segment(kid): key for kid, key in by_kid.items()}
        self._by_kid, self._signer, self._seen = by_kid, signer, seen
        self.jwks = msgspec.json.encode({"keys": [row.public_jwk for row in shown]})
        self.jwks_etag = f'"{hashlib.sha256(self.jwks).hexdigest()[:32]}"'
        if is_less_trusted and self.when_revoked is not None:
            self.when_revoked()
        return True

    async def look_again(self) -> bool:
        """For a token whose key is unknown: refresh, at most once a second. Returns whether keys have changed.

        Those who come at the same time wait for one look, and all of them are told what it found. Call it at
        once after the refusal: it compares with what is known at the call.
        """
        seen = self._seen
        async with self._looking:
            if clock.unix_seconds() - self._looked_at >= LOOK_AGAIN_SECONDS:
                await self.refresh()
        return self._seen != seen

    async def rotate(self) -> str:
        """Next becomes active, active retires, a new next is made. Returns the id of the active key.

        Conditional updates decide: of several at the same instant one rotates, the others find it done.
        """
        rows = {row.slot: row for row in await SigningKey.filter(slot__isnull=False).using_db(self._db)}
        active, following = rows["active"], rows["next"]
        moment = clock.now()
        async with in_transaction(self.environment) as connection:
            keys = SigningKey.all().using_db(connection)
            retired = await keys.filter(kid=active.kid, state="active").update(
                state="retired", slot=None, retired_at=moment
            )
            if retired:
                await keys.filter(kid=following.kid, state="next").update(
                    state="active", slot="active", activated_at=moment
                )
                await self._make("next", connection)
        await self.refresh()
        return self.signer.kid

    async def revoke(self, kid: str) -> bool:
        """Trust a key no longer, whatever its state: every process refuses its tokens within a second.

        An active one is replaced by the next, and a next one by a fresh one. False: there is no such key, or it
        was revoked before.
        """
        row = await SigningKey.get_or_none(kid=kid, using_db=self._db)
        if row is None or row.state == "revoked":
            return False
        moment = clock.now()
        async with in_transaction(self.environment) as connection:
            keys = SigningKey.all().using_db(connection)
            revoked = await keys.filter(kid=kid, state=row.state).update(
                state="revoked", slot=None, retired_at=moment
            )
            if revoked and row.state == "active":
                await keys.filter(slot="next").update(state="active", slot="active", activated_at=moment)
            if revoked and row.slot is not None:
                await self._make("next", connection)
        await self.refresh()
        return bool(revoked)

    async def sweep(self) -> int:
        """Delete retired and revoked keys whose tokens have all expired. Returns how many."""
        gone = SigningKey.filter(state__in=["retired", "revoked"], retired_at__lt=clock.now() - self._retire)
        return await gone.using_db(self._db).delete()

    @property
    def _db(self) -> Any:
        return store.plane(self.environment)

    async def _make(self, slot: str, connection: Any = None) -> None:
        key = ECKey.generate_key("P-256", private=True)
        kid = key.thumbprint()  # RFC 7638: the same key never has two ids
        public = {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": ALGORITHM}
        private = msgspec.json.encode(key.as_dict(private=True))
        moment: datetime = clock.now()
        await SigningKey.create(
            using_db=connection or self._db,
            kid=kid,
            algorithm=ALGORITHM,
            state=slot,
            slot=slot,
            public_jwk=public,
            sealed=self._vault.seal(private, kid),
            created_at=moment,
            activated_at=moment if slot == "active" else None,
        )

    def _open(self, row: SigningKey) -> Signer:
        try:
            private = msgspec.json.decode(self._vault.open(row.sealed, row.kid))
        except InvalidTag:
            raise RuntimeError(
                f"the signing key {row.kid} of the {self.environment} plane was sealed under another master key; "
                "put back the master key that belongs to this store"
            ) from None
        return Signer(
            kid=row.kid,
            header_segment=_header_segment(row.kid),
            private_key=ECKey.import_key(private).get_op_key("sign"),
        )


def _header_segment(kid: str) -> bytes:
    return encode_segment(msgspec.json.encode({"alg": ALGORITHM, "typ": TOKEN_TYPE, "kid": kid}))
