"""Reading the request log: one call explained, the calls of an app. It changes nothing.

A call is explained from what the log keeps of it, problem type and facts, with the same words and in the reader's
language, whoever reads it and wherever. It is seen by whoever may see the app; a call that could not be told to
any app (no token, an unknown path) by everyone signed in who has its id, which nobody can guess.
"""

import asyncio
import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from tortoise.expressions import Q

from api.core import store
from api.core.caller import Caller, CallerKind
from api.core.paging import MAX_LIMIT, Page
from api.core.problem_types_platform import INPUT_INVALID, NOT_FOUND, NOT_SIGNED_IN
from api.core.problems import REGISTRY, RESERVED, Refusal, Text, describe
from api.gateway.call_lists import count, newest
from api.gateway.models import RequestRecord, UsageBucket
from api.gateway.recorder import show_now
from api.gateway.request_ids import text_of_millisecond
from api.identity.models import App
from api.identity.permissions import REQUESTS_READ, can_view_app

STEPS: dict[str, Text] = {
    "admit": Text("准入", "Admission"),
    "route": Text("路由", "Routing"),
    "authenticate": Text("身份认证", "Authentication"),
    "authorise": Text("授权", "Authorisation"),
    "limit": Text("配额", "Quota"),
    "validate": Text("契约校验", "Contract check"),
    "call": Text("调用部门系统", "Department's system"),
    "record": Text("留痕", "Record"),
}
_PREFIXES = {"rs_": "sandbox", "rl_": "live"}
_PREFIX_OF = {environment: prefix for prefix, environment in _PREFIXES.items()}
_ID = re.compile(r"r[sl]_[0-9a-z]{26}")
_is_app_id = re.compile(r"a_[0-9a-z]{1,38}").fullmatch  # as long as the column: Tortoise raises for more
_STATUS = re.compile(r"[1-5](xx|[0-9]{2})")
WHAT = Text("请求", "request")
_LOOKS = 5  # for a call that another process served: it writes within a second
_LOOK_SECONDS = 0.3
_RECENT_SECONDS = 5.0


class StepItem(Struct, frozen=True):
    """A step on the way. An empty verdict: the call did not come so far."""

    name: str
    title: str
    verdict: str
    note: str


class ProblemItem(Struct, frozen=True):
    """The refusal, in the words of its problem+json and the reader's language."""

    slug: str
    type: str
    title: str
    detail: str
    step: str
    rule: str
    next: str
    facts: dict[str, Any]
    errors: list[dict[str, Any]]


class Explained(Struct, frozen=True):
    """One call with every step's verdict; `problem` None: it went through."""

    row: RequestRecord
    environment: str
    steps: list[StepItem]
    problem: ProblemItem | None


# --- who may read -----------------------------------------------------------------------------------
def can_read_requests(caller: Caller, app: App) -> bool:
    """Whoever may see the app; an app with `platform:requests:read`, those of its organisation."""
    if caller.kind == CallerKind.APP:
        return REQUESTS_READ in caller.scopes and app.organisation_id in caller.organisations
    if caller.kind == CallerKind.PERSON and caller.is_administrator:
        return True
    return can_view_app(caller, app.organisation_id)


def check_can_read_requests(caller: Caller, app: App | None, what: Text) -> None:
    """Refuses (not-found) alike what is hidden and what is not there; not-signed-in for nobody."""
    if caller.kind == CallerKind.ANONYMOUS:
        raise Refusal(NOT_SIGNED_IN)
    if app is None or not can_read_requests(caller, app):
        raise Refusal(NOT_FOUND, what=what)


async def readable_app(caller: Caller, app_id: str) -> App:
    """An app whose calls the caller may read. Raises not-signed-in, not-found."""
    app = await App.get_or_none(id=app_id) if _is_app_id(app_id) else None
    check_can_read_requests(caller, app, Text("应用", "app"))
    assert app is not None
    return app


# --- one call ---------------------------------------------------------------------------------------
async def explain(caller: Caller, request_id: str, *, language: str, docs_url: str) -> Explained:
    """One call, explained in the reader's language. Raises not-signed-in, not-found."""
    if caller.kind == CallerKind.ANONYMOUS:
        raise Refusal(NOT_SIGNED_IN)
    row = await _find(request_id)
    if row is None:
        raise Refusal(NOT_FOUND, what=WHAT)
    if row.app_id:
        check_can_read_requests(caller, await App.get_or_none(id=row.app_id), WHAT)
    return explained(row, language=language, docs_url=docs_url)


async def _find(request_id: str) -> RequestRecord | None:
    environment = _PREFIXES.get(request_id[:3])
    if environment is None or _ID.fullmatch(request_id) is None:
        return None
    await show_now(environment)
    is_recent = request_id[3:] > text_of_millisecond(int((time.time() - _RECENT_SECONDS) * 1000))
    for look in range(_LOOKS if is_recent else 1):
        if look:
            await asyncio.sleep(_LOOK_SECONDS)
        row = await RequestRecord.get_or_none(id=request_id, using_db=store.plane(environment))
        if row is not None:
            return row
    return None


