"""The people of the sandbox as the persona picker lists them: who they are, and whom they may speak for."""

import asyncio
from collections.abc import Mapping
from functools import partial

from msgspec import Struct

from api.core import clock
from api.identity.consents.mandate_rows import SPEAKING
from api.identity.consents.subjects import STANDS, Position, Subject
from api.identity.installation import current
from portal.view import AnyRequest, Words

MOST = 30
SHAREHOLDER = "shareholder"
_HINTED = 4  # of what the register says of one person


class Row(Struct, frozen=True):
    """A person to choose. `hints` are what decides about their right to speak: roles, or guardians."""

    id: str
    name: str
    other_name: str
    born: str
    story: str
    hints: tuple[str, ...]


async def rows_of(request: AnyRequest, words: Words, sought: str = "") -> tuple[list[Row], bool]:
    """The people whose name holds what is sought, and whether more were left out."""
    return await _rows(await current().subjects.personas(), words, sought, _stories(request))


async def rows_of_some(people: list[Subject], words: Words) -> list[Row]:
    """These people, as rows."""
    return (await _rows(people, words, "", {}))[0]


async def _rows(
    people: list[Subject], words: Words, sought: str, stories: Mapping[str, Mapping[str, str]]
) -> tuple[list[Row], bool]:
    wanted = sought.casefold().strip()
    found = [
        one
        for one in people
        if not wanted or any(wanted in part.casefold() for part in (one.name, one.english_name, one.persona))
    ]
    make = partial(_row, words=words, stories=stories)
    return list(await asyncio.gather(*(make(one) for one in found[:MOST]))), len(found) > MOST


def _stories(request: AnyRequest) -> Mapping[str, Mapping[str, str]]:
    found: Mapping[str, Mapping[str, str]] = request.app.state.portal.stories
    return found


async def _row(person: Subject, *, words: Words, stories: Mapping[str, Mapping[str, str]]) -> Row:
    hints = []
    if person.is_child_on(clock.now().date()):
        guardians = await current().subjects.guardians_of(person)
        names = str(words("authorize.and")).join(words.pick(one.name, one.english_name) for one in guardians)
        hints.append(str(words("citizen.minor", guardians=names) if names else words("citizen.minor_alone")))
    positions = await current().register.positions_of(person)
    speaking = {one.organisation.code for one in positions if one.role != SHAREHOLDER}
    told = [one for one in positions if one.role != SHAREHOLDER or one.organisation.code not in speaking]
    hints += [_role(one, words) for one in told[:_HINTED]]
    return Row(
        id=person.id,
        name=words.pick(person.name, person.english_name),
        other_name=words.pick(person.english_name, person.name) if person.english_name else "",
        born=str(words("citizen.born", year=person.birth_date[:4])) if person.birth_date else "",
        story=words.pair(stories.get(person.persona, {})),
        hints=tuple(hints),
    )


def _role(position: Position, words: Words) -> str:
    organisation = position.organisation
    name = words.pick(organisation.name, organisation.english_name or organisation.name)
    said = str(words("citizen.speaks", organisation=name, role=words(f"citizen.role_{position.role}")))
    if organisation.status != STANDS:
        return said + str(words("citizen.speaks_ended"))
    if position.role in SPEAKING and position.until is not None and position.until <= clock.now():
        return said + str(words("citizen.speaks_expired"))
    return said
