"""`kaimen contract draft`: from what a department has (WSDL, table, spreadsheet …) to a contract and a mapping."""

from pathlib import Path
from typing import Any

import click
import msgspec

from api.contract.draft.drafting import SOURCES, Draft, Options, as_json, draft, draft_tables
from api.contract.files import FolderSource, MappingSource
from api.contract.model import Severity
from api.main.live_tables import LiveTableError, is_address, read_live
from api.main.output import FAILED, fail, print_json

MARKS = {"error": "✗", "warning": "!", "info": "·"}
_HEAD = 8 * 1024 * 1024  # of a CSV file, however large it is


@click.command("draft")
@click.option("--from", "kind", type=click.Choice(SOURCES), required=True, help="What FILE is.")
@click.argument("file")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Folder for contract.yaml and mapping.yaml; default: the service's name.",
)
@click.option("--name", default="", help="Service name instead of the proposed one.")
@click.option("--title", default="", help="Title in Chinese.")
@click.option("--title-en", default="", help="Title in English.")
@click.option("--department", default="", help="Slug of the department that answers for it.")
@click.option("--key", default="", help="Column by which one row is found.")
@click.option("--sheet", default="", help="Sheet of a spreadsheet; default: the first with cells.")
@click.option(
    "--basis",
    type=click.Choice(["consent", "contract", "statutory-duty"]),
    default=None,
    help="Legal basis of personal data; default: consent.",
)
@click.option("--law", default="", help="Law of a statutory duty.")
@click.option("--article", default="", help="Its article.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON.")
def draft_command(
    kind: str,
    file: str,
    out: Path | None,
    *,
    is_json: bool,
    force: bool,
    basis: str | None,
    **stated: str,
) -> None:
    """Draft a contract (lean form) and a mapping from FILE: a WSDL, an XSD, DDL or a table's address, a CSV or xlsx file, samples.

    Levels, relations and the legal basis are guessed and listed; what could not be kept is listed as lost. No value of
    FILE stands in what is written.
    """
    options = Options(basis=basis or "", **stated)
    made = _draft(kind, file, options)
    folder = None
    if made.contract:
        service = made.imported.service if made.imported is not None else None
        folder = out or Path(service.name if service is not None else "draft")
        _write(folder, made, force=force)
    if is_json:
        print_json({"file": file, "folder": str(folder) if folder is not None else None, **as_json(made)})
    else:
        _show(file, folder, made)
    if not made.contract or any(one.severity == Severity.ERROR for one in made.findings):
        click.get_current_context().exit(FAILED)


def _draft(kind: str, file: str, options: Options) -> Draft:
    if kind == "table" and is_address(file):
        try:
            return draft_tables(
                read_live(file), file.partition("?")[0].rpartition("/")[2] or "tables", options
            )
        except LiveTableError as error:
            fail(str(error), following="sqlite:///file.db?table=NAME or postgresql://user@host/db?table=NAME")
    path = Path(file)
    if not path.is_file():
        fail(f"no such file: {file}", code=2)
    if kind == "csv":  # its beginning is enough
        with path.open("rb") as stream:
            return draft(kind, MappingSource({path.name: stream.read(_HEAD)}), path.name, options)
    return draft(kind, FolderSource(path.resolve().parent), path.resolve().name, options)


def _write(folder: Path, made: Draft, *, force: bool) -> None:
    for name, text in (("contract.yaml", made.contract), ("mapping.yaml", made.mapping)):
        place = folder / name
        if place.exists() and not force:
            fail(f"{place} is there already", following="--force writes over it, --out DIR writes elsewhere")
        folder.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")


def _show(file: str, folder: Path | None, made: Draft) -> None:
    outcome: dict[str, Any] = as_json(made)
    click.echo(
        f"{file}\n  {outcome['service'] or '—'} · {', '.join(outcome['operations'])} · {outcome['scenarios']} scenarios"
    )
    for finding in made.findings[:60]:
        click.echo(
            f"  {MARKS.get(finding.severity, '·')} {finding.rule}  {finding.pointer or '/'}  {finding.message}"
        )
        if finding.hint and finding.severity == Severity.ERROR:
            click.echo(f"      → {finding.hint}")
    for loss in msgspec.to_builtins(made.losses)[:40]:
        click.echo(f"  ~ lost: {loss['rule']}  {loss['pointer'] or '/'}  {loss['message']}")
    if folder is not None:
        click.echo(f"  ✓ {folder}/contract.yaml and mapping.yaml → read them, then\n"
                   f"    kaimen contract import {folder}/contract.yaml && kaimen contract publish {outcome['service']} --environment sandbox")  # fmt: skip
