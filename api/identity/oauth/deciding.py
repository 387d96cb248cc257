"""From an authorization request to a code: requests are pushed, opened, and decided by their resource owner, once.

This is the async half of the authorization endpoint; authorizing.py holds the checks. The page that asks people
lives elsewhere and comes here through AuthorizationService.
"""

import re
import secrets
from datetime import datetime, timedelta
from typing import Any

import msgspec
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from api.core import clock, crypto, ids, store
from api.core.problem_types_platform import NOT_FOUND
from api.core.problems import Refusal, Text
from api.identity.consents.details import DetailsError, read_details
from api.identity.models import App
from api.identity.oauth.authorization import (
    REQUEST_SECONDS,
    Asked,
    Consent,
    PendingRequest,
    ResourceOwner,
)
from api.identity.oauth.authorizing import address_with, locale_of
from api.identity.oauth.clients import Client
from api.identity.oauth.device import DeviceGranted
from api.identity.oauth.errors import DetailsRefused
from api.identity.oauth.families import CODE_SECONDS
from api.identity.oauth.models import AuthorizationCode, AuthorizationRequest, PushedRequest, TokenFamily
from api.identity.oauth.scopes import IDENTITY

PUSHED_PREFIX = "urn:ietf:params:oauth:request_uri:"
PUSHED_SECONDS = 90  # FAPI 2.0 wants less than 600
is_browser = re.compile(r"[A-Za-z0-9_-]{43}").fullmatch  # a value of the cookie
_is_request_id = re.compile(r"ar_[0-9a-z]{32}").fullmatch
_WHAT = Text("授权请求", "authorization request")


def not_waiting() -> Refusal:
    """The refusal of a request that is not there, another browser's, decided or expired."""
    return Refusal(NOT_FOUND, what=_WHAT)


async def check_details(client: Client, asked: Asked) -> None:
    """What is asked of the person, against the catalogue and the app's subscriptions. Raises DetailsRefused."""
    services = " ".join(one for one in asked.scope.split() if one not in IDENTITY)
    if not services and not asked.details:
        return
    try:
        await read_details(await App.get(id=client.app_id), asked.details, services)
    except DetailsError as error:
        raise DetailsRefused(error.reason) from None


async def push(environment: str, client: Client, parameters: dict[str, str], jkt: str) -> str:
    """Keep a pushed request for a minute and a half. Returns its request_uri."""
    reference = secrets.token_urlsafe(32)
    await PushedRequest.create(
        using_db=store.plane(environment),
        hash=crypto.hash_secret(reference),
        client_id=client.client_id,
        parameters=parameters,
        jkt=jkt,
        expires_at=clock.now() + timedelta(seconds=PUSHED_SECONDS),
    )
    return PUSHED_PREFIX + reference


async def take_pushed(environment: str, request_uri: str, client_id: str) -> dict[str, str] | None:
    """The parameters of a pushed request, for its client, once; None for any other."""
    reference = request_uri.removeprefix(PUSHED_PREFIX)
    if reference == request_uri or len(reference) > 100:
        return None
    mine = PushedRequest.filter(
        hash=crypto.hash_secret(reference), client_id=client_id, used_at=None, expires_at__gt=clock.now()
    ).using_db(store.plane(environment))
    row = await mine.first()
    if row is None or not await mine.update(used_at=clock.now()):
        return None
    parameters = dict(row.parameters)
    return parameters | {"dpop_jkt": row.jkt} if row.jkt else parameters


async def keep_request(environment: str, client: Client, asked: Asked, browser: str) -> str:
    """Keep a checked request until its resource owner has decided. Returns its id, `ar_…`."""
    request_id = ids.random_id("ar", 20)
    await AuthorizationRequest.create(
        using_db=store.plane(environment),
        hash=crypto.hash_secret(request_id),
        app_id=client.app_id,
        client_id=client.client_id,
        browser=crypto.hash_secret(browser),
        parameters=msgspec.to_builtins(asked),
        expires_at=clock.now() + timedelta(seconds=REQUEST_SECONDS),
    )
    return request_id


