"""Client secrets of an app: up to five at once, shown once, overlapping so that rotation stops nothing.

256 random bits, stored as SHA-256 with the suite's name: a slow hash would only slow the token endpoint down.
"""

from datetime import datetime, timedelta

from tortoise.expressions import Q

from api.core import clock, crypto, ids
from api.core.caller import Caller
from api.core.problem_types_platform import CONFLICT, NOT_FOUND
from api.core.problems import Refusal, Text
from api.identity.apps.rows import changing, editable_app, get_app
from api.identity.inputs import Inputs, check_id
from api.identity.models import App, AppSecret
from api.identity.policies import check_can_add_secret, is_secret_active

MAX_DAYS = 730
MAX_OVERLAP_HOURS = 24 * 30
WHAT = Text("密钥", "secret")
_PREFIX = {"sandbox": "kts", "live": "kls"}


async def make_secret(
    caller: Caller, app: App, label: str, *, expires_at: datetime | None
) -> tuple[AppSecret, str]:
    """Inside an open `audit.write`: a new secret, its row and its value. Raises conflict for the sixth."""
    moment = clock.now()
    check_can_add_secret(
        await AppSecret.filter(app_id=app.id, revoked_at=None)
        .filter(Q(expires_at=None) | Q(expires_at__gt=moment))
        .count()
    )
    secret = ids.random_secret(_PREFIX[app.environment])
    row = await AppSecret.create(
        id=ids.random_id("sec"),
        app_id=app.id,
        label=label,
        hash=crypto.hash_secret(secret),
        hint=secret[-4:],
        created_by=caller.actor,
        created_at=moment,
        expires_at=expires_at,
    )
    return row, secret


async def add_secret(
    caller: Caller, app_id: str, label: str, expires_in_days: int | None = None
) -> tuple[AppSecret, str]:
    """One more secret, and its value, which is shown this once. None: it lives until it is revoked.

    Raises not-found, permission-denied, input-invalid, conflict (five are active; the app is deleted).
    """
    app = await editable_app(caller, app_id)
    inputs = Inputs()
    label = inputs.line("/label", label, maximum=100)
    if expires_in_days is not None and not 1 <= expires_in_days <= MAX_DAYS:
        inputs.fault("/expires_in_days", f"有效期为 1 至 {MAX_DAYS} 天。", f"It lives 1 to {MAX_DAYS} days.")
    inputs.check()
    expires_at = None if expires_in_days is None else clock.now() + timedelta(days=expires_in_days)
    async with changing(caller, "app:secret:add", app, expires_in_days=expires_in_days) as entry:
        row, secret = await make_secret(caller, app, label, expires_at=expires_at)
        entry.detail["secret"] = row.id
    return row, secret


async def rotate_secret(
    caller: Caller, app_id: str, secret_id: str, *, overlap_hours: int = 24
) -> tuple[AppSecret, str]:
    """A successor with the same label and life; the old secret works for `overlap_hours` more, so nothing stops.

    Raises as `add_secret`, and conflict for a secret that no longer works.
    """
    app = await editable_app(caller, app_id)
    inputs = Inputs()
    if not 0 <= overlap_hours <= MAX_OVERLAP_HOURS:
        inputs.fault("/overlap_hours", f"须为 0 至 {MAX_OVERLAP_HOURS}。", f"It is 0 to {MAX_OVERLAP_HOURS}.")
    inputs.check()
    async with changing(
        caller, "app:secret:rotate", app, old=secret_id, overlap_hours=overlap_hours
    ) as entry:
        old = await _find(app, secret_id)
        moment = clock.now()
        if not is_secret_active(old.expires_at, old.revoked_at, moment):
            raise Refusal(
                CONFLICT,
                rule="secret-inactive",
                reason=Text("此密钥已失效。", "This secret no longer works."),
                following=Text("直接添加新密钥。", "Add a new secret instead."),
            )
        life = None if old.expires_at is None else moment + (old.expires_at - old.created_at)
        end = moment + timedelta(hours=overlap_hours)
        await AppSecret.filter(id=old.id).update(
            expires_at=end if old.expires_at is None else min(end, old.expires_at)
        )
        row, secret = await make_secret(caller, app, old.label, expires_at=life)
        entry.detail["secret"] = row.id
    return row, secret


async def revoke_secret(caller: Caller, app_id: str, secret_id: str) -> AppSecret:
    """Revoke a secret at once, the last one too. Again changes nothing. Raises not-found, permission-denied."""
    app = await editable_app(caller, app_id)
    async with changing(caller, "app:secret:revoke", app, secret=secret_id) as entry:
        row = await _find(app, secret_id)
        entry.detail["changed"] = await AppSecret.filter(id=row.id, revoked_at=None).update(
            revoked_at=clock.now()
        )
    return await AppSecret.get(id=row.id)


async def secrets_of(caller: Caller, app_id: str) -> list[AppSecret]:
    """The secrets of an app that are not revoked, expired ones included, the newest first; never their values."""
    app = await get_app(caller, app_id)
    return await AppSecret.filter(app_id=app.id, revoked_at=None).order_by("-created_at", "-id")


async def _find(app: App, secret_id: str) -> AppSecret:
    row = await AppSecret.get_or_none(id=check_id(secret_id, "sec", WHAT), app_id=app.id)
    if row is None:
        raise Refusal(NOT_FOUND, what=WHAT)
    return row
