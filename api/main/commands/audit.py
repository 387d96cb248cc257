"""`kaimen audit …`: the journal and the access evidence, read and proved."""

import asyncio
from typing import Any

import click

from api.core import audit as journal
from api.core import store
from api.gateway.evidence import verify_evidence
from api.main.context import settings_of_shell
from api.main.output import FAILED, print_json
from api.main.stores import stores_of


@click.group()
def audit() -> None:
    """The audit journal: a hash chain over every change."""


@audit.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def verify(context: click.Context, as_json: bool) -> None:
    """Read the whole journal and the access evidence, and name the first altered, removed, added or swapped row."""
    rows = asyncio.run(_verify())
    if as_json:
        print_json({"chains": rows, "holds": all(row["fault"] is None for row in rows)})
    else:
        for row in rows:
            fault = row["fault"]
            if fault is None:
                click.echo(f"✓ {row['chain']}: {row['rows']} rows, the chain holds")
            else:
                click.echo(
                    f"✗ {row['chain']}: {fault['message']} ({fault['fault']}, row {fault['sequence']})"
                )
    if any(row["fault"] is not None for row in rows):
        context.exit(FAILED)


async def _verify() -> list[dict[str, Any]]:
    settings = settings_of_shell()
    stores = stores_of(settings)
    await store.migrate(stores)
    rows: list[dict[str, Any]] = []
    async with store.open_stores(stores, settings.environment):
        count, fault = await journal.verify()
        rows.append({"chain": "journal", "rows": count, "fault": _shown(fault)})
        for plane in stores.planes:
            count, fault = await verify_evidence(plane)
            rows.append({"chain": f"evidence/{plane}", "rows": count, "fault": _shown(fault)})
    return rows


def _shown(fault: journal.JournalFault | None) -> dict[str, object] | None:
    if fault is None:
        return None
    return {"sequence": fault.sequence, "fault": fault.fault, "message": fault.message}
