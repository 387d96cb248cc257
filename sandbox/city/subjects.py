"""The city's people and companies as consent asks for them: who a persona is, whose parent, and who speaks for whom.

It reads the base city: what an app changes in its own sandbox gives nobody a mandate.
"""

from datetime import UTC, date, datetime, time

from api.core import clock
from api.identity.consents.subjects import (
    AGE_OF_MAJORITY,
    AGE_OF_OWN_CONSENT,
    Position,
    RegisteredOrganisation,
    Subject,
    SubjectIds,
)
from sandbox.city.base import City, CityFile, CityMissing
from sandbox.city.clock import ZONE
from sandbox.city.population import personas, schema

SOURCE = "city"
ASSURANCE = "substantial"  # what choosing a persona counts for; an identity provider may say more
_PERSON = "SELECT number, name, latin_name, born FROM citizen"
_COMPANY = "SELECT c.code, c.name, c.english_name, c.status"


class CitySubjects:
    """Subject directory and company register of the sandbox, from the city file. Without a city it knows nobody."""

    def __init__(self, file: CityFile, ids: SubjectIds) -> None:
        self._file = file
        self._ids = ids
        self._numbers = {personas.number_of(one.slug): one.slug for one in personas.PEOPLE}
        self._by_id = {ids.of(SOURCE, number): number for number in self._numbers}

    @property
    def is_available(self) -> bool:
        return self._city() is not None

    def _city(self) -> City | None:
        """The city; None where there is none, or one of an older edition that `kaimen city seed` has yet to replace."""
        try:
            city = self._file.open()
        except CityMissing:
            return None
        return city if city.meta.get("schema") == schema.VERSION else None

    def _subject(self, number: str, name: str, latin_name: str, born: str) -> Subject:
        return Subject(
            id=self._ids.of(SOURCE, number),
            name=name,
            birth_date=born,
            assurance=ASSURANCE,
            source=SOURCE,
            national={"number": number},
            persona=self._numbers.get(number, ""),
            english_name=latin_name,
        )

    def citizen(self, number: str) -> Subject | None:
        """The living citizen with this identity number, persona or not."""
        city = self._city()
        row = city.one(f"{_PERSON} WHERE number = ? AND died IS NULL", number) if city else None
        return None if row is None else self._subject(*row)

    # --- directory ---
    async def find(self, subject_id: str) -> Subject | None:
        number = self._by_id.get(subject_id)
        return None if number is None else self.citizen(number)

    async def persona(self, slug: str) -> Subject | None:
        if not any(one.slug == slug for one in personas.PEOPLE):
            return None
        return self.citizen(personas.number_of(slug))

    async def personas(self) -> list[Subject]:
        found = [self.citizen(personas.number_of(one.slug)) for one in personas.PEOPLE]
        return [one for one in found if one is not None]

    async def guardians_of(self, subject: Subject) -> list[Subject]:
        """The living parents of somebody below 18."""
        city, age = self._city(), subject.age_on(clock.now().date())
        if city is None or age is None or age >= AGE_OF_MAJORITY:
            return []
        rows = city.all(
            "SELECT p.number, p.name, p.latin_name, p.born FROM citizen c JOIN citizen p ON p.id IN (c.father, c.mother) "
            "WHERE c.number = ? AND p.died IS NULL ORDER BY p.id",
            subject.national.get("number", ""),
        )
        return [self._subject(*row) for row in rows]

    async def wards_of(self, subject: Subject) -> list[Subject]:
        city = self._city()
        if city is None:
            return []
        rows = city.all(
            "SELECT c.number, c.name, c.latin_name, c.born FROM citizen p JOIN citizen c ON p.id IN (c.father, c.mother) "
            "WHERE p.number = ? AND c.died IS NULL AND c.born > ? ORDER BY c.id",
            subject.national.get("number", ""),
            _years_before(clock.now().date(), AGE_OF_OWN_CONSENT).isoformat(),
        )
        return [self._subject(*row) for row in rows]

    # --- register ---
    async def organisation(self, code: str) -> RegisteredOrganisation | None:
        city = self._city()
        row = city.one(f"{_COMPANY} FROM company c WHERE c.code = ?", code) if city else None
        return None if row is None else _organisation(row)

    async def positions_of(self, subject: Subject) -> list[Position]:
        """Representatives, powers of attorney, former representatives and shareholders, in this order."""
        city, number = self._city(), subject.national.get("number", "")
        if city is None or not number:
            return []
        places = (
            ("legal-representative", "company c ON c.legal_representative = p.id", "'', NULL"),
            (
                "",
                "power_of_attorney a ON a.citizen = p.id JOIN company c ON c.id = a.company",
                "a.scope, a.until, a.role",
            ),
            (
                "former-representative",
                "former_representative a ON a.citizen = p.id JOIN company c ON c.id = a.company",
                "'', a.until",
            ),
            ("shareholder", "holding a ON a.citizen = p.id JOIN company c ON c.id = a.company", "'', NULL"),
        )
        found = []
        for role, joined, columns in places:
            rows = city.all(
                f"{_COMPANY}, {columns} FROM citizen p JOIN {joined} WHERE p.number = ? ORDER BY c.id",
                number,
            )
            found += [Position(_organisation(row), role or row[6], row[4], _end_of(row[5])) for row in rows]
        return found


def _organisation(row: tuple[str, ...]) -> RegisteredOrganisation:
    return RegisteredOrganisation(code=row[0], name=row[1], english_name=row[2], status=row[3])


def _end_of(day: str | None) -> datetime | None:
    """The last instant of a day in the city."""
    if day is None:
        return None
    return datetime.combine(date.fromisoformat(day), time(23, 59, 59), ZONE).astimezone(UTC)


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February
        return date(day.year - years, 2, 28)
