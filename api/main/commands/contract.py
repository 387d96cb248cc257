"""`kaimen contract …`: from a document to a published service."""

import time
from pathlib import Path
from typing import Any

import click
import msgspec

from api.contract import diff as differ
from api.contract.importing import Imported, read_contract
from api.contract.load import load_path
from api.contract.model import Severity
from api.main.commands.contract_draft import draft_command
from api.main.context import Platform, platform_command
from api.main.judges import register_judges
from api.main.output import FAILED, fail_with_problem, print_json, print_table

MARKS = {"error": "✗", "warning": "!", "info": "·"}


@click.group()
def contract() -> None:
    """Contracts: draft, lint, import, diff, publish."""


contract.add_command(draft_command)


def _root_option(function: Any) -> Any:
    return click.option(
        "--root", type=click.Path(exists=True, file_okay=False, path_type=Path), default=None,
        help="Folder that $ref may read from; default: the document's own.",
    )(function)  # fmt: skip


@contract.command("lint")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@_root_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a file.")
@click.pass_context
def lint(context: click.Context, files: tuple[Path, ...], root: Path | None, as_json: bool) -> None:
    """Check documents without storing them. Ends with 1 where one has errors."""
    register_judges()
    failed = False
    for file in files:
        imported = read_contract(load_path(file, root=root))
        failed = failed or any(finding.severity == Severity.ERROR for finding in imported.findings)
        _show_report(report_of(file, imported), as_json=as_json)
    if failed:
        context.exit(FAILED)


def report_of(file: Path, imported: Imported) -> dict[str, Any]:
    """The machine-readable outcome of reading one document (design §4)."""
    service = imported.service
    return {
        "file": str(file),
        "service": service.name if service else None,
        "version": service.version if service else None,
        "operations": len(service.operations) if service else 0,
        "losses": [msgspec.to_builtins(loss) for loss in imported.losses],
        "findings": [msgspec.to_builtins(finding) for finding in imported.findings],
        "verdicts": {face: verdict.verdict for face, verdict in imported.verdicts.items()},
        "reasons": {face: list(verdict.reasons) for face, verdict in imported.verdicts.items()},
    }


