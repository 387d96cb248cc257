"""`kaimen parity`: do all faces say the same? Asked over HTTP of a running sandbox, certified per service version.

`kaimen parity record` is a department's consent to record its upstream, `kaimen parity fidelity` holds the recording
against the sandbox.
"""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec

from api.contract.model import Service
from api.core import clock
from api.gateway.sampling import file_of
from api.main.context import Platform, platform_command, settings_of_shell
from api.main.output import FAILED, UNREACHABLE, fail, print_json, print_table
from sandbox.parity.certificate import Certificate, totals
from sandbox.parity.drivers import DRIVERS, register_program
from sandbox.parity.drivers.protocol import Target
from sandbox.parity.fidelity import Fidelity, measure
from sandbox.parity.recordings import RecordingError, Sample, read_samples
from sandbox.parity.run import PLATFORM_SCOPES, Installation, RunError, compare

FOLDER = "parity"  # below KAIMEN_HOME: what the catalogue publishes


class _RunsByDefault(click.Group):
    """`kaimen parity company@v1` is `kaimen parity run company@v1`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in {"--help", "-h"}):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_RunsByDefault)
def parity() -> None:
    """Whether all faces say the same (`run`, also without the word), and how true the sandbox is (`fidelity`)."""


@parity.command("run")
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
def run(
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
    with _as_app(platform, origin, keys, organisation) as (installation, contracts):
        return compare(
            installation, contracts, faces=faces, seeds=seeds, date=clock.to_text(clock.now()), most=most
        )


@contextmanager
def _as_app(
    platform: Platform, origin: str, keys: list[str], organisation: str
) -> Iterator[tuple[Installation, dict[str, Service]]]:
    """An app of this run that is subscribed to these services; it goes again."""
    body: dict[str, Any] = {"name": "parity", "environment": "sandbox", "description": "kaimen parity"}
    if organisation:
        body["organisation"] = organisation
    app = platform.request("POST", "/platform/v1/apps", body=body)
    path = f"/platform/v1/apps/{app['app_id']}"
    try:
        platform.request("PUT", path + "/platform-scopes", body={"scopes": list(PLATFORM_SCOPES)})
        platform.request("PUT", path + "/mcp", body={"writes": "confirm"})
        installation = Installation(origin, app["app_id"], app["client_id"], app["client_secret"])
        contracts = installation.services(keys)
        for key, service in contracts.items():
            purposes = {purpose for one in service.operations for purpose in one.purposes[:1]} or {""}
            for purpose in sorted(purposes):
                platform.try_request(
                    "POST", path + "/subscriptions", body={"service": f"{key}:{purpose}" if purpose else key}
                )
        try:
            yield installation, contracts
        finally:
            installation.close()
    finally:
        platform.try_request("DELETE", path)


@parity.command()
@click.argument("service", metavar="SERVICE@VERSION")
@click.option("--environment", type=click.Choice(["sandbox", "live"]), default="live", show_default=True)
@click.option("--days", default=7, show_default=True, help="For how long.")
@click.option("--most", default=500, show_default=True, help="At most so many calls.")
@click.option("--stop", is_flag=True, help="Take the consent back.")
@platform_command
def record(platform: Platform, service: str, environment: str, days: int, most: int, *, stop: bool) -> None:
    """Agree, for a department, that what its upstream answers is recorded, masked by classification."""
    path = f"/platform/v1/services/{service}/recording"
    if stop:
        platform.request("DELETE", path, query={"environment": environment})
        made: dict[str, Any] = {"allowed": False}
    else:
        made = platform.request("PUT", path, body={"environment": environment, "days": days, "most": most})
    file = file_of(Path(settings_of_shell().home), service, environment)
    if platform.as_json:
        print_json({**made, "file": str(file)})
    elif stop:
        click.echo(f"{service} is no longer recorded ({environment}); what was recorded: {file}")
    else:
        click.echo(f"{service} is recorded until {made['until']}, {made['most']} calls at most → {file}")


@parity.command()
@click.argument("service", metavar="SERVICE@VERSION")
@click.option(
    "--recording",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Default: what the gateways of this home recorded.",
)
@click.option("--organisation", default="", help="Whose app asks; default: the operator's own.")
@platform_command
def fidelity(platform: Platform, service: str, recording: Path | None, organisation: str) -> None:
    """Ask the sandbox what a real system was asked, and say for each operation how well it stands in; published.

    Needs a running sandbox, and a recording (`kaimen parity record`, docs/reference/recording).
    """
    home = Path(settings_of_shell().home)
    samples = _samples(home, service, recording)
    origin = settings_of_shell().issuer_of("sandbox")
    try:
        with _as_app(platform, origin, [service], organisation) as (installation, contracts):
            driver = DRIVERS["rest"](Target(origin, installation.token(), contracts))
            try:
                installation.reset()
                made = measure(
                    contracts[service],
                    samples,
                    driver,
                    reset=installation.reset,
                    date=clock.to_text(clock.now()),
                )
            finally:
                driver.close()
    except OSError as error:
        fail(
            f"{origin} does not answer ({error})", following="start it with `kaimen serve`", code=UNREACHABLE
        )
    except RunError as error:
        fail(str(error))
    _write(home / FOLDER / f"{service}.fidelity.json", msgspec.json.encode(made))
    if platform.as_json:
        print_json(msgspec.to_builtins(made))
    else:
        _show_fidelity(made)


def _samples(home: Path, service: str, recording: Path | None) -> list[Sample]:
    files = [recording] if recording else [file_of(home, service, one) for one in ("live", "sandbox")]
    try:
        samples = [one for file in files if file.exists() for one in read_samples(file, service)]
    except RecordingError as error:
        fail(str(error))
    if not samples:
        fail(f"nothing of {service} was recorded", following=f"kaimen parity record {service}")
    return samples


def _show_fidelity(made: Fidelity) -> None:
    rows = [
        {
            "operation": name, "figure": "-" if one.figure is None else f"{one.figure:.1%}", "recorded": one.recorded,
            "counted": one.counted, "same outcome": one.same_outcome, "synthetic": one.synthetic,
        }
        for name, one in sorted(made.operations.items())
    ]  # fmt: skip
    print_table(
        rows, ["operation", "figure", "recorded", "counted", "same outcome", "synthetic"], empty="nothing"
    )
    for name, one in sorted(made.operations.items()):
        for wanting in one.only_upstream:
            click.echo(f"✗ {name}: the upstream has {wanting}")
        for wanting in one.only_sandbox:
            click.echo(f"✗ {name}: only the sandbox has {wanting}")
    click.echo(f"{made.service}: " + ("nothing counts" if made.figure is None else f"{made.figure:.1%}"))


def _store(made: list[Certificate]) -> None:
    folder = Path(settings_of_shell().home) / FOLDER
    for one in made:
        _write(folder / f"{one.service}.json", msgspec.json.encode(one))


def _write(path: Path, document: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}")
    unfinished.write_bytes(msgspec.json.format(document, indent=1))
    unfinished.replace(path)


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
