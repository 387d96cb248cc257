"""`kaimen mcp …`: what agents may change through an app."""

import click

from api.main.context import Platform, platform_command
from api.main.output import print_json

_SAID = {
    "off": "agents read only",
    "confirm": "agents change data where a call confirms it",
    "free": "agents change data without a confirmation",
}


@click.group()
def mcp() -> None:
    """What agents may change through an app."""


@mcp.command("show")
@click.argument("app_id")
@platform_command
def show(platform: Platform, app_id: str) -> None:
    """Show the setting of an app."""
    _tell(platform, platform.request("GET", f"/platform/v1/apps/{app_id}/mcp"))


@mcp.command("writes")
@click.argument("app_id")
@click.argument("writes", type=click.Choice(["off", "confirm", "free"]))
@platform_command
def writes(platform: Platform, app_id: str, writes: str) -> None:
    """Set what agents may change: nothing (off, the default), what a call confirms, or everything their token opens."""
    _tell(platform, platform.request("PUT", f"/platform/v1/apps/{app_id}/mcp", body={"writes": writes}))


def _tell(platform: Platform, made: dict[str, str]) -> None:
    if platform.as_json:
        print_json(made)
    else:
        click.echo(f"✓ {_SAID[made['writes']]}")
