"""Signing in at an outside OpenID provider: out to it with code, PKCE, state and nonce, and back with who it was.

What belongs to one sign-in on its way is sealed in a cookie of the browser that began it, named after the
state: nothing is stored for strangers, and an answer in another browser opens nothing. Source: OpenID Connect
Core 1.0 §3.1, RFC 7636, RFC 9207, RFC 9700 §4.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from cryptography.exceptions import InvalidTag
from msgspec import Struct

from api.core import clock
from api.core.logging import log
from api.core.problem_types_people import OUTSIDE_PROVIDER_AWAY, OUTSIDE_SIGN_IN_FAILED
from api.core.problems import Failure, Refusal, Text
from api.identity.installation import vault
from api.identity.outside.calls import CallError, Calls
from api.identity.outside.discovery import Directory
from api.identity.outside.id_token import TokenError, read_id_token
from api.identity.outside.models import OutsideProvider

FLOW_SECONDS = 600
_CONTEXT = "identity:outside-flow"
_MAX_PARAMETER = 2000


class Flow(Struct, frozen=True):
    """One sign-in on its way. `purpose` is staff, citizens or link; `who` the person who links."""

    provider_id: str
    purpose: str
    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    next: str
    at: float
    who: str = ""
    assurance: str = ""


class Departure(Struct, frozen=True):
    """Where the browser goes, and the cookie that it takes along."""

    address: str
    cookie_name: str
    cookie_value: str


class Identity(Struct, frozen=True):
    """Who it was, by ID token and userinfo; and what later checks are made with."""

    subject: str
    claims: dict[str, Any]
    tokens: "Tokens"
    flow: Flow


class Tokens(Struct, frozen=True):
    """What a provider gave for later: its tokens, and until when the access token holds (seconds since the epoch)."""

    access_token: str = ""
    refresh_token: str = ""
    expires_at: float = 0.0


def seal_tokens(tokens: Tokens, account_id: str) -> str:
    """The stored form, bound to its account."""
    return vault().seal(msgspec.json.encode(tokens), f"outside-tokens:{account_id}")


def open_tokens(sealed: str, account_id: str) -> Tokens:
    """The tokens of an account; none where the stored form is another's or unreadable."""
    try:
        return msgspec.json.decode(vault().open(sealed, f"outside-tokens:{account_id}"), type=Tokens)
    except (InvalidTag, ValueError):
        return Tokens()


def seal_secret(secret: str, provider_id: str) -> str:
    """The stored form of a client secret."""
    return vault().seal(secret.encode(), f"outside-secret:{provider_id}")


def client_of(provider: OutsideProvider) -> tuple[str, str]:
    """Client id and secret at the provider."""
    return provider.client_id, vault().open(provider.client_secret, f"outside-secret:{provider.id}").decode()


def refused(zh: str, en: str, rule: str) -> Refusal:
    """The refusal of an outside sign-in."""
    following = Text(
        "重新登录；若再次失败，请联系管理员。", "Sign in again; if it fails again, ask an administrator."
    )
    return Refusal(OUTSIDE_SIGN_IN_FAILED, rule=rule, reason=Text(zh, en), following=following)


def cookie_of(state: str) -> str:
    """The name of the cookie that belongs to a state."""
    return "kaimen_outside_" + hashlib.sha256(state.encode()).hexdigest()[:16]


