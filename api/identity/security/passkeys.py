"""Passkeys: WebAuthn credentials that open a session, or are its second factor. The cryptography is `webauthn`'s.

A challenge is a single-use link of identity (people.links): stored as its hash, good for five minutes, used up
by the first answer that verifies, so no answer counts twice. The relying party is the host of the public address, and the
answer must come from a page of that very origin. Source: W3C Web Authentication Level 3, §7.1 and §7.2.
"""

import json
from typing import Any
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from api.core import audit, clock, crypto, ids
from api.core.caller import ANONYMOUS, Caller
from api.core.problem_types_people import PASSKEY_REFUSED
from api.core.problem_types_platform import CONFLICT, LINK_SPENT, NOT_FOUND
from api.core.problems import Refusal, Text
from api.identity.inputs import Inputs, check_id
from api.identity.installation import current
from api.identity.models import Person, Session
from api.identity.people import links, mails
from api.identity.people.sessions import open_session, present_session
from api.identity.permissions import check_in_browser
from api.identity.security import service
from api.identity.security.models import Passkey

MAX_PASSKEYS = 20
MAX_ANSWER = 64 * 1024  # bytes of the browser's answer
REGISTER, SIGN_IN, CONFIRM = "register", "sign-in", "confirm"
_WHAT = Text("通行密钥", "passkey")
_TRANSPORTS = {one.value for one in AuthenticatorTransport}


def _refused(zh: str, en: str, rule: str) -> Refusal:
    return Refusal(PASSKEY_REFUSED, rule=rule, reason=Text(zh, en))


def read_credential(text: str) -> dict[str, Any]:
    """The browser's answer as the page's script put it into the form. Raises passkey-refused for anything else."""
    try:
        credential = json.loads(text)
    except (ValueError, RecursionError):
        credential = None
    if not isinstance(credential, dict) or not isinstance(credential.get("response"), dict):
        raise _refused("浏览器没有给出答复。", "The browser gave no answer.", "answer-missing")
    return credential


def relying_party() -> tuple[str, str]:
    """The id (the host) and the origin under which passkeys are made and used here.

    WebAuthn knows no IP addresses: where the public address is this machine's, it is `localhost` that has them.
    """
    parts = urlsplit(current().settings.sandbox_url)
    host = parts.hostname or "localhost"
    if host in {"127.0.0.1", "::1"}:
        return "localhost", f"{parts.scheme}://localhost" + (f":{parts.port}" if parts.port else "")
    return host, f"{parts.scheme}://{parts.netloc}"


def _descriptors(passkeys: tuple[Passkey, ...] | list[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(one.credential_id),
            transports=[AuthenticatorTransport(name) for name in one.transports if name in _TRANSPORTS]
            or None,
        )
        for one in passkeys
    ]


async def _make_challenge(actor: str, purpose: str, person_id: str) -> bytes:
    async with audit.write(actor, "passkey:challenge", f"person/{person_id}", purpose=purpose):
        token = await links.make_link(
            links.CHALLENGE, created_by=actor, person_id=person_id, payload={"purpose": purpose}
        )
    return token.encode()


async def _spend_challenge(credential: dict[str, Any], purpose: str) -> tuple[bytes, str]:
    """Inside an open `audit.write`: the challenge of an answer, used up, and whose it was ("" for nobody's)."""
    try:
        data = json.loads(base64url_to_bytes(str(credential["response"]["clientDataJSON"])))
        challenge = base64url_to_bytes(str(data["challenge"]))
        token = challenge.decode("ascii")
    except (KeyError, TypeError, ValueError, RecursionError):
        raise _refused(
            "浏览器的答复不完整。", "The browser's answer is not whole.", "answer-unreadable"
        ) from None
    link = await links.find_link(token, links.CHALLENGE)
    if link is None or link.payload.get("purpose") != purpose:
        raise _refused("挑战已用过或过期。", "The challenge is spent or has expired.", "challenge-spent")
    try:
        await links.use_link(token, links.CHALLENGE)
    except Refusal as refusal:
        if refusal.kind is not LINK_SPENT:
            raise
        raise _refused(
            "挑战已用过或过期。", "The challenge is spent or has expired.", "challenge-spent"
        ) from None
    return challenge, link.person_id


