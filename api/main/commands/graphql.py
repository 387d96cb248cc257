"""`kaimen graphql …`: registered documents of an app."""

from pathlib import Path

import click

from api.main.context import Platform, platform_command
from api.main.output import print_json, print_table


@click.group()
def graphql() -> None:
    """GraphQL documents that an app has registered."""


@graphql.command("register")
@click.argument("app_id")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--label", default="", help="What it is for.")
@platform_command
def register(platform: Platform, app_id: str, file: Path, label: str) -> None:
    """Register a document; it is then run by its digest."""
    body = {"document": file.read_text(encoding="utf-8"), "label": label}
    made = platform.request("POST", f"/platform/v1/apps/{app_id}/graphql", body=body)
    if platform.as_json:
        print_json(made)
        return
    click.echo(f"✓ sha256:{made['digest']}")


@graphql.command("list")
@click.argument("app_id")
@platform_command
def list_documents(platform: Platform, app_id: str) -> None:
    """List the documents of an app."""
    page = platform.request("GET", f"/platform/v1/apps/{app_id}/graphql")
    if platform.as_json:
        print_json(page)
        return
    print_table(page["items"], ["digest", "label", "created_at"], empty="No documents are registered.")
    click.echo("Only these are run." if page["is_exclusive"] else "Other documents are run too.")


@graphql.command("remove")
@click.argument("app_id")
@click.argument("digest")
@platform_command
def remove(platform: Platform, app_id: str, digest: str) -> None:
    """Remove a document."""
    platform.request("DELETE", f"/platform/v1/apps/{app_id}/graphql/{digest.removeprefix('sha256:')}")
    if not platform.as_json:
        click.echo("✓ removed")


@graphql.command("only")
@click.argument("app_id")
@click.option("--off", is_flag=True, help="Run any document again.")
@platform_command
def only(platform: Platform, app_id: str, *, off: bool) -> None:
    """Run registered documents alone."""
    made = platform.request("PUT", f"/platform/v1/apps/{app_id}/graphql", body={"is_exclusive": not off})
    if platform.as_json:
        print_json(made)
        return
    click.echo("✓ only registered documents are run" if made["is_exclusive"] else "✓ any document is run")
