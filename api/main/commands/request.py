"""`kaimen request …`: what happened to a call, in the words of the portal."""

import click

from api.main.context import Platform, platform_command
from api.main.output import print_json, print_table


@click.group()
def request() -> None:
    """The request log."""


@request.command("show")
@click.argument("request_id")
@platform_command
def show(platform: Platform, request_id: str) -> None:
    """Explain one call: every step's verdict, the rule that refused it, and what to do next."""
    record = platform.request("GET", f"/platform/v1/requests/{request_id}")
    if platform.as_json:
        print_json(record)
        return
    click.echo(f"{record['method']} {record['path']} → {record['status']}  ({record['at']})")
    for step in record.get("steps", []):
        mark = {"pass": "✓", "refuse": "✗"}.get(step["verdict"], "·")
        click.echo(f"  {mark} {step['name']:<13}{step['note']}")
    problem = record["explanation"]
    if problem:
        click.echo(f"  {problem['title']}: {problem['detail']}")
        click.echo(f"  → {problem['next']}")


@request.command("list")
@click.argument("app_id")
@click.option("--status", type=int, default=None)
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
@platform_command
def list_requests(platform: Platform, app_id: str, status: int | None, limit: int) -> None:
    """List the newest calls of an app."""
    page = platform.request(
        "GET", f"/platform/v1/apps/{app_id}/requests", query={"status": status, "limit": limit}
    )
    if platform.as_json:
        print_json(page)
        return
    print_table(
        page["items"], ["id", "at", "operation", "status", "problem", "duration_ms"],
        empty="No calls yet → kaimen call company getCompany --param code=…",
    )  # fmt: skip
