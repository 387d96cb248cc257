"""Staff who sign in through an outside provider: whose account it is here, what they may do, and their session.

A known account opens its person's session. A new one becomes the person who has its address only where the
provider is trusted with addresses and calls this one verified; else it is linked by that person, signed in.
"""

from api.core import audit, clock, ids
from api.core.caller import Caller
from api.core.problems import Refusal, Text
from api.identity.models import Person, Session
from api.identity.outside.mapping import apply_memberships, has_second_factor, line_of, memberships_by
from api.identity.outside.models import OutsideAccount, OutsideProvider
from api.identity.outside.relying_party import Identity, refused, seal_tokens
from api.identity.people import mails
from api.identity.people.accounts import make_person
from api.identity.people.addresses import normalise_address
from api.identity.people.sessions import open_session
from api.identity.security.service import check_fresh


async def sign_in(provider: OutsideProvider, identity: Identity, user_agent: str) -> tuple[str, Session]:
    """A session of the person whose account it is: the cookie's value, and the row. Raises outside-sign-in-failed."""
    has_mfa = has_second_factor(provider, identity.claims)
    async with audit.write(
        "system:outside", "session:open", "person", provider=provider.id, mfa=has_mfa
    ) as entry:
        account = await OutsideAccount.get_or_none(provider_id=provider.id, subject=identity.subject)
        if account is None:
            person = await _person_for(entry, provider, identity)
            account = await _link(entry, provider, identity, person)
        else:
            person = await Person.get(id=account.person_id)
            await _seen(account, identity)
        if person.disabled_at is not None:
            raise refused("此账户已在本平台停用。", "The account is shut out here.", "person-disabled")
        entry.subject = f"person/{person.id}"
        await apply_memberships(entry, provider.id, person.id, memberships_by(provider, identity.claims))
        return await open_session(entry, person, user_agent, has_mfa=has_mfa, account_id=account.id)


async def link(caller: Caller, provider: OutsideProvider, identity: Identity) -> None:
    """Make an outside account the caller's own. Raises outside-sign-in-failed, confirmation-required."""
    await check_fresh(caller)
    if identity.flow.who != caller.id:
        raise refused("关联由另一个登录发起。", "Somebody else began to link it.", "link-other")
    async with audit.write(
        caller.actor, "outside:link", f"person/{caller.id}", provider=provider.id
    ) as entry:
        account = await OutsideAccount.get_or_none(provider_id=provider.id, subject=identity.subject)
        if account is not None and account.person_id != caller.id:
            raise refused(
                "此外部账户已关联另一个人。", "The outside account is somebody else's.", "account-taken"
            )
        if account is None:
            await _link(entry, provider, identity, await Person.get(id=caller.id))
        else:
            await _seen(account, identity)
        await apply_memberships(entry, provider.id, caller.id, memberships_by(provider, identity.claims))


async def _person_for(entry: audit.Entry, provider: OutsideProvider, identity: Identity) -> Person:
    """The person whom a new account becomes: by the verified address, if the provider is trusted with that."""
    claims = identity.claims
    if not provider.trusts_email or claims.get("email_verified") is not True:
        raise Refusal(
            refused("", "", "").kind,
            rule="account-unknown",
            reason=Text("此外部账户尚未关联任何人。", "The outside account is linked to nobody here."),
            following=Text(
                "先用邮箱和密码登录，再在“登录与安全”中关联它。",
                "Sign in with e-mail and password, then link it under “Sign-in and security”.",
            ),
        )
    try:
        address = normalise_address(str(claims.get("email", "")))
    except ValueError:
        raise refused(
            "身份提供方没有给出邮箱。", "The provider gave no e-mail address.", "email-missing"
        ) from None
    person = await Person.get_or_none(email=address)
    if person is not None:
        return person
    name = line_of(claims, "name", "preferred_username") or address[:100]
    locale = "en" if str(claims.get("locale", "")).startswith("en") else "zh"
    return await make_person(entry, email=address, name=name, locale=locale, password_hash="")


async def _link(
    entry: audit.Entry, provider: OutsideProvider, identity: Identity, person: Person
) -> OutsideAccount:
    moment = clock.now()
    identifier = ids.random_id("oa")
    account = await OutsideAccount.create(
        id=identifier, provider_id=provider.id, subject=identity.subject, person_id=person.id,
        tokens=seal_tokens(identity.tokens, identifier), created_at=moment, signed_in_at=moment, checked_at=moment,
        answered_at=moment,
    )  # fmt: skip
    entry.detail["linked"] = identifier
    entry.changed("person", person.id)
    await mails.send_notice(person, "outside-linked", provider=(provider.name_zh, provider.name_en))
    return account


async def _seen(account: OutsideAccount, identity: Identity) -> None:
    moment = clock.now()
    await OutsideAccount.filter(id=account.id).update(
        tokens=seal_tokens(identity.tokens, account.id), signed_in_at=moment, checked_at=moment, answered_at=moment,
        ended_at=None,
    )  # fmt: skip
