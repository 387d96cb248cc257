"""Subjects: the people whose consent is asked, as opposed to the persons who hold a developer's account.

Who they are is told by a directory of their environment: in the sandbox the city's, live an outside identity
provider. Here stand the shapes and the questions; whoever puts a process together hands in who answers them.
"""

import hashlib
import hmac
from datetime import date, datetime
from typing import Protocol

from msgspec import Struct

from api.core.crypto import Vault
from api.core.ids import encode_id

AGE_OF_OWN_CONSENT = 14  # Source: PIPL article 31, a guardian consents for those below
AGE_OF_MAJORITY = 18  # Source: Civil Code article 17
ASSURANCES = ("low", "substantial", "high")
STANDS = "active"  # the status of an organisation that may still act


class Subject(Struct, frozen=True):
    """A citizen. `id` is stable in its environment and tells nobody who it is.

    `national` (identity number and the like) serves the registers only: it goes into no token, text, log or page.
    `birth_date` is an ISO date, None where the source does not tell. `persona` is the name in the sandbox.
    """

    id: str
    name: str
    birth_date: str | None = None
    assurance: str = "substantial"
    source: str = "city"
    national: dict[str, str] = {}
    persona: str = ""
    english_name: str = ""

    def age_on(self, day: date) -> int | None:
        """Full years on that day, None where the birth date is unknown."""
        if self.birth_date is None:
            return None
        born = date.fromisoformat(self.birth_date)
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))

    def is_child_on(self, day: date) -> bool:
        """Whether a guardian consents instead: below 14."""
        age = self.age_on(day)
        return age is not None and age < AGE_OF_OWN_CONSENT


class SubjectDirectory(Protocol):
    """Who the subjects of an environment are."""

    async def find(self, subject_id: str) -> Subject | None:
        """The subject with this id, None where it is unknown here."""
        ...

    async def persona(self, slug: str) -> Subject | None:
        """The subject whom the sandbox calls so; None everywhere else."""
        ...

    async def personas(self) -> list[Subject]:
        """Those whom the sandbox's persona picker offers; none live."""
        ...

    async def guardians_of(self, subject: Subject) -> list[Subject]:
        """Parents and other guardians of a minor."""
        ...

    async def wards_of(self, subject: Subject) -> list[Subject]:
        """The children below 14 for whom this subject decides."""
        ...


class RegisteredOrganisation(Struct, frozen=True):
    """An organisation as its register has it. `status` is `active`, or how it ended: revoked, deregistered."""

    code: str  # unified social credit code
    name: str
    status: str
    english_name: str = ""


class Position(Struct, frozen=True):
    """What a subject is to an organisation, by the register.

    `role` is legal-representative, agent or finance (these may speak, within `scope` and until `until`), or
    former-representative or shareholder (these may not).
    """

    organisation: RegisteredOrganisation
    role: str
    scope: str = ""
    until: datetime | None = None


class CompanyRegister(Protocol):
    """The register of organisations of an environment."""

    @property
    def is_available(self) -> bool:
        """Whether it can be asked now. While it cannot, nobody gains a mandate by it and nobody loses one."""
        ...

    async def organisation(self, code: str) -> RegisteredOrganisation | None:
        """The organisation with this code, None where the register has none."""
        ...

    async def positions_of(self, subject: Subject) -> list[Position]:
        """Everything that the register says the subject is, or was."""
        ...


class NobodyKnown:
    """Both, where no source is connected: it knows nobody and no organisation."""

    is_available = False

    async def find(self, subject_id: str) -> Subject | None:
        return None

    async def persona(self, slug: str) -> Subject | None:
        return None

    async def personas(self) -> list[Subject]:
        return []

    async def guardians_of(self, subject: Subject) -> list[Subject]:
        return []

    async def wards_of(self, subject: Subject) -> list[Subject]:
        return []

    async def organisation(self, code: str) -> RegisteredOrganisation | None:
        return None

    async def positions_of(self, subject: Subject) -> list[Position]:
        return []


class SubjectIds:
    """Makes the ids of the subjects of one environment: keyed, so that nobody can work them out from a number."""

    def __init__(self, vault: Vault, environment: str) -> None:
        self._key = vault.derive(f"subjects:{environment}")

    def of(self, source: str, name: str) -> str:
        """`c_…` for the subject whom `source` (the city, or an issuer's URL) calls `name`; the same every time."""
        digest = hmac.new(self._key, f"{source}\n{name}".encode(), hashlib.sha256).digest()
        return encode_id("c", digest[:16])


def person_mark(ids: SubjectIds, number: str) -> str:
    """What stands in a token for an identity number, so that a call about another person is told apart; "" for none."""
    return ids.of("national", number.strip().upper()) if number else ""
