"""Routes of the request log: one call explained, the calls and the usage of an app, how services keep their promise.

`router` belongs to the control plane and reads both planes; `live_router` is what a live process serves of it.
"""

from datetime import datetime
from typing import Annotated, Any

from litestar import Request, Response, Router, get
from litestar.params import PathParameter, QueryParameter

from api.core.dependencies import CurrentCaller
from api.core.paging import next_link
from api.core.problem_responses import problem_responses
from api.core.problem_types_platform import INPUT_INVALID, NOT_FOUND, NOT_SIGNED_IN
from api.core.problems import Refusal, Text, preferred_language
from api.gateway.request_log import (
    Filter,
    environment_of,
    exercised,
    explain,
    requests_of,
    successful_calls,
)
from api.gateway.request_schemas import (
    RequestDetail,
    RequestList,
    ServiceLevel,
    UsageList,
    request_detail,
    request_item,
    service_level,
)
from api.gateway.slo import slo_of
from api.gateway.usage_report import MAX_DAYS, usage_of
from api.identity.installation import current

__all__ = ["exercised", "explain", "live_router", "requests_of", "router", "successful_calls"]

AnyRequest = Request[Any, Any, Any]
AppId = Annotated[str, PathParameter(max_length=64, description="`a_…`")]
Environment = Annotated[
    str, QueryParameter(pattern="^(sandbox|live)?$", description="Empty: live where published, else sandbox.")
]
Days = Annotated[int, QueryParameter(ge=1, le=366)]
ServiceName = Annotated[str, PathParameter(max_length=64)]
ServiceVersion = Annotated[str, PathParameter(max_length=16, description="`v1`")]
ServiceId = Annotated[str, PathParameter(max_length=80, description="`company@v1`")]
_READ = problem_responses(NOT_SIGNED_IN, NOT_FOUND)


@get(
    "/requests/{request_id:str}", operation_id="getRequest", tags=["requests"], summary="解释一次调用 Explain a call",
    description="Every step's verdict, the quota left, the time taken by platform and department, and for a refused call "
    "what to do next, in the language of Accept-Language. 一次调用的逐步说明。",
    responses=_READ,
)  # fmt: skip
async def get_request(
    request: AnyRequest, caller: CurrentCaller, request_id: Annotated[str, PathParameter(max_length=64, description="The Request-Id of an answer.")]
) -> Response[RequestDetail]:  # fmt: skip
    """One call, explained."""
    language = preferred_language(request.headers.get("accept-language", ""))
    found = await explain(caller, request_id, language=language, docs_url=current().settings.docs_url)
    return Response(
        request_detail(found),
        headers={"Cache-Control": "no-store", "Content-Language": "zh-CN" if language == "zh" else "en"},
    )


@get(
    "/apps/{app_id:str}/requests", operation_id="listRequests", tags=["requests"], summary="应用的调用记录 List the calls of an app",
    description="Newest first; the newest call is there at once. 应用的调用记录,最新在前。", responses=_READ,
)  # fmt: skip
async def list_requests(
    request: AnyRequest,
    caller: CurrentCaller,
    app_id: AppId,
    status: Annotated[
        str, QueryParameter(pattern="^([1-5]([0-9]{2}|xx))?$", description="`403` or `4xx`.")
    ] = "",
    operation: Annotated[
        str, QueryParameter(max_length=220, description="`getCompany` or `company@v1/getCompany`.")
    ] = "",
    problem: Annotated[
        str, QueryParameter(max_length=48, description="A problem type's slug, or `any`.")
    ] = "",
    since: Annotated[str, QueryParameter(max_length=40, description="RFC 3339.")] = "",
    until: Annotated[str, QueryParameter(max_length=40, description="RFC 3339.")] = "",
    limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
    cursor: Annotated[str, QueryParameter(max_length=64, description="`next` of the page before.")] = "",
) -> Response[RequestList]:
    """A page of calls."""
    wanted = Filter(status, operation, problem, _moment("/since", since), _moment("/until", until))
    page = await requests_of(caller, app_id, wanted, limit=limit, cursor=cursor)
    items = [request_item(row, environment_of(row.id)) for row in page.items]
    link = next_link(
        request.url.path, page, status=status, operation=operation, problem=problem, since=since, until=until, limit=limit
    )  # fmt: skip
    return Response(RequestList(items, page.next or None), headers={"Cache-Control": "no-store", **link})


@get(
    "/apps/{app_id:str}/usage", operation_id="getUsage", tags=["requests"], summary="应用的用量 Usage of an app",
    description="Calls, cost in quota units and percentiles by day (UTC) or hour, operation, status and problem. 应用用量。",
    responses=_READ,
)  # fmt: skip
async def get_usage(
    caller: CurrentCaller, app_id: AppId,
    per: Annotated[str, QueryParameter(pattern="^(day|hour)$")] = "day", days: Days = 30,
) -> UsageList:  # fmt: skip
    """Usage in lines."""
    lines = await usage_of(caller, app_id, per=per, days=days)
    return UsageList(app_id, per, min(days, MAX_DAYS[per]), lines)


@get(
    "/services/{service:str}/{version:str}/slo", operation_id="getServiceLevel", tags=["requests"],
    summary="服务承诺的履行 How a service keeps its promise",
    description="Availability and 95th percentile as measured, beside what `x-service` promises. 服务承诺与实测。",
    responses=problem_responses(NOT_FOUND),
)  # fmt: skip
async def get_service_level(
    service: ServiceName, version: ServiceVersion, environment: Environment = "", days: Days = 30
) -> ServiceLevel:
    """Promise and measurement."""
    return service_level(await slo_of(f"{service}@{version}", environment=environment, days=days))


@get(
    "/services/{service_id:str}/slo", operation_id="getServiceLevelById", tags=["requests"],
    summary="按编号查看服务承诺的履行 How a service keeps its promise, by id",
    description="As getServiceLevel, for `company@v1`. 同上,以 company@v1 指明。", responses=problem_responses(NOT_FOUND),
)  # fmt: skip
async def get_service_level_by_id(
    service_id: ServiceId, environment: Environment = "", days: Days = 30
) -> ServiceLevel:
    """Promise and measurement."""
    return service_level(await slo_of(service_id, environment=environment, days=days))


def _moment(pointer: str, text: str) -> datetime | None:
    """An RFC 3339 time with its zone, None for "". Raises input-invalid."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))  # an unescaped + of a query
        if moment.tzinfo is not None:
            return moment
    except ValueError:
        pass
    message = Text("写作 2026-01-31T08:00:00Z,须带时区。", "Write it as 2026-01-31T08:00:00Z, with its zone.")
    raise Refusal(INPUT_INVALID, errors=({"pointer": pointer, "message": message},), count=1)


router = Router(
    path="/platform/v1",
    route_handlers=[get_request, list_requests, get_usage, get_service_level, get_service_level_by_id],
)
live_router = Router(path="/platform/v1", route_handlers=[get_request])
