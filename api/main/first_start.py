"""What `make run` does before it serves: schema, city, and a way in for the first administrator."""

import asyncio
from typing import Any

import click

from api.core import store
from api.core.caller import OPERATOR
from api.identity.models import Person
from api.identity.people.service import invite_administrator
from api.main.compose import compose_local
from api.main.platform_contract import ensure_published
from api.main.stores import stores_of
from api.settings import Settings
from sandbox.city import install


def first_start(settings: Settings, *, citizens: int, companies: int, seed: int) -> None:
    """Bring an empty or older KAIMEN_HOME to a state that can be served. Quick when there is nothing to do."""
    asyncio.run(_first_start(settings, citizens, companies, seed))


async def _first_start(settings: Settings, citizens: int, companies: int, seed: int) -> None:
    await store.migrate(stores_of(settings))
    async with compose_local(settings):
        await ensure_published()
        await seed_city(settings, citizens=citizens, companies=companies, seed=seed)
        if not await Person.filter(is_administrator=True).exists():
            token = await invite_administrator(OPERATOR)
            click.echo(
                f"· first administrator (works once, 24 h): {settings.sandbox_url}/invitation?token={token}"
            )


async def seed_city(
    settings: Settings, *, citizens: int, companies: int, seed: int, is_brief: bool = True
) -> dict[str, Any]:
    """Generate the city and publish its departments' services in the sandbox, with a progress line."""
    shown = {"text": ""}

    def progress(text: str, done: int, total: int) -> None:
        line = f"· city: {text} {done * 100 // max(total, 1)} %"
        if line != shown["text"]:
            shown["text"] = line
            click.echo("\r" + line.ljust(60), nl=False, err=True)

    report = await install.seed(
        settings.home_path,
        citizens=citizens,
        companies=companies,
        seed=seed,
        progress=progress,
        is_brief=is_brief,
        database_url=settings.database_url,
    )
    if shown["text"]:
        click.echo("\r".ljust(62) + "\r", nl=False, err=True)
    return report
