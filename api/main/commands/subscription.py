"""`kaimen subscription …`: which app may use which service."""

import click

from api.main.context import Platform, platform_command
from api.main.output import print_json, print_table


@click.group()
def subscription() -> None:
    """Subscriptions of apps to services."""


@subscription.command("add")
@click.argument("app_id")
@click.argument("service", metavar="SERVICE@VERSION[:PURPOSE]")
@platform_command
def add(platform: Platform, app_id: str, service: str) -> None:
    """Subscribe an app. In the sandbox it is active at once; live, L2 and above await the department."""
    made = platform.request("POST", f"/platform/v1/apps/{app_id}/subscriptions", body={"service": service})
    if platform.as_json:
        print_json(made)
    else:
        click.echo(f"✓ {made['service']} is {made['status']}")


@subscription.command("list")
@click.argument("app_id")
@platform_command
def list_subscriptions(platform: Platform, app_id: str) -> None:
    """List the subscriptions of an app with their status."""
    page = platform.request("GET", f"/platform/v1/apps/{app_id}/subscriptions")
    if platform.as_json:
        print_json(page)
        return
    print_table(
        page["items"], ["subscription_id", "service", "purpose", "status", "reason"],
        empty=f"No subscriptions → kaimen subscription add {app_id} company@v1",
    )  # fmt: skip


@subscription.command("remove")
@click.argument("app_id")
@click.argument("subscription_id")
@platform_command
def remove(platform: Platform, app_id: str, subscription_id: str) -> None:
    """End a subscription."""
    platform.request("DELETE", f"/platform/v1/apps/{app_id}/subscriptions/{subscription_id}")
    if platform.as_json:
        print_json({"subscription_id": subscription_id, "status": "cancelled"})
    else:
        click.echo(f"✓ {subscription_id} is cancelled")
