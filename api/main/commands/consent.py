"""`kaimen consent …`: the consents that an app holds. Giving one: kaimen token --persona."""

import click

from api.main.context import Platform, platform_command
from api.main.output import print_json, print_table


@click.group()
def consent() -> None:
    """Consents of an app, without whose they are."""


@consent.command("list")
@click.argument("app_id")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@platform_command
def list_consents(platform: Platform, app_id: str, limit: int) -> None:
    """List the newest consents that the app holds or held."""
    page = platform.request("GET", f"/platform/v1/apps/{app_id}/grants", query={"limit": limit})
    if platform.as_json:
        print_json(page)
        return
    rows = [
        {**row, "for": ", ".join(f"{one['service']}:{one['purpose']}" for one in row["services"])}
        for row in page["items"]
    ]
    print_table(
        rows, ["id", "state", "for", "organisation", "created_at", "expires_at"],
        empty="No consent yet → kaimen token --persona lin-xi --purpose bank-credit",
    )  # fmt: skip


@consent.command("withdraw")
@click.argument("grant_id")
@platform_command
def withdraw(platform: Platform, grant_id: str) -> None:
    """Withdraw a consent of the sandbox, as the persona who gave it: calls under it are refused within a second."""
    ended = platform.request("DELETE", f"/platform/v1/sandbox/grants/{grant_id}")
    if platform.as_json:
        print_json(ended)
        return
    click.echo(f"✓ {ended['grant']['id']} {ended['grant']['state']}")
