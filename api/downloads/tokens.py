"""Read tokens: with one a package manager reads an app's packages. Shown once, stored as a hash, revoked at once.

They open nothing else: no data, no platform API.
"""

import base64
import binascii

from api.core import audit, clock, crypto, ids
from api.core.caller import Caller
from api.core.problem_types_platform import CONFLICT, NOT_FOUND
from api.core.problems import Refusal, Text
from api.downloads.models import SdkAppRelease, SdkRelease, SdkToken
from api.identity.apps.rows import editable_app, get_app
from api.identity.inputs import check_id
from api.identity.models import App

PREFIX = "ksdk"
MAX_TOKENS = 10
_WHAT = Text("SDK 读取令牌", "SDK read token")


async def create_token(caller: Caller, app_id: str, label: str) -> tuple[SdkToken, str]:
    """One more token and its value, which is shown this once. Raises not-found, permission-denied, conflict (ten are active)."""
    app = await editable_app(caller, app_id)
    token = ids.random_secret(PREFIX)
    async with audit.write(
        caller.actor, "app:sdk-token:create", f"app/{app.id}", organisation=app.organisation_id, label=label
    ) as entry:
        if await SdkToken.filter(app_id=app.id, revoked_at=None).count() >= MAX_TOKENS:
            raise Refusal(
                CONFLICT, rule="sdk-token-limit",
                reason=Text(f"应用已有 {MAX_TOKENS} 个令牌。", f"The app has {MAX_TOKENS} tokens already."),
                following=Text("先吊销一个：kaimen sdk revoke APP TOKEN。", "Revoke one first: kaimen sdk revoke APP TOKEN."),
            )  # fmt: skip
        row = await SdkToken.create(
            id=ids.random_id("skt"), app_id=app.id, label=label, hash=crypto.hash_secret(token), hint=token[-4:],
            created_by=caller.actor, created_at=clock.now(),
        )  # fmt: skip
        entry.detail["token"] = row.id
    return row, token


async def tokens_of(caller: Caller, app_id: str) -> list[SdkToken]:
    """Active tokens of an app, oldest first. Raises not-found."""
    app = await get_app(caller, app_id)
    return await SdkToken.filter(app_id=app.id, revoked_at=None).order_by("created_at", "id")


async def revoke_token(caller: Caller, app_id: str, token_id: str) -> SdkToken:
    """From now on it opens nothing. Raises not-found, permission-denied."""
    app = await editable_app(caller, app_id)
    token_id = check_id(token_id, "skt", _WHAT)
    async with audit.write(
        caller.actor,
        "app:sdk-token:revoke",
        f"app/{app.id}",
        organisation=app.organisation_id,
        token=token_id,
    ):
        done = await SdkToken.filter(id=token_id, app_id=app.id, revoked_at=None).update(
            revoked_at=clock.now()
        )
        if not done:
            raise Refusal(NOT_FOUND, what=_WHAT)
    return await SdkToken.get(id=token_id)


def token_in(authorization: str) -> str:
    """The token of an Authorization header: a Bearer token, or the password or user name of Basic; "" for none."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        user, _, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""
    return password if password.startswith(PREFIX) else user if user.startswith(PREFIX) else ""


async def reader_of(authorization: str) -> str:
    """The id of the app whose token it is, "" where it opens nothing: unknown, revoked, or the app is stopped."""
    token = token_in(authorization)
    if not token:
        return ""
    row = await SdkToken.get_or_none(hash=crypto.hash_secret(token), revoked_at=None)
    if row is None or not await App.filter(id=row.app_id, status="active").exists():
        return ""
    return row.app_id


async def releases_of_app(app_id: str, package: str = "") -> list[SdkRelease]:
    """Releases that were made for an app, of one package or of all."""
    ids_ = await SdkAppRelease.filter(app_id=app_id).values_list("release_id", flat=True)
    query = SdkRelease.filter(id__in=list(ids_))
    return await (query.filter(package=package) if package else query)
