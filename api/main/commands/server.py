"""`kaimen serve | migrate | settings`: the processes of an installation."""

import asyncio
import os

import click

from api.core import store
from api.main.compose import compose_local
from api.main.context import settings_of_shell
from api.main.output import fail, print_json, print_table
from api.main.platform_contract import ensure_published
from api.main.serve import faults_of, run
from api.main.stores import stores_of
from api.settings import Settings, describe_settings


def with_own_url(environment: str, host: str, port: int) -> None:
    """Without a public URL in the settings, a process on another port is its own origin."""
    variable = f"KAIMEN_{environment.upper()}_URL"
    if variable not in os.environ:
        shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - only compared
        os.environ[variable] = f"http://{shown}:{port}"


@click.command()
@click.option(
    "--environment", type=click.Choice(["sandbox", "live"]), default=None, help="The data plane to serve."
)
@click.option("--host", default=None)
@click.option("--port", type=click.IntRange(1, 65535), default=None)
@click.option("--workers", type=click.IntRange(1, 64), default=None)
def serve(environment: str | None, host: str | None, port: int | None, workers: int | None) -> None:
    """Serve a plane: sandbox (with control plane and portal), or live."""
    start(environment, host, port, workers)


def start(environment: str | None, host: str | None, port: int | None, workers: int | None) -> None:
    given = {"ENVIRONMENT": environment, "HOST": host, "PORT": port, "WORKERS": workers}
    os.environ.update({f"KAIMEN_{name}": str(value) for name, value in given.items() if value is not None})
    if environment == "live" and port is None and "KAIMEN_PORT" not in os.environ:
        os.environ["KAIMEN_PORT"] = "8001"
    settings = settings_of_shell()
    with_own_url(settings.environment, settings.host, settings.port)
    settings = settings_of_shell()
    faults = faults_of(settings)
    if faults:
        fail("this would go wrong: " + "; ".join(fault.message for fault in faults),
             following="; ".join(fault.following for fault in faults))  # fmt: skip
    asyncio.run(store.migrate(stores_of(settings)))
    run(settings)


async def _migrate(settings: Settings) -> None:
    await store.migrate(stores_of(settings))
    async with compose_local(settings):
        await ensure_published()


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def migrate(as_json: bool) -> None:
    """Bring the stores to the newest schema, and the platform's own contract into the catalogue. Safe to repeat."""
    settings = settings_of_shell()
    stores = stores_of(settings)
    asyncio.run(_migrate(settings))
    if as_json:
        print_json(
            {
                "stores": ["control", *stores.planes],
                "database": "postgresql" if stores.is_postgresql else "sqlite",
            }
        )
    else:
        click.echo("✓ the stores are up to date")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def settings(as_json: bool) -> None:
    """List the settings with their values here, defaults, units and ranges."""
    present = settings_of_shell()
    rows = []
    for row in describe_settings():
        value = getattr(present, row.variable.removeprefix("KAIMEN_").lower())
        shown = "(set)" if row.variable in {"KAIMEN_DATABASE_URL", "KAIMEN_REDIS_URL"} and value else value
        rows.append({
            "variable": row.variable, "value": shown, "default": row.default, "unit": row.unit, "range": row.range,
            "description": row.description,
        })  # fmt: skip
    if as_json:
        print_json({"settings": rows})
    else:
        print_table(rows, ["variable", "value", "default", "unit", "description"], empty="")
