"""`kaimen webhook …`: endpoints of an app, their keys, the delivery log, replay."""

from typing import Any

import click

from api.main.context import Platform, platform_command
from api.main.output import print_json, print_table


@click.group()
def webhook() -> None:
    """Webhook endpoints: where an app's events are brought to."""


def _base(app_id: str, endpoint_id: str = "") -> str:
    return f"/platform/v1/apps/{app_id}/webhooks" + (f"/{endpoint_id}" if endpoint_id else "")


def _show_secret(platform: Platform, made: dict[str, Any]) -> None:
    if platform.as_json:
        print_json(made)
        return
    click.echo(f"✓ {made['endpoint_id']} ({made['state']})  {made['url']}")
    click.echo(f"  secret      {made['secret']}   (v1, shown once)")
    click.echo(f"  public key  {made['public_key']}   (v1a)")


@webhook.command("create")
@click.argument("app_id")
@click.argument("url")
@click.option("--type", "types", multiple=True, help="An event type; may be repeated. Default: all.")
@click.option("--description", default="")
@click.option(
    "--concurrency", type=click.IntRange(1, 50), default=5, show_default=True, help="Deliveries at once."
)
@platform_command
def create(
    platform: Platform, app_id: str, url: str, types: tuple[str, ...], description: str, concurrency: int
) -> None:  # fmt: skip
    """Register an endpoint; its secret is shown this once. No event is sent before it is verified."""
    body = {"url": url, "types": list(types), "description": description, "concurrency": concurrency}
    made = platform.request("POST", _base(app_id), body=body)
    _show_secret(platform, made)
    if not platform.as_json:
        click.echo(
            f"  → give your receiver the secret, then: kaimen webhook verify {app_id} {made['endpoint_id']}"
        )


@webhook.command("list")
@click.argument("app_id")
@platform_command
def list_endpoints(platform: Platform, app_id: str) -> None:
    """List the endpoints of an app."""
    page = platform.request("GET", _base(app_id))
    if platform.as_json:
        print_json(page)
        return
    print_table(
        page["items"], ["endpoint_id", "state", "reason", "url", "types"],
        empty=f"No endpoints yet → kaimen webhook create {app_id} https://…",
    )  # fmt: skip


@webhook.command("types")
@click.argument("app_id")
@platform_command
def types_of(platform: Platform, app_id: str) -> None:
    """List the event types that an app may be told of."""
    page = platform.request("GET", f"/platform/v1/apps/{app_id}/event-types")
    if platform.as_json:
        print_json(page)
        return
    rows = [{**one, "title": f"{one['title']['zh']} {one['title']['en']}"} for one in page["items"]]
    print_table(
        rows,
        ["type", "service", "level", "title"],
        empty="None: subscribe the app to a service with webhooks.",
    )


@webhook.command("show")
@click.argument("app_id")
@click.argument("endpoint_id")
@platform_command
def show(platform: Platform, app_id: str, endpoint_id: str) -> None:
    """Show an endpoint with the public keys that sign now."""
    print_json(platform.request("GET", _base(app_id, endpoint_id)))


@webhook.command("update")
@click.argument("app_id")
@click.argument("endpoint_id")
@click.option("--url", default=None, help="Another address; it has to be verified again.")
@click.option(
    "--type", "types", multiple=True, help="Event types in place of the present ones; may be repeated."
)
@click.option("--all-types", is_flag=True, help="All types that the app may know of.")
@click.option("--description", default=None)
@click.option("--concurrency", type=click.IntRange(1, 50), default=None)
@platform_command
def update(
    platform: Platform, app_id: str, endpoint_id: str, url: str | None, types: tuple[str, ...], all_types: bool,
    description: str | None, concurrency: int | None,
) -> None:  # fmt: skip
    """Change an endpoint."""
    body: dict[str, Any] = {"url": url, "description": description, "concurrency": concurrency}
    if types or all_types:
        body["types"] = [] if all_types else list(types)
    changed = {name: value for name, value in body.items() if value is not None}
    _show(platform, platform.request("PATCH", _base(app_id, endpoint_id), body=changed))


def _show(platform: Platform, endpoint: dict[str, Any]) -> None:
    if platform.as_json:
        print_json(endpoint)
    else:
        click.echo(f"✓ {endpoint['endpoint_id']} is {endpoint['state']}")


