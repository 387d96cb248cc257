"""Token families in the store: opened at consent, spent, refreshed and revoked. Every use is one conditional update.

A step is what the decision core wants written; all steps of a request are written in one transaction or none is.
A step that finds itself too late (a code spent a moment ago, a family revoked) raises TooLate, which changes the
answer and may end the family.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from msgspec import Struct
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from api.core import clock, store
from api.identity.oauth.errors import GrantRefused
from api.identity.oauth.models import AuthorizationCode, IssuedToken, RefreshToken, TokenFamily

CODE_SECONDS = 60
GRACE_SECONDS = 10  # in which a second use of a rotated refresh token is taken for a retry, not for a theft


class TooLate(Exception):  # noqa: N818 - no error: another request was first
    """Another request was first. `family` is to be revoked, "" for none."""

    def __init__(self, refusal: Any, family: str = "") -> None:
        super().__init__(str(refusal))
        self.refusal = refusal
        self.family = family


class Step(Protocol):
    """Something to write in the transaction of a request."""

    async def write(self, connection: BaseDBAsyncClient) -> None:
        """Raises TooLate."""
        ...


class CodeSpent(Struct, frozen=True):
    """The one use of a code."""

    hash: str
    family_id: str

    async def write(self, connection: BaseDBAsyncClient) -> None:
        codes = AuthorizationCode.filter(hash=self.hash, used_at=None).using_db(connection)
        if not await codes.update(used_at=clock.now()):
            raise TooLate(code_replayed(), self.family_id)


class RefreshSpent(Struct, frozen=True):
    """The one use of a refresh token that rotates. Who comes second comes within the grace: nothing is revoked."""

    hash: str

    async def write(self, connection: BaseDBAsyncClient) -> None:
        rows = RefreshToken.filter(hash=self.hash, used_at=None).using_db(connection)
        if not await rows.update(used_at=clock.now()):
            raise TooLate(refresh_used_just_now())


class TokensGiven(Struct, frozen=True):
    """What a living family gets: an access token, known by its id, and perhaps a refresh token, as its hash."""

    family_id: str
    jti: str
    expires_at: float
    refresh: str = ""
    refresh_expires_at: datetime | None = None
    jkt: str = ""  # binds the family from now on, where it is not bound yet
    x5t: str = ""

    async def write(self, connection: BaseDBAsyncClient) -> None:
        living = TokenFamily.filter(id=self.family_id, revoked_at=None).using_db(connection)
        bound: dict[str, Any] = {
            name: value for name, value in (("jkt", self.jkt), ("x5t", self.x5t)) if value
        }
        # written even without a change: the row is locked, so a revocation comes wholly before or after
        if not await living.update(**(bound or {"revoked_at": None})):
            raise TooLate(family_revoked())
        await IssuedToken.create(
            using_db=connection,
            jti=self.jti,
            family_id=self.family_id,
            expires_at=datetime.fromtimestamp(self.expires_at, UTC),
        )
        if self.refresh:
            await RefreshToken.create(
                using_db=connection,
                hash=self.refresh,
                family_id=self.family_id,
                created_at=clock.now(),
                expires_at=self.refresh_expires_at,
            )


def code_replayed() -> GrantRefused:
    """Said of a code that was used before."""
    return GrantRefused(
        "This code was used before. Every token that it gave has been revoked; start a new authorization."
    )


def refresh_used_just_now() -> GrantRefused:
    """Said of a rotated refresh token that comes again within the grace."""
    return GrantRefused(
        "This refresh token was used a moment ago; use the one that came with that answer. Nothing was revoked."
    )


def family_revoked() -> GrantRefused:
    """Said of a code or refresh token whose family is over."""
    return GrantRefused("The authorization behind this was revoked; start a new one.")


async def write_steps(environment: str, steps: list[Step]) -> None:
    """All of the steps, or none. Raises TooLate."""
    async with in_transaction(environment) as connection:
        for step in steps:
            await step.write(connection)


async def revoke_families(environment: str, **filters: Any) -> dict[str, float]:
    """End the families that fit, with all their tokens. Returns the ids of living access tokens and their expiry."""
    async with in_transaction(environment) as connection:
        living = TokenFamily.filter(revoked_at=None, **filters).using_db(connection)
        await living.update(revoked_at=clock.now())
        ended = await TokenFamily.filter(**filters).using_db(connection).values_list("id", flat=True)
        rows = await IssuedToken.filter(
            family_id__in=list(ended) or [""], expires_at__gt=clock.now()
        ).using_db(connection)
        for row in rows:
            await insert_once(connection, "revoked_token", "jti", row.jti, row.expires_at)
    return {row.jti: row.expires_at.timestamp() for row in rows}


async def insert_once(
    connection: BaseDBAsyncClient, table: str, column: str, value: str, expires_at: datetime
) -> bool:
    """Whether this insert was the first of its key; the database decides between racers.

    RETURNING tells it: the row count of an INSERT is always 0 in Tortoise's asyncpg client.
    """
    rows = await connection.execute_query_dict(
        f'INSERT INTO {table} ("{column}", expires_at) '  # noqa: S608 - names are ours, values are bound
        f"VALUES ({store.placeholders(connection, 2)}) ON CONFLICT DO NOTHING RETURNING 1",
        [value, expires_at],
    )
    return bool(rows)


async def sweep(environment: str) -> None:
    """Delete what ran out a day ago: so long a replay is known for what it is."""
    limit, connection = clock.now() - timedelta(days=1), store.plane(environment)
    for model in (AuthorizationCode, RefreshToken, IssuedToken, TokenFamily):
        await model.filter(expires_at__lt=limit).using_db(connection).delete()