# --- adding and removing --------------------------------------------------------------------------
async def registration_options(caller: Caller) -> dict[str, Any]:
    """What the page hands to `navigator.credentials.create`. Raises session-required, confirmation-required."""
    await service.check_fresh(caller)
    person = await Person.get(id=caller.id)
    identifier, _ = relying_party()
    options = generate_registration_options(
        rp_id=identifier,
        rp_name="Kaimen 开门",
        user_id=person.id.encode(),
        user_name=person.email,
        user_display_name=person.name,
        challenge=await _make_challenge(caller.actor, REGISTER, caller.id),
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
        ),
        exclude_credentials=_descriptors(await service.passkeys_of(caller)),
    )  # fmt: skip
    return dict(json.loads(options_to_json(options)))


async def add_passkey(caller: Caller, label: str, credential: dict[str, Any]) -> tuple[Passkey, list[str]]:
    """A passkey from the browser's answer, and recovery codes when it is the person's first factor.

    Raises input-invalid, passkey-refused, conflict (known already, or too many).
    """
    session = await service.check_fresh(caller)
    inputs = Inputs()
    label = inputs.line("/label", label, maximum=100)
    inputs.check()
    identifier, origin = relying_party()
    async with audit.write(caller.actor, "passkey:add", f"person/{caller.id}", label=label) as entry:
        challenge, owner = await _spend_challenge(credential, REGISTER)
        if owner != caller.id:
            raise _refused("挑战属于另一个账户。", "The challenge was another account's.", "challenge-other")
        try:
            verified = verify_registration_response(
                credential=credential, expected_challenge=challenge, expected_rp_id=identifier, expected_origin=origin
            )  # fmt: skip
        except (WebAuthnException, ValueError, KeyError, TypeError, AttributeError) as error:
            raise _refused("答复无法验证。", "The answer could not be verified.", "answer-refused") from error
        hashed = crypto.hash_secret(bytes_to_base64url(verified.credential_id))
        await _check_room(caller.id, hashed)
        transports = credential["response"].get("transports")
        row = await Passkey.create(
            id=ids.random_id("pk"), person_id=caller.id, credential_hash=hashed,
            credential_id=bytes_to_base64url(verified.credential_id),
            public_key=bytes_to_base64url(verified.credential_public_key), sign_count=verified.sign_count,
            transports=[one for one in transports if one in _TRANSPORTS] if isinstance(transports, list) else [],
            label=label, is_backed_up=verified.credential_backed_up, created_at=clock.now(),
        )  # fmt: skip
        entry.detail["passkey"] = row.id
        entry.changed("person", caller.id)
        await service.mark_shown(session)
        await mails.send_notice(await Person.get(id=caller.id), "passkey-added", label=(label, label))
        return row, await service.first_codes(caller.id)


async def _check_room(person_id: str, hashed: str) -> None:
    if await Passkey.filter(credential_hash=hashed).exists():
        reason = Text("此通行密钥已添加过。", "This passkey is known already.")
    elif await Passkey.filter(person_id=person_id).count() >= MAX_PASSKEYS:
        reason = Text(f"最多 {MAX_PASSKEYS} 个通行密钥。", f"There are at most {MAX_PASSKEYS} passkeys.")
    else:
        return
    following = Text("先移除不再使用的。", "Remove one that is no longer used.")
    raise Refusal(CONFLICT, rule="passkey-limit", reason=reason, following=following)


async def remove_passkey(caller: Caller, passkey_id: str) -> None:
    """Take a passkey away. Raises not-found, confirmation-required."""
    await service.check_fresh(caller)
    check_id(passkey_id, "pk", _WHAT)
    async with audit.write(
        caller.actor, "passkey:remove", f"person/{caller.id}", passkey=passkey_id
    ) as entry:
        row = await Passkey.get_or_none(id=passkey_id, person_id=caller.id)
        if row is None:
            raise Refusal(NOT_FOUND, what=_WHAT)
        await Passkey.filter(id=row.id).delete()
        entry.changed("person", caller.id)
        await service.after_removal(caller.id)
        await mails.send_notice(
            await Person.get(id=caller.id), "passkey-removed", label=(row.label, row.label)
        )


