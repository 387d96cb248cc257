"""Initial access tokens (RFC 7591 §1.2): with one, an organisation lets clients register themselves as its apps.

An owner makes it and says how often, until when, with what profile and for which services it may be used. It
opens the registration endpoint of the sandbox and nothing else. Stored as a hash, shown once.
"""

from collections.abc import Sequence
from datetime import timedelta

from tortoise.expressions import F

from api.core import audit, clock, crypto, ids
from api.core.caller import Caller, CallerKind
from api.core.problem_types_platform import CONFLICT, NOT_FOUND
from api.core.problems import Refusal, Text
from api.identity.apps.oauth_settings import PROFILES
from api.identity.apps.registration import MAX_SUBSCRIBE, read_entry
from api.identity.inputs import Inputs, check_id
from api.identity.models import Organisation, RegistrationToken
from api.identity.organisations.service import home_of, operator_organisation
from api.identity.permissions import check_can_manage_registration

PREFIX = "kri"
MAX_DAYS = 90
MAX_USES = 100
MAX_ACTIVE = 20
_MAX_TOKEN = 64  # characters
WHAT = Text("注册令牌", "registration token")


async def create_registration_token(
    caller: Caller, *, organisation_id: str | None, label: str, days: int = 7, max_uses: int = 1, profile: str = "",
    subscribe: Sequence[str] = (),
) -> tuple[RegistrationToken, str]:  # fmt: skip
    """A token that registers `max_uses` sandbox apps of the organisation, and its value, shown this once.

    `organisation_id` is an id or slug (None: the caller's own). With profile fapi2 nothing weaker registers. The new
    apps are subscribed to the entries of `subscribe`. Raises permission-denied, input-invalid, not-found, conflict.
    """
    organisation = await home_of(caller, organisation_id)
    if organisation is not None:
        check_can_manage_registration(caller, organisation.id)
    inputs = Inputs()
    label = inputs.line("/label", label, maximum=100)
    if not 1 <= days <= MAX_DAYS:
        inputs.fault("/days", f"有效期为 1 至 {MAX_DAYS} 天。", f"It lives 1 to {MAX_DAYS} days.")
    if not 1 <= max_uses <= MAX_USES:
        inputs.fault("/max_uses", f"可用 1 至 {MAX_USES} 次。", f"It is used 1 to {MAX_USES} times.")
    if profile:
        inputs.choice("/profile", profile, PROFILES)
    entries = list(
        dict.fromkeys(read_entry(inputs, "/subscribe", text) for text in subscribe[:MAX_SUBSCRIBE])
    )
    inputs.check()
    identifier, token, moment = ids.random_id("rt"), ids.random_secret(PREFIX), clock.now()
    async with audit.write(
        caller.actor, "registration-token:create", f"registration-token/{identifier}", days=days, max_uses=max_uses,
        profile=profile, subscribe=entries,
    ) as entry:  # fmt: skip
        owner = organisation or await operator_organisation(entry)
        entry.organisation = owner.id
        await _check_is_room(owner)
        row = await RegistrationToken.create(
            id=identifier, organisation_id=owner.id, label=label, hash=crypto.hash_secret(token), hint=token[-4:],
            profile=profile, subscribe=entries, max_uses=max_uses, created_by=caller.actor, created_at=moment,
            expires_at=moment + timedelta(days=days),
        )  # fmt: skip
    return row, token


async def _check_is_room(owner: Organisation) -> None:
    active = RegistrationToken.filter(organisation_id=owner.id, revoked_at=None, expires_at__gt=clock.now())
    if await active.filter(uses__lt=F("max_uses")).count() >= MAX_ACTIVE:
        raise Refusal(
            CONFLICT,
            rule="registration-token-limit",
            limit=MAX_ACTIVE,
            reason=Text(
                f"一个组织最多有 {MAX_ACTIVE} 个可用的注册令牌。",
                f"An organisation has at most {MAX_ACTIVE} registration tokens that still work.",
            ),
            following=Text("先吊销一个不再使用的。", "Revoke one that is no longer used."),
        )


async def registration_tokens_of(caller: Caller, organisation_id: str | None) -> list[RegistrationToken]:
    """The tokens of an organisation that are not revoked, the newest first. Raises permission-denied, not-found."""
    organisation = await home_of(caller, organisation_id)
    if organisation is None:  # the operator, who may see all
        return await RegistrationToken.filter(revoked_at=None).order_by("-created_at", "-id")
    check_can_manage_registration(caller, organisation.id)
    rows = RegistrationToken.filter(organisation_id=organisation.id, revoked_at=None)
    return await rows.order_by("-created_at", "-id")


async def revoke_registration_token(caller: Caller, token_id: str) -> RegistrationToken:
    """Make a token useless at once; the apps that it registered stay. Raises not-found, permission-denied."""
    row = await RegistrationToken.get_or_none(id=check_id(token_id, "rt", WHAT))
    if row is None or (
        caller.kind != CallerKind.OPERATOR and row.organisation_id not in caller.organisations
    ):
        raise Refusal(NOT_FOUND, what=WHAT)
    check_can_manage_registration(caller, row.organisation_id)
    async with audit.write(
        caller.actor,
        "registration-token:revoke",
        f"registration-token/{row.id}",
        organisation=row.organisation_id,
    ):
        await RegistrationToken.filter(id=row.id, revoked_at=None).update(revoked_at=clock.now())
    return await RegistrationToken.get(id=row.id)


async def find_usable(token: str) -> RegistrationToken | None:
    """The token's row while it may still be used, or None; `spend` decides between racers."""
    if not token.isascii() or not token.isprintable() or len(token) > _MAX_TOKEN:
        return None
    row = await RegistrationToken.get_or_none(hash=crypto.hash_secret(token), revoked_at=None)
    if row is None or row.expires_at <= clock.now() or row.uses >= row.max_uses:
        return None
    return row


async def spend(row: RegistrationToken) -> bool:
    """Inside an open `audit.write`: one use of the token, by one conditional update. False when none is left."""
    usable = RegistrationToken.filter(
        id=row.id, revoked_at=None, expires_at__gt=clock.now(), uses__lt=F("max_uses")
    )
    return await usable.update(uses=F("uses") + 1) == 1
