"""Trying consent from an app's page: off to the consent page as the app would send a citizen, and back with a code.

The verifier of PKCE and the state wait in a sealed cookie of the app's own page, so nothing is stored, and an
answer that this browser did not begin is told apart. Sandbox only; a financial-grade app pushes its own requests.
"""

import base64
import hashlib
import secrets
import shlex
from typing import Any
from urllib.parse import urlencode

import msgspec
from cryptography.exceptions import InvalidTag
from litestar.datastructures import Cookie
from msgspec import Struct

from api.core import problem_types_platform as platform_types
from api.core.crypto import Vault
from api.core.problems import Refusal, Text
from api.identity.consents import published
from api.identity.models import App
from api.settings import Settings
from portal import samples, tryit
from portal.cookies import cookie
from portal.first_call import EXTRACT
from portal.view import AnyRequest, Words, settings_of

COOKIE = "kaimen_trial"
PERSONA = "lin-xi"  # speaks for a company that files and pays on time
_SECONDS = 1200
_CONTEXT = "portal:trial:"


class Entry(Struct, frozen=True):
    """A service that the app may ask consent for: `key` is `tax@v1:bank-credit`."""

    key: str
    title: str


class Trial(Struct, frozen=True):
    """What the page offers. `is_ready`: the try-out address is registered, with the code grant."""

    entries: tuple[Entry, ...]
    address: str
    is_ready: bool
    is_fapi: bool
    has_commands: bool  # none for an app whose tokens are bound to a key: it goes through the page
    command_line: str
    curl: str


class Begun(Struct, frozen=True):
    """What the cookie remembers of a trial under way: `entry` is the service that was asked for."""

    state: str
    verifier: str
    entry: str


class Outcome(Struct, frozen=True):
    """What came back. `kind` is code, refused, foreign (another state) or nothing."""

    kind: str
    error: str = ""
    description: str = ""
    token_command: str = ""
    call_command: str = ""


def address_of(app: App, settings: Settings) -> str:
    """The redirect URI of trials, a page of the portal."""
    return f"{settings.issuer_of('sandbox')}/apps/{app.id}/oauth/try"


async def _entries(app: App, words: Words) -> tuple[Entry, ...]:
    found = []
    for key, purposes in sorted((await published.opened_to(app.id, app.environment)).items()):
        service = await published.service(key, app.environment)
        if service is None:
            continue
        for purpose, operations in sorted(purposes.items()):
            if purpose and operations & service.operations.keys():
                found.append(Entry(f"{key}:{purpose}", f"{words.said(service.title)} · {purpose}"))
    return tuple(found)


async def trial_of(app: App, settings: Settings, words: Words) -> Trial:
    """What there is to try with this app."""
    entries = await _entries(app, words)
    base = settings.issuer_of("sandbox")
    purpose = (entries[0].key if entries else "").rpartition(":")[2]
    body = msgspec.json.encode({"persona": PERSONA, "purpose": purpose}).decode()
    return Trial(
        entries=entries,
        address=address_of(app, settings),
        is_ready=address_of(app, settings) in app.redirect_uris and "authorization_code" in app.grant_types,
        is_fapi=app.profile == "fapi2",
        has_commands=not app.token_binding and app.auth_method == "client_secret",
        command_line=f'kaimen token --client-id {app.client_id} --client-secret "$CLIENT_SECRET" \\\n'
        f"  --persona {PERSONA} --purpose {purpose}",
        curl=f'curl -u {app.client_id}:"$CLIENT_SECRET" {base}/platform/v1/sandbox/grants \\\n'
        f"  -H 'Content-Type: application/json' -d {shlex.quote(body)}",
    )


