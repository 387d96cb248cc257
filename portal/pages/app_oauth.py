"""An app as an OAuth client: its settings, and trying the consent page with them in the sandbox."""

import base64
import hashlib
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from litestar import Response, Router, get, post
from litestar.params import FromPath

from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.problems import Refusal, Text
from api.identity.apps import oauth_settings
from api.identity.apps import service as apps
from api.identity.apps.oauth_settings import OAuthChange
from api.identity.models import App
from api.identity.permissions import can_edit_app
from portal import flash, tryconsent
from portal.forms import Field, Filled, Form
from portal.frame import check_signed_in, page, redirect
from portal.language import language_of
from portal.texts import text
from portal.view import AnyRequest, Page, Words, settings_of

SETTINGS = Form(
    Field("profile", maximum=12),
    Field("auth_method", maximum=24),
    Field("token_binding", required=False, maximum=8),
    Field("grant_types", kind="choices", required=False, maximum=80),
    Field("redirect_uris", kind="area", required=False, maximum=11_000),
    Field("post_logout_redirect_uris", kind="area", required=False, maximum=11_000),
    Field("jwks", kind="area", required=False, maximum=20_000),
    Field("certificate", kind="area", required=False, maximum=20_000),
    Field("remove_certificate", kind="flag", required=False),
    Field("contact", required=False, maximum=254),
    Field("retention", kind="area", required=False, maximum=2000),
)
_LISTS = ("redirect_uris", "post_logout_redirect_uris")
_PLAIN = ("profile", "auth_method", "token_binding", "contact", "retention")


