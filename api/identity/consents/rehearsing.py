"""Consent in the sandbox without a browser: a persona agrees at once, through the code that the page uses.

For the command line, tests and samples. The live plane has no personas and refuses.
"""

import base64
import binascii
from typing import Any
from urllib.parse import unquote_plus

from msgspec import Struct

from api.core import clock, crypto
from api.core.caller import Caller, CallerKind
from api.core.problem_types_platform import CONFLICT, NOT_FOUND, NOT_SIGNED_IN
from api.core.problems import Refusal, Text
from api.identity.apps.rows import editable_app
from api.identity.consents import published
from api.identity.consents.asking import offer
from api.identity.consents.details import TYPE, Detail, DetailsError, read_details
from api.identity.consents.giving import give
from api.identity.consents.subjects import Subject
from api.identity.consents.text import ConsentText
from api.identity.inputs import refuse_input
from api.identity.installation import current
from api.identity.models import App, AppSecret, Grant
from api.identity.policies import ACTIVE, is_secret_active

PERSONA = Text("沙箱人物；kaimen persona list 列出全部", "such persona; kaimen persona list shows all")
_MAX_CREDENTIAL = 500


class Wish(Struct, frozen=True, kw_only=True):
    """What to agree to as whom. With neither details nor purpose: for the one purpose that the app is subscribed for."""

    persona: str
    purpose: str = ""
    details: list[dict[str, Any]] = []
    organisation: str = ""
    guardian: str = ""
    until: str = ""
    refuse: tuple[str, ...] = ()  # ids of choices, or names of fields, to leave unticked
    scope: str = ""


class Rehearsed(Struct, frozen=True):
    """The grant, who gave it, and the text that it was given on."""

    grant: Grant
    subject: Subject
    text: ConsentText


async def rehearse(app: App, wish: Wish, locale: str) -> Rehearsed:
    """Make the grant as the persona. Raises conflict (sandbox-only), not-found, input-invalid, and what `give` raises."""
    check_in_sandbox(app)
    if app.token_binding or app.profile == "fapi2":
        raise Refusal(
            CONFLICT,
            rule="token-bound",
            reason=Text(
                "此应用的令牌须绑定密钥或证书，这里给出的令牌不绑定。",
                "This app's tokens are bound to a key or a certificate; the one given here would not be.",
            ),
            following=Text(
                "让人物在授权页面上同意，或用一个普通的沙箱应用。",
                "Have the persona consent on the consent page, or use an ordinary sandbox app.",
            ),
        )
    subject = await _persona(wish.persona)
    guardian = await _persona(wish.guardian) if wish.guardian else None
    try:
        details = await read_details(app, wish.details or await _details_for(app, wish), wish.scope)
    except DetailsError as error:
        raise refuse_input("/authorization_details", error.reason, error.reason) from None
    if not details:
        raise refuse_input(
            "/scope", "所请求的内容不需要同意。", "Nothing of what is asked for needs consent."
        )
    text = await offer(app, subject, details, locale, guardian=guardian, organisation=wish.organisation)
    grant = await give(
        app, subject, details, locale, shown_hash=text.hash, accepted=_accepted(text, details, wish.refuse),
        scope=wish.scope, guardian=guardian, organisation=wish.organisation,
    )  # fmt: skip
    return Rehearsed(grant, subject, text)


def check_plane() -> None:
    """Refuses (conflict) everything on the live plane, whoever asks."""
    if current().settings.environment != "sandbox":
        raise _sandbox_only()


def check_in_sandbox(app: App) -> None:
    """Refuses (conflict) a live app, and everything on the live plane."""
    check_plane()
    if app.environment != "sandbox":
        raise _sandbox_only()


def _sandbox_only() -> Refusal:
    return Refusal(
        CONFLICT,
        rule="sandbox-only",
        reason=Text(
            "正式环境只有本人能在授权页面上同意。",
            "Live, people consent themselves, on the consent page, and nobody for them.",
        ),
        following=Text(
            "用沙箱应用试用；正式应用请走授权页面。",
            "Try it with a sandbox app; a live app sends people to the consent page.",
        ),
    )


