"""`kaimen registration-token …`: tokens with which clients register themselves (RFC 7591)."""

import click

from api.main.context import Platform, platform_command
from api.main.output import print_json, print_table


@click.group("registration-token")
def registration_token() -> None:
    """Initial access tokens: with one, clients register themselves as sandbox apps of an organisation."""


@registration_token.command("create")
@click.option("--label", default="command line", show_default=True)
@click.option("--organisation", default="", help="Slug or id of the organisation.")
@click.option("--days", type=click.IntRange(1, 90), default=7, show_default=True, help="How long it lives.")
@click.option(
    "--max-uses", type=click.IntRange(1, 100), default=1, show_default=True, help="How many clients."
)
@click.option("--profile", type=click.Choice(["baseline", "fapi2"]), help="fapi2: nothing weaker registers.")
@click.option(
    "--subscribe",
    "subscriptions",
    multiple=True,
    metavar="SERVICE@VERSION[:PURPOSE]",
    help="Subscribe every new app to a service; may be repeated.",
)
@platform_command
def create(
    platform: Platform, label: str, organisation: str, days: int, max_uses: int, profile: str | None,
    subscriptions: tuple[str, ...],
) -> None:  # fmt: skip
    """Make a token; it is shown this once."""
    body = {
        "label": label, "organisation": organisation, "days": days, "max_uses": max_uses, "profile": profile or "",
        "subscribe": list(subscriptions),
    }  # fmt: skip
    made = platform.request("POST", "/platform/v1/registration-tokens", body=body)
    if platform.as_json:
        print_json(made)
        return
    click.echo(f"✓ {made['token_id']}, {made['max_uses']} uses, until {made['expires_at']}")
    click.echo(f"  initial access token   {made['initial_access_token']}   (shown once)")
    click.echo(f"  → POST {made['registration_endpoint']} with Authorization: Bearer …")


@registration_token.command("list")
@click.option("--organisation", default="", help="Slug or id of the organisation.")
@platform_command
def list_tokens(platform: Platform, organisation: str) -> None:
    """List the tokens of an organisation that are not revoked."""
    page = platform.request(
        "GET", "/platform/v1/registration-tokens", query={"organisation_id": organisation} if organisation else {}
    )  # fmt: skip
    if platform.as_json:
        print_json(page)
        return
    print_table(
        page["items"], ["token_id", "label", "hint", "profile", "uses", "max_uses", "is_active", "expires_at"],
        empty="None yet → kaimen registration-token create",
    )  # fmt: skip


@registration_token.command("revoke")
@click.argument("token_id")
@platform_command
def revoke(platform: Platform, token_id: str) -> None:
    """Make a token useless at once; what it registered stays."""
    gone = platform.request("DELETE", f"/platform/v1/registration-tokens/{token_id}")
    if platform.as_json:
        print_json(gone)
    else:
        click.echo(f"✓ {token_id} registers no more clients")