async def open_request(environment: str, request_id: str, browser: str) -> PendingRequest:
    """The request that waits under this id in this browser. Raises Refusal NOT_FOUND, alike for every reason."""
    row = await _waiting(environment, request_id, browser).first()
    if row is None:
        raise not_waiting()
    asked = msgspec.convert(row.parameters, Asked)
    return PendingRequest(
        id=request_id,
        app_id=row.app_id,
        client_id=row.client_id,
        asked=asked,
        locale=locale_of(asked.ui_locales),
        expires_at=row.expires_at,
    )


def _waiting(environment: str, request_id: str, browser: str, connection: Any = None) -> Any:
    if not _is_request_id(request_id) or not is_browser(browser):
        raise not_waiting()
    return AuthorizationRequest.filter(
        hash=crypto.hash_secret(request_id),
        browser=crypto.hash_secret(browser),
        used_at=None,
        expires_at__gt=clock.now(),
    ).using_db(connection or store.plane(environment))


async def close_request(
    environment: str, request_id: str, browser: str, connection: BaseDBAsyncClient | None = None
) -> None:
    """The one decision on a request; of racers one comes through. Raises Refusal NOT_FOUND."""
    waiting = _waiting(environment, request_id, browser, connection)
    if not await waiting.update(used_at=clock.now()):
        raise not_waiting()


async def open_family(
    connection: BaseDBAsyncClient, pending: PendingRequest, subject: ResourceOwner, grant: Consent | None, *,
    auth_time: int, acr: str, until: datetime,
) -> TokenFamily:  # fmt: skip
    """What the journey gives, before any token of it: who agreed to what, until when at most."""
    asked = pending.asked
    identity = {one for one in asked.scope.split() if one in IDENTITY}
    scope = asked.scope if grant is None else " ".join(sorted(identity | set(grant.scope.split())))
    if grant is not None and grant.expires_at is not None:
        until = min(until, grant.expires_at)
    return await TokenFamily.create(
        using_db=connection,
        id=ids.random_id("f"),
        app_id=pending.app_id,
        client_id=pending.client_id,
        subject_id=subject.id,
        grant_id="" if grant is None else grant.id,
        scope=scope,
        audience=asked.audience,
        details=[] if grant is None else list(grant.details),
        consent="" if grant is None else grant.text_hash,
        mandate="" if grant is None else grant.mandate_id,
        acr=acr or subject.assurance,
        nonce=asked.nonce,
        auth_time=auth_time or int(clock.unix_seconds()),
        created_at=clock.now(),
        expires_at=until,
    )


async def complete(
    environment: str, issuer: str, pending: PendingRequest, browser: str, subject: ResourceOwner, grant: Consent | None, *,
    auth_time: int, acr: str, until: datetime,
) -> str:  # fmt: skip
    """Decide the request and make its code, together. Returns the address with code, state and iss.

    A request of a device ends in the device's row instead, and at a page that says so. Raises Refusal NOT_FOUND.
    """
    code = ids.random_secret("kc")
    asked = pending.asked
    async with in_transaction(environment) as connection:
        await close_request(environment, pending.id, browser, connection)
        family = await open_family(
            connection, pending, subject, grant, auth_time=auth_time, acr=acr, until=until
        )
        if asked.device:
            await DeviceGranted(asked.device, family.id).write(connection)
            return address_with(asked.redirect_uri, outcome="done")
        await AuthorizationCode.create(
            using_db=connection,
            hash=crypto.hash_secret(code),
            family_id=family.id,
            client_id=pending.client_id,
            redirect_uri=asked.redirect_uri,
            challenge=asked.challenge,
            jkt=asked.jkt,
            expires_at=clock.now() + timedelta(seconds=CODE_SECONDS),
        )
    return address_with(asked.redirect_uri, code=code, state=asked.state, iss=issuer)


async def sweep(environment: str) -> None:
    """Delete requests that nobody can decide any more."""
    for model in (PushedRequest, AuthorizationRequest):
        await model.filter(expires_at__lt=clock.now()).using_db(store.plane(environment)).delete()
