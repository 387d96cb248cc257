"""`kaimen event …`: the second road, fetching an app's events instead of having them brought."""

import click

from api.main.context import Platform, platform_command
from api.main.output import print_json, print_table


@click.group()
def event() -> None:
    """An app's events, without an endpoint."""


@event.command("list")
@click.argument("app_id")
@click.option("--cursor", default="", help="Begin behind this place; default: behind what was acknowledged.")
@click.option("--type", "types", multiple=True, help="An event type; may be repeated. Default: all.")
@click.option("--wait", type=click.IntRange(0, 25), default=0, help="Seconds to wait for the first.")
@click.option("--limit", type=click.IntRange(1, 100), default=50, show_default=True)
@platform_command
def list_events(
    platform: Platform, app_id: str, cursor: str, types: tuple[str, ...], wait: int, limit: int
) -> None:
    """Fetch events in order; `cursor` of the answer is where to go on."""
    page = platform.request(
        "GET", f"/platform/v1/apps/{app_id}/events",
        query={"cursor": cursor, "types": ",".join(types), "wait": wait or "", "limit": limit},
    )  # fmt: skip
    if platform.as_json:
        print_json(page)
        return
    print_table(
        page["events"], ["id", "time", "type", "subject", "sequence"], empty="No events after this place."
    )
    click.echo(f"  cursor {page['cursor']}, acknowledged {page['acknowledged']}")


@event.command("ack")
@click.argument("app_id")
@click.argument("cursor")
@platform_command
def acknowledge(platform: Platform, app_id: str, cursor: str) -> None:
    """Everything up to the cursor is done with."""
    done = platform.request("POST", f"/platform/v1/apps/{app_id}/events/ack", body={"cursor": cursor})
    if platform.as_json:
        print_json(done)
    else:
        click.echo(f"✓ acknowledged up to {done['acknowledged']}")
