"""Subjects and positions on the live plane: what the outside identity provider says at each sign-in, and no more.

A citizen who signs in for an organisation carries its code (`Subject.national`): the provider vouches that this is
who represents it. Whoever is not signed in is known by number only; guardians are not known, so nobody decides for a
child here until a register of guardianship is connected.
"""

import re

from api.identity.consents.mandate_rows import LEADS
from api.identity.consents.subjects import (
    STANDS,
    NobodyKnown,
    Position,
    RegisteredOrganisation,
    Subject,
)
from api.identity.installation import current
from api.identity.models import Mandate

CODE, NAME = "organisation_code", "organisation_name"  # in Subject.national
_NUMBER = re.compile(r"c_[0-9a-hjkmnp-tv-z]{26}")
_MAX_CODE, _MAX_NAME = 40, 200


class SignedInSubjects(NobodyKnown):
    """Directory and register of a live process."""

    is_available = True

    async def find(self, subject_id: str) -> Subject | None:
        """Somebody by number, as a person tells it to who delegates to them: it is well formed, its owner unknown."""
        if not _NUMBER.fullmatch(subject_id):
            return None
        return Subject(id=subject_id, name="", source="")

    async def organisation(self, code: str) -> RegisteredOrganisation | None:
        """An organisation that somebody has signed in for."""
        row = (
            await Mandate.filter(
                environment=current().settings.environment, organisation=code[:_MAX_CODE], source="register"
            )
            .order_by("-created_at")
            .first()
        )
        return (
            None if row is None else RegisteredOrganisation(row.organisation, row.organisation_name, STANDS)
        )

    async def positions_of(self, subject: Subject) -> list[Position]:
        """Its legal representative, where the provider said so at this sign-in; nothing otherwise."""
        code, name = subject.national.get(CODE, ""), subject.national.get(NAME, "")
        if not code or len(code) > _MAX_CODE:
            return []
        return [Position(RegisteredOrganisation(code, name[:_MAX_NAME] or code, STANDS), LEADS)]
