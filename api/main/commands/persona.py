"""`kaimen persona …`: who there is in the sandbox to try things as."""

from typing import Any

import click

from api.main.context import Platform, platform_command
from api.main.output import print_json, print_table


@click.group()
def persona() -> None:
    """People and companies of the simulated city."""


@persona.command("list")
@click.option(
    "--kind", type=click.Choice(["person", "organisation"]), default=None, help="People or companies only."
)
@platform_command
def list_personas(platform: Platform, kind: str | None) -> None:
    """List them: people consent (kaimen token --persona ID), companies are what they speak for."""
    rows = platform.request("GET", "/platform/v1/sandbox/personas")["items"]
    rows = [row for row in rows if kind in {None, row["kind"]}]
    if platform.as_json:
        print_json({"personas": rows})
        return
    shown = [{**row, "may speak for": _spoken_for(row)} for row in rows]
    print_table(
        shown, ["id", "kind", "code", "name", "may speak for"],
        empty="No city here → kaimen city seed",
    )  # fmt: skip


def _spoken_for(row: dict[str, Any]) -> str:
    """The companies that a person may speak for; who consents for a child."""
    if row["guardians"]:
        return f"a child: --guardian {' or '.join(row['guardians'])}"
    return ", ".join(f"{one['organisation']} ({one['role']})" for one in row["standing"] if one["can_speak"])
