"""`kaimen admin …`: the way in for administrators."""

import asyncio

import click

from api.core import store
from api.core.caller import OPERATOR
from api.identity.people.service import invite_administrator
from api.main.compose import compose_local
from api.main.context import Platform, platform_command, settings_of_shell
from api.main.output import fail, print_json
from api.main.stores import stores_of


@click.group()
def admin() -> None:
    """Administrators of the installation."""


@admin.command("invite")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def invite(as_json: bool) -> None:
    """Make a link with which one person becomes administrator. It works once, for 24 hours."""
    link = asyncio.run(_invite())
    if as_json:
        print_json({"link": link})
    else:
        click.echo(link)


async def _invite() -> str:
    settings = settings_of_shell()
    await store.migrate(stores_of(settings))
    async with compose_local(settings):
        token = await invite_administrator(OPERATOR)
    return f"{settings.sandbox_url}/invitation?token={token}"


@admin.command("reset-security")
@click.argument("email")
@click.option("--reason", required=True, help="How you made sure who asks; it goes to the journal.")
@platform_command
def reset_security(platform: Platform, email: str, reason: str) -> None:
    """Take the second factors of a locked-out person away; all their sessions end, and a mail tells them."""
    cursor = ""
    while True:
        page = platform.request("GET", "/platform/v1/people", query={"limit": 100, "cursor": cursor})
        found = [one for one in page["items"] if one["email"] == email.strip().lower()]
        cursor = page["next"] or ""
        if found or not cursor:
            break
    if not found:
        fail(f"there is nobody with the address {email}", following="check the spelling")
    path = f"/platform/v1/people/{found[0]['person_id']}/reset-security"
    done = platform.request("POST", path, body={"reason": reason})
    if platform.as_json:
        print_json(done)
    else:
        click.echo(
            f"{done['email']} signs in with the password now, and sets two-factor authentication up anew"
        )
