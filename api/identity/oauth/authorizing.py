"""What an app may ask for at the authorization endpoint: every check that needs no database, for PAR and browser alike.

Two kinds of refusal: as long as client and redirect URI are not known to belong together the browser stays here
(RedirectRefused); afterwards the app is told, with its state and our issuer (any other OAuth2Error).
"""

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from api.core.problems import Text
from api.identity.oauth.authorization import Asked
from api.identity.oauth.clients import Client
from api.identity.oauth.details import parsed
from api.identity.oauth.errors import (
    AuthorizationRefused,
    ClientUnauthorized,
    InputRefused,
    RedirectRefused,
)
from api.identity.oauth.resources import audience_for
from api.identity.oauth.scopes import IDENTITY, PublishedScopes, allowed_authorization

CHALLENGE_METHOD = "S256"
PROMPTS = frozenset({"none", "login", "consent", "select_account"})
_is_thumbprint = re.compile(r"[A-Za-z0-9_-]{43}").fullmatch
_is_age = re.compile(r"[0-9]{1,9}").fullmatch

_NO_REDIRECT = Text(
    "缺少 redirect_uri;请写出已登记的完整地址。",
    "The redirect_uri is missing; name a registered one in full.",
)
_OTHER_REDIRECT = Text(
    "redirect_uri 不是该应用登记的地址(逐字符比较)。应用的所有者可在门户的 OAuth 设置中登记。",
    "The redirect_uri is none that this app has registered, character by character. Its owner can register it in the "
    "app's OAuth settings in the portal.",
)


def check_redirect_uri(parameters: Mapping[str, str], client: Client) -> str:
    """The registered redirect URI that was named. Raises RedirectRefused."""
    uri = parameters.get("redirect_uri", "")
    if not uri:
        raise RedirectRefused(_NO_REDIRECT)
    if uri not in client.redirect_uris:
        raise RedirectRefused(_OTHER_REDIRECT)
    return uri


def check_authorization(
    parameters: Mapping[str, str], client: Client, published: PublishedScopes, issuer: str
) -> Asked:
    """What was asked, all of it checked but the authorization details against the catalogue. Raises OAuth2Error."""
    redirect_uri = check_redirect_uri(parameters, client)
    _check_kind(parameters, client)
    challenge = _check_challenge(parameters)
    jkt = parameters.get("dpop_jkt", "")
    if jkt and not _is_thumbprint(jkt):
        raise InputRefused(
            "The dpop_jkt is no JWK thumbprint: 43 base64url characters (RFC 9449, section 10)."
        )
    scope = allowed_authorization(parameters.get("scope", ""), client.granted, published)
    details = parsed(parameters.get("authorization_details", ""))
    if not scope and not details:
        raise AuthorizationRefused(
            "invalid_scope", "Say what you need: name scopes, or authorization_details (RFC 9396)."
        )
    services = " ".join(one for one in scope.split() if one not in IDENTITY)
    age = parameters.get("max_age", "")
    if age and not _is_age(age):
        raise InputRefused("The max_age is a number of seconds.")
    return Asked(
        redirect_uri=redirect_uri,
        scope=scope,
        audience=audience_for(parameters.get("resource", ""), services, issuer),
        challenge=challenge,
        state=parameters.get("state"),
        nonce=parameters.get("nonce", ""),
        jkt=jkt,
        details=details,
        prompt=_check_prompt(parameters.get("prompt", "")),
        max_age=int(age) if age else -1,
        acr_values=parameters.get("acr_values", "")[:200],
        login_hint=parameters.get("login_hint", "")[:200],
        ui_locales=parameters.get("ui_locales", "")[:200],
    )


def _check_kind(parameters: Mapping[str, str], client: Client) -> None:
    response_type = parameters.get("response_type", "")
    if not response_type:
        raise InputRefused("The parameter response_type is missing; use response_type=code.")
    if response_type != "code":
        raise AuthorizationRefused(
            "unsupported_response_type", "Use response_type=code; there are no tokens in the address here."
        )
    if parameters.get("response_mode", "query") != "query":
        raise InputRefused("The only response_mode is query.")
    if "request" in parameters:
        raise AuthorizationRefused(
            "request_not_supported", "Request objects are not supported; push the request (RFC 9126) instead."
        )
    if not client.check_grant_type("authorization_code"):
        raise ClientUnauthorized(
            "This app does not use authorization_code; add it to the grant types in the app's OAuth settings."
        )


def _check_challenge(parameters: Mapping[str, str]) -> str:
    challenge, method = parameters.get("code_challenge", ""), parameters.get("code_challenge_method", "")
    if not challenge:
        raise InputRefused("The code_challenge is missing: PKCE with S256 is required (RFC 7636).")
    if method != CHALLENGE_METHOD:
        raise InputRefused("The code_challenge_method has to be S256; plain, or none, is not taken.")
    if not _is_thumbprint(challenge):
        raise InputRefused("A code_challenge of S256 has 43 base64url characters, without padding.")
    return challenge


def _check_prompt(prompt: str) -> str:
    values = prompt.split()
    if not set(values) <= PROMPTS:
        raise InputRefused(f"The prompt is one or more of {', '.join(sorted(PROMPTS))}.")
    if "none" in values:
        if len(values) > 1:
            raise InputRefused("The prompt none goes with no other.")
        raise AuthorizationRefused(
            "login_required", "Nobody is signed in without being asked here; leave prompt=none out."
        )
    return " ".join(values)


def address_with(redirect_uri: str, **parameters: str | None) -> str:
    """The redirect URI with these parameters added to its own; None leaves one out."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(given)}"


def locale_of(ui_locales: str) -> str:
    """The first of zh and en in OpenID Connect's ui_locales; "" where neither is there."""
    for tag in ui_locales.lower().split():
        primary = tag.partition("-")[0]
        if primary in {"zh", "en"}:
            return primary
    return ""
