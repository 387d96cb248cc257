"""Disabled there, out here: accounts that are in use are checked at their provider every half minute.

With a refresh token it is used (and the claims read anew, so that roles follow); without one the access token
asks userinfo. A provider that says no ends the sessions and tokens that came through the account and takes back
the roles that it gave. One that does not answer is waited for ten minutes, then it counts as a no: unchecked is
not in order.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from tortoise.expressions import Q

from api.core import audit, clock
from api.core.logging import log
from api.identity.models import PersonalToken, Session
from api.identity.outside.calls import CallError
from api.identity.outside.id_token import TokenError, read_id_token
from api.identity.outside.mapping import apply_memberships, memberships_by
from api.identity.outside.models import OutsideAccount, OutsideProvider
from api.identity.outside.relying_party import (
    RelyingParty,
    Tokens,
    client_of,
    open_tokens,
    seal_tokens,
    tokens_of,
)

EVERY_SECONDS = 10.0
CHECK_AFTER = timedelta(seconds=25)
WAIT = timedelta(minutes=10)
_AT_ONCE = 8
_A_TURN = 500
STANDS, ENDED, AWAY = "stands", "ended", "away"


class Finding(Struct, frozen=True):
    """What the provider says of an account: it stands (with new tokens and claims), has ended, or no answer came."""

    state: str
    tokens: Tokens = Tokens()
    claims: dict[str, Any] | None = None
    why: str = ""


class Checker:
    """Checks accounts in turns; any number of processes may, each account is taken by one."""

    def __init__(self, party: RelyingParty) -> None:
        self._party = party

    async def turn(self) -> int:
        """Check what is due. Returns how many accounts were asked about."""
        due = await _take_due()
        if not due:
            return 0
        providers = {row.id: row for row in await OutsideProvider.filter(is_enabled=True)}
        gate = asyncio.Semaphore(_AT_ONCE)

        async def look(account: OutsideAccount) -> tuple[OutsideAccount, Finding]:
            async with gate:
                provider = providers.get(account.provider_id)
                if provider is None:
                    return account, Finding(ENDED, why="provider-off")
                return account, await self._ask(provider, account)

        findings = await asyncio.gather(*(look(account) for account in due))
        await _write(providers, findings)
        return len(due)

    async def _ask(self, provider: OutsideProvider, account: OutsideAccount) -> Finding:
        try:
            return await self._ask_with(provider, account, open_tokens(account.tokens, account.id))
        except TokenError as error:
            return Finding(ENDED, why=str(error))
        except CallError as error:
            is_over = clock.now() - account.answered_at > WAIT
            return Finding(ENDED if is_over else AWAY, why=str(error)[:200])

    async def _ask_with(self, provider: OutsideProvider, account: OutsideAccount, tokens: Tokens) -> Finding:
        claims: dict[str, Any] = {}
        if tokens.refresh_token:
            metadata = await self._party.directory.metadata(provider.issuer)
            reply = await self._party.calls.post(
                metadata.token_endpoint,
                {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token},
                client=client_of(provider),
            )
            if reply.status in {400, 401, 403} and reply.body.get("error") == "invalid_grant":
                return Finding(ENDED, why="invalid_grant")
            if reply.status != 200:
                raise CallError(f"the token endpoint answers {reply.status}")
            fresh = tokens_of(reply.body)
            tokens = Tokens(fresh.access_token, fresh.refresh_token or tokens.refresh_token, fresh.expires_at)
            if reply.body.get("id_token"):
                claims = await read_id_token(
                    reply.body["id_token"], self._party.directory, provider.issuer, provider.client_id, nonce=None
                )  # fmt: skip
                if claims["sub"] != account.subject:
                    raise TokenError("the refreshed ID token is of another subject")
        elif tokens.expires_at <= clock.unix_seconds():
            return Finding(ENDED, why="nothing to check with any more")
        found = await self._party.userinfo(provider, tokens.access_token, account.subject)
        if not tokens.refresh_token and not found:
            return Finding(ENDED, why="nothing to check with")
        claims |= found
        return Finding(STANDS, tokens, claims or None)


async def _in_use() -> set[str]:
    """Accounts through which a live session or token came."""
    moment = clock.now()
    sessions = Session.filter(expires_at__gt=moment).exclude(account_id="")
    tokens = PersonalToken.filter(revoked_at=None).exclude(account_id="")
    tokens = tokens.filter(Q(expires_at=None) | Q(expires_at__gt=moment))
    found = [
        *await sessions.values_list("account_id", flat=True),
        *await tokens.values_list("account_id", flat=True),
    ]
    return {str(one) for one in found}


async def _take_due() -> list[OutsideAccount]:
    """Accounts that nobody has checked for CHECK_AFTER, marked as being checked; the mark decides who checks."""
    before = clock.now() - CHECK_AFTER
    used = await _in_use()
    if not used:
        return []
    due = (
        await OutsideAccount.filter(id__in=list(used), checked_at__lt=before)
        .order_by("checked_at")
        .limit(_A_TURN)
    )
    if not due:
        return []
    mine = []
    async with audit.write("system:outside", "outside:check", "outside") as entry:
        for account in due:
            taken = await OutsideAccount.filter(id=account.id, checked_at__lt=before).update(
                checked_at=clock.now()
            )
            if taken == 1:
                mine.append(account)
        entry.detail["accounts"] = len(mine)
    return mine


async def _write(
    providers: dict[str, OutsideProvider], findings: list[tuple[OutsideAccount, Finding]]
) -> None:
    stands = [pair for pair in findings if pair[1].state == STANDS]
    if stands:
        async with audit.write("system:outside", "outside:stands", "outside", accounts=len(stands)) as entry:
            for account, finding in stands:
                await OutsideAccount.filter(id=account.id).update(
                    tokens=seal_tokens(finding.tokens, account.id), answered_at=clock.now()
                )
                if finding.claims is not None:
                    wanted = memberships_by(providers[account.provider_id], finding.claims)
                    await apply_memberships(entry, account.provider_id, account.person_id, wanted)
    for account, finding in findings:
        if finding.state == ENDED:
            await end_account(account, finding.why)
        elif finding.state == AWAY:
            log("outside.unchecked", account=account.id, fault=finding.why)


async def end_account(account: OutsideAccount, why: str) -> None:
    """Nothing that came through this account opens anything any more, and what it gave is taken back."""
    moment: datetime = clock.now()
    async with audit.write(
        "system:outside", "outside:end", f"person/{account.person_id}", account=account.id, why=why
    ) as entry:
        await OutsideAccount.filter(id=account.id).update(ended_at=moment, tokens="")
        entry.detail["sessions"] = await Session.filter(account_id=account.id).delete()
        entry.detail["tokens"] = await PersonalToken.filter(account_id=account.id, revoked_at=None).update(
            revoked_at=moment
        )
        await apply_memberships(entry, account.provider_id, account.person_id, frozenset())
        entry.changed("person", account.person_id)
