"""`kaimen app oauth`: what an app is as an OAuth client."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import click

from api.main.context import Platform, platform_command
from api.main.output import USAGE, fail, print_json


@click.command("oauth")
@click.argument("app_id")
@click.option("--profile", type=click.Choice(["baseline", "fapi2"]), default=None)
@click.option(
    "--auth-method", type=click.Choice(["client_secret", "private_key_jwt", "tls_client_auth", "none"]), default=None,
    help="How the app proves itself; none makes it a public client.",
)  # fmt: skip
@click.option("--grant-type", "grant_types", multiple=True, help="May be repeated; replaces those there are.")
@click.option(
    "--redirect-uri", "redirect_uris", multiple=True, help="May be repeated; replaces those there are."
)
@click.option(
    "--post-logout-redirect-uri", "post_logout_redirect_uris", multiple=True,
    help="May be repeated; replaces those there are.",
)  # fmt: skip
@click.option("--token-binding", type=click.Choice(["", "dpop", "mtls"]), default=None)
@click.option(
    "--keys", "keys_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=None,
    help="A JWK set with public keys; replaces those there are.",
)  # fmt: skip
@click.option(
    "--certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=None,
    help="The app's client certificate (PEM); its thumbprint is registered.",
)  # fmt: skip
@click.option(
    "--certificate-subject", default=None, help="The certificate's subject (RFC 4514), by an authority."
)
@click.option("--contact", default=None, help="Shown on the consent page.")
@click.option("--retention", default=None, help="How long the app keeps data; shown on the consent page.")
@platform_command
def oauth(
    platform: Platform, app_id: str, keys_file: Path | None, certificate: Path | None, **given: Any
) -> None:
    """Change the OAuth settings of an app; without options, show them."""
    change = {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
    change = {name: value for name, value in change.items() if value not in (None, [])}
    if certificate is not None:
        change["certificate_thumbprint"] = _thumbprint(certificate)
    if keys_file is not None:
        body = {"keys": _keys(keys_file), "auth_method": _method_with_keys(platform, app_id)}
        platform.request("PUT", f"/platform/v1/apps/{app_id}/keys", body=body)
    path = f"/platform/v1/apps/{app_id}"
    if change:
        settings = platform.request("PATCH", path, body={"oauth": change})["oauth"]
    else:
        settings = platform.request("GET", path)["oauth"]
    if platform.as_json:
        print_json(settings)
        return
    for name, value in settings.items():
        shown = "\n                            ".join(value) if isinstance(value, list) else value
        click.echo(f"  {name:<26}{shown}")


@click.command("platform-scopes")
@click.argument("app_id")
@click.argument("scopes", nargs=-1)
@click.option("--none", "is_none", is_flag=True, help="Take all of them away.")
@platform_command
def platform_scopes(platform: Platform, app_id: str, scopes: tuple[str, ...], is_none: bool) -> None:
    """Give an app these `platform:` scopes, in place of those it has; without any, show them."""
    path = f"/platform/v1/apps/{app_id}"
    if scopes and is_none:
        fail("name scopes, or give --none", following="one of the two", code=USAGE)
    if scopes or is_none:
        app = platform.request("PUT", path + "/platform-scopes", body={"scopes": list(scopes)})
    else:
        app = platform.request("GET", path)
    if platform.as_json:
        print_json({"app_id": app_id, "platform_scopes": app["platform_scopes"]})
        return
    for scope in app["platform_scopes"]:
        click.echo(f"  {scope}")
    if not app["platform_scopes"]:
        click.echo("  –")


def _method_with_keys(platform: Platform, app_id: str) -> str | None:
    """Laying keys in changes over to them only where the command says so: until then the secret goes on."""
    settings = platform.request("GET", f"/platform/v1/apps/{app_id}")["oauth"]
    return "client_secret" if settings["auth_method"] == "client_secret" else None


def _keys(file: Path) -> list[Any]:
    try:
        keys = json.loads(file.read_text())["keys"]
    except (ValueError, KeyError, TypeError):
        fail(f"{file} holds no JWK set", following='it looks like {"keys": [{"kty": "EC", …}]}', code=USAGE)
    return list(keys)


def _thumbprint(file: Path) -> str:
    """The base64url SHA-256 of the certificate's DER form (RFC 8705 §3.1)."""
    _, _, rest = file.read_text(errors="replace").partition("-----BEGIN CERTIFICATE-----")
    body, end, _ = rest.partition("-----END CERTIFICATE-----")
    try:
        der = base64.b64decode("".join(body.split()), validate=True)
    except ValueError:
        der = b""
    if not end or not der:
        fail(
            f"{file} holds no certificate in PEM", following="openssl x509 -in FILE -outform PEM", code=USAGE
        )
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
