"""Step `authenticate`: an access token becomes the Caller. Fails closed, and says by name what is wrong.

A token is verified once and remembered (token_cache); expiry, revocation and the app's state are asked on every
call. It decides nothing about what the caller may do.
"""

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from api.core import clock
from api.core.caller import Caller, CallerKind
from api.core.problem_types import (
    TOKEN_EXPIRED,
    TOKEN_INVALID,
    TOKEN_MISSING,
    TOKEN_REVOKED,
    WRONG_ENVIRONMENT,
)
from api.core.problems import ProblemType, Refusal, Text
from api.gateway import possession
from api.gateway.app_table import ACTIVE
from api.gateway.backing import backing_of
from api.gateway.exchange import Exchange
from api.gateway.plane import Gateway
from api.gateway.token_cache import Principal

PASSED = ("authenticate", "pass", "")
_BEARER, _DPOP = b"bearer ", b"dpop "
_NO_ROLES: frozenset[str] = frozenset()
_CHALLENGE = 'Bearer realm="kaimen", error="invalid_token"'
_SANDBOX, _LIVE = (b"kt_", b"kts_"), (b"kl_", b"kls_")  # client ids and secrets

_NO_TOKEN_BUT_SECRET = Text(
    "这是应用的 client_id 或密钥,不是访问令牌。",
    "This is a client_id or secret of an app, not an access token.",
)
_NO_TOKEN_BUT_PERSONAL = Text(
    "这是个人令牌,只用于平台 API,不能调用服务。",
    "This is a personal token; it is for the platform API and calls no service.",
)
_NOT_BOUND = Text(
    "此令牌没有绑定密钥,须以 Bearer 方式发送;或在换取令牌时附上 DPoP 证明。",
    "This token is bound to no key: send it as Bearer, or ask for a bound one with a DPoP proof at the token endpoint.",
)

_UNKNOWN_BINDING = Text(
    "令牌的 cnf 要求一种此处无法核对的绑定。",
    "The cnf of the token asks for a binding that cannot be checked here.",
)


def apply(exchange: Exchange, gateway: Gateway) -> None:
    """Fill caller and app.

    Raises Refusal: token-missing, token-invalid, token-expired, token-revoked, wrong-environment, and those of
    possession.check.
    """
    authorization = exchange.authorization
    principal = gateway.tokens.get(authorization)
    if principal is None:
        principal = _first_use(exchange, gateway)
        gateway.tokens.add(authorization, principal)
    if principal.expires_at <= time.time():
        gateway.tokens.drop(authorization)
        raise _expired(principal, gateway)
    if principal.token_id in gateway.revoked:
        raise _refusal(TOKEN_REVOKED, gateway)
    apps = exchange.snapshot.apps
    if principal.seen != apps.version:
        principal.look_up(apps, principal.caller.id)
    app = principal.app
    if app.status != ACTIVE:
        raise _refusal(TOKEN_REVOKED, gateway)
    if principal.backing is not None:
        possession.check(exchange, gateway, principal.backing)
    exchange.caller = principal.caller
    exchange.app = app
    exchange.verdicts.append(PASSED)


def _first_use(exchange: Exchange, gateway: Gateway) -> Principal:
    authorization = exchange.authorization
    is_dpop = authorization[:5].lower() == _DPOP
    if not is_dpop and authorization[:7].lower() != _BEARER:
        raise _missing(exchange, gateway)
    token = authorization[5 if is_dpop else 7 :].strip(b" ")
    _check_kind(token, gateway)
    claims = gateway.verify_token(token)
    principal = Principal()
    try:
        principal.backing = backing_of(claims, token)
    except ValueError:
        raise _refusal(TOKEN_INVALID, gateway, rule="binding-unknown", reason=_UNKNOWN_BINDING) from None
    if is_dpop and (principal.backing is None or not principal.backing.jkt):
        raise _refusal(TOKEN_INVALID, gateway, rule="binding-missing", reason=_NOT_BOUND)
    app = principal.look_up(exchange.snapshot.apps, claims.app)
    principal.caller = Caller(
        kind=CallerKind.APP,
        id=claims.app,
        organisations={app.organisation_id: _NO_ROLES} if app.organisation_id else {},
        client_id=claims.client_id,
        environment=gateway.environment,
        scopes=_scopes_of(claims.scope),
        grant=claims.grant,
        token_id=claims.jti,
        expires_at=float(claims.exp),
    )
    principal.expires_at = principal.caller.expires_at
    principal.token_id = principal.caller.token_id
    return principal


@lru_cache(8192)
def _scopes_of(text: str) -> frozenset[str]:
    """The scopes of a token; tokens with the same share them."""
    return frozenset(text.split())


def _check_kind(token: bytes, gateway: Gateway) -> None:
    """Credentials that are no access token are told so by name, those of the other environment first."""
    foreign, own = (_LIVE, _SANDBOX) if gateway.is_sandbox else (_SANDBOX, _LIVE)
    if token.startswith(foreign):
        other = "live" if gateway.is_sandbox else "sandbox"
        raise _refusal(
            WRONG_ENVIRONMENT,
            gateway,
            presented=other,
            here=gateway.environment,
            other_base=gateway.settings.issuer_of(other) + "/api",
        )
    if token.startswith(own):
        raise _refusal(TOKEN_INVALID, gateway, reason=_NO_TOKEN_BUT_SECRET)
    if token.startswith(b"kp_"):
        raise _refusal(TOKEN_INVALID, gateway, reason=_NO_TOKEN_BUT_PERSONAL)


def _missing(exchange: Exchange, gateway: Gateway) -> Refusal:
    scopes = " ".join(exchange.compiled.scopes) if exchange.compiled is not None else ""
    challenge = f'Bearer realm="kaimen", scope="{scopes}"' if scopes else 'Bearer realm="kaimen"'
    return Refusal(
        TOKEN_MISSING, headers={"WWW-Authenticate": challenge}, token_endpoint=_token_endpoint(gateway)
    )


def _expired(principal: Principal, gateway: Gateway) -> Refusal:
    moment = datetime.fromtimestamp(principal.expires_at, UTC)
    return _refusal(TOKEN_EXPIRED, gateway, expired_at=clock.to_text(moment))


def _refusal(kind: ProblemType, gateway: Gateway, **facts: Any) -> Refusal:
    return Refusal(
        kind,
        headers={"WWW-Authenticate": _CHALLENGE},
        token_endpoint=_token_endpoint(gateway),
        **facts,
    )


def _token_endpoint(gateway: Gateway) -> str:
    return f"{gateway.settings.issuer}/oauth/token"
