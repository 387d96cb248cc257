"""`kaimen docs …`: the documentation site."""

import click

from api.main.context import settings_of_shell
from api.main.documentation import build_site
from api.main.output import FAILED, fail, print_json


@click.group()
def docs() -> None:
    """The documentation site, served at /docs."""


@docs.command("build")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--force", is_flag=True, help="Build even where nothing changed.")
def build(as_json: bool, force: bool) -> None:
    """Generate the reference pages and build the site, strictly, into KAIMEN_HOME/site."""
    made = build_site(settings_of_shell(), force=force)
    if made.faults:
        fail("the documentation does not build:\n" + "\n".join(made.faults), code=FAILED)
    if as_json:
        print_json({"site": str(made.path), "built": made.is_new})
    elif made.is_new:
        click.echo(f"✓ documentation in {made.path}")