async def begin(request: AnyRequest, app: App, entry: str, words: Words) -> tuple[str, Cookie]:
    """The authorization request as the app would make it, and the cookie that remembers it.

    Raises NOT_FOUND for a service that the app may not ask for.
    """
    settings = settings_of(request)
    if app.environment != "sandbox" or entry not in {one.key for one in await _entries(app, words)}:
        raise Refusal(platform_types.NOT_FOUND, what=Text("可试用的服务", "service to try"))
    key, _, purpose = entry.partition(":")
    begun = Begun(state=secrets.token_urlsafe(18), verifier=secrets.token_urlsafe(48), entry=entry)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).rstrip(b"=")
    details = [{"type": "kaimen-service", "service": key, "purpose": purpose}]
    query: dict[str, Any] = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": address_of(app, settings),
        "state": begun.state,
        "code_challenge": challenge.decode(),
        "code_challenge_method": "S256",
        "authorization_details": msgspec.json.encode(details).decode(),
        "ui_locales": words.language,
    }
    sealed = _vault(request).seal(msgspec.json.encode(begun), _CONTEXT + app.id).replace("$", ".")
    remembered = cookie(COOKIE, sealed, seconds=_SECONDS, path=f"/apps/{app.id}/oauth")
    return f"{settings.issuer_of('sandbox')}/oauth/authorize?{urlencode(query)}", remembered


def _vault(request: AnyRequest) -> Vault:
    found: Vault = request.app.state.portal.vault
    return found


def _begun(request: AnyRequest, app: App) -> Begun | None:
    sent = request.cookies.get(COOKIE, "")
    try:
        plain = _vault(request).open(sent.replace(".", "$"), _CONTEXT + app.id) if sent else b""
        return msgspec.json.decode(plain, type=Begun) if plain else None
    except (InvalidTag, ValueError):
        return None


async def read_answer(request: AnyRequest, app: App) -> Outcome:
    """What the authorization server sent back with the browser. Nothing is redeemed here."""
    query = request.query_params
    code, error = str(query.get("code", ""))[:500], str(query.get("error", ""))[:100]
    if not code and not error:
        return Outcome("nothing")
    begun = _begun(request, app)
    if begun is None or query.get("state") != begun.state:
        return Outcome("foreign")
    if error:
        return Outcome("refused", error, str(query.get("error_description", ""))[:500])
    settings = settings_of(request)
    return Outcome(
        "code",
        token_command=_token_command(app, code, begun.verifier, settings),
        call_command=await _call_command(app, begun.entry, settings),
    )


def _token_command(app: App, code: str, verifier: str, settings: Settings) -> str:
    base = settings.issuer_of("sandbox")
    if app.auth_method == "client_secret":
        who = f'-u {app.client_id}:"$CLIENT_SECRET"'
    else:
        who = f"-d client_id={app.client_id}"
    if app.auth_method == "private_key_jwt":
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        who += f' \\\n  -d client_assertion_type={kind} -d client_assertion="$CLIENT_ASSERTION"'
    is_bound = app.token_binding == "dpop"  # noqa: S105 - a way of binding
    proof = ' \\\n  -H "DPoP: $DPOP_PROOF"' if is_bound else ""
    return (
        f"export KAIMEN_TOKEN=$(curl -s {base}/oauth/token \\\n  {who}{proof} \\\n  -d grant_type=authorization_code \\\n"
        f"  -d code={shlex.quote(code)} \\\n  -d code_verifier={verifier} \\\n"
        f"  --data-urlencode redirect_uri={shlex.quote(address_of(app, settings))} \\\n  | {EXTRACT})"
    )


async def _call_command(app: App, entry: str, settings: Settings) -> str:
    """A call of the first operation that the consent opens, with the contract's own example."""
    key, _, purpose = entry.partition(":")
    service = await published.service(key, app.environment)
    opened = (await published.opened_to(app.id, app.environment)).get(key, {}).get(purpose, frozenset())
    operations = [one for id_, one in service.operations.items() if id_ in opened] if service else []
    if service is None or not operations:
        return ""
    values = samples.beginning_of(service.service, operations[0])
    path, query = tryit.address_of(service.service, operations[0], values)
    url = f"{settings.issuer_of('sandbox')}{path}" + (f"?{query}" if query else "")
    return f'curl -i -H "Authorization: Bearer $KAIMEN_TOKEN" \\\n  {shlex.quote(url)}'
