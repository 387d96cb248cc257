"""`kaimen admin …`: the way in for administrators."""

import asyncio

import click

from api.core import store
from api.core.caller import OPERATOR
from api.identity.people.service import invite_administrator
from api.main.compose import compose_local
from api.main.context import settings_of_shell
from api.main.output import print_json
from api.main.stores import stores_of


@click.group()
def admin() -> None:
    """Administrators of the installation."""


@admin.command("invite")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def invite(as_json: bool) -> None:
    """Make a link with which one person becomes administrator. It works once, for 24 hours."""
    link = asyncio.run(_invite())
    if as_json:
        print_json({"link": link})
    else:
        click.echo(link)


async def _invite() -> str:
    settings = settings_of_shell()
    await store.migrate(stores_of(settings))
    async with compose_local(settings):
        token = await invite_administrator(OPERATOR)
    return f"{settings.sandbox_url}/invitation?token={token}"
