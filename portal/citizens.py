"""The citizen who uses the consent pages: who signed in, when, and how surely, for half an hour.

A citizen is no account of the developer portal. Who they are is sealed into a cookie of this plane (AES-GCM, the
plane's name bound in), so nothing is stored about visits, and the sandbox's people mean nothing to the live plane.
"""

import time

import msgspec
from cryptography.exceptions import InvalidTag
from litestar.datastructures import Cookie
from msgspec import Struct
from msgspec.structs import replace

from api.core.crypto import Vault
from api.identity.consents.subjects import Subject
from api.identity.installation import current
from api.identity.oauth.authorization import CITIZEN_COOKIE
from portal.cookies import cookie
from portal.view import AnyRequest, settings_of

COOKIE = CITIZEN_COOKIE
LIFE_SECONDS = 1800
_CONTEXT = "portal:citizen:"


class SignedIn(Struct, frozen=True):
    """`at` is when they proved who they are, seconds since the epoch."""

    subject: Subject
    at: float

    @property
    def auth_time(self) -> int:
        """The same in full seconds, as tokens tell it."""
        return int(self.at)


def _name(request: AnyRequest) -> str:
    is_https = settings_of(request).issuer.startswith("https://")
    return f"__Host-{COOKIE}" if is_https else COOKIE


def _vault(request: AnyRequest) -> Vault:
    found: Vault = request.app.state.portal.vault
    return found


def _context(request: AnyRequest) -> str:
    return _CONTEXT + settings_of(request).environment


def remember(request: AnyRequest, subject: Subject, at: float = 0) -> Cookie:
    """The cookie that signs a citizen in for LIFE_SECONDS; `at` 0 means that they proved themselves just now."""
    if settings_of(request).environment == "sandbox":
        subject = replace(subject, national={}, birth_date=None)  # the city tells it again
    body = msgspec.json.encode(SignedIn(subject, at or time.time()))
    sealed = _vault(request).seal(body, _context(request)).replace("$", ".")
    return cookie(_name(request), sealed, seconds=LIFE_SECONDS)


def forget(request: AnyRequest) -> Cookie:
    """The cookie that signs them out in this browser."""
    return cookie(_name(request), "", seconds=0)


async def citizen_of(request: AnyRequest) -> SignedIn | None:
    """Who is signed in; None for nobody, and for a cookie that is old, altered, another plane's or of nobody there."""
    sent = request.cookies.get(_name(request), "")
    if not sent:
        return None
    try:
        plain = _vault(request).open(sent.replace(".", "$"), _context(request))
        found = msgspec.json.decode(plain, type=SignedIn)
    except (InvalidTag, ValueError):  # msgspec's faults are ValueErrors
        return None
    if not -5 <= time.time() - found.at <= LIFE_SECONDS:
        return None
    known = await current().subjects.find(found.subject.id)
    if known is not None:  # as their directory has them now, as surely as they proved it
        return SignedIn(replace(known, assurance=found.subject.assurance), found.at)
    return None if settings_of(request).environment == "sandbox" else found