def _show_report(report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    name = f"{report['service']}@{report['version']}" if report["service"] else "—"
    click.echo(f"{report['file']}\n  {name} · {report['operations']} operations")
    for face, verdict in report["verdicts"].items():
        reasons = "; ".join(report.get("reasons", {}).get(face, [])[:3])
        click.echo(f"  {face:<16}{verdict}{'  ' + reasons if reasons else ''}")
    for finding in report["findings"][:40]:
        mark = MARKS.get(finding["severity"], "·")
        click.echo(f"  {mark} {finding['rule']}  {finding['pointer'] or '/'}  {finding['message']}")
        if finding.get("hint") and finding["severity"] == "error":
            click.echo(f"      → {finding['hint']}")
    if len(report["findings"]) > 40:
        click.echo(f"  … and {len(report['findings']) - 40} more findings (--json has all)")
    for loss in report["losses"][:20]:
        click.echo(f"  ~ lost: {loss['rule']}  {loss['pointer'] or '/'}  {loss['message']}")
    if len(report["losses"]) > 20:
        click.echo(f"  … and {len(report['losses']) - 20} more losses (--json has all)")


@contract.command("import")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@_root_option
@click.option("--owner", default="", help="Slug or id of the owning department.")
@click.option("--name", default="", help="Service name instead of the proposed one (one file only).")
@platform_command
def import_(platform: Platform, files: tuple[Path, ...], root: Path | None, owner: str, name: str) -> None:
    """Store documents as drafts: findings, losses and a verdict for each face; publish comes after."""
    if name and len(files) > 1:
        raise click.UsageError("--name goes with one file")
    failed = False
    for number, file in enumerate(files, start=1):
        if len(files) > 1 and not platform.as_json:
            click.echo(f"[{number}/{len(files)}] {file.name}", err=True)
        started = time.perf_counter()
        report = _import_one(platform, file, root, owner, name)
        failed = failed or report["service"] is None
        _show_report(report, as_json=platform.as_json)
        if not platform.as_json and report["service"]:
            key = f"{report['service']}@{report['version']}"
            click.echo(f"  ✓ stored in {time.perf_counter() - started:.1f} s"
                       f" → kaimen contract publish {key} --environment sandbox")  # fmt: skip
    if failed:
        click.get_current_context().exit(FAILED)


def _import_one(platform: Platform, file: Path, root: Path | None, owner: str, name: str) -> dict[str, Any]:
    loaded = load_path(file, root=root)
    if loaded.document is None:  # nothing to store: the findings say why
        return report_of(file, read_contract(loaded))
    body = {"entry": loaded.entry, "files": loaded.files, "organisation": owner, "name": name}
    answer = platform.try_request("POST", "/platform/v1/contracts", body=body)
    if not answer.is_success:
        fail_with_problem(answer.json, as_json=platform.as_json)
    return {**answer.json, "file": str(file)}


@contract.command("list")
@platform_command
def list_services(platform: Platform) -> None:
    """List the services of the catalogue."""
    page = platform.request("GET", "/platform/v1/services", query={"limit": 200})
    if platform.as_json:
        print_json(page)
        return
    print_table(
        page["items"], ["service_id", "title", "level", "status", "environments"],
        empty="The catalogue is empty → kaimen city seed, or kaimen contract import FILE",
    )  # fmt: skip


@contract.command("diff")
@click.argument("old")
@click.argument("new")
@_root_option
@click.option(
    "--days", type=click.IntRange(1, 366), default=30, show_default=True, help="Who used it in this time."
)
@platform_command
def diff(platform: Platform, old: str, new: str, root: Path | None, days: int) -> None:
    """Compare OLD (a file, or SERVICE@VERSION as published) with NEW (a file); ends with 1 where it breaks.

    For a published service, each breaking change names the apps that used the field, and when last.
    """
    changes = (
        _diff_files(Path(old), Path(new), root)
        if Path(old).exists()
        else _diff_published(platform, old, Path(new), root, days)
    )
    breaking = [change for change in changes if change["severity"] == "breaking"]
    if platform.as_json:
        print_json({"breaking": len(breaking), "changes": changes})
    else:
        for change in changes:
            click.echo(
                f"{'✗' if change['severity'] == 'breaking' else '·'} {change['operation']}  {change['message']['en']}"
            )
            for user in change.get("apps", []):
                click.echo(f"    used by {user['app_id']}, last {user['last_at']}, {user['calls']} calls")
        click.echo(f"{len(breaking)} breaking, {len(changes) - len(breaking)} other changes")
    if breaking:
        click.get_current_context().exit(FAILED)


def _diff_files(old: Path, new: Path, root: Path | None) -> list[dict[str, Any]]:
    services = [read_contract(load_path(file, root=root)).service for file in (old, new)]
    if services[0] is None or services[1] is None:
        raise click.UsageError("a document cannot be read; run kaimen contract lint on both")
    return [msgspec.to_builtins(change) for change in differ.compare(services[0], services[1])]


def _diff_published(
    platform: Platform, key: str, new: Path, root: Path | None, days: int
) -> list[dict[str, Any]]:
    loaded = load_path(new, root=root)
    body = {"entry": loaded.entry, "files": loaded.files}
    answer = platform.request("POST", f"/platform/v1/services/{key}/preview", body=body, query={"days": days})
    changes: list[dict[str, Any]] = answer["changes"]
    return changes


@contract.command("publish")
@click.argument("service", metavar="SERVICE@VERSION")
@click.option("--environment", type=click.Choice(["sandbox", "live"]), required=True)
@click.option(
    "--upstream",
    default="",
    help="Address of the department's system: http(s)://…, soap+http(s)://…, sql+postgresql://…, files:///…; none: synthetic answers (sandbox).",
)
@click.option(
    "--mapping",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="How that system is spoken to (mapping.yaml); without it, by the contract's own paths.",
)
@click.option(
    "--force", "force_reason", default="", metavar="REASON", help="Publish a breaking change in the sandbox."
)
@platform_command
def publish(
    platform: Platform, service: str, environment: str, upstream: str, mapping: Path | None, force_reason: str
) -> None:
    """Offer a version. Sandbox at once; live after a second person of the department approved it."""
    body = {"environment": environment, "upstream": upstream, "force_reason": force_reason}
    if mapping is not None:
        body["mapping"] = mapping.read_text(encoding="utf-8")
    made = platform.request("POST", f"/platform/v1/services/{service}/publish", body=body)
    if platform.as_json:
        print_json(made)
    elif made["state"] == "pending":
        click.echo(f"· {service} awaits approval {made['approval_id']} by a second person of its department")
    else:
        click.echo(f"✓ {service} is {made['state']} in {environment}: {made['base_url']}")


@contract.command("retire")
@click.argument("service", metavar="SERVICE@VERSION")
@click.option(
    "--environment",
    type=click.Choice(["sandbox", "live"]),
    default=None,
    help="Take it out of this environment only, at once; needs a reason. Without: the version, with notice.",
)
@click.option("--reason", default="", help="Shortens the six months of notice.")
@click.option("--successor", default="", metavar="SERVICE@VERSION", help="What to use instead.")
@platform_command
def retire(platform: Platform, service: str, environment: str | None, reason: str, successor: str) -> None:
    """Retire a version: six months' notice, or sooner for a reason. Undo: kaimen contract unretire."""
    body = {"environment": environment or "", "reason": reason, "successor": successor}
    made = platform.request("POST", f"/platform/v1/services/{service}/retire", body=body)
    if platform.as_json:
        print_json(made)
    else:
        where = f" in {environment}" if environment else ""
        until = f", sunset {made['sunset']}" if made.get("sunset") else ""
        click.echo(f"✓ {service} is {made.get('state') or made.get('status')}{where}{until}")


@contract.command("unretire")
@click.argument("service", metavar="SERVICE@VERSION")
@platform_command
def unretire(platform: Platform, service: str) -> None:
    """Undo a retirement before its sunset."""
    made = platform.request("POST", f"/platform/v1/services/{service}/unretire")
    if platform.as_json:
        print_json(made)
    else:
        click.echo(f"✓ {service} is {made['status']} again")
