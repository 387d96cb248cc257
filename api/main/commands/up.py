"""`kaimen up`: an installation on one machine, from nothing to serving; what `make run` calls."""

import os

import click

from api.main.commands.server import start, with_own_url
from api.main.context import settings_of_shell
from api.main.first_start import first_start
from sandbox.city.population import generate as population


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=None)
@click.option(
    "--citizens", type=click.IntRange(100, 1_000_000), default=population.CITIZENS, show_default=True
)
@click.option(
    "--companies", type=click.IntRange(20, 150_000), default=population.COMPANIES, show_default=True
)
@click.option("--seed", type=int, default=7, show_default=True)
def up(port: int | None, citizens: int, companies: int, seed: int) -> None:
    """Everything on one machine: migrate, seed the city, invite the first administrator, serve."""
    os.environ.setdefault("KAIMEN_EMBEDDED", "true")
    os.environ.setdefault("KAIMEN_EGRESS_ALLOW", "127.0.0.0/8,::1/128")
    if port is not None:
        os.environ["KAIMEN_PORT"] = str(port)
    settings = settings_of_shell()
    with_own_url(settings.environment, settings.host, settings.port)
    settings = settings_of_shell()
    first_start(settings, citizens=citizens, companies=companies, seed=seed)
    click.echo(f"✓ 开门 Kaimen: {settings.sandbox_url}   (Ctrl-C stops it)")
    start(None, None, port, None)