class RelyingParty:
    """Us, as providers see us: one per process."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.directory = Directory(calls)

    async def depart(
        self,
        provider: OutsideProvider,
        purpose: str,
        redirect_uri: str,
        *,
        go_on: str = "",
        who: str = "",
        assurance: str = "",
        is_fresh: bool = False,
        locale: str = "zh",
    ) -> Departure:
        """Begin a sign-in. `assurance` asks for at least that level. Raises outside-provider-away."""
        try:
            metadata = await self.directory.metadata(provider.issuer)
        except CallError as error:
            raise away(provider, error) from error
        verifier, state, nonce = (secrets.token_urlsafe(32) for _ in range(3))
        flow = Flow(
            provider.id, purpose, state, nonce, verifier, redirect_uri, go_on, clock.unix_seconds(), who, assurance
        )  # fmt: skip
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code", "client_id": provider.client_id, "redirect_uri": redirect_uri,
            "scope": provider.scopes, "state": state, "nonce": nonce, "code_challenge": challenge,
            "code_challenge_method": "S256", "ui_locales": "zh-CN en" if locale == "zh" else "en zh-CN",
        }  # fmt: skip
        if values := acr_values(provider, assurance):
            query["acr_values"] = values
        if is_fresh:
            query["prompt"] = "login"
        start = metadata.authorization_endpoint
        address = start + ("&" if urlsplit(start).query else "?") + urlencode(query)
        sealed = vault().seal(msgspec.json.encode(flow), _CONTEXT).replace("$", ".")
        return Departure(address, cookie_of(state), sealed)

    async def arrive(
        self, provider: OutsideProvider, query: Mapping[str, str], sealed: str, purposes: frozenset[str]
    ) -> Identity:
        """Who came back from the provider. Raises outside-sign-in-failed, outside-provider-away."""
        flow = _open_flow(provider, query, sealed, purposes)
        try:
            metadata = await self.directory.metadata(provider.issuer)
            said = query.get("iss", "")
            if (said or metadata.says_issuer) and said != provider.issuer:
                raise refused(
                    "答复来自另一个提供方。", "The answer is another provider's.", "issuer-mixed-up"
                )
            if "error" in query:
                log("outside.refused", provider=provider.slug, error=str(query["error"])[:60])
                raise refused(
                    "身份提供方没有确认登录。",
                    "The provider did not confirm the sign-in.",
                    "provider-refused",
                )
            code = str(query.get("code", ""))
            if not code or len(code) > _MAX_PARAMETER:
                raise refused("答复里没有授权码。", "The answer holds no code.", "code-missing")
            reply = await self.calls.post(
                metadata.token_endpoint,
                {"grant_type": "authorization_code", "code": code, "redirect_uri": flow.redirect_uri,
                 "code_verifier": flow.verifier},
                client=client_of(provider),
            )  # fmt: skip
            if reply.status != 200:
                log(
                    "outside.code_refused",
                    provider=provider.slug,
                    error=str(reply.body.get("error", ""))[:60],
                )
                raise refused("授权码未被接受。", "The provider did not accept its code.", "code-refused")
            claims = await read_id_token(
                reply.body.get("id_token"), self.directory, provider.issuer, provider.client_id, nonce=flow.nonce
            )  # fmt: skip
            tokens = tokens_of(reply.body)
            claims = claims | await self.userinfo(provider, tokens.access_token, str(claims["sub"]))
        except TokenError as error:
            log("outside.token_refused", provider=provider.slug, fault=str(error))
            raise refused(
                "身份提供方的答复无法验证。", "The provider's answer could not be verified.", "token-refused"
            ) from error
        except CallError as error:
            raise away(provider, error) from error
        return Identity(str(claims["sub"]), claims, tokens, flow)

    async def userinfo(self, provider: OutsideProvider, access_token: str, subject: str) -> dict[str, Any]:
        """What the userinfo endpoint says of the subject; {} where there is none. Raises CallError, TokenError."""
        metadata = await self.directory.metadata(provider.issuer)
        if not metadata.userinfo_endpoint or not access_token:
            return {}
        reply = await self.calls.get(metadata.userinfo_endpoint, bearer=access_token)
        if reply.status in {401, 403}:
            raise TokenError("the provider takes its access token no more")
        if reply.status != 200:
            raise CallError(f"userinfo answers {reply.status}")
        if reply.body.get("sub") != subject:  # OpenID Connect Core §5.3.2
            raise TokenError("userinfo is of another subject")
        protocol = {"iss", "aud", "exp", "iat", "nonce", "acr", "amr", "azp", "auth_time"}
        return {name: value for name, value in reply.body.items() if name not in protocol}


def tokens_of(body: dict[str, Any]) -> Tokens:
    """The tokens in a token endpoint's answer."""
    lifetime = body.get("expires_in")
    seconds = float(lifetime) if isinstance(lifetime, int | float) and 0 < lifetime < 86400 * 366 else 300.0
    return Tokens(
        str(body.get("access_token") or "")[:8192],
        str(body.get("refresh_token") or "")[:8192],
        clock.unix_seconds() + seconds,
    )


def acr_values(provider: OutsideProvider, at_least: str) -> str:
    """The provider's names of assurance levels that are at least this one, the lowest first; "" for no wish."""
    levels = ("low", "substantial", "high")
    if at_least not in levels:
        return ""
    good = levels[levels.index(at_least) :]
    return " ".join(
        acr
        for level in good
        for acr, worth in provider.assurance.items()
        if worth == level and " " not in acr
    )


def away(provider: OutsideProvider, error: CallError) -> Failure:
    """The failure of a provider that cannot be asked."""
    log("outside.away", provider=provider.slug, fault=str(error)[:200])
    return Failure(
        OUTSIDE_PROVIDER_AWAY,
        provider=Text(provider.name_zh, provider.name_en),
        reason=Text("无法连接，或答复不可用", "it cannot be reached, or its answer is of no use"),
        headers={"Retry-After": "10"},
    )


def _open_flow(
    provider: OutsideProvider, query: Mapping[str, str], sealed: str, purposes: frozenset[str]
) -> Flow:
    """The sign-in that this browser began. Raises outside-sign-in-failed."""
    lost = refused(
        "登录不是由此浏览器发起，或已过期。", "This browser did not begin the sign-in, or it took too long.", "state-unknown"
    )  # fmt: skip
    try:
        flow = msgspec.json.decode(vault().open(sealed.replace(".", "$"), _CONTEXT), type=Flow)
    except (InvalidTag, ValueError):
        raise lost from None
    is_same = hmac.compare_digest(flow.state.encode(), str(query.get("state", "")).encode())
    if not is_same or flow.provider_id != provider.id or flow.purpose not in purposes:
        raise lost
    if not -5 <= clock.unix_seconds() - flow.at < FLOW_SECONDS:
        raise lost
    return flow
