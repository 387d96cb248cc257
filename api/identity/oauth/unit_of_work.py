"""The bridge between async storage and authlib's synchronous core: preload → decide → compare-and-set commit.

What the core may look up is read beforehand and put here; what it decides to write is put here too and
written afterwards. A write that finds itself too late (an assertion used a moment ago) changes the answer.
The core reaches the unit through a context variable, because authlib's look-up hooks get no request.
"""

from contextvars import ContextVar
from datetime import UTC, datetime

from msgspec import Struct, field

from api.core import store
from api.identity.oauth.clients import Client, Secret
from api.identity.oauth.errors import ClientRefused, InputRefused
from api.identity.oauth.forms import Form
from api.identity.oauth.scopes import PublishedScopes
from api.identity.oauth.tokens import Claims


class AssertionUse(Struct, frozen=True):
    """The one use of a client assertion: its key in the store, and until when it is kept."""

    key: str
    expires_at: float


class UnitOfWork(Struct):
    """One request's world: what was preloaded, and what is to be committed.

    `token` holds the claims of the token that a revocation or introspection names; None for a token that
    is not ours or no longer valid.
    """

    form: Form
    client: Client | None = None
    published: PublishedScopes = field(default_factory=PublishedScopes)
    token: Claims | None = None
    token_is_revoked: bool = False
    secret: Secret | None = None
    assertion: AssertionUse | None = None
    revoked: list[Claims] = field(default_factory=list)

    async def commit(self, environment: str) -> ClientRefused | InputRefused | None:
        """Write what was decided. A refusal means that another request was first; nothing is written then."""
        if self.assertion is not None and not await _insert(
            environment, "used_assertion", "key", self.assertion.key, self.assertion.expires_at
        ):
            return ClientRefused(
                "This client assertion was used before; make a new one, with a new jti, each time."
            )
        for claims in self.revoked:
            await _insert(environment, "revoked_token", "jti", claims.jti, claims.exp)
        return None


UNIT: ContextVar[UnitOfWork] = ContextVar("unit_of_work")


async def _insert(environment: str, table: str, column: str, value: str, expires_at: float) -> bool:
    """Whether this insert was the first of its key; the database decides between racers.

    RETURNING tells it: the row count of an INSERT is always 0 in Tortoise's asyncpg client.
    """
    connection = store.plane(environment)
    rows = await connection.execute_query_dict(
        f'INSERT INTO {table} ("{column}", expires_at) '  # noqa: S608 - names are ours, values are bound
        f"VALUES ({store.placeholders(connection, 2)}) ON CONFLICT DO NOTHING RETURNING 1",
        [value, datetime.fromtimestamp(expires_at, UTC)],
    )
    return bool(rows)