def explained(row: RequestRecord, *, language: str, docs_url: str) -> Explained:
    """A row in the reader's words."""
    known = {step: (verdict, note) for step, verdict, note in msgspec.json.decode(row.verdicts or "[]")}
    problem = _problem_of(row, language=language, docs_url=docs_url)
    known.setdefault("record", ("pass", ""))  # it always runs: without it there would be no row
    steps = [
        StepItem(name, title.in_language(language), *known.get(name, ("", "")))
        for name, title in STEPS.items()
    ]
    return Explained(row, environment_of(row.id), steps, problem)


def environment_of(request_id: str) -> str:
    """The plane that an id was given on."""
    return _PREFIXES.get(request_id[:3], "")


def _problem_of(row: RequestRecord, *, language: str, docs_url: str) -> ProblemItem | None:
    kind = REGISTRY.get(row.problem)
    if kind is None:
        return None
    facts: dict[str, Any] = msgspec.json.decode(row.facts or "{}")
    errors = facts.pop("errors", [])
    rule = str(facts.pop("rule", "") or row.problem)
    words = describe(kind, facts, language=language, docs_url=docs_url)
    return ProblemItem(
        slug=kind.slug, type=words["type"], title=words["title"], detail=words["detail"], step=words["step"],
        rule=rule, next=words["next"],
        facts={name: _in_language(value, language) for name, value in facts.items() if name not in RESERVED},
        errors=[{**one, "message": _in_language(one.get("message"), language)} for one in errors],
    )  # fmt: skip


def _in_language(value: Any, language: str) -> Any:
    """A fact that was a Text when it was written, in one language; anything else as it is."""
    if isinstance(value, dict) and set(value) == {"zh", "en"}:
        return Text(**value).in_language(language)
    return value


# --- the calls of an app ------------------------------------------------------------------------------
class Filter(Struct, frozen=True):
    """What a list is narrowed to; "" and None for no bound. `status` is `403` or `4xx`; `operation` is `getCompany`
    or `company@v1/getCompany`; `problem` is a slug, or `any`.
    """

    status: str = ""
    operation: str = ""
    problem: str = ""
    since: datetime | None = None
    until: datetime | None = None


async def requests_of(
    caller: Caller, app_id: str, wanted: Filter, *, limit: int = 50, cursor: str = ""
) -> Page[RequestRecord]:
    """The calls of an app, newest first. Raises not-signed-in, not-found, input-invalid."""
    app = await readable_app(caller, app_id)
    await show_now(app.environment)
    counted = _narrowed(wanted)
    if cursor and _ID.fullmatch(cursor) is None:
        raise _invalid(
            "/cursor",
            Text("游标无效;从第一页重新开始。", "It is no cursor of this list; start at the first page."),
        )
    if wanted.until is not None:
        end = _PREFIX_OF[app.environment] + _beginning(wanted.until)
        cursor = min(cursor, end) if cursor else end
    since_ms = _millisecond(wanted.since) if wanted.since is not None else 0
    narrowed = counted & Q(id__gte=_PREFIX_OF[app.environment] + text_of_millisecond(since_ms))
    limit = max(1, min(limit, MAX_LIMIT))
    rows = await newest(
        app.environment,
        [app.id],
        limit + 1,
        narrowed=narrowed,
        counted=counted,
        since_ms=since_ms,
        before=cursor,
    )
    shown = rows[:limit]
    return Page(items=shown, next=shown[-1].id if len(rows) > limit else "")


def _narrowed(wanted: Filter) -> Q:
    """What is asked for but its time, said alike of log rows and of usage rows."""
    conditions = Q()
    if wanted.status:
        text = wanted.status.lower()
        if _STATUS.fullmatch(text) is None:
            raise _invalid("/status", Text("状态写作 403 或 4xx。", "A status is written 403 or 4xx."))
        low = int(text[0]) * 100 if text.endswith("xx") else int(text)
        conditions &= Q(status__gte=low, status__lt=low + 100 if text.endswith("xx") else low + 1)
    if wanted.operation:
        service, slash, operation = wanted.operation.rpartition("/")
        conditions &= Q(operation=operation, **({"service": service} if slash else {}))
    if wanted.problem == "any":
        conditions &= ~Q(problem="")
    elif wanted.problem:
        conditions &= Q(problem=wanted.problem)
    return conditions


def _millisecond(moment: datetime) -> int:
    return max(0, int(moment.timestamp() * 1000))


def _beginning(moment: datetime) -> str:
    return text_of_millisecond(_millisecond(moment))


def _invalid(pointer: str, message: Text) -> Refusal:
    return Refusal(INPUT_INVALID, errors=({"pointer": pointer, "message": message},), count=1)


# --- questions of other parts ---------------------------------------------------------------------------
async def exercised(version_id: str) -> Mapping[str, str]:
    """Operation id → "called", for every operation of a version that was answered with a 2xx in the sandbox."""
    await show_now("sandbox")
    operations = (
        await UsageBucket.filter(service=version_id, status__gte=200, status__lt=300)
        .using_db(store.plane("sandbox"))
        .distinct()
        .values_list("operation", flat=True)
    )
    return {str(operation): "called" for operation in operations}


async def successful_calls(environment: str, app_id: str, since: datetime) -> int:
    """How many calls of an app were answered with a 2xx since then."""
    await show_now(environment)
    successful = Q(status__gte=200, status__lt=300)
    return await count(environment, app_id, _millisecond(since), narrowed=successful, counted=successful)
