"""`kaimen city …`: the simulated government of the sandbox."""

import asyncio
from typing import Any

import click

from api.core import store
from api.main.commands.city_state import clock, reset, snapshot, state
from api.main.compose import compose_local
from api.main.context import settings_of_shell
from api.main.first_start import seed_city
from api.main.output import print_json
from api.main.stores import stores_of
from sandbox.city import install
from sandbox.city.population import generate as population


@click.group()
def city() -> None:
    """The simulated city behind the sandbox: one synthetic population, every department."""


@city.command("seed")
@click.option(
    "--citizens", type=click.IntRange(100, 1_000_000), default=population.CITIZENS, show_default=True
)
@click.option(
    "--companies", type=click.IntRange(20, 150_000), default=population.COMPANIES, show_default=True
)
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed gives the same city.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def seed(citizens: int, companies: int, seed: int, as_json: bool) -> None:
    """Generate the city and publish its services in the sandbox. Safe to repeat."""
    if companies > citizens:
        raise click.UsageError("--companies must not be above --citizens: every company has its people")
    report = asyncio.run(_seed(citizens, companies, seed, is_brief=not as_json))
    if as_json:
        print_json(report)
    else:
        click.echo(f"✓ {citizens} citizens and {companies} companies; try: kaimen city report")


async def _seed(citizens: int, companies: int, seed: int, *, is_brief: bool) -> dict[str, Any]:
    settings = settings_of_shell()
    await store.migrate(stores_of(settings))
    async with compose_local(settings):
        return await seed_city(settings, citizens=citizens, companies=companies, seed=seed, is_brief=is_brief)


@city.command("report")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def report(as_json: bool) -> None:
    """Count departments, operations, protocols, levels, scenarios and personas."""
    made = install.report(settings_of_shell().home_path)
    if as_json:
        print_json(made)
        return
    for name, value in made.items():
        click.echo(
            f"{name:<14}{value if not isinstance(value, dict) else ', '.join(f'{k} {v}' for k, v in value.items())}"
        )


@city.command("personas")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def personas(as_json: bool) -> None:
    """List people and companies to try things with."""
    rows = install.personas(settings_of_shell().home_path)
    if as_json:
        print_json({"personas": rows})
        return
    for row in rows:
        click.echo(f"{row['id']:<20}  {row['code']:<20}  {row['name']}  {row['story']['zh']}")


for _command in (state, clock, reset, snapshot):
    city.add_command(_command)
