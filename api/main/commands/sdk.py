"""`kaimen sdk …`: packages for an app or of a whole service, their read tokens, and checking what was downloaded."""

import base64
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import click

from api.main.context import Platform, platform_command
from api.main.output import fail, fail_with_problem, print_json, print_table

_POLL_SECONDS = 0.2
_LONGEST_SECONDS = 180.0


@click.group()
def sdk() -> None:
    """SDKs in Python, TypeScript, Java and Go, cut to what an app subscribed to."""


@sdk.command("build")
@click.option("--app", "app_id", required=True, metavar="APP", help="The app whose operations go in.")
@click.option("--language", required=True, help="python, typescript, java or go.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=None, help="Put the files here."
)
@platform_command
def build(platform: Platform, app_id: str, language: str, out: Path | None) -> None:
    """Build the SDK of an app: only the operations that its active subscriptions open, never a credential."""
    made = _wait(
        platform, platform.request("POST", f"/platform/v1/apps/{app_id}/sdk", body={"language": language})
    )
    written = []
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for one in made["files"]:
            data = _download(platform, app_id, made["build_id"], one)
            (out / one["name"]).write_bytes(data)
            written.append(str(out / one["name"]))
    if platform.as_json:
        print_json({**made, "written": written})
        return
    click.echo(
        f"✓ {made['package']} {made['version']} ({made['operations']} operations of {', '.join(made['services'])})"
    )
    for name in written:
        click.echo(f"  {name}")
    for key in made["left_out"]:
        click.echo(f"  left out  {key}   (a newer version of the service is in it)")
    click.echo(f"  → {made['install']}")
    click.echo(f"  → TOKEN: kaimen sdk token {app_id}")


def _wait(platform: Platform, made: dict[str, Any]) -> dict[str, Any]:
    end = time.monotonic() + _LONGEST_SECONDS
    step = ""
    while made["status"] == "running" and time.monotonic() < end:
        if made["step"] != step and not platform.as_json:
            step = made["step"]
            click.echo(f"  {step} …", err=True)
        time.sleep(_POLL_SECONDS)
        made = platform.request("GET", f"/platform/v1/apps/{made['app_id']}/sdk/{made['build_id']}")
    if made["status"] != "done":
        problem = {
            "title": "The SDK could not be built",
            "detail": made["reason"] or "it takes too long",
            "next": made["next"],
        }
        fail_with_problem(problem, as_json=platform.as_json)
    return made


def _download(platform: Platform, app_id: str, build_id: str, file: dict[str, Any]) -> bytes:
    answer = platform.try_request("GET", f"/platform/v1/apps/{app_id}/sdk/{build_id}/files/{file['name']}")
    if not answer.is_success:
        problem = answer.json if isinstance(answer.json, dict) else {"title": f"HTTP {answer.status}"}
        fail_with_problem(problem, as_json=platform.as_json)
    if hashlib.sha256(answer.body).hexdigest() != file["sha256"]:
        fail(
            f"{file['name']} arrived altered",
            following="download it again; if it stays so, tell the operators",
        )
    return answer.body


@sdk.command("list")
@click.option(
    "--app",
    "app_id",
    default="",
    metavar="APP",
    help="What was built for this app; else the public packages.",
)
@platform_command
def list_(platform: Platform, app_id: str) -> None:
    """List packages: those of an app, or those of whole services that everybody may have."""
    if app_id:
        page = platform.request("GET", f"/platform/v1/apps/{app_id}/sdk")
        if platform.as_json:
            print_json(page)
            return
        print_table(
            page["items"], ["package", "language", "version", "made_at"],
            empty=f"No SDK yet → kaimen sdk build --app {app_id} --language typescript",
        )  # fmt: skip
        return
    page = platform.request("GET", "/platform/v1/sdk")
    if platform.as_json:
        print_json(page)
        return
    rows = [{"service": one["service"], **one["packages"]} for one in page["items"]]
    print_table(
        rows, ["service", "python", "typescript", "java", "go"], empty="No public package → kaimen city seed"
    )


@sdk.command("token")
@click.argument("app_id")
@click.option("--label", default="command line", show_default=True)
@platform_command
def token(platform: Platform, app_id: str, label: str) -> None:
    """Make a read token: with it pip, npm, Maven and Go read the app's packages, and nothing else. Shown this once."""
    made = platform.request("POST", f"/platform/v1/apps/{app_id}/sdk-tokens", body={"label": label})
    if platform.as_json:
        print_json(made)
        return
    click.echo(f"✓ {made['token_id']}  {made['token']}   (shown once)")
    click.echo(f"  → revoke: kaimen sdk revoke {app_id} {made['token_id']}")


@sdk.command("tokens")
@click.argument("app_id")
@platform_command
def tokens(platform: Platform, app_id: str) -> None:
    """List the read tokens of an app, never their values."""
    page = platform.request("GET", f"/platform/v1/apps/{app_id}/sdk-tokens")
    if platform.as_json:
        print_json(page)
        return
    print_table(
        page["items"],
        ["token_id", "label", "hint", "created_at"],
        empty=f"No token → kaimen sdk token {app_id}",
    )


@sdk.command("revoke")
@click.argument("app_id")
@click.argument("token_id")
@platform_command
def revoke(platform: Platform, app_id: str, token_id: str) -> None:
    """Revoke a read token at once."""
    platform.request("DELETE", f"/platform/v1/apps/{app_id}/sdk-tokens/{token_id}")
    if platform.as_json:
        print_json({"token_id": token_id, "status": "revoked"})
    else:
        click.echo(f"✓ {token_id} is revoked")


@sdk.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=None,
    help="The platform's public key (PEM, from /sdk/key); without it, it is asked for.",
)  # fmt: skip
@platform_command
def verify(platform: Platform, file: Path, key: Path | None) -> None:
    """Check a file against the SHA256SUMS beside it, and their signature against the platform's key."""
    sums, signature = file.parent / "SHA256SUMS", file.parent / "SHA256SUMS.sig"
    for needed in (sums, signature):
        if not needed.exists():
            fail(
                f"{needed} is missing", following="kaimen sdk build … --out DIR writes it beside the archives"
            )
    pem = key.read_bytes() if key else platform.request("GET", "/platform/v1/sdk")["key"].encode()
    is_signed = _is_signed(sums.read_bytes(), signature.read_bytes(), pem)
    lines = (line.partition("  ") for line in sums.read_text().splitlines())
    listed = {name: digest for digest, _, name in lines}
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    is_listed = listed.get(file.name) == digest
    if platform.as_json:
        click.echo(
            json.dumps({"file": str(file), "sha256": digest, "signature": is_signed, "checksum": is_listed})
        )
        if not (is_signed and is_listed):
            raise SystemExit(1)
        return
    if not is_signed:
        fail(
            "SHA256SUMS does not carry this platform's signature",
            following="download it again from the platform",
        )
    if not is_listed:
        fail(f"{file.name} is not what SHA256SUMS lists", following="download it again from the platform")
    click.echo(f"✓ {file.name} is as the platform signed it")


def _is_signed(data: bytes, signature: bytes, pem: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    public = load_pem_public_key(pem)
    if not isinstance(public, Ed25519PublicKey):
        fail("the key is no Ed25519 public key", following="take it from /sdk/key of the platform")
    try:
        public.verify(base64.b64decode(signature), data)
    except (InvalidSignature, ValueError):
        return False
    return True
