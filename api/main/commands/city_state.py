"""`kaimen city clock|snapshot|reset|state`: an app's own sandbox, its time and what it has changed."""

from typing import Any

import click

from api.main.context import Platform, platform_command
from api.main.output import print_json, print_table

_SANDBOX = "/platform/v1/sandbox"
_MODES = {
    "start": "it stands until the first change",
    "own": "the app's own, running",
    "real": "the real time",
}
_app = click.option("--app", "app_id", required=True, help="Which app: a_…")


@click.command("state")
@_app
@platform_command
def state(platform: Platform, app_id: str) -> None:
    """Show an app's sandbox: clock, changed records, kept states, the city that they were made on."""
    seen = platform.request("GET", _SANDBOX, query={"app_id": app_id})
    if platform.as_json:
        print_json(seen)
        return
    _show_clock(seen["clock"])
    click.echo(f"changed records  {seen['records']} of {seen['limit']} at most")
    for department, count in seen["records_by_department"].items():
        click.echo(f"  {department:<22}{count}")
    city = seen["city"]
    if city is None:
        click.echo("city             none → kaimen city seed")
    else:
        click.echo(f"city             {city['version']} ({city['citizens']} citizens, as of {city['as_of']})")
        if not city["is_current"]:
            click.echo(f"  changes were made on {city['made_on']}; they lie over the present city")
    if seen["snapshots"]:
        click.echo("snapshots        " + ", ".join(one["name"] for one in seen["snapshots"]))


@click.command("clock")
@_app
@click.option("--set", "now", default="", help="Let it show this instant: 2027-01-01T09:00:00+08:00.")
@click.option("--advance", default="", help="Move it forward: P30D, P1Y, PT6H.")
@click.option("--real", is_flag=True, help="Let it show the real time.")
@platform_command
def clock(platform: Platform, app_id: str, now: str, advance: str, real: bool) -> None:
    """Show or move an app's clock in the sandbox; it runs on from where it is set."""
    if sum(map(bool, (now, advance, real))) > 1:
        raise click.UsageError("give one of --set, --advance and --real")
    if now or advance:
        body = {"app_id": app_id, "now": now, "advance": advance}
        made = platform.request("POST", f"{_SANDBOX}/clock", body=body)
    else:
        made = platform.request("DELETE" if real else "GET", f"{_SANDBOX}/clock", query={"app_id": app_id})
    if platform.as_json:
        print_json(made)
    else:
        _show_clock(made)


def _show_clock(made: dict[str, Any]) -> None:
    told = f"; {made['events_due']} events fall due" if made["events_due"] else ""
    click.echo(f"clock            {made['now']} ({_MODES[made['mode']]}){told}")


@click.command("reset")
@_app
@platform_command
def reset(platform: Platform, app_id: str) -> None:
    """Forget everything that an app has changed, its clock too; the state before is kept for an undo."""
    made = platform.request("POST", f"{_SANDBOX}/reset", body={"app_id": app_id})
    if platform.as_json:
        print_json(made)
        return
    click.echo(f"✓ {made['records']} changed records forgotten")
    if made["undo"]:
        click.echo(f"  undo: kaimen city snapshot restore {made['undo']} --app {app_id}")


@click.group()
def snapshot() -> None:
    """States of an app's sandbox, kept under names."""


@snapshot.command("list")
@_app
@platform_command
def list_snapshots(platform: Platform, app_id: str) -> None:
    """List the kept states, the oldest first."""
    made = platform.request("GET", f"{_SANDBOX}/snapshots", query={"app_id": app_id})
    if platform.as_json:
        print_json(made)
        return
    print_table(
        made["items"], ["name", "records", "events", "now", "created_at"],
        empty=f"No snapshots → kaimen city snapshot save NAME --app {app_id}",
    )  # fmt: skip


@snapshot.command("save")
@click.argument("name")
@_app
@platform_command
def save(platform: Platform, name: str, app_id: str) -> None:
    """Keep the present state: changes, clock, events still to come."""
    made = platform.request("POST", f"{_SANDBOX}/snapshots", body={"app_id": app_id, "name": name})
    if platform.as_json:
        print_json(made)
    else:
        click.echo(f"✓ {made['name']}: {made['records']} changed records")


@snapshot.command("restore")
@click.argument("name")
@_app
@platform_command
def restore(platform: Platform, name: str, app_id: str) -> None:
    """Go back to a kept state; `before-reset` is the one before the last reset or restore."""
    made = platform.request("POST", f"{_SANDBOX}/snapshots/{name}/restore", body={"app_id": app_id})
    if platform.as_json:
        print_json(made)
    else:
        click.echo(f"✓ {name}: {made['records']} changed records")
        _show_clock(made["clock"])


@snapshot.command("delete")
@click.argument("name")
@_app
@platform_command
def delete(platform: Platform, name: str, app_id: str) -> None:
    """Delete a kept state; the present one stays as it is."""
    platform.request("DELETE", f"{_SANDBOX}/snapshots/{name}", query={"app_id": app_id})
    if platform.as_json:
        print_json({"app_id": app_id, "deleted": name})
    else:
        click.echo(f"✓ {name} deleted")
