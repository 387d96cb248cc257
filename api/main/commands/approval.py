"""`kaimen approval …`: decisions that a second person makes."""

import click

from api.main.context import Platform, platform_command
from api.main.output import print_json, print_table


@click.group()
def approval() -> None:
    """Approvals; nobody decides their own request."""


@approval.command("list")
@click.option("--status", default="pending", show_default=True)
@platform_command
def list_approvals(platform: Platform, status: str) -> None:
    """List approvals that you may see."""
    page = platform.request("GET", "/platform/v1/approvals", query={"status": status})
    if platform.as_json:
        print_json(page)
        return
    print_table(
        page["items"],
        ["approval_id", "kind", "subject", "requested_by", "status"],
        empty="Nothing to decide.",
    )


@approval.command("decide")
@click.argument("approval_id")
@click.option("--approve/--reject", "approve", default=None, required=True)
@click.option("--reason", default="")
@platform_command
def decide(platform: Platform, approval_id: str, approve: bool, reason: str) -> None:
    """Approve or reject. Rejecting needs a reason."""
    body = {"approve": approve, "reason": reason}
    made = platform.request("POST", f"/platform/v1/approvals/{approval_id}/decision", body=body)
    if platform.as_json:
        print_json(made)
    else:
        click.echo(f"✓ {approval_id} is {made['status']}")
