"""What the catalogue asks of packages above it: people, organisations, apps, request logs, upstreams.

The catalogue knows people, organisations and apps by id only, and no gateway. `api.main` hands these
questions in once, before anything is served:

    outside.use(Outside(app_owner=…, organisation=…, …))

A question that nobody answers has an answer that fails closed: no such app, no such organisation, no
evidence, no healthy upstream. It holds no rule.
"""

from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct

from api.contract.model import JsonObject
from api.core.caller import Caller
from api.settings import Settings


class AppOwner(Struct, frozen=True):
    """Whose an app is, and its environment for life."""

    organisation_id: str
    environment: str
    name: str = ""


class Organisation(Struct, frozen=True):
    """An organisation. `kind` is department, company or individual."""

    id: str
    slug: str
    kind: str
    name_zh: str = ""
    name_en: str = ""


class Contact(Struct, frozen=True):
    """Where to write to a person; `locale` is zh or en."""

    person_id: str
    email: str
    name: str = ""
    locale: str = "zh"


class FieldUser(Struct, frozen=True):
    """An app that used an operation or a field of it. `last_at` is RFC 3339, in UTC."""

    app_id: str
    last_at: str
    calls: int = 0


async def _no_app(app_id: str) -> AppOwner | None:
    return None


async def _no_organisation(id_or_slug: str) -> Organisation | None:
    return None


async def _no_default_owner(caller: Caller) -> str:
    return ""


async def _nobody(organisation_id: str, roles: frozenset[str]) -> list[Contact]:
    return []


async def _no_administrators() -> list[Contact]:
    return []


async def _no_contact(person_id: str) -> Contact | None:
    return None


async def _no_memberships(person_id: str) -> frozenset[str]:
    return frozenset()


async def _no_evidence(version_id: str) -> Mapping[str, str]:
    return {}


async def _no_users(version_id: str, operation_id: str, field: str, days: int) -> list[FieldUser]:
    return []


async def _no_probe(upstream: str) -> str:
    return "no prober of upstreams is registered"


def _no_samples(document: JsonObject, base_url: str) -> Mapping[str, list[JsonObject]]:
    return {}


def _all_in_reach(upstream: str) -> str:
    return ""


class Outside(Struct, frozen=True, kw_only=True):
    """The questions. Each is asked rarely: on writes and on pages, never on the way of a request.

    - `app_owner(app_id)`: None for an unknown or deleted app.
    - `organisation(id or slug)`: None when there is none.
    - `default_owner(caller)`: the id of the organisation that owns what the caller imports without saying
      for whom, "" when that cannot be told.
    - `contacts(organisation id, roles)`: members who hold one of the roles; `administrators()`: the platform's.
    - `contact(person id)`, `memberships(person id)` → ids of the organisations that the person is in now.
    - `exercised(version id)`: operation id → how it was exercised in the sandbox ("called" with a 2xx answer,
      or "scenario"); operations that were not are left out.
    - `field_users(version id, operation id, field, days)`: who used it in the last days, newest first. `field`
      is "" for the operation as a whole, else as the request log names it: "query:code", "body:/a/b", "response".
    - `probe(upstream)`: "" when the address may be called (egress rules) and answers, else why not.
    - `code_samples(document, base URL of the service version)`: operation id → its `x-codeSamples`; slow, no database.
    - `in_reach(upstream)`: "" when this installation can serve it, else why not and what to do next: a file outside
      its drop folder, a department that its city does not have. It opens nothing.
    - `settings`: where sandbox and live are reached from outside.
    """

    app_owner: Callable[[str], Awaitable[AppOwner | None]] = _no_app
    organisation: Callable[[str], Awaitable[Organisation | None]] = _no_organisation
    default_owner: Callable[[Caller], Awaitable[str]] = _no_default_owner
    contacts: Callable[[str, frozenset[str]], Awaitable[list[Contact]]] = _nobody
    administrators: Callable[[], Awaitable[list[Contact]]] = _no_administrators
    contact: Callable[[str], Awaitable[Contact | None]] = _no_contact
    memberships: Callable[[str], Awaitable[frozenset[str]]] = _no_memberships
    exercised: Callable[[str], Awaitable[Mapping[str, str]]] = _no_evidence
    field_users: Callable[[str, str, str, int], Awaitable[list[FieldUser]]] = _no_users
    probe: Callable[[str], Awaitable[str]] = _no_probe
    code_samples: Callable[[JsonObject, str], Mapping[str, list[JsonObject]]] = _no_samples
    in_reach: Callable[[str], str] = _all_in_reach
    settings: Settings = Settings()


_current = Outside()


def use(outside: Outside) -> None:
    """Answer the questions with these functions from now on, for the whole process."""
    global _current  # noqa: PLW0603 - one composition root sets it, once
    _current = outside


def ask() -> Outside:
    """The functions that answer now."""
    return _current
