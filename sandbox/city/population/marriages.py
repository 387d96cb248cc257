"""Marriages as the register of civil affairs has them: who with whom, since when, and how those ended that did.

Couples come from `citizens`; here some of them part, and some of the parted marry again. A citizen's `spouse`
is the one of the last marriage that did not end in divorce, alive or dead.
"""

from datetime import date, timedelta
from random import Random

from msgspec import Struct

from sandbox.city.population.citizens import AS_OF, Citizen, People

_PART = 0.06  # of couples, after two years at least
_AGAIN = 0.35  # of those who parted, at most
_MOST_YEARS_APART = 12


class Marriage(Struct):
    """A registered marriage. `certificate` is J, division, year and serial; that of a divorce begins with L."""

    certificate: str
    husband: int
    wife: int
    registered_on: date
    district: str
    ended_on: date | None = None
    ended_by: str | None = None  # divorce or death
    divorce_certificate: str | None = None


class MarriageRegister:
    """All marriages while the city is being made. Serial numbers count by district, year and kind."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._serials: dict[tuple[str, str, int], int] = {}
        self.marriages: list[Marriage] = []

    def register_couples(self) -> None:
        """A marriage for every couple."""
        for man in self._people.citizens:
            if man.sex == "M" and man.spouse and man.married_on:
                self._register(man, self._people.get(man.spouse), man.married_on)

    def let_some_part(self, random: Random, first: int) -> None:
        """Divorces among those after the first `first` citizens: he moves out, she stays with the children."""
        men, women = [], []
        last_births = {
            one.mother: one.born for one in sorted(self._people.citizens, key=lambda one: one.born)
        }
        for marriage in self.marriages:
            settled = marriage.registered_on + timedelta(days=730)
            settled = max(settled, last_births.get(marriage.wife, settled) + timedelta(days=1))
            days = (AS_OF - settled).days
            if marriage.husband <= first or days <= 0 or random.random() >= _PART:
                continue
            man, woman = self._people.get(marriage.husband), self._people.get(marriage.wife)
            if not (man.is_alive and woman.is_alive):
                continue
            marriage.ended_on = settled + timedelta(days=random.randrange(days))
            marriage.ended_by = "divorce"
            marriage.divorce_certificate = self._certificate("L", marriage.district, marriage.ended_on.year)
            man.spouse = woman.spouse = man.married_on = woman.married_on = None
            man.household = self._people.add_household().id
            men.append((man, marriage.ended_on))
            women.append((woman, marriage.ended_on))
        self._marry_again(random, men, women)

    def _marry_again(
        self, random: Random, men: list[tuple[Citizen, date]], women: list[tuple[Citizen, date]]
    ) -> None:
        """Pair some who parted with others who did; he moves to her and her children."""
        parted = {(man.id, woman.id) for (man, _), (woman, _) in zip(men, women, strict=True)}
        random.shuffle(women)
        for (man, his_day), (woman, her_day) in zip(men, women, strict=True):
            since = max(his_day, her_day) + timedelta(days=60)
            if (
                random.random() >= _AGAIN
                or since >= AS_OF
                or (man.id, woman.id) in parted
                or not _may_marry(man, woman)
            ):
                continue
            day = since + timedelta(days=random.randrange((AS_OF - since).days))
            man.spouse, woman.spouse, man.married_on, woman.married_on = woman.id, man.id, day, day
            man.household = woman.household
            self._register(man, woman, day)

    def end_by_death(self) -> None:
        """Close the marriages of the dead."""
        for marriage in self.marriages:
            if marriage.ended_on is None:
                days = [
                    one.died
                    for one in map(self._people.get, (marriage.husband, marriage.wife))
                    if one.died is not None
                ]
                if days:
                    marriage.ended_on, marriage.ended_by = min(days), "death"

    def _register(self, man: Citizen, woman: Citizen, day: date) -> None:
        district = self._people.households[man.household - 1].address.district
        certificate = self._certificate("J", district, day.year)
        self.marriages.append(Marriage(certificate, man.id, woman.id, day, district))

    def _certificate(self, kind: str, district: str, year: int) -> str:
        key = (kind, district, year)
        self._serials[key] = serial = self._serials.get(key, 0) + 1
        return f"{kind}{district}-{year}-{serial:06d}"


def _may_marry(man: Citizen, woman: Citizen) -> bool:
    """Of about the same age, and no kin."""
    if abs(man.born.year - woman.born.year) > _MOST_YEARS_APART:
        return False
    if man.father is not None and man.father == woman.father:
        return False
    return woman.id not in {man.mother, man.id} and man.id != woman.father
