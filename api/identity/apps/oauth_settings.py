"""What an app is as an OAuth client: profile, grant types, redirect URIs, how it proves itself, what binds its tokens.

The rules of the two profiles stand here once, for the portal, the platform API and dynamic registration:

    baseline   OAuth 2.1: any way to authenticate, PKCE always
    fapi2      a FAPI 2.0 client: keys or a certificate instead of a secret, tokens bound to a key, pushed requests
"""

import re
from typing import Any

from msgspec import Struct

from api.core.caller import Caller
from api.identity.apps.redirect_uris import MAX_URIS, fault_of_redirect_uri
from api.identity.apps.rows import changing, editable_app
from api.identity.inputs import Inputs
from api.identity.models import App

PROFILES = ("baseline", "fapi2")
AUTH_METHODS = ("client_secret", "private_key_jwt", "tls_client_auth", "none")
BINDINGS = ("", "dpop", "mtls")
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
GRANT_TYPES = ("client_credentials", "authorization_code", "refresh_token", DEVICE)
_is_thumbprint = re.compile(r"[A-Za-z0-9_-]{43}").fullmatch


class OAuthChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be changed; what is null stays. `certificate_thumbprint` is the base64url SHA-256 of the DER form."""

    profile: str | None = None
    auth_method: str | None = None
    grant_types: list[str] | None = None
    redirect_uris: list[str] | None = None
    post_logout_redirect_uris: list[str] | None = None
    token_binding: str | None = None
    certificate_thumbprint: str | None = None
    certificate_subject: str | None = None
    contact: str | None = None
    retention: str | None = None


async def set_oauth(caller: Caller, app_id: str, change: OAuthChange, **columns: Any) -> App:
    """Change the OAuth settings of an app; the whole has to keep the rules of its profile.

    `columns` go with it in the same write (dynamic registration). Raises not-found, permission-denied,
    input-invalid (every fault at once), conflict (deleted).
    """
    app = await editable_app(caller, app_id)
    values = read_oauth(change, app)
    fields = sorted(name for name in values if values[name] != getattr(app, name))
    async with changing(caller, "app:oauth:set", app, fields=fields):
        await App.filter(id=app.id).update(**values, **columns)
    return await App.get(id=app.id)


def read_oauth(change: OAuthChange, app: App) -> dict[str, Any]:
    """The checked columns of an app after a change. Raises input-invalid, all faults at once."""
    inputs = Inputs()
    values: dict[str, Any] = {}
    for name in OAuthChange.__struct_fields__:
        given = getattr(change, name)
        values[name] = getattr(app, name) if given is None else given
    _check_values(inputs, values, app.environment)
    _check_whole(inputs, values, has_keys=bool((app.jwks or {}).get("keys")))
    inputs.check()
    values["is_public"] = values["auth_method"] == "none"
    return values


def _check_values(inputs: Inputs, values: dict[str, Any], environment: str) -> None:
    inputs.choice("/profile", values["profile"], PROFILES)
    inputs.choice("/auth_method", values["auth_method"], AUTH_METHODS)
    inputs.choice("/token_binding", values["token_binding"], BINDINGS)
    for number, name in enumerate(values["grant_types"][: len(GRANT_TYPES) + 1]):
        inputs.choice(f"/grant_types/{number}", name, GRANT_TYPES)
    values["grant_types"] = [name for name in GRANT_TYPES if name in values["grant_types"]]
    for field in ("redirect_uris", "post_logout_redirect_uris"):
        values[field] = list(dict.fromkeys(values[field][: MAX_URIS + 1]))
        if len(values[field]) > MAX_URIS:
            inputs.fault(f"/{field}", f"最多 {MAX_URIS} 个地址。", f"At most {MAX_URIS} addresses.")
        for number, uri in enumerate(values[field]):
            fault = fault_of_redirect_uri(uri, loopback=environment == "sandbox")
            if fault is not None:
                inputs.fault(f"/{field}/{number}", fault.zh, fault.en)
    if values["certificate_thumbprint"] and not _is_thumbprint(values["certificate_thumbprint"]):
        inputs.fault(
            "/certificate_thumbprint",
            "须为证书 DER 形式的 SHA-256 的 base64url(43 个字符,无填充)。",
            "It is the base64url of the SHA-256 of the certificate's DER form: 43 characters, no padding.",
        )
    values["certificate_subject"] = inputs.line(
        "/certificate_subject", values["certificate_subject"], maximum=500, minimum=0
    )
    values["contact"] = inputs.line("/contact", values["contact"], maximum=254, minimum=0)
    values["retention"] = inputs.text("/retention", values["retention"], maximum=2000)


def _check_whole(inputs: Inputs, values: dict[str, Any], *, has_keys: bool) -> None:
    method, grants = values["auth_method"], values["grant_types"]
    if method == "private_key_jwt" and not has_keys:
        inputs.fault(
            "/auth_method",
            "先登记公钥(PUT …/keys),再改用 private_key_jwt。",
            "Register a public key first (PUT …/keys), then turn to private_key_jwt.",
        )
    if method == "tls_client_auth" and not (
        values["certificate_thumbprint"] or values["certificate_subject"]
    ):
        inputs.fault(
            "/certificate_thumbprint",
            "tls_client_auth 须登记证书指纹或主题名。",
            "tls_client_auth takes the certificate's thumbprint or its subject name.",
        )
    if method == "none" and "client_credentials" in grants:
        inputs.fault(
            "/grant_types",
            "公共客户端没有凭据,不能使用 client_credentials。",
            "A public client has no credential, so client_credentials is not for it.",
        )
    if "refresh_token" in grants and not {"authorization_code", DEVICE} & set(grants):
        inputs.fault(
            "/grant_types",
            "refresh_token 须与 authorization_code 或设备授权一起使用。",
            "refresh_token goes with authorization_code or the device grant.",
        )
    if "authorization_code" in grants and not values["redirect_uris"]:
        inputs.fault(
            "/redirect_uris",
            "authorization_code 至少要有一个重定向地址。",
            "authorization_code takes at least one redirect URI.",
        )
    if values["profile"] == "fapi2" and method not in {"private_key_jwt", "tls_client_auth"}:
        inputs.fault(
            "/profile",
            "fapi2 须以 private_key_jwt 或 tls_client_auth 认证。",
            "fapi2 authenticates with private_key_jwt or tls_client_auth.",
        )
    if values["profile"] == "fapi2" and not values["token_binding"]:
        inputs.fault(
            "/token_binding",
            "fapi2 的令牌须绑定密钥:dpop 或 mtls。",
            "The tokens of fapi2 are bound to a key: dpop or mtls.",
        )
