"""What an app may subscribe to, as a form offers it: services of an environment with the purposes they ask for."""

from msgspec import Struct

from api.catalogue import browsing
from api.catalogue.models import Publication
from api.catalogue.rights import decode_offer
from api.core.caller import Caller
from portal.view import Words


class Choice(Struct, frozen=True):
    """A service version that can be ticked, with the purposes that it allows."""

    key: str
    title: str
    description: str
    level: str
    purposes: tuple[str, ...]
    needs_purpose: bool = False  # without one, subscribing would open nothing


async def choices_of(caller: Caller, environment: str, language: str) -> list[Choice]:
    """The services that this caller may see in the environment, in the order of the catalogue."""
    words = Words(language)
    listed = await browsing.browse(caller, environment=environment)
    keys = [f"{one.id}/{environment}" for one in listed]
    rows = await Publication.filter(id__in=keys).only("id", "version_id", "offer") if keys else []
    offers = {row.version_id: decode_offer(row.offer) for row in rows}
    choices = []
    for one in listed:
        offer = offers.get(one.id)
        callable_ones = (
            [op for op in offer.operations if op.grade == "general" and op.level != "L4"] if offer else []
        )
        if offer is None or not callable_ones:  # no face offers it, so subscribing would be refused
            continue
        choices.append(
            Choice(
                key=one.id,
                title=words.pair(one.card.titles),
                description=words.pair(one.card.descriptions),
                level=one.card.level,
                purposes=offer.purposes,
                needs_purpose=all(op.purposes for op in callable_ones),
            )
        )
    return choices


def purposes_of(choices: list[Choice]) -> list[str]:
    """Every purpose that some service asks for, each once."""
    return list(dict.fromkeys(purpose for one in choices for purpose in one.purposes))
