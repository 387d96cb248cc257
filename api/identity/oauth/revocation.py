"""Revocation: the endpoint (RFC 7009), and the set of revoked token ids that every process keeps in memory.

Access tokens are verified without a database, so a revoked one is refused because its id is in this set.
The set follows the plane store within one poll; ids leave it when their tokens have expired anyway.
"""

from datetime import timedelta
from typing import Any

from authlib.oauth2.rfc7009 import RevocationEndpoint as AuthlibEndpoint

from api.core import clock, store
from api.identity.oauth.client_authentication import METHODS
from api.identity.oauth.clients import Client
from api.identity.oauth.errors import GrantRefused, InputRefused
from api.identity.oauth.models import RefreshToken, RevokedToken, TokenFamily
from api.identity.oauth.tokens import Claims
from api.identity.oauth.unit_of_work import UNIT

OVERLAP_SECONDS = 30.0  # PostgreSQL gives out sequence numbers before commit: a late one is below the newest


class OwnedToken:
    """A preloaded access token, as authlib asks about it."""

    def __init__(self, claims: Claims, *, is_revoked: bool) -> None:
        self.claims = claims
        self._is_revoked = is_revoked

    def check_client(self, client: Client) -> bool:
        return self.claims.client_id == client.client_id

    def is_expired(self) -> bool:
        return self.claims.exp <= clock.unix_seconds()

    def is_revoked(self) -> bool:
        return self._is_revoked


class OwnedRefreshToken:
    """A preloaded refresh token, as authlib asks about it."""

    def __init__(self, row: RefreshToken, family: TokenFamily, *, is_live: bool) -> None:
        self.row = row
        self.family = family
        self._is_live = is_live

    def check_client(self, client: Client) -> bool:
        return self.family.client_id == client.client_id

    def is_expired(self) -> bool:
        return self.row.expires_at <= clock.now()

    def is_revoked(self) -> bool:
        return not self._is_live


def preloaded_token() -> OwnedToken | OwnedRefreshToken | None:
    """The token of the running request, or None where it is not ours or no longer valid."""
    work = UNIT.get()
    if work.token is not None:
        return OwnedToken(work.token, is_revoked=work.token_is_revoked or bool(work.lapsed))
    if work.refresh is None or work.family is None:
        return None
    is_live = work.family.revoked_at is None and work.refresh.used_at is None and not work.lapsed
    return OwnedRefreshToken(work.refresh, work.family, is_live=is_live)


def check_token_parameter(form: dict[str, str]) -> None:
    """Raises InputRefused where there is no token. An unknown hint is ignored: the kind shows by itself."""
    if "token" not in form:
        raise InputRefused("The parameter token is missing.")


class RevocationEndpoint(AuthlibEndpoint):
    """POST /oauth/revoke: 200 for any token that is no longer good, ours or not (RFC 7009 §2.2)."""

    CLIENT_AUTH_METHODS = METHODS

    def check_params(self, request: Any, client: Client) -> None:
        check_token_parameter(request.form)

    def query_token(
        self, token_string: str, token_type_hint: str | None
    ) -> OwnedToken | OwnedRefreshToken | None:
        return preloaded_token()

    def authenticate_token(self, request: Any, client: Client) -> OwnedToken | OwnedRefreshToken | None:
        """The token, if it is the client's; another's is refused in words, which authlib leaves out."""
        self.check_params(request, client)
        token = preloaded_token()
        if token is not None and not token.check_client(client):
            raise GrantRefused("This token was given to another app; only that one can revoke it.")
        return token

    def revoke_token(self, token: OwnedToken | OwnedRefreshToken, request: Any) -> None:
        """An access token ends alone; with a refresh token ends the whole authorization."""
        work = UNIT.get()
        if isinstance(token, OwnedToken):
            work.revoked.append(token.claims)
        else:
            work.ended = token.family.id


class RevokedTokens:
    """The ids of revoked, unexpired tokens of one plane: `claims.jti in revoked`."""

    def __init__(self, environment: str) -> None:
        self._environment = environment
        self._expiry: dict[str, float] = {}
        self._from = 0  # rows up to this sequence are never read again
        self._marks: list[tuple[float, int]] = []  # (when, newest sequence then)

    def __contains__(self, jti: object) -> bool:
        return jti in self._expiry

    def __len__(self) -> int:
        return len(self._expiry)

    def add(self, jti: str, expires_at: float) -> None:
        """Know it at once, without waiting for the next poll."""
        self._expiry[jti] = expires_at

    async def poll(self) -> int:
        """Learn what other processes revoked; forget what has expired. Returns how many ids are new."""
        now = clock.unix_seconds()
        rows = (
            await RevokedToken.filter(sequence__gt=self._from)
            .using_db(store.plane(self._environment))
            .order_by("sequence")
            .values_list("sequence", "jti", "expires_at")
        )
        before = len(self._expiry)
        for _, jti, expires_at in rows:
            self._expiry[jti] = expires_at.timestamp()
        learned = len(self._expiry) - before
        if rows:
            self._marks.append((now, rows[-1][0]))
        while self._marks and self._marks[0][0] < now - OVERLAP_SECONDS:
            self._from = self._marks.pop(0)[1]
        for jti in [jti for jti, expires_at in self._expiry.items() if expires_at < now - 60]:
            del self._expiry[jti]
        return learned

    async def sweep(self) -> int:
        """Delete rows whose tokens expired a while ago. Returns how many."""
        limit = clock.now() - timedelta(minutes=5)
        return (
            await RevokedToken.filter(expires_at__lt=limit).using_db(store.plane(self._environment)).delete()
        )
