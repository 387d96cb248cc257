"""Households and the people in them: couples, children, parents, all consistent with one another."""

from collections.abc import Callable
from datetime import date, timedelta
from random import Random

from msgspec import Struct

from sandbox.city.population import identifiers, names, places

AS_OF = date(2026, 6, 30)  # the day on which the city was counted; nothing in the file is later
ADULT_YEARS = 18
_TELL_EVERY = 5000
_MARRIAGE_YEARS = {"M": 22, "F": 20}  # Source: 《中华人民共和国民法典》 article 1047


class Citizen(Struct):
    id: int
    number: str
    name: str
    latin_name: str
    sex: str  # M or F
    ethnicity: str
    born: date
    household: int
    surname: str = ""
    died: date | None = None
    father: int | None = None
    mother: int | None = None
    spouse: int | None = None
    married_on: date | None = None

    def age_on(self, day: date) -> int:
        """Full years on that day; negative before birth."""
        return day.year - self.born.year - ((day.month, day.day) < (self.born.month, self.born.day))

    @property
    def is_alive(self) -> bool:
        return self.died is None


class Household(Struct):
    id: int
    address: places.Address


class People:
    """Everybody of the city while it is being made. Lists are in order of id, which begins at 1."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.citizens: list[Citizen] = []
        self.households: list[Household] = []
        self._sequences: dict[tuple[str, date, str], int] = {}

    def add_household(self, address: places.Address | None = None) -> Household:
        home = Household(len(self.households) + 1, address or places.home_address(self.random))
        self.households.append(home)
        return home

    def add(self, home: Household, sex: str, born: date, name: names.Name) -> Citizen:
        """A new citizen of the household, with the next free number of that district, day and sex."""
        key = (home.address.district, born, sex)
        step = self._sequences.get(key, 0)
        self._sequences[key] = step + 1
        sequence = 2 * step + (1 if sex == "M" else 2)
        if sequence > 999:
            raise RuntimeError("more than 499 people of one sex born in a district on one day")
        citizen = Citizen(
            id=len(self.citizens) + 1,
            number=identifiers.citizen_number(home.address.district, born, sequence),
            name=name.zh,
            latin_name=name.latin,
            sex=sex,
            ethnicity=name.ethnicity,
            born=born,
            household=home.id,
            surname=name.surname,
        )
        self.citizens.append(citizen)
        return citizen

    def get(self, citizen_id: int) -> Citizen:
        return self.citizens[citizen_id - 1]


def years_after(day: date, years: int) -> date:
    """The same day that many years later; 29 February becomes 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def _birthday(random: Random, age: int) -> date:
    return years_after(AS_OF, -age) - timedelta(days=random.randrange(365))


def _adult_age(random: Random) -> int:
    return min(96, int(random.triangular(19, 92, 41)))


def _marry(random: Random, man: Citizen, woman: Citizen, first_birth: date | None) -> None:
    """Marry them when both are of age; before their first child is born, where they were old enough by then."""
    earliest = max(years_after(man.born, _MARRIAGE_YEARS["M"]), years_after(woman.born, _MARRIAGE_YEARS["F"]))
    room = min((AS_OF - earliest).days, 3650)
    if first_birth is not None and (first_birth - earliest).days > 0:
        room = min(room, (first_birth - earliest).days)
    day = earliest + timedelta(days=random.randrange(max(1, room)))
    man.spouse, woman.spouse, man.married_on, woman.married_on = woman.id, man.id, day, day


def _add_single(people: People) -> None:
    random = people.random
    sex, born = random.choice("MF"), _birthday(random, _adult_age(random))
    name = names.pick_name(random, sex, born.year, names.pick_ethnicity(random))
    people.add(people.add_household(), sex, born, name)


