"""`kaimen keys …`: the signing keys of a plane."""

import asyncio

import click

from api.core import clock, store
from api.identity.oauth.keys import KeyRing
from api.identity.oauth.models import SigningKey
from api.main.compose import vault_of
from api.main.context import settings_of_shell
from api.main.output import print_json, print_table
from api.main.stores import stores_of


@click.group()
def keys() -> None:
    """Signing keys: next, active, retired; sealed at rest."""


@keys.command("list")
@click.option("--environment", type=click.Choice(["sandbox", "live"]), default="sandbox", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_keys(environment: str, as_json: bool) -> None:
    """List the keys of a plane with their state."""
    _show(asyncio.run(_keys(environment, is_rotation=False)), as_json=as_json)


@keys.command("rotate")
@click.option("--environment", type=click.Choice(["sandbox", "live"]), default="sandbox", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def rotate(environment: str, as_json: bool) -> None:
    """Make the next key active and a new one next. Tokens signed before stay valid until they expire."""
    _show(asyncio.run(_keys(environment, is_rotation=True)), as_json=as_json)


def _show(rows: list[dict[str, object]], *, as_json: bool) -> None:
    if as_json:
        print_json({"keys": rows})
    else:
        print_table(
            rows,
            ["kid", "algorithm", "state", "created_at"],
            empty="No keys yet; they are made at the first start.",
        )


async def _keys(environment: str, *, is_rotation: bool) -> list[dict[str, object]]:
    settings = settings_of_shell()
    stores = stores_of(settings)
    await store.migrate(stores)
    async with store.open_stores(stores, environment):
        ring = KeyRing(environment, vault_of(settings))
        await ring.ensure()
        if is_rotation:
            await ring.rotate()
        rows = await SigningKey.all().using_db(store.plane(environment)).order_by("-created_at")
        return [
            {
                "kid": row.kid,
                "algorithm": row.algorithm,
                "state": row.state,
                "created_at": clock.to_text(row.created_at),
            }
            for row in rows
        ]
