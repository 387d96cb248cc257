"""Registered documents (persisted queries): what an app may send by digest, and where it runs nothing else.

Read from the control store when a digest is first used and kept; a change is seen after `_KEPT_SECONDS` at most.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from hashlib import sha256

from msgspec import Struct

from api.core.problem_types_graphql import GRAPHQL_NOT_ALLOWED, GRAPHQL_NOT_FOUND
from api.core.problems import Refusal

_KEPT_SECONDS = 2.0
_KEPT_APPS = 2000
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


class AppDocuments(Struct, frozen=True):
    """What an app has registered: texts by digest, and whether it runs nothing else."""

    texts: dict[str, str]
    is_exclusive: bool = False


NOTHING = AppDocuments({})


async def no_documents(app_id: str) -> AppDocuments:
    """Of an installation that registers none."""
    return NOTHING


class Documents:
    """Registered documents of the apps that call here."""

    def __init__(self, load: Callable[[str], Awaitable[AppDocuments]] = no_documents) -> None:
        self._load = load
        self._known: OrderedDict[str, tuple[float, AppDocuments]] = OrderedDict()

    async def text_of(self, app_id: str, text: str, digest: str) -> str:
        """The document to run. Raises Refusal: graphql-document-unknown, graphql-not-registered."""
        registered = await self._of(app_id)
        if digest:
            found = _DIGEST.fullmatch(digest)
            known = registered.texts.get(found[1]) if found else None
            if known is None:
                raise Refusal(GRAPHQL_NOT_FOUND, app=app_id, digest=digest[:80] if found else "…")
            return known
        if registered.is_exclusive and digest_of(text) not in registered.texts:
            raise Refusal(GRAPHQL_NOT_ALLOWED, app=app_id)
        return text

    async def _of(self, app_id: str) -> AppDocuments:
        now = time.monotonic()
        known = self._known.get(app_id)
        if known is None or known[0] < now:
            known = self._known[app_id] = (now + _KEPT_SECONDS, await self._load(app_id))
            self._known.move_to_end(app_id)
            if len(self._known) > _KEPT_APPS:
                self._known.popitem(last=False)
        return known[1]


def digest_of(text: str) -> str:
    """SHA-256 of a document, in hexadecimal digits."""
    return sha256(text.encode()).hexdigest()
