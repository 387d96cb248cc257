"""What the platform API's own contract says about errors: one schema of a problem, named by status."""

from typing import Any

from litestar.openapi.datastructures import ResponseSpec
from msgspec import Struct

from api.core.problems import CONTENT_TYPE

_DESCRIPTIONS = {
    400: "The input is not valid; `errors` names each fault. 输入有误。",
    401: "No credential, or one that is not accepted. 未登录或凭据无效。",
    403: "Not allowed; `detail` says why, `next` what to do. 没有权限。",
    404: "There is none, or you may not see it. 没有找到。",
    409: "It conflicts with the present state. 状态冲突。",
    413: "The request is too large. 请求过大。",
    422: "The document is refused; `findings` names each fault. 文档无法接受。",
    429: "Too many requests; wait Retry-After seconds. 请求过于频繁。",
    503: "Not available now; try again. 暂不可用。",
}


class ProblemBody(Struct, frozen=True):
    """A problem (RFC 9457). `type` resolves to a page that explains it; further members depend on the type."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    rule: str
    next: str
    request_id: str
    errors: list[dict[str, Any]] = []


def problem_responses(*statuses: int) -> dict[int, ResponseSpec]:
    """For a handler's `responses`: a problem body for each of these statuses."""
    return {
        status: ResponseSpec(
            ProblemBody, description=_DESCRIPTIONS[status], media_type=CONTENT_TYPE, generate_examples=False
        )
        for status in statuses
    }