def _add_family(people: People) -> None:
    """A couple with up to three children under 25; children carry the father's surname and ethnic group."""
    random = people.random
    age = max(24, _adult_age(random))
    his_birthday = _birthday(random, age)
    hers = max(22, age - random.randint(-2, 6))
    her_birthday = _birthday(random, hers)
    ethnicity = names.pick_ethnicity(random)
    home = people.add_household()
    father = people.add(home, "M", his_birthday, names.pick_name(random, "M", his_birthday.year, ethnicity))
    other = ethnicity if random.random() < 0.9 else names.pick_ethnicity(random)
    mother = people.add(home, "F", her_birthday, names.pick_name(random, "F", her_birthday.year, other))
    oldest_child = min(24, hers - 21, age - 23)
    count = random.choices((0, 1, 2, 3), (28, 40, 27, 5))[0] if oldest_child >= 0 else 0
    ages = sorted({random.randint(0, oldest_child) for _ in range(count)}, reverse=True)
    births = [_birthday(random, child_age) for child_age in ages]
    _marry(random, father, mother, births[0] if births else None)
    for born in births:
        sex = random.choice("MF")
        name = names.pick_name(random, sex, born.year, father.ethnicity, father.surname)
        child = people.add(home, sex, born, name)
        child.father, child.mother = father.id, mother.id


def _link_generations(people: People, first: int) -> None:
    """Give two in five adults parents among the older couples: by surname, 22 to 42 years older, no kin married."""
    random = people.random
    fathers: dict[str, list[Citizen]] = {}
    for citizen in people.citizens[first:]:
        if citizen.sex == "M" and citizen.spouse and citizen.surname:
            fathers.setdefault(citizen.surname, []).append(citizen)
    for citizen in people.citizens[first:]:
        if citizen.father or not citizen.surname or random.random() > 0.4:
            continue
        pool = fathers.get(citizen.surname, [])
        for candidate in random.sample(pool, min(6, len(pool))):
            if _may_be_child(people, citizen, candidate):
                citizen.father, citizen.mother = candidate.id, candidate.spouse
                break


def _may_be_child(people: People, citizen: Citizen, father: Citizen) -> bool:
    mother = people.get(father.spouse) if father.spouse else None
    if mother is None or father.ethnicity != citizen.ethnicity or mother.id == citizen.id:
        return False
    if not 22 <= citizen.born.year - father.born.year <= 42:
        return False
    if not 20 <= citizen.born.year - mother.born.year <= 44:
        return False
    spouse = people.get(citizen.spouse) if citizen.spouse else None
    return spouse is None or spouse.father != father.id


def _let_some_die(people: People, first: int) -> None:
    """Some died in the last eight years, most of them old; none before a child of theirs was born, or their wedding."""
    random, days = people.random, 3000
    recent = {
        parent
        for child in people.citizens
        if child.born > AS_OF - timedelta(days=days)
        for parent in (child.father, child.mother)
    }
    for citizen in people.citizens[first:]:
        age = citizen.age_on(AS_OF)
        if age < 32 or citizen.id in recent:
            continue
        if random.random() < (0.016 * 1.1 ** (age - 60) if age >= 70 else 0.004):
            died = AS_OF - timedelta(days=random.randrange(1, days))
            citizen.died = died if citizen.married_on is None else max(died, citizen.married_on)


def add_people(people: People, count: int, progress: Callable[[int], None] | None = None) -> None:
    """Fill the city up to `count` citizens; those already there keep their places and lives.

    `progress` is told from time to time how many there are.
    """
    first = told = len(people.citizens)
    while len(people.citizens) < count:
        if people.random.random() < 0.26:
            _add_single(people)
        else:
            _add_family(people)
        if progress is not None and len(people.citizens) - told >= _TELL_EVERY:
            told = len(people.citizens)
            progress(told)
    del people.citizens[count:]
    for citizen in people.citizens[first:]:  # the last family may have been cut by the count
        if citizen.spouse and citizen.spouse > count:
            citizen.spouse = citizen.married_on = None
    _link_generations(people, first)
    _let_some_die(people, first)
