"""Outside providers as administrators set them up: made, changed, switched off, taken away. Every change is audited.

A provider that is switched off ends what came through it: nobody stays in through a door that is closed.
"""

from typing import Any

from msgspec import Struct

from api.core import audit, clock, ids
from api.core.caller import Caller
from api.core.problem_types_platform import CONFLICT, NOT_FOUND
from api.core.problems import Refusal, Text
from api.identity.consents.subjects import ASSURANCES
from api.identity.inputs import Inputs, check_id, is_clean
from api.identity.models import Organisation, Person
from api.identity.outside.calls import CallError
from api.identity.outside.checking import end_account
from api.identity.outside.discovery import check_address
from api.identity.outside.mapping import MAX_RULES
from api.identity.outside.models import OutsideAccount, OutsideProvider
from api.identity.outside.relying_party import seal_secret
from api.identity.permissions import ROLE_NAMES, check_is_administrator
from api.identity.security.service import check_fresh

AUDIENCES = ("staff", "citizens")
MAX_PROVIDERS = 50
_WHAT = Text("身份提供方", "identity provider")
_ACCOUNT = Text("外部账户", "outside account")


class ProviderInput(Struct, frozen=True, kw_only=True):
    """What an administrator says of a provider. `client_secret` "" leaves a stored one."""

    slug: str
    audience: str
    issuer: str
    name_zh: str
    name_en: str
    client_id: str
    client_secret: str = ""
    scopes: str = "openid profile email"
    trusts_email: bool = False
    is_enabled: bool = True
    mapping: list[dict[str, Any]] = []
    assurance: dict[str, str] = {}
    mfa_values: list[str] = []


def check_can_manage_providers(caller: Caller) -> None:
    """Administrators with a second factor, and the operator."""
    check_is_administrator(
        caller, Text("只有管理员能设置身份提供方。", "Only administrators set identity providers up.")
    )


async def providers(caller: Caller) -> list[OutsideProvider]:
    """All providers, by slug."""
    check_can_manage_providers(caller)
    return await OutsideProvider.all().order_by("slug")


async def get_provider(caller: Caller, provider_id: str) -> OutsideProvider:
    """One provider by id. Raises not-found."""
    check_can_manage_providers(caller)
    check_id(provider_id, "op", _WHAT)
    found = await OutsideProvider.get_or_none(id=provider_id)
    if found is None:
        raise Refusal(NOT_FOUND, what=_WHAT)
    return found


async def add_provider(caller: Caller, said: ProviderInput) -> OutsideProvider:
    """Set a provider up. Raises input-invalid, conflict (the slug is taken, or too many)."""
    check_can_manage_providers(caller)
    columns = await _read(said, needs_secret=True)
    identifier = ids.random_id("op")
    async with audit.write(caller.actor, "provider:add", f"provider/{identifier}") as entry:
        if await OutsideProvider.filter(slug=said.slug).exists():
            raise _taken(said.slug)
        if await OutsideProvider.all().count() >= MAX_PROVIDERS:
            raise Refusal(
                CONFLICT,
                rule="provider-limit",
                reason=Text(
                    f"最多 {MAX_PROVIDERS} 个身份提供方。", f"There are at most {MAX_PROVIDERS} providers."
                ),
                following=Text("先移除不再使用的。", "Remove one that is no longer used."),
            )
        row = await OutsideProvider.create(
            id=identifier, created_by=caller.actor, created_at=clock.now(),
            client_secret=seal_secret(said.client_secret, identifier), **columns,
        )  # fmt: skip
        entry.detail |= _for_journal(columns)
    return row


async def change_provider(caller: Caller, provider_id: str, said: ProviderInput) -> OutsideProvider:
    """Change a provider; switched off, or with another issuer, it ends what came through it. Raises input-invalid, conflict."""
    present = await get_provider(caller, provider_id)
    columns = await _read(said, needs_secret=False)
    if said.client_secret:
        columns["client_secret"] = seal_secret(said.client_secret, present.id)
    async with audit.write(caller.actor, "provider:change", f"provider/{present.id}") as entry:
        if await OutsideProvider.filter(slug=said.slug).exclude(id=present.id).exists():
            raise _taken(said.slug)
        await OutsideProvider.filter(id=present.id).update(**columns)
        entry.detail |= _for_journal(columns) | {"new_secret": bool(said.client_secret)}
    if not said.is_enabled or said.issuer != present.issuer:
        await _end_accounts(present.id, "provider-off")
    return await OutsideProvider.get(id=present.id)


async def remove_provider(caller: Caller, provider_id: str) -> None:
    """Take a provider away, with its accounts and what came through them. Raises not-found."""
    present = await get_provider(caller, provider_id)
    await _end_accounts(present.id, "provider-removed")
    async with audit.write(caller.actor, "provider:remove", f"provider/{present.id}", slug=present.slug):
        await OutsideAccount.filter(provider_id=present.id).delete()
        await OutsideProvider.filter(id=present.id).delete()


async def accounts_of(person_id: str) -> list[tuple[OutsideAccount, OutsideProvider]]:
    """The outside accounts of a person with their providers, the oldest first."""
    found = []
    for account in await OutsideAccount.filter(person_id=person_id).order_by("created_at"):
        provider = await OutsideProvider.get_or_none(id=account.provider_id)
        if provider is not None:
            found.append((account, provider))
    return found


