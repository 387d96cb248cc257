"""The published services as consent sees them: which operations need it, and which fields their answers have.

Documents may be megabytes, so a service is built once for each digest and kept.
"""

import asyncio
from collections import OrderedDict
from functools import cached_property

import msgspec

from api.catalogue import rights
from api.catalogue.models import Publication, Subscription
from api.contract import profile
from api.contract.answer_fields import Field, fields_of
from api.contract.build import service_of
from api.contract.model import Basis, Operation, Service, Texts
from api.core.problems import Text

CONSENT = (Basis.CONSENT, Basis.SEPARATE_CONSENT)
_KEPT = 64
_services: OrderedDict[tuple[str, str], "ConsentedService"] = OrderedDict()


class ConsentedService:
    """A service version as it is published in one environment."""

    def __init__(self, service: Service) -> None:
        self.service = service

    @property
    def key(self) -> str:
        """`tax@v1`."""
        return self.service.key

    @cached_property
    def operations(self) -> dict[str, Operation]:
        """The operations that need consent, by id."""
        return {one.id: one for one in self.service.operations if one.basis in CONSENT}

    @cached_property
    def fields(self) -> dict[str, dict[str, Field]]:
        """Of each of them, the fields of its answers."""
        return {id_: fields_of(one, self.service) for id_, one in self.operations.items()}

    @property
    def title(self) -> Text:
        """What the service is called."""
        texts = {language: each.get("title", "") for language, each in self.service.texts.items()}
        return both(texts, self.service.title)

    def operation_title(self, operation_id: str) -> Text:
        """What an operation is called."""
        one = self.operations[operation_id]
        texts = {language: each.get("title", "") for language, each in one.texts.items()}
        return both(texts, one.summary or one.id)

    def purpose_texts(self, purpose: str) -> Texts:
        """How the contract itself words a purpose (`x-purposes` of info); {} where it does not."""
        info = profile.as_object(self.service.document.get("info"))
        return profile.texts_of(profile.as_object(info.get("x-purposes")).get(purpose))


def both(texts: Texts, otherwise: str) -> Text:
    """The text in both languages, each standing in for the other where it is missing."""
    zh = next((text for language, text in texts.items() if language.startswith("zh") and text), "")
    en = next((text for language, text in texts.items() if language.startswith("en") and text), "")
    return Text(zh or en or otherwise, en or zh or otherwise)


async def service(version_id: str, environment: str) -> ConsentedService | None:
    """A version as published in the environment now; None where it is not."""
    row = await Publication.get_or_none(id=f"{version_id}/{environment}", state="published").only(
        "id", "digest"
    )
    if row is None:
        return None
    known = _services.get((row.id, row.digest))
    if known is None:
        text = (await Publication.get(id=row.id).only("id", "document")).document
        known = await asyncio.to_thread(lambda: ConsentedService(service_of(msgspec.json.decode(text))))
        _services[row.id, row.digest] = known
        while len(_services) > _KEPT:
            _services.popitem(last=False)
    _services.move_to_end((row.id, row.digest))
    return known


async def opened_to(app_id: str, environment: str) -> dict[str, dict[str, frozenset[str]]]:
    """Version id -> purpose -> ids of the operations that the app's active subscription for it opens now."""
    found: dict[str, dict[str, frozenset[str]]] = {}
    for row in await Subscription.filter(app_id=app_id, environment=environment, status="active"):
        opened = await rights.opened(row)
        if opened:
            found.setdefault(row.version_id, {})[row.purpose] = frozenset(one.id for one in opened)
    return found
