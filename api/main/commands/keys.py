"""`kaimen keys …`: the signing keys of a plane."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import click

from api.core import audit, clock, store
from api.core.caller import OPERATOR
from api.identity.oauth.keys import KeyRing
from api.identity.oauth.models import SigningKey
from api.main.compose import vault_of
from api.main.context import settings_of_shell
from api.main.output import print_json, print_table
from api.main.stores import stores_of

ANNOUNCED_SECONDS = 2.0  # a process reads its keys again once a second at most
_COLUMNS = ["kid", "algorithm", "state", "created_at", "activated_at", "retired_at", "verifies_until"]
_environment = click.option(
    "--environment", type=click.Choice(["sandbox", "live"]), default="sandbox", show_default=True
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def keys() -> None:
    """Signing keys: next, active, retired; sealed at rest."""


@keys.command("list")
@_environment
@_as_json
def list_keys(environment: str, as_json: bool) -> None:
    """List the keys of a plane with their state."""
    _show(asyncio.run(_on_ring(environment, None)), as_json=as_json)


@keys.command("rotate")
@_environment
@_as_json
def rotate(environment: str, as_json: bool) -> None:
    """Make the next key active and a new one next. Tokens signed before stay valid until they expire.

    A key that was made just now is announced for some seconds first, so that no process meets it unprepared.
    """

    async def turn(ring: KeyRing) -> None:
        before = ring.signer.kid
        following = await SigningKey.get(slot="next", using_db=store.plane(environment))
        age = (clock.now() - following.created_at).total_seconds()
        await asyncio.sleep(max(0.0, ANNOUNCED_SECONDS - age))
        active = await ring.rotate()
        async with audit.write(OPERATOR.actor, "key:rotate", f"key/{environment}") as entry:
            entry.detail |= {"retired": before, "active": active}

    _show(asyncio.run(_on_ring(environment, turn)), as_json=as_json)


# A kid may begin with a hyphen and hold any letter: here no short option is there to be taken for it.
@keys.command("retire", context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@click.argument("kid")
@_environment
@_as_json
def retire(kid: str, environment: str, as_json: bool) -> None:
    """Trust the key KID no longer, at once: for a key that may have become known to others.

    All tokens that it signed are refused within a second; apps get new ones as they do when one expires. The next
    key takes the place of an active one. To replace a key without refusing anything, use rotate.
    """

    async def revoke(ring: KeyRing) -> None:
        if not await ring.revoke(kid):
            raise click.ClickException(
                f"the {environment} plane has no key {kid} that is still trusted; see: kaimen keys list --environment {environment}"
            )
        async with audit.write(OPERATOR.actor, "key:revoke", f"key/{environment}") as entry:
            entry.detail |= {"revoked": kid, "active": ring.signer.kid}

    _show(asyncio.run(_on_ring(environment, revoke)), as_json=as_json)


def _show(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json({"keys": rows})
    else:
        print_table(rows, _COLUMNS, empty="No keys yet; they are made at the first start.")


async def _on_ring(
    environment: str, change: Callable[[KeyRing], Awaitable[None]] | None
) -> list[dict[str, Any]]:
    """The plane's keys, newest first, after the change."""
    settings = settings_of_shell()
    stores = stores_of(settings)
    await store.migrate(stores)
    async with store.open_stores(stores, environment):
        ring = KeyRing(environment, vault_of(settings), retire_seconds=settings.access_token_seconds)
        await ring.ensure()
        if change is not None:
            await change(ring)
        rows = await SigningKey.all().using_db(store.plane(environment)).order_by("-created_at", "kid")
        return [_row(row, ring.verifies_for) for row in rows]


def _row(row: SigningKey, verifies_for: timedelta) -> dict[str, Any]:
    moments = {
        "created_at": row.created_at,
        "activated_at": row.activated_at,
        "retired_at": row.retired_at,
        "verifies_until": row.retired_at + verifies_for
        if row.retired_at and row.state == "retired"
        else None,
    }
    shown = {name: clock.to_text(moment) if moment else "" for name, moment in moments.items()}
    return {"kid": row.kid, "algorithm": row.algorithm, "state": row.state, **shown}
