"""What the catalogue asks of the layers above it, answered: people and organisations, request log, upstreams.

It decides nothing; each answer is one or two look-ups. See api.catalogue.outside for the questions.
"""

import asyncio
import difflib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from api.catalogue.agents.service import agent_of
from api.catalogue.outside import AppOwner, Contact, FieldUser, Organisation, Outside
from api.contract.build import service_of
from api.contract.model import JsonObject
from api.core.caller import OPERATOR, Caller, CallerKind
from api.core.crypto import Vault, read_or_make_master_key
from api.core.egress import EgressError, parse_target
from api.gateway import field_users as field_log
from api.gateway import request_log
from api.gateway.agents.calls import AgentCalls
from api.gateway.agents.connector import HEARD_SECONDS
from api.gateway.connectors.http import egress_of
from api.identity.models import App, Membership, Person
from api.identity.models import Organisation as OrganisationRow
from api.identity.organisations.service import create_organisation, find_organisation
from api.settings import Settings

PROBE_SECONDS = 5
DEFAULT_DEPARTMENT = ("digital-office", "数字政府办公室", "Digital Government Office")


def _place_of(upstream: str) -> tuple[str, int]:
    """Host and port of an upstream that is called over the network. Raises EgressError."""
    if upstream.startswith("sql+"):
        parts = urlsplit(upstream.removeprefix("sql+"))
        return parts.hostname or "", parts.port or 5432
    target = parse_target(upstream.removeprefix("soap+"))
    return target.host, target.port


def why_out_of_reach(upstream: str, drop_folder: Path) -> str:
    """Why no process of this installation could serve an upstream, with what to do next; "" where one can."""
    scheme, _, rest = upstream.partition(":")
    if scheme in {"files", "sql+sqlite"}:
        path = Path(unquote(urlsplit(upstream).path)).resolve()
        if not path.is_relative_to(drop_folder):
            return (
                f"{path} lies outside {drop_folder}: put it there, or set KAIMEN_DROP_PATH to a folder above it, "
                "start the servers again and publish then"
            )
    if scheme == "city" or scheme.startswith("city+"):
        # brings every behaviour: only where one publishes the city
        from sandbox.city.departments import BY_SLUG

        if rest not in BY_SLUG:
            near = difflib.get_close_matches(rest, BY_SLUG, 3, 0.5) or sorted(BY_SLUG)
            return f"the city has no department {rest}: write {' or '.join(near)}"
    return ""


def outside_of(settings: Settings) -> Outside:
    """The answers of a control-plane process."""
    egress = egress_of(settings)

    async def probe(upstream: str) -> str:
        if name := agent_of(upstream):  # what is asked before going live
            calls = AgentCalls(
                "live", Vault(read_or_make_master_key(settings.home_path.resolve() / "master.key"))
            )
            return (
                "" if await calls.is_there(name, HEARD_SECONDS) else f"nothing was heard of {name} just now"
            )
        if upstream.startswith(("files:", "sql+sqlite:")):
            path = Path(unquote(urlsplit(upstream).path))
            return "" if await asyncio.to_thread(path.exists) else f"{path} is not there"
        try:
            host, port = _place_of(upstream)
            addresses = await egress.resolve(host, port)
            async with asyncio.timeout(PROBE_SECONDS):
                _, writer = await asyncio.open_connection(addresses[0], port)
            writer.close()
        except EgressError as error:
            return str(error)
        except TimeoutError:
            return f"{upstream} does not answer within {PROBE_SECONDS} s"
        except OSError as error:
            return f"{upstream}: {error.strerror or error}"
        return ""

    return Outside(
        settings=settings,
        in_reach=lambda upstream: why_out_of_reach(upstream, settings.drop_folder),
        app_owner=app_owner,
        organisation=organisation,
        default_owner=default_owner,
        contacts=contacts,
        administrators=administrators,
        contact=contact,
        memberships=memberships,
        exercised=exercised,
        field_users=field_users,
        probe=probe,
        code_samples=code_samples,
    )


def code_samples(document: JsonObject, base_url: str) -> Mapping[str, list[JsonObject]]:
    """`x-codeSamples` of every operation of a published document: curl, and the SDK in each language."""
    from sdk.samples import service_samples  # the generators are loaded when somebody reads a contract

    made = service_samples(service_of(document), base_url=base_url)
    return {
        name: [{"lang": one.language, "label": one.label, "source": one.source} for one in samples]
        for name, samples in made.items()
    }


async def app_owner(app_id: str) -> AppOwner | None:
    """Whose an app is; None for an unknown or deleted one."""
    row = await App.get_or_none(id=app_id)
    if row is None or row.status == "deleted":
        return None
    return AppOwner(row.organisation_id, row.environment, row.name)


async def organisation(id_or_slug: str) -> Organisation | None:
    """An organisation by id or slug."""
    row = await find_organisation(id_or_slug)
    return None if row is None else Organisation(row.id, row.slug, row.kind, row.name_zh, row.name_en)


async def default_owner(caller: Caller) -> str:
    """For a person the one department that he publishes for; for the operator the digital office, made at need."""
    if caller.kind != CallerKind.OPERATOR:
        publishing = [one for one, roles in caller.organisations.items() if roles & {"owner", "publisher"}]
        rows = await OrganisationRow.filter(id__in=publishing, kind="department")
        return rows[0].id if len(rows) == 1 else ""
    slug, name_zh, name_en = DEFAULT_DEPARTMENT
    row = await find_organisation(slug)
    if row is None:
        row = await create_organisation(OPERATOR, "department", slug, name_zh, name_en)
    return row.id


def _contact(row: Person) -> Contact:
    return Contact(row.id, row.email, row.name, row.locale)


async def contacts(organisation_id: str, roles: frozenset[str]) -> list[Contact]:
    """Members who hold one of the roles and may sign in."""
    held = Membership.filter(organisation_id=organisation_id, role__in=list(roles))
    people = {str(one) for one in await held.values_list("person_id", flat=True)}
    return [
        _contact(row) for row in await Person.filter(id__in=list(people), disabled_at=None).order_by("id")
    ]


async def administrators() -> list[Contact]:
    """The platform's administrators."""
    return [
        _contact(row) for row in await Person.filter(is_administrator=True, disabled_at=None).order_by("id")
    ]


async def contact(person_id: str) -> Contact | None:
    """Where to write to a person."""
    row = await Person.get_or_none(id=person_id)
    return None if row is None else _contact(row)


async def memberships(person_id: str) -> frozenset[str]:
    """Organisations that the person is in now."""
    rows = await Membership.filter(person_id=person_id).values_list("organisation_id", flat=True)
    return frozenset(str(one) for one in rows)


async def exercised(version_id: str) -> Mapping[str, str]:
    """Operations of a version that were answered with a 2xx in the sandbox."""
    return await request_log.exercised(version_id)


async def field_users(version_id: str, operation_id: str, field: str, days: int) -> list[FieldUser]:
    """Apps that used an operation, or a field of it, in the last days; newest first."""
    rows = await field_log.field_users(version_id, operation_id, field or None, days=days)
    return [FieldUser(row.app_id, row.last_at, row.calls) for row in rows]


class SandboxCallCounter:
    """For identity's checklist: successful calls of an app in the sandbox's request log."""

    async def successful_calls(self, app_id: str, since: datetime) -> int:
        return await request_log.successful_calls("sandbox", app_id, since)
