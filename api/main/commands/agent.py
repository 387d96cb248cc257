"""`kaimen agent …`: a department's agents, and the agent itself (`run`), beside a system on a closed network."""

import importlib
import os
from pathlib import Path
from typing import Any

import click

from api.main.context import Platform, platform_command
from api.main.output import fail, print_json, print_table


@click.group()
def agent() -> None:
    """Agents: one outbound-only process beside a department's system; the gateway never dials in."""


@agent.command("create")
@click.argument("name")
@click.option("--organisation", required=True, help="Slug or id of the department.")
@click.option("--environment", type=click.Choice(["sandbox", "live"]), default="sandbox", show_default=True)
@click.option("--description", default="")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), default=None,
    help="Write the credential to this new file (mode 0600) instead of the screen.",
)  # fmt: skip
@platform_command
def create(
    platform: Platform, name: str, organisation: str, environment: str, description: str, out: Path | None
) -> None:
    """Make an agent; its credential is shown this once."""
    body = {
        "name": name, "organisation": organisation, "environment": environment, "description": description
    }  # fmt: skip
    _check_free(out)
    _show(platform, platform.request("POST", "/platform/v1/agents", body=body), out)


@agent.command("list")
@click.option("--organisation", required=True, help="Slug or id of the department.")
@platform_command
def list_agents(platform: Platform, organisation: str) -> None:
    """List a department's agents: last heard of, version, calls under way."""
    page = platform.request("GET", "/platform/v1/agents", query={"organisation": organisation})
    if platform.as_json:
        print_json(page)
        return
    rows = [
        one | {"version": next((p["version"] for p in one["processes"]), ""),
               "state": "revoked" if one["revoked_at"] else "connected" if one["is_connected"] else "away"}
        for one in page["items"]
    ]  # fmt: skip
    print_table(
        rows, ["agent_id", "name", "environment", "state", "last_seen_at", "version", "calls_under_way"],
        empty="None yet → kaimen agent create NAME --organisation …",
    )  # fmt: skip


@agent.command("rotate")
@click.argument("agent_id")
@click.option(
    "--overlap-hours", type=click.IntRange(0, 720), default=24, show_default=True,
    help="How long the present credentials work on; 0 ends them now.",
)  # fmt: skip
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=None, help="As of create.")
@platform_command
def rotate(platform: Platform, agent_id: str, overlap_hours: int, out: Path | None) -> None:
    """Make a new credential; the present ones work on for the overlap."""
    _check_free(out)
    body = {"overlap_hours": overlap_hours}
    _show(platform, platform.request("POST", f"/platform/v1/agents/{agent_id}/rotate", body=body), out)


@agent.command("revoke")
@click.argument("agent_id")
@platform_command
def revoke(platform: Platform, agent_id: str) -> None:
    """End an agent at once: none of its credentials opens anything any more."""
    gone = platform.request("DELETE", f"/platform/v1/agents/{agent_id}")
    if platform.as_json:
        print_json(gone)
    else:
        click.echo(f"✓ {gone['name']} is revoked")


@agent.command("run")
@click.option(
    "--server", required=True, envvar="KAIMEN_CLIENT_SERVER", help="The data plane: sandbox or live."
)
@click.option(
    "--credential", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File that holds the agent's credential.",
)  # fmt: skip
@click.option(
    "--upstream", "upstreams", required=True, multiple=True, metavar="[SERVICE@VERSION=]ADDRESS",
    help="The department's system, as seen from here: http(s)://, soap+http(s)://, sql+postgresql://, sql+sqlite:///, "
    "files:///. With a service in front it serves that one. May be repeated.",
)  # fmt: skip
@click.option(
    "--allow", multiple=True, metavar="CIDR",
    help="A network that this process may call; default: the very addresses of --upstream that are numbers.",
)  # fmt: skip
@click.option("--hands", type=click.IntRange(1, 64), default=8, show_default=True, help="Calls at once.")
@click.option("--once", is_flag=True, help="Work on what waits now, then end.")
@click.option(
    "--health-port", type=click.IntRange(1, 65535), default=None, help="Answer GET /healthz on 127.0.0.1."
)
@click.option("--docs-url", default="", help="Where problem pages are; default: SERVER/docs.")
def run(
    server: str, credential: Path, upstreams: tuple[str, ...], allow: tuple[str, ...], hands: int, once: bool,
    health_port: int | None, docs_url: str,
) -> None:  # fmt: skip
    """Run the agent: it connects outwards, fetches calls and answers them. Ctrl-C finishes what is under way.

    Ends with 1 when its credential is refused. Tells systemd when it is ready (Type=notify) and alive (WatchdogSec).
    """
    agent_process = importlib.import_module("api.main.agent_process")  # brings the connectors
    secret = _secret_in(credential)
    code = agent_process.run(
        agent_process.Options(
            server=server, secret=secret, upstreams=upstreams, allow=allow, hands=hands, once=once,
            health_port=health_port, docs_url=docs_url or server.rstrip("/") + "/docs",
        )
    )  # fmt: skip
    raise SystemExit(code)


def _secret_in(file: Path) -> str:
    text = file.read_text(encoding="utf-8", errors="replace").strip()
    if not text.startswith(("kat_", "kal_")) or "\n" in text or not text.isascii():
        fail(
            f"{file} holds no agent credential (kat_… or kal_…, on one line)",
            following="kaimen agent create NAME --organisation … --out FILE",
        )
    return text


def _check_free(out: Path | None) -> None:
    if out is not None and out.exists():
        fail(
            f"{out} is there already", following="name a new file: a credential is never written over another"
        )


def _show(platform: Platform, made: dict[str, Any], out: Path | None) -> None:
    if out is not None:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(made.pop("credential") + "\n")
    if platform.as_json:
        print_json(made)
        return
    click.echo(f"✓ {made['name']} ({made['environment']}, {made['agent_id']})")
    if out is None:
        click.echo(f"  credential   {made['credential']}   (shown once)")
    click.echo(
        f"  → kaimen agent run --server {made['server']} --credential {out or 'FILE'} --upstream soap+http://10.0.0.5/…"
    )
    click.echo(f"  → kaimen contract publish SERVICE@VERSION --environment {made['environment']} "
               f"--upstream agent:{made['name']} --mapping FILE")  # fmt: skip
