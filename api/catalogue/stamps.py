"""The two things that the platform writes into a published document: x-status and x-deprecation.

Everything else in a published document is the department's, frozen at publish. These two say what the platform
decided since (a status, a sunset), and they stand in the document because every face reads the document only.
"""

import asyncio
from typing import Any

import msgspec

from api.catalogue.browsing import card_of, words_of
from api.catalogue.models import Publication, PublicationRelease, VersionRecord
from api.catalogue.offers import offer_of
from api.contract import build
from api.contract.model import JsonObject, Service
from api.core.audit import Entry

_encoder = msgspec.json.Encoder()
SHOWN = ("at", "sunset", "successor", "guide")  # of a deprecation; its reason is not the document's


class Frozen(msgspec.Struct, frozen=True):
    """What a publication row holds of a document."""

    service: Service
    document: str
    digest: str
    card: str
    offer: str
    words: str

    @property
    def columns(self) -> dict[str, str]:
        return {
            "document": self.document, "digest": self.digest, "card": self.card, "offer": self.offer,
            "words": self.words, "release": self.service.release,
        }  # fmt: skip


def stamped(document: JsonObject, status: str, deprecation: dict[str, Any]) -> JsonObject:
    """A copy of a released document with the platform's word on status and deprecation in `info`.

    Without a deprecation of the platform's (`retire`) the document's own stays.
    """
    info = {**document.get("info", {}), "x-status": status}
    shown = {key: deprecation[key] for key in SHOWN if deprecation.get(key)}
    if shown:
        info["x-deprecation"] = shown
    return {**document, "info": info}


async def freeze(document: str, status: str, deprecation: dict[str, Any]) -> Frozen:
    """The columns of a publication, made off the event loop: a large document takes a second."""
    return await asyncio.to_thread(_freeze, document, status, deprecation)


def _freeze(document: str, status: str, deprecation: dict[str, Any]) -> Frozen:
    made = stamped(msgspec.json.decode(document), status, deprecation)
    service = build.service_of(made)
    return Frozen(
        service=service,
        document=_encoder.encode(made).decode(),
        digest=service.digest,
        card=_encoder.encode(card_of(service)).decode(),
        offer=_encoder.encode(offer_of(service)).decode(),
        words=words_of(service),
    )


async def stamp_publications(entry: Entry, version: VersionRecord) -> None:
    """Write the version's status and deprecation into what is published of it, in the running `audit.write`."""
    for row in await Publication.filter(version_id=version.id, state="published").only("id"):
        released = await PublicationRelease.filter(
            publication_id=row.id, published_at__isnull=False
        ).order_by("-published_at").first()  # fmt: skip
        if released is None:
            continue
        frozen = await freeze(released.document, version.status, version.deprecation)
        await Publication.filter(id=row.id).update(**frozen.columns)
        entry.changed("publication", row.id)