@webhook.command("verify")
@click.argument("app_id")
@click.argument("endpoint_id")
@platform_command
def verify(platform: Platform, app_id: str, endpoint_id: str) -> None:
    """Send the handshake; an endpoint that echoes its challenge is enabled."""
    _show(platform, platform.request("POST", _base(app_id, endpoint_id) + "/verify"))


@webhook.command("disable")
@click.argument("app_id")
@click.argument("endpoint_id")
@platform_command
def disable(platform: Platform, app_id: str, endpoint_id: str) -> None:
    """Send nothing more; `verify` enables it again."""
    _show(platform, platform.request("POST", _base(app_id, endpoint_id) + "/disable"))


@webhook.command("delete")
@click.argument("app_id")
@click.argument("endpoint_id")
@platform_command
def delete(platform: Platform, app_id: str, endpoint_id: str) -> None:
    """Delete an endpoint; its delivery log stays for its time."""
    gone = platform.request("DELETE", _base(app_id, endpoint_id))
    if platform.as_json:
        print_json(gone)
    else:
        click.echo(f"✓ {endpoint_id} is deleted")


@webhook.command("rotate")
@click.argument("app_id")
@click.argument("endpoint_id")
@click.option("--overlap-hours", type=click.IntRange(0, 168), default=24, show_default=True)
@platform_command
def rotate(platform: Platform, app_id: str, endpoint_id: str, overlap_hours: int) -> None:
    """Make new keys; both old and new sign for the overlap. The new secret is shown this once."""
    body = {"overlap_hours": overlap_hours}
    _show_secret(platform, platform.request("POST", _base(app_id, endpoint_id) + "/rotate", body=body))


@webhook.command("deliveries")
@click.argument("app_id")
@click.option("--endpoint", default="", help="Of this endpoint only.")
@click.option("--status", type=click.Choice(["waiting", "delivered", "failed"]), default=None)
@click.option(
    "--gaps", is_flag=True, help="Only what later events of the same subject went past, or was given up."
)
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@platform_command
def deliveries(
    platform: Platform, app_id: str, endpoint: str, status: str | None, gaps: bool, limit: int
) -> None:
    """List the newest deliveries of an app."""
    page = platform.request(
        "GET", f"/platform/v1/apps/{app_id}/deliveries",
        query={"endpoint": endpoint, "status": status, "gaps": "true" if gaps else "", "limit": limit},
    )  # fmt: skip
    if platform.as_json:
        print_json(page)
        return
    print_table(
        page["items"],
        ["delivery_id", "created_at", "type", "subject", "sequence", "state", "attempts", "last_status", "latency_ms"],
        empty="Nothing was delivered yet.",
    )  # fmt: skip


@webhook.command("delivery")
@click.argument("app_id")
@click.argument("delivery_id")
@platform_command
def delivery(platform: Platform, app_id: str, delivery_id: str) -> None:
    """Show a delivery: every attempt, what was answered, and the event."""
    found = platform.request("GET", f"/platform/v1/apps/{app_id}/deliveries/{delivery_id}")
    if platform.as_json:
        print_json(found)
        return
    click.echo(
        f"{found['type']} {found['subject']} #{found['sequence']} → {found['state']} {found['reason']}".rstrip()
    )
    for one in found["attempt_log"]:
        click.echo(
            f"  {one['at']}  {one['status'] or one['error']}  {one['latency_ms']} ms  {one['snippet'][:80]}"
        )


@webhook.command("replay")
@click.argument("app_id")
@click.option("--delivery", "delivery_id", default="", help="One delivery (wd_…).")
@click.option("--endpoint", "endpoint_id", default="", help="Of this endpoint: with --failed or --since.")
@click.option("--failed", is_flag=True, help="Everything that was given up.")
@click.option("--since", default="", help="Everything released since then (RFC 3339).")
@click.option("--until", default="", help="… and before then; default: now.")
@platform_command
def replay(
    platform: Platform, app_id: str, delivery_id: str, endpoint_id: str, failed: bool, since: str, until: str
) -> None:
    """Bring events again, with the same ids."""
    if bool(delivery_id) == bool(endpoint_id) or (endpoint_id and failed == bool(since)):
        raise click.UsageError("give --delivery, or --endpoint with either --failed or --since")
    if delivery_id:
        done = platform.request("POST", f"/platform/v1/apps/{app_id}/deliveries/{delivery_id}/replay")
    else:
        body = {"failed": failed, "since": since, "until": until}
        done = platform.request("POST", _base(app_id, endpoint_id) + "/replay", body=body)
    if platform.as_json:
        print_json(done)
    else:
        click.echo(f"✓ {done['replayed']} on the way again")