async def unlink(caller: Caller, account_id: str) -> None:
    """Take an outside account away from the caller, who has a password. Raises not-found, conflict."""
    await check_fresh(caller)
    check_id(account_id, "oa", _ACCOUNT)
    account = await OutsideAccount.get_or_none(id=account_id, person_id=caller.id)
    if account is None:
        raise Refusal(NOT_FOUND, what=_ACCOUNT)
    person = await Person.get(id=caller.id)
    if not person.password_hash:
        raise Refusal(
            CONFLICT,
            rule="only-way-in",
            reason=Text("这是此账户唯一的登录方式。", "It is the only way into this account."),
            following=Text("请管理员停用账户。", "Ask an administrator to shut the account out."),
        )
    await end_account(account, "unlinked")
    async with audit.write(caller.actor, "outside:unlink", f"person/{caller.id}", account=account.id):
        await OutsideAccount.filter(id=account.id).delete()


async def _end_accounts(provider_id: str, why: str) -> None:
    for account in await OutsideAccount.filter(provider_id=provider_id, ended_at=None):
        await end_account(account, why)


def _taken(slug: str) -> Refusal:
    return Refusal(
        CONFLICT,
        rule="slug-taken",
        reason=Text(f"标识 {slug} 已被使用。", f"The identifier {slug} is taken."),
        following=Text("换一个。", "Choose another."),
    )


def _for_journal(columns: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in columns.items() if name != "client_secret"}


async def _read(said: ProviderInput, *, needs_secret: bool) -> dict[str, Any]:
    """The columns of what was said, checked. Raises input-invalid."""
    inputs = Inputs()
    slug = said.slug
    if not slug.replace("-", "").isalnum() or not slug.isascii() or slug != slug.lower() or len(slug) > 40:
        inputs.fault(
            "/slug",
            "只用小写字母、数字和连字符，最多 40 个。",
            "Lower-case letters, digits and hyphens, at most 40.",
        )
    inputs.choice("/audience", said.audience, AUDIENCES)
    try:
        check_address(said.issuer[:300])
    except CallError as error:
        inputs.fault("/issuer", "须是可用的 https 地址。", f"It is the provider's https address: {error}")
    columns: dict[str, Any] = {
        "slug": slug,
        "audience": said.audience,
        "issuer": said.issuer,
        "name_zh": inputs.name("/name_zh", said.name_zh),
        "name_en": inputs.name("/name_en", said.name_en),
        "client_id": inputs.line("/client_id", said.client_id, maximum=200),
        "scopes": " ".join(inputs.line("/scopes", said.scopes, maximum=300).split()),
        "trusts_email": said.trusts_email and said.audience == "staff",
        "is_enabled": said.is_enabled,
        "mapping": await _read_mapping(inputs, said.mapping),
        "assurance": said.assurance,
        "mfa_values": said.mfa_values[:50],
    }
    if "openid" not in columns["scopes"].split():
        inputs.fault("/scopes", "须包含 openid。", "They hold openid.")
    if needs_secret or said.client_secret:
        inputs.line("/client_secret", said.client_secret, maximum=200)
    if len(said.assurance) > 50 or any(worth not in ASSURANCES for worth in said.assurance.values()):
        inputs.fault(
            "/assurance",
            f"每个 acr 对应 {'、'.join(ASSURANCES)} 之一。",
            f"Each acr is worth one of {', '.join(ASSURANCES)}.",
        )
    words = [*said.assurance, *said.mfa_values]
    if any(not is_clean(word) or len(word) > 300 for word in words):
        inputs.fault(
            "/mfa_values", "含有控制字符，或过长。", "They hold control characters, or are too long."
        )
    inputs.check()
    return columns


async def _read_mapping(inputs: Inputs, rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(rules) > MAX_RULES:
        inputs.fault("/mapping", f"最多 {MAX_RULES} 条规则。", f"There are at most {MAX_RULES} rules.")
        return []
    read = []
    for number, rule in enumerate(rules):
        pointer = f"/mapping/{number}"
        claim, value, roles = rule.get("claim"), rule.get("value"), rule.get("roles")
        if (
            not isinstance(claim, str)
            or not isinstance(value, str)
            or not claim
            or not value
            or not is_clean(claim + value)
        ):
            inputs.fault(pointer, "须有 claim 与 value。", "It has a claim and a value.")
            continue
        if not isinstance(roles, list) or not roles or any(role not in ROLE_NAMES for role in roles):
            inputs.fault(
                pointer,
                f"角色须在 {'、'.join(ROLE_NAMES)} 之中。",
                f"Its roles are of {', '.join(ROLE_NAMES)}.",
            )
            continue
        organisation = await _organisation(str(rule.get("organisation", "")))
        if organisation is None:
            inputs.fault(pointer, "没有这个组织。", "There is no such organisation.")
            continue
        read.append({"claim": claim[:200], "value": value[:200], "organisation": organisation.id, "roles": sorted(set(roles))})  # fmt: skip
    return read


async def _organisation(id_or_slug: str) -> Organisation | None:
    if len(id_or_slug) > 64 or not id_or_slug.isascii() or not id_or_slug.isprintable():
        return None
    found = await Organisation.get_or_none(slug=id_or_slug)
    if found is None and id_or_slug.startswith("o_") and len(id_or_slug) <= 40:
        found = await Organisation.get_or_none(id=id_or_slug)
    return found if found is not None and found.kind != "individual" else None
