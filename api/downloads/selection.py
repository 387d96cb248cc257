"""What goes into a package: the operations that an app's subscriptions open, or the public part of a service."""

from msgspec import Struct

from api.catalogue import rights
from api.catalogue.models import Publication
from api.catalogue.offers import Subscriber, reach
from api.contract.model import Level
from api.downloads.builder import Choice
from api.identity.models import App

_PUBLIC = Level.L2


class Selection(Struct, frozen=True):
    """Operations and levels by service key, and the publication each is taken from."""

    choice: Choice
    publications: dict[str, str]  # service key -> publication id
    digests: dict[str, str]  # service key -> digest of the published document
    left_out: tuple[str, ...] = ()  # versions for which a newer one of the same service is in it

    @property
    def is_empty(self) -> bool:
        return not any(self.choice.operations.values())


async def selection_of(app: App) -> Selection:
    """What the app's active subscriptions open now; of two versions of a service the newer."""
    operations: dict[str, set[str]] = {}
    levels: dict[str, str] = {}
    for row in await rights.subscriptions_of(app.id):
        opened = await rights.opened(row)
        if opened:
            operations.setdefault(row.version_id, set()).update(one.id for one in opened)
            levels[row.version_id] = max(levels.get(row.version_id, ""), row.level)
    newest: dict[str, str] = {}
    for key in operations:
        name = key.partition("@")[0]
        if name not in newest or _major(key) > _major(newest[name]):
            newest[name] = key
    kept = sorted(newest.values())
    return await _selection(
        {key: tuple(sorted(operations[key])) for key in kept},
        {key: levels[key] for key in kept},
        {key: f"{key}/{app.environment}" for key in kept},
        tuple(sorted(operations.keys() - set(kept))),
    )


async def public_selection(publication: Publication) -> Selection:
    """What anybody may know of a service: general data up to L2, nothing that is for departments only."""
    offer = rights.decode_offer(publication.offer)
    purposes = ("", *offer.purposes)
    reached = {one.id: one for purpose in purposes for one in reach(offer, Subscriber("company"), purpose)}
    chosen = sorted(one.id for one in reached.values() if one.level <= _PUBLIC)
    key = publication.version_id
    return await _selection({key: tuple(chosen)}, {key: _PUBLIC.value}, {key: publication.id}, ())


def _major(key: str) -> int:
    number = key.rpartition("@v")[2]
    return int(number) if number.isdigit() else 0


async def _selection(
    operations: dict[str, tuple[str, ...]], levels: dict[str, str], publications: dict[str, str], left_out: tuple[str, ...]
) -> Selection:  # fmt: skip
    rows = await Publication.filter(id__in=list(publications.values())).only("id", "version_id", "digest")
    digests = {row.version_id: row.digest for row in rows}
    return Selection(Choice(operations, levels), publications, digests, left_out)


async def documents_of(selection: Selection) -> dict[str, str]:
    """The published documents, as JSON text by service key."""
    rows = await Publication.filter(id__in=list(selection.publications.values())).only(
        "id", "version_id", "document"
    )
    return {row.version_id: row.document for row in rows}
