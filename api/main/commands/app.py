"""`kaimen app …`: OAuth2 apps and their secrets."""

from typing import Any

import click

from api.main.commands.app_oauth import oauth, platform_scopes
from api.main.context import Platform, platform_command
from api.main.credentials import remember
from api.main.output import print_json, print_table


@click.group()
def app() -> None:
    """Apps: OAuth2 clients with one environment for life."""


@app.command("create")
@click.option("--name", required=True, help="What people call the app.")
@click.option(
    "--environment",
    type=click.Choice(["sandbox"]),
    default="sandbox",
    show_default=True,
    help="A live app is made from a sandbox app: kaimen app go-live.",
)
@click.option(
    "--subscribe",
    "subscriptions",
    multiple=True,
    metavar="SERVICE@VERSION[:PURPOSE]",
    help="Subscribe it to a service; may be repeated.",
)
@click.option("--organisation", default="", help="Slug or id of the owning organisation.")
@click.option("--description", default="")
@platform_command
def create(
    platform: Platform, name: str, environment: str, subscriptions: tuple[str, ...], organisation: str, description: str
) -> None:  # fmt: skip
    """Register an app; its secret is shown this once."""
    body = {
        "name": name,
        "environment": environment,
        "description": description,
        "subscribe": list(subscriptions),
    }
    if organisation:
        body["organisation"] = organisation
    made = platform.request("POST", "/platform/v1/apps", body=body)
    _show_new(platform, made)


def _show_new(platform: Platform, made: dict[str, Any]) -> None:
    remember(made["client_id"], made["client_secret"], made["environment"])
    if platform.as_json:
        print_json(made)
        return
    click.echo(f"✓ {made['app_id']} ({made['environment']})")
    click.echo(f"  client_id      {made['client_id']}")
    click.echo(f"  client_secret  {made['client_secret']}   (shown once)")
    for entry in made.get("subscriptions", []):
        click.echo(f"  subscribed     {entry}")
    for entry in made.get("pending", []):
        click.echo(f"  pending        {entry}   (awaits its department)")
    click.echo(f"  → kaimen token --client-id {made['client_id']} --client-secret …")


@app.command("list")
@platform_command
def list_apps(platform: Platform) -> None:
    """List apps."""
    page = platform.request("GET", "/platform/v1/apps", query={"limit": 100})
    if platform.as_json:
        print_json(page)
        return
    print_table(
        page["items"], ["app_id", "name", "environment", "status", "client_id"],
        empty="No apps yet → kaimen app create --name demo --subscribe company@v1",
    )  # fmt: skip


@app.command("show")
@click.argument("app_id")
@platform_command
def show(platform: Platform, app_id: str) -> None:
    """Show an app with its secrets' labels and subscriptions."""
    print_json(platform.request("GET", f"/platform/v1/apps/{app_id}"))


@app.command("go-live")
@click.argument("app_id")
@click.option("--privacy-notice-url", required=True)
@click.option("--security-contact", required=True, help="E-mail for security reports.")
@click.option("--purpose", "purpose_text", required=True, help="What the app does with the data.")
@click.option("--retention", required=True, help="How long data are kept, and why.")
@click.option("--accept-terms", is_flag=True, required=True)
@platform_command
def go_live(
    platform: Platform, app_id: str, privacy_notice_url: str, security_contact: str, purpose_text: str,
    retention: str, accept_terms: bool,
) -> None:  # fmt: skip
    """Make the linked live app of a sandbox app; its live secret is shown this once."""
    answers = {
        "privacy_notice_url": privacy_notice_url, "security_contact": security_contact,
        "purpose": purpose_text, "retention": retention, "terms_accepted": accept_terms,
    }  # fmt: skip
    _show_new(platform, platform.request("POST", f"/platform/v1/apps/{app_id}/go-live", body=answers))


app.add_command(oauth)
app.add_command(platform_scopes)


def _transition(name: str, text: str) -> None:
    @app.command(name, help=text)
    @click.argument("app_id")
    @platform_command
    def change(platform: Platform, app_id: str) -> None:
        state = platform.request("POST", f"/platform/v1/apps/{app_id}/{name}")
        if platform.as_json:
            print_json(state)
        else:
            click.echo(f"✓ {app_id} is {state['status']}")


_transition("suspend", "Stop an app; its tokens are refused within a second.")
_transition("resume", "Let a suspended app call again.")
_transition("restore", "Bring back a deleted app (30 days).")


@app.command("delete")
@click.argument("app_id")
@platform_command
def delete(platform: Platform, app_id: str) -> None:
    """Delete an app. It can be restored for 30 days."""
    platform.request("DELETE", f"/platform/v1/apps/{app_id}")
    if platform.as_json:
        print_json({"app_id": app_id, "status": "deleted"})
    else:
        click.echo(f"✓ {app_id} is deleted → undo: kaimen app restore {app_id}")


@app.group("secret")
def secret() -> None:
    """Up to five secrets an app, so that rotation overlaps."""


@secret.command("add")
@click.argument("app_id")
@click.option("--label", default="")
@click.option("--expires-in-days", type=click.IntRange(1, 730), default=None)
@platform_command
def add_secret(platform: Platform, app_id: str, label: str, expires_in_days: int | None) -> None:
    """Add a secret; it is shown this once."""
    body = {"label": label or "command line", "expires_in_days": expires_in_days}
    made = platform.request("POST", f"/platform/v1/apps/{app_id}/secrets", body=body)
    if platform.as_json:
        print_json(made)
    else:
        click.echo(f"✓ {made['secret_id']}  {made['client_secret']}   (shown once)")


@secret.command("revoke")
@click.argument("app_id")
@click.argument("secret_id")
@platform_command
def revoke_secret(platform: Platform, app_id: str, secret_id: str) -> None:
    """Revoke a secret."""
    platform.request("DELETE", f"/platform/v1/apps/{app_id}/secrets/{secret_id}")
    if platform.as_json:
        print_json({"secret_id": secret_id, "status": "revoked"})
    else:
        click.echo(f"✓ {secret_id} is revoked")
