"""What the sandbox's part of the platform API takes and gives."""

from typing import Any

from msgspec import Struct


class Trial(Struct, frozen=True):
    """A call that shows the persona: operation `company@v1/getCompany` and its parameters."""

    operation: str
    parameters: dict[str, Any]


class Standing(Struct, frozen=True):
    """What a person is to a company. `can_speak` says whether consent over its data may be given, `why_not` why not."""

    organisation: str  # persona id of the company
    code: str
    role: str  # legal-representative, agent, finance, former-representative or shareholder
    can_speak: bool
    why_not: str = ""  # the rule of the refusal: organisation-struck-off, agent-expired, …
    until: str | None = None  # ISO date, of an agent


class Persona(Struct, frozen=True):
    """A named person or company of the city, the same whatever the seed."""

    id: str
    kind: str  # person or organisation
    code: str  # citizen identity number or unified social credit code
    name: str
    english_name: str
    status: str  # of an organisation: active, revoked or deregistered; of a person: alive
    story: dict[str, str]  # zh, en
    try_it: list[Trial]
    standing: list[Standing] = []  # of a person
    guardians: list[str] = []  # persona ids, of a child below 14, for whom they consent


class PersonaList(Struct, frozen=True):
    """All personas. `version` changes when any of them does."""

    version: str
    items: list[Persona]