async def _persona(slug: str) -> Subject:
    found = await current().subjects.persona(slug)
    if found is None:
        raise Refusal(NOT_FOUND, what=PERSONA)
    return found


async def _details_for(app: App, wish: Wish) -> list[dict[str, Any]]:
    """One detail for each service that the app may ask about for the purpose."""
    found: dict[str, list[str]] = {}
    for key, purposes in sorted((await published.opened_to(app.id, app.environment)).items()):
        service = await published.service(key, app.environment)
        for purpose, operations in sorted(purposes.items()):
            if service is not None and purpose and operations & service.operations.keys():
                found.setdefault(purpose, []).append(key)
    if not wish.purpose and len(found) != 1:
        names = ", ".join(sorted(found)) or "—"
        raise refuse_input(
            "/purpose", f"指明用途；应用的用途有：{names}。", f"Name the purpose; the app has: {names}."
        )
    purpose = wish.purpose or next(iter(found))
    if purpose not in found:
        names = ", ".join(sorted(found)) or "—"
        raise refuse_input(
            "/purpose",
            f"应用没有以此用途订阅须经同意的服务；它的用途有：{names}。先订阅：kaimen subscription add APP SERVICE@VERSION:{purpose}",
            f"The app has no subscription for this purpose to a service that needs consent; it has: {names}."
            f" Subscribe first: kaimen subscription add APP SERVICE@VERSION:{purpose}",
        )
    chosen = {"organisation": wish.organisation} if wish.organisation else {}
    until = {"until": wish.until} if wish.until else {}
    return [{"type": TYPE, "service": key, "purpose": purpose, **chosen, **until} for key in found[purpose]]


def _accepted(text: ConsentText, details: list[Detail], refuse: tuple[str, ...]) -> list[str]:
    """Every choice but the refused ones. Raises input-invalid for one that there is not."""
    ids = {one.id for one in text.choices}
    fields = {name for one in details for name in one.fields}
    for place, name in enumerate(refuse):
        if name not in ids and name not in fields:
            raise refuse_input(
                f"/refuse/{place}", "没有这一项可拒绝。", "There is no such choice or field to refuse."
            )
    return [one.id for one in text.choices if one.id not in refuse and not set(one.fields) & set(refuse)]


# --- who asks -------------------------------------------------------------------------------------
async def app_for(caller: Caller, app_id: str) -> App:
    """The app that the caller may rehearse with: its own, or one that the caller may change. Raises not-found."""
    if caller.kind == CallerKind.APP and app_id in {"", caller.id}:
        return await App.get(id=caller.id)
    return await editable_app(caller, app_id)


async def app_of_secret(credential: str) -> App:
    """The app that proves itself by HTTP Basic, client id and secret form-encoded (RFC 6749 §2.3.1).

    Raises not-signed-in.
    """
    refusal = Refusal(
        NOT_SIGNED_IN,
        rule="client-unknown",
        headers={"WWW-Authenticate": 'Basic realm="kaimen", charset="UTF-8"'},
    )
    if len(credential) > _MAX_CREDENTIAL:
        raise refusal
    try:
        client_id, colon, secret = base64.b64decode(credential, validate=True).decode("ascii").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise refusal from None
    client_id, secret = unquote_plus(client_id), unquote_plus(secret)
    if not colon or len(client_id) > 40 or not client_id.isascii() or not client_id.isprintable():
        raise refusal
    app = await App.get_or_none(client_id=client_id, status=ACTIVE)
    uses_secret = app is not None and app.auth_method == "client_secret"
    rows = await AppSecret.filter(app_id=app.id) if app is not None and uses_secret else []
    now = clock.now()
    if app is None or not any(
        crypto.is_secret(secret, row.hash) and is_secret_active(row.expires_at, row.revoked_at, now)
        for row in rows
    ):
        raise refusal
    return app