# --- using ----------------------------------------------------------------------------------------
async def sign_in_options(person_id: str = "") -> dict[str, Any]:
    """What the page hands to `navigator.credentials.get` when nobody is signed in.

    With the person whose password was right just now (`person_id`), that person's passkeys are named, resident
    or not, and touching one is enough; without, only resident ones that verify their user can answer.
    """
    passkeys = await Passkey.filter(person_id=person_id) if person_id else []
    return await _options(ANONYMOUS.actor, SIGN_IN, person_id, passkeys, is_alone=not person_id)


async def confirmation_options(caller: Caller) -> dict[str, Any]:
    """As `sign_in_options`, for showing a passkey in the present session."""
    check_in_browser(caller, Text("用通行密钥确认", "confirm with a passkey"))
    return await _options(caller.actor, CONFIRM, caller.id, await service.passkeys_of(caller), is_alone=False)


async def _options(
    actor: str, purpose: str, person_id: str, passkeys: list[Passkey], *, is_alone: bool
) -> dict[str, Any]:
    options = generate_authentication_options(
        rp_id=relying_party()[0],
        challenge=await _make_challenge(actor, purpose, person_id),
        allow_credentials=_descriptors(passkeys),
        user_verification=UserVerificationRequirement.REQUIRED if is_alone else UserVerificationRequirement.DISCOURAGED,
    )  # fmt: skip
    return dict(json.loads(options_to_json(options)))


async def sign_in(credential: dict[str, Any], user_agent: str) -> tuple[str, Session]:
    """A session by a passkey: the cookie's value, and the row. It has shown a second factor. Raises passkey-refused."""
    async with audit.write(ANONYMOUS.actor, "session:open", "person") as entry:
        row = await _verify(credential, SIGN_IN, "")
        person = await Person.get_or_none(id=row.person_id, disabled_at=None)
        if person is None:
            raise _refused("没有此账户。", "There is no such account.", "unknown-passkey")
        if not person.password_hash:  # who is shut out there must not get in past the provider
            raise _refused(
                "此账户通过外部身份提供方登录，通行密钥只作第二步验证。",
                "This account signs in through its outside provider; the passkey is its second factor only.",
                "outside-only",
            )
        entry.subject = f"person/{person.id}"
        entry.detail["passkey"] = row.id
        return await open_session(entry, person, user_agent, has_mfa=True)


async def confirm(caller: Caller, credential: dict[str, Any]) -> None:
    """Show a passkey in the present session. Raises passkey-refused, session-required."""
    check_in_browser(caller, Text("用通行密钥确认", "confirm with a passkey"))
    session = await present_session(caller)
    async with audit.write(caller.actor, "session:confirm", f"person/{caller.id}", factor=True) as entry:
        row = await _verify(credential, CONFIRM, caller.id)
        entry.detail["passkey"] = row.id
        await service.mark_shown(session)


async def _verify(credential: dict[str, Any], purpose: str, person_id: str) -> Passkey:
    """Inside an open `audit.write`: the passkey that answered. The challenge says whose it must be, if anyone's."""
    challenge, owner = await _spend_challenge(credential, purpose)
    hashed = crypto.hash_secret(str(credential.get("id", ""))[:2000])
    row = await Passkey.get_or_none(credential_hash=hashed)
    if row is None or (owner and row.person_id != owner) or (person_id and row.person_id != person_id):
        raise _refused(
            "此通行密钥不属于任何账户，可能已被移除。", "This passkey is no account's; it may have been removed.", "unknown-passkey"
        )  # fmt: skip
    identifier, origin = relying_party()
    try:
        verified = verify_authentication_response(
            credential=credential, expected_challenge=challenge, expected_rp_id=identifier, expected_origin=origin,
            credential_public_key=base64url_to_bytes(row.public_key), credential_current_sign_count=row.sign_count,
            require_user_verification=not owner,
        )  # fmt: skip
    except (WebAuthnException, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refused("答复无法验证。", "The answer could not be verified.", "answer-refused") from error
    await Passkey.filter(id=row.id).update(
        sign_count=verified.new_sign_count,
        is_backed_up=verified.credential_backed_up,
        last_used_at=clock.now(),
    )
    return row