class CertificateFault(Exception):  # noqa: N818 - it says what is the matter
    """What was pasted is no certificate; `key` is the text that says so."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def read_certificate(pem: str) -> tuple[str, str]:
    """Thumbprint (base64url SHA-256 of the DER form, RFC 8705 §3.1) and subject name (RFC 4514) of a certificate.

    Raises CertificateFault; a private key is told apart, for its owner has to know that it is lost.
    """
    if "PRIVATE KEY" in pem:
        raise CertificateFault("oauth.certificate_private")
    try:
        found = x509.load_pem_x509_certificate(pem.encode())
        subject = found.subject.rfc4514_string()
    except ValueError:
        raise CertificateFault("oauth.certificate_bad") from None
    digest = hashlib.sha256(found.public_bytes(Encoding.DER)).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("="), subject


def _filled_from(app: App) -> Filled:
    keys = app.jwks.get("keys") if isinstance(app.jwks, dict) else None
    shown = msgspec.json.format(msgspec.json.encode({"keys": keys}), indent=2).decode() if keys else ""
    return SETTINGS.blank(
        {name: getattr(app, name) for name in _PLAIN}
        | {name: "\n".join(getattr(app, name)) for name in _LISTS}
        | {"grant_types": list(app.grant_types), "jwks": shown}
    )


async def _settings_page(
    request: AnyRequest, caller: Caller, app_id: str, form: Filled | None = None, status: int = 200
) -> Page:
    app = await apps.get_app(caller, app_id)
    settings, words = settings_of(request), Words(language_of(request))
    issuer = settings.issuer_of(app.environment)
    context: dict[str, Any] = {
        "app": app,
        "form": form or _filled_from(app),
        "may_change": can_edit_app(caller, app.organisation_id) and app.status != "deleted",
        "profiles": [(one, words(f"oauth.profile_{one}")) for one in oauth_settings.PROFILES],
        "methods": [(one, words(f"oauth.method_{one}")) for one in oauth_settings.AUTH_METHODS],
        "bindings": [(one, words(f"oauth.binding_{one or 'none'}")) for one in oauth_settings.BINDINGS],
        "grants": [(one, words(f"oauth.grant_{_short(one)}")) for one in oauth_settings.GRANT_TYPES],
        "issuer": issuer,
        "trial": await tryconsent.trial_of(app, settings, words) if app.environment == "sandbox" else None,
    }
    return await page(request, caller, "app_oauth.html", status=status, **context)


def _short(grant_type: str) -> str:
    return "device" if grant_type == oauth_settings.DEVICE else grant_type


@get("/apps/{app_id:str}/oauth")
async def show_settings(request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]) -> Page:
    """How the app proves itself, where browsers return to, what the consent page tells; and a trial."""
    check_signed_in(caller)
    return await _settings_page(request, caller, app_id)


@post("/apps/{app_id:str}/oauth", opt={"slowapi": "30/minute"})
async def change_settings(
    request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]
) -> Page | Response[None]:
    """The settings as a whole; faults stand at their fields, an address with its line."""
    check_signed_in(caller)
    form = await SETTINGS.read(request)
    change = _change_of(form)
    keys = _keys_of(form)
    if form.is_valid and change is not None:
        try:
            await _store(caller, app_id, change, keys)
        except Refusal as problem:
            _take(form, problem, language_of(request))
        else:
            return redirect(f"/apps/{app_id}/oauth", flash.put("oauth.saved"))
    return await _settings_page(request, caller, app_id, form, form.status)


def _change_of(form: Filled) -> OAuthChange | None:
    """What the form asks for; None with the fault noted when the certificate is none."""
    values: dict[str, Any] = {name: form.value(name) for name in _PLAIN}
    values |= {name: form.value(name).split() for name in _LISTS}
    values["grant_types"] = form.chosen("grant_types")
    if form.values.get("remove_certificate"):
        values |= {"certificate_thumbprint": "", "certificate_subject": ""}
    elif pem := form.value("certificate"):
        try:
            thumbprint, subject = read_certificate(pem)
        except CertificateFault as fault:
            form.fault("certificate", fault.key)
            return None
        values |= {"certificate_thumbprint": thumbprint, "certificate_subject": subject[:500]}
    return OAuthChange(**values)


def _keys_of(form: Filled) -> Any:
    try:
        return msgspec.json.decode(form.value("jwks") or '{"keys":[]}')
    except msgspec.DecodeError as error:
        form.fault("jwks", "version.overlay_bad", error=str(error))
        return None


async def _store(caller: Caller, app_id: str, change: OAuthChange, keys: Any) -> None:
    """Keys first where there are some, for private_key_jwt needs them; last where they go away."""
    app = await apps.get_app(caller, app_id)
    has_keys = isinstance(keys, dict) and bool(keys.get("keys"))
    if has_keys:
        await apps.set_keys(caller, app_id, keys, app.auth_method)
    await oauth_settings.set_oauth(caller, app_id, change)
    if not has_keys and app.jwks and app.jwks.get("keys"):
        await apps.set_keys(caller, app_id, keys, change.auth_method)


def _take(form: Filled, problem: Refusal, language: str) -> None:
    """Faults at their fields. A fault of the fifth address says so: there is one field for all of them."""
    if not problem.errors:
        form.take(problem)
        return
    for error in problem.errors:
        name, _, rest = str(error["pointer"]).strip("/").partition("/")
        words = error["message"]
        said = words.in_language(language) if isinstance(words, Text) else str(words)
        if name in _LISTS and rest.isdecimal():
            said = text(language, "oauth.line", line=int(rest) + 1, fault=said)
        place = {"keys": "jwks", "certificate_thumbprint": "certificate", "certificate_subject": "certificate"}.get(name, name)  # fmt: skip
        form.say(place if place in form.fields else "", said)


# --- trying it ---------------------------------------------------------------------------------
@post("/apps/{app_id:str}/oauth/prepare", opt={"slowapi": "30/minute"})
async def prepare(request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]) -> Response[None]:
    """Registers the portal's try-out address and the code grant, so that trying takes one press more."""
    check_signed_in(caller)
    app = await apps.get_app(caller, app_id)
    address = tryconsent.address_of(app, settings_of(request))
    change = OAuthChange(
        redirect_uris=list(dict.fromkeys([*app.redirect_uris, address])),
        grant_types=list(dict.fromkeys([*app.grant_types, "authorization_code"])),
    )
    await oauth_settings.set_oauth(caller, app_id, change)
    return redirect(f"/apps/{app_id}/oauth#try", flash.put("oauth.try_prepared"))


@post("/apps/{app_id:str}/oauth/try", opt={"slowapi": "30/minute"})
async def begin_trial(request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]) -> Response[None]:
    """Off to the consent page, as the app would send a citizen."""
    check_signed_in(caller)
    app = await apps.get_app(caller, app_id)
    entry = str((await request.form()).get("service", ""))[:160]
    address, cookie = await tryconsent.begin(request, app, entry, Words(language_of(request)))
    return redirect(address, cookie)


@get("/apps/{app_id:str}/oauth/try")
async def show_trial(request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]) -> Page:
    """Where the consent page sends the browser back to: the code, and how to make a token of it."""
    check_signed_in(caller)
    app = await apps.get_app(caller, app_id)
    outcome = await tryconsent.read_answer(request, app)
    return await page(request, caller, "app_tried.html", app=app, outcome=outcome)


router = Router("/", route_handlers=[show_settings, change_settings, prepare, begin_trial, show_trial])
