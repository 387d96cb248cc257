"""`kaimen parity`: do all faces say the same? Asked over HTTP of a running sandbox, certified per service version."""

import shlex
from pathlib import Path
from typing import Any

import click
import msgspec

from api.core import clock
from api.main.context import Platform, platform_command, settings_of_shell
from api.main.output import FAILED, UNREACHABLE, fail, print_json, print_table
from sandbox.parity.certificate import Certificate, totals
from sandbox.parity.drivers import DRIVERS, register_program
from sandbox.parity.run import PLATFORM_SCOPES, Installation, RunError, compare

FOLDER = "parity"  # below KAIMEN_HOME: what the catalogue publishes


@click.command()
@click.argument("services", nargs=-1, metavar="[SERVICE@VERSION]…")
@click.option(
    "--face", "faces", multiple=True, help="rest, mcp, graphql, or the name of a --driver; default: all."
)
@click.option(
    "--driver",
    "programs",
    multiple=True,
    metavar="NAME=COMMAND",
    help="One more face: a program that asks it (docs: reference/parity).",
)
@click.option("--seeds", default=2, show_default=True, help="Cases with made-up values for each operation.")
@click.option("--most", default=0, help="At most so many cases of a service; 0: all.")
@click.option("--organisation", default="", help="Whose app asks; default: the operator's own.")
@platform_command
def parity(
    platform: Platform, services: tuple[str, ...], faces: tuple[str, ...], programs: tuple[str, ...], seeds: int,
    most: int, organisation: str,
) -> None:  # fmt: skip
    """Compare the faces of services case by case, and publish a certificate for each.

    Needs a running sandbox: it is asked as any client would, by an app made for this run. Ends with code 1 where
    a face differs.
    """
    for one in programs:
        name, separator, command = one.partition("=")
        if not separator or not command.strip() or name in DRIVERS:
            fail(f"--driver {one}: wants NAME=COMMAND, and a name that no face has")
        register_program(name, shlex.split(command))
    wrong = [name for name in faces if name not in DRIVERS]
    if wrong:
        fail(f"no face {', '.join(wrong)}; there are {', '.join(DRIVERS)}")
    listed = {row["service_id"]: row for row in _services(platform)}
    keys = list(services) or sorted(listed)
    unknown = [key for key in keys if key not in listed]
    if unknown:
        fail(f"no service {', '.join(unknown)} in the sandbox", following="kaimen contract list")
    origin = settings_of_shell().issuer_of("sandbox")
    try:
        made = _run(platform, origin, keys, list(faces) or list(DRIVERS), seeds, most, organisation)
    except OSError as error:
        fail(
            f"{origin} does not answer ({error})", following="start it with `kaimen serve`", code=UNREACHABLE
        )
    except RunError as error:
        fail(str(error))
    _store(made)
    _show(platform, made)


def _services(platform: Platform) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = platform.request("GET", "/platform/v1/services", query={"limit": 100, "cursor": cursor})
        rows += page["items"]
        cursor = page.get("next") or page.get("next_cursor") or ""
        if not cursor:
            return [row for row in rows if not str(row["service_id"]).startswith("platform@")]


def _run(
    platform: Platform, origin: str, keys: list[str], faces: list[str], seeds: int, most: int, organisation: str
) -> list[Certificate]:  # fmt: skip
    body: dict[str, Any] = {"name": "parity", "environment": "sandbox", "description": "kaimen parity"}
    if organisation:
        body["organisation"] = organisation
    app = platform.request("POST", "/platform/v1/apps", body=body)
    app_id = app["app_id"]
    try:
        path = f"/platform/v1/apps/{app_id}"
        platform.request("PUT", path + "/platform-scopes", body={"scopes": list(PLATFORM_SCOPES)})
        installation = Installation(origin, app_id, app["client_id"], app["client_secret"])
        contracts = installation.services(keys)
        for key, service in contracts.items():
            purposes = {purpose for one in service.operations for purpose in one.purposes[:1]} or {""}
            for purpose in sorted(purposes):
                platform.try_request(
                    "POST", path + "/subscriptions", body={"service": f"{key}:{purpose}" if purpose else key}
                )
        try:
            return compare(
                installation, contracts, faces=faces, seeds=seeds, date=clock.to_text(clock.now()), most=most
            )
        finally:
            installation.close()
    finally:
        platform.try_request("DELETE", f"/platform/v1/apps/{app_id}")


def _store(made: list[Certificate]) -> None:
    folder = Path(settings_of_shell().home) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for one in made:
        text = msgspec.json.format(msgspec.json.encode(one), indent=1)
        unfinished = folder / f".{one.service}.json"
        unfinished.write_bytes(text)
        unfinished.replace(folder / f"{one.service}.json")


def _show(platform: Platform, made: list[Certificate]) -> None:
    summary = totals(made)
    if platform.as_json:
        print_json(summary)
    else:
        rows = [
            {
                "service": one.service,
                "faces": " ".join(one.faces),
                "cases": one.cases,
                "agree": one.agree,
                "excluded": len(one.excluded),
            }
            for one in made
        ]
        print_table(rows, ["service", "faces", "cases", "agree", "excluded"], empty="nothing to compare")
        for drift in summary["drifts"][:50]:
            click.echo(
                f"✗ {drift['case']} · {drift['face']} · {drift['what']} {drift['pointer']}: {drift['expected']} ≠ {drift['found']}"
            )
        click.echo(f"{summary['agree']} of {summary['cases']} cases agree on {', '.join(summary['faces'])}")
    if summary["drifts"]:
        raise SystemExit(FAILED)
