"""Single-use links: made, used once, withdrawn. The token goes out by mail, only its hash is stored.

All functions belong inside `audit.write`. "Once" is one conditional update, so of any number of racers one wins.
"""

from datetime import timedelta
from typing import Any

from api.core import clock, crypto, ids
from api.core.problem_types_platform import LINK_SPENT
from api.core.problems import Refusal
from api.identity.models import ActionLink

VERIFY, RESET = "verify", "reset"
CHALLENGE = "challenge"  # of a passkey: given to the browser, which signs it
INVITE_ADMINISTRATOR, INVITE_MEMBER = "invite-administrator", "invite-member"
LIFE = {
    VERIFY: timedelta(hours=24),
    RESET: timedelta(hours=1),
    CHALLENGE: timedelta(minutes=5),
    INVITE_ADMINISTRATOR: timedelta(hours=24),
    INVITE_MEMBER: timedelta(days=7),
}
_PREFIX = "kk"
_MAX_TOKEN = 64  # characters; longer ones are not ours
_PUBLIC_ID = 26  # characters of the hash that name a link in lists


async def make_link(kind: str, *, created_by: str = "", **columns: Any) -> str:
    """Store a link of this kind and return its token, which is nowhere else."""
    token = ids.random_secret(_PREFIX)
    moment = clock.now()
    await ActionLink.create(
        hash=crypto.hash_secret(token), kind=kind, created_at=moment, expires_at=moment + LIFE[kind],
        created_by=created_by, **columns,
    )  # fmt: skip
    return token


async def find_link(token: str, *kinds: str) -> ActionLink | None:
    """The link of a token, used or not, or None where there is none of these kinds."""
    if not token.isascii() or not token.isprintable() or len(token) > _MAX_TOKEN:
        return None
    return await ActionLink.get_or_none(hash=crypto.hash_secret(token), kind__in=kinds)


async def open_link(token: str, *kinds: str) -> ActionLink:
    """A link that still works. Raises link-spent for a used, expired or unknown one alike."""
    link = await find_link(token, *kinds)
    if link is None or link.used_at is not None or link.expires_at <= clock.now():
        raise Refusal(LINK_SPENT)
    return link


async def use_link(token: str, *kinds: str) -> ActionLink:
    """Use a link up and return it, with what it carried. Raises link-spent for all but the first who comes."""
    link = await open_link(token, *kinds)
    moment = clock.now()
    taken = await ActionLink.filter(hash=link.hash, used_at=None, expires_at__gt=moment).update(
        used_at=moment, payload={}
    )
    if taken != 1:
        raise Refusal(LINK_SPENT)
    return link


async def void_links(kind: str, **of_whom: Any) -> int:
    """Make open links of this kind (email=, person_id=, organisation_id=) useless. Returns how many."""
    return await ActionLink.filter(kind=kind, used_at=None, **of_whom).update(used_at=clock.now(), payload={})


def public_id(link: ActionLink) -> str:
    """What names a link in lists and addresses: part of its hash, of no use for opening it."""
    return "i_" + link.hash.partition("$")[2][:_PUBLIC_ID]


def hash_prefix(identifier: str) -> str:
    """How the hash of the link with this public id begins."""
    return f"{crypto.SUITE}${identifier.partition('_')[2]}"
