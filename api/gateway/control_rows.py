"""What the gateway reads of the control store, in a handful of statements. It writes nothing and keeps nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from api.core import store
from api.gateway.rights import Grant

_IDS_AT_ONCE = 200
_CHANGES_AT_ONCE = 5_000

_NEWEST = "SELECT COALESCE(MAX(id), 0) FROM control_change"
_CHANGES = "SELECT id, kind, key FROM control_change WHERE id > ? ORDER BY id LIMIT ?"
_PLANS = "SELECT name, limits FROM plan"
_PUBLICATIONS = (
    "SELECT p.id, p.document, p.upstream, p.state, COALESCE(s.organisation_id, ''), p.mapping, p.recording "
    "FROM publication p LEFT JOIN service s ON s.name = p.service "
    "WHERE p.environment = ? AND p.state IN ('published', 'retired') AND p.upstream <> 'platform:'"
)
_OF_PUBLICATIONS = " AND p.id IN (?*)"
_APPS = (
    "SELECT a.id, a.organisation_id, a.status, a.plan, COALESCE(o.kind, '') "
    "FROM app a LEFT JOIN organisation o ON o.id = a.organisation_id WHERE a.environment = ?"
)
_APPS_AFTER = " AND a.id > ? ORDER BY a.id LIMIT ?"
_OF_APPS = " AND a.id IN (?*)"
_GRANTS = (
    "SELECT app_id, version_id, purpose, status, level FROM subscription "
    "WHERE status IN ('active', 'pending') AND environment = ?"
)
_GRANTS_BETWEEN = " AND app_id > ? AND app_id <= ?"
_OF_GRANTS = " AND app_id IN (?*)"


class PublicationRow(Struct, frozen=True):
    """A publication that is served or retired."""

    id: str  # company@v1/sandbox
    document: str
    upstream: str
    state: str
    owner_id: str
    mapping: str = ""
    recording: str = ""  # the consent to record its answers, "" = none


class AppEntry(Struct, frozen=True, gc=False):
    """An app with its subscriptions."""

    id: str
    organisation_id: str
    status: str
    plan: str
    kind: str  # of its organisation, "" where that is unknown
    grants: Sequence[Grant]


async def newest_change() -> int:
    """The id of the newest change of the control plane, 0 before the first."""
    return int((await _rows(_NEWEST))[0][0])


async def changes_after(seen: int) -> list[tuple[int, str, str]]:
    """(id, kind, key) of the changes after `seen`, in commit order, a bounded number of them."""
    return [(int(row[0]), row[1], row[2]) for row in await _rows(_CHANGES, seen, _CHANGES_AT_ONCE)]


async def plans() -> list[tuple[str, Mapping[str, Any]]]:
    """All plans: name and limits."""
    return [(name, _from_json(limits)) for name, limits in await _rows(_PLANS)]


async def publications(environment: str, ids: list[str] | None = None) -> list[PublicationRow]:
    """The publications of an environment, all or those with these ids."""
    if ids is None:
        return [PublicationRow(*row) for row in await _rows(_PUBLICATIONS, environment)]
    found: list[Any] = []
    for part in _parts(ids):
        found += await _rows(_PUBLICATIONS + _OF_PUBLICATIONS, environment, some=part)
    return [PublicationRow(*row) for row in found]


async def apps_after(environment: str, after: str, count: int) -> list[AppEntry]:
    """The next apps in the order of their ids, at most `count`; an empty list at the end."""
    apps = await _rows(_APPS + _APPS_AFTER, environment, after, count)
    if not apps:
        return []
    return _joined(apps, await _rows(_GRANTS + _GRANTS_BETWEEN, environment, after, apps[-1][0]))


async def apps_of(environment: str, ids: list[str]) -> list[AppEntry]:
    """The apps with these ids; one that is not there is left out."""
    found: list[AppEntry] = []
    for part in _parts(ids):
        apps = await _rows(_APPS + _OF_APPS, environment, some=part)
        found += _joined(apps, await _rows(_GRANTS + _OF_GRANTS, environment, some=part))
    return found


def _joined(apps: Sequence[Any], grants: Sequence[Any]) -> list[AppEntry]:
    of_app: dict[str, list[Grant]] = {}
    for app_id, version_id, purpose, status, level in grants:
        of_app.setdefault(app_id, []).append((version_id, purpose, status, level))
    return [AppEntry(row[0], row[1], row[2], row[3], row[4], of_app.get(row[0], ())) for row in apps]


async def _rows(sql: str, *values: object, some: Sequence[str] = ()) -> Sequence[Any]:
    """Run a statement: `?` is a value, `?*` the list `some`, written as the database writes parameters."""
    connection = store.control()
    sql = sql.replace("?*", ", ".join("?" * len(some)))
    if connection.capabilities.dialect != "sqlite":
        pieces = sql.split("?")
        sql = pieces[0] + "".join(f"${number}{piece}" for number, piece in enumerate(pieces[1:], 1))
    _, rows = await connection.execute_query(sql, [*values, *some])
    return rows


def _parts(ids: list[str]) -> list[list[str]]:
    return [ids[at : at + _IDS_AT_ONCE] for at in range(0, len(ids), _IDS_AT_ONCE)]


def _from_json(value: Any) -> Mapping[str, Any]:
    decoded = msgspec.json.decode(value) if isinstance(value, str | bytes) else value
    return decoded if isinstance(decoded, dict) else {}
