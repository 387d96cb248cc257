"""`kaimen event …`: fetching an app's events instead of having them brought; and telling those of a service."""

import json
from typing import Any

import click

from api.main.context import Platform, platform_command
from api.main.output import print_json, print_table


@click.group()
def event() -> None:
    """An app's events without an endpoint, and a department's."""


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


def _object(context: click.Context, parameter: click.Parameter, value: str) -> dict[str, Any]:
    try:
        found = json.loads(value)
    except ValueError as error:
        raise click.BadParameter(f"no JSON: {error}") from error
    if not isinstance(found, dict):
        raise click.BadParameter("a JSON object")
    return found


@event.command("tell")
@click.argument("service", metavar="SERVICE@VERSION")
@click.argument("type_name", metavar="TYPE")
@click.option("--subject", required=True, help="What it is about.")
@click.option("--data", required=True, callback=_object, help="A JSON object, as the contract says.")
@click.option("--app", "app_id", default="", help="The app that it concerns; none: every subscriber.")
@click.option("--id", "own_id", default="", help="Your own id of the event: told again, it changes nothing.")
@click.option("--environment", type=click.Choice(["sandbox", "live"]), default="sandbox", show_default=True)
@platform_command
def tell(
    platform: Platform, service: str, type_name: str, subject: str, data: dict[str, Any], app_id: str, own_id: str,
    environment: str,
) -> None:  # fmt: skip
    """Tell an event of a service, as its department."""
    body = {
        "type": type_name, "subject": subject, "data": data, "app_id": app_id, "id": own_id, "environment": environment,
    }  # fmt: skip
    told = platform.request("POST", f"/platform/v1/services/{service}/events", body=body)
    if platform.as_json:
        print_json(told)
    else:
        click.echo(f"✓ {told['event_id']}" + ("" if told["is_new"] else " (had been told before)"))
