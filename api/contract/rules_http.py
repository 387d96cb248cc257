"""Lint rules about HTTP: paths, methods, statuses, problems, secrets in addresses, parameters."""

import re
from collections.abc import Iterator

from api.contract.model import Operation
from api.contract.pointers import join
from api.contract.rule import ERROR, INFO, WARNING, Hit, Subject, answer_schema, rule, successes

_SECRET = re.compile(
    r"(pass(word|wd)|secret|api[_-]?key|(access|auth|refresh|id)?[_-]?token|credential|signature|密码|口令|密钥|令牌)\Z",
    re.IGNORECASE,
)
_NOT_SECRET = {
    "pagetoken",
    "page_token",
    "page-token",
    "nexttoken",
    "next_token",
    "next-token",
    "continuationtoken",
}
_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)?\Z")
_PROBLEM = "application/problem+json"


def _hit(operation: Operation, *tokens: str | int, **facts: object) -> Hit:
    return Hit(join(operation.pointer, *tokens), {"operation": operation.id, **facts})


@rule(
    "response-success",
    WARNING,
    ("{operation} 没有声明成功响应。", "{operation} declares no success response."),
    hint=("写出 200、201 或 204。", "State 200, 201 or 204."),
    reason=(
        "没有成功响应,沙箱、SDK 与文档都无从谈起。",
        "Without it sandbox, SDK and docs have nothing to say.",
    ),
    source="OpenAPI 3.1.1 §4.8.16",
)
def _success(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        if not any(one.status[0] in "23" for one in operation.responses):
            yield _hit(operation, "responses")


@rule(
    "response-errors",
    INFO,
    ("{operation} 没有声明任何错误响应。", "{operation} declares no error response."),
    hint=("至少声明 4XX 的 problem+json。", "Declare 4XX as problem+json at least."),
    reason=("使用者要能为出错做准备。", "Users must be able to prepare for errors."),
    source="OpenAPI 3.1.1 §4.8.16, RFC 9457",
)
def _errors(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        if not any(one.status[0] in "45" or one.status == "default" for one in operation.responses):
            yield _hit(operation, "responses")


@rule(
    "problem-json",
    WARNING,
    (
        "{operation} 的 {status} 响应不是 application/problem+json。",
        "The {status} response of {operation} is not application/problem+json.",
    ),
    hint=("错误响应用 application/problem+json。", "Answer errors as application/problem+json."),
    reason=(
        "错误只有一种格式,各接入面才能一致地解释。",
        "With one format every face can explain errors alike.",
    ),
    source="RFC 9457, design §4",
)
def _problem(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        for response in operation.responses:
            kinds = [media.content_type.split(";")[0] for media in response.media]
            if response.status[0] in "45" and kinds and _PROBLEM not in kinds:
                yield _hit(operation, "responses", response.status, status=response.status)


@rule(
    "secret-in-query",
    ERROR,
    ("{operation} 把 {name} 放在地址里。", "{operation} puts {name} into the address."),
    hint=("放进请求体,或用 OAuth2。", "Put it into the body, or use OAuth2."),
    reason=("地址会进日志、历史与引荐头。", "Addresses end up in logs, histories and referrers."),
    source="RFC 6750 §5.3, OWASP API2:2023",
)
def _secret(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        for index, parameter in enumerate(operation.parameters):
            name = parameter.name.lower()
            if parameter.location in {"query", "path"} and _SECRET.search(name) and name not in _NOT_SECRET:
                yield _hit(operation, "parameters", index, name=parameter.name)


@rule(
    "path-case",
    INFO,
    ("路径段 {segment} 不是小写连字符形式。", "The path segment {segment} is not lower-case with hyphens."),
    hint=("写成 annual-reports 这样的形式。", "Write it like annual-reports."),
    reason=("一致的路径更好记。", "Paths of one form are easier to remember."),
    source="design §3 (house style)",
    own_only=True,
)
def _path_case(subject: Subject) -> Iterator[Hit]:
    for path in subject.document.get("paths", {}):
        for segment in path.split("/"):
            if segment and "{" not in segment and segment.isascii() and not _KEBAB.match(segment):
                yield Hit(join("/paths", path), {"segment": segment})


@rule(
    "path-trailing-slash",
    INFO,
    ("路径以斜杠结尾:{path}。", "The path ends in a slash: {path}."),
    hint=("去掉结尾的斜杠;两种写法是两个地址。", "Remove it; with and without are two addresses."),
    reason=("多一条斜杠就是 404。", "One slash too many is a 404."),
    source="RFC 3986 §6.2.3",
)
def _trailing_slash(subject: Subject) -> Iterator[Hit]:
    for path in subject.document.get("paths", {}):
        if path.endswith("/") and path != "/":
            yield Hit(join("/paths", path), {"path": path})


@rule(
    "path-verb",
    INFO,
    ("路径段 {segment} 是动词。", "The path segment {segment} is a verb."),
    hint=("路径写资源,动作由方法表达。", "Name resources in paths; the method says the verb."),
    reason=("动词路径让缓存与重试无从判断。", "With verbs in paths, caches and retries cannot tell."),
    source="RFC 9110 §9",
    own_only=True,
)
def _path_verb(subject: Subject) -> Iterator[Hit]:
    for path in subject.document.get("paths", {}):
        for segment in path.lower().split("/"):
            if (
                segment.split("-")[0] in {"get", "create", "update", "delete", "query", "add"}
                and "{" not in segment
            ):
                yield Hit(join("/paths", path), {"segment": segment})


@rule(
    "put-not-idempotent",
    ERROR,
    ("{method} {operation} 声明为不幂等。", "{method} {operation} is declared not to be idempotent."),
    hint=("改用 POST,或去掉 x-idempotent: false。", "Use POST, or remove x-idempotent: false."),
    reason=(
        "PUT 与 DELETE 按定义是幂等的,客户端会重试。",
        "PUT and DELETE are idempotent by definition, and clients retry them.",
    ),
    source="RFC 9110 §9.2.2",
)
def _put(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        if operation.method in {"PUT", "DELETE"} and subject.written(operation).get("x-idempotent") is False:
            yield _hit(operation, "x-idempotent", method=operation.method)


@rule(
    "get-writes",
    WARNING,
    ("GET {operation} 的名字说它会改动数据。", "GET {operation} sounds as if it changes data."),
    hint=("改动数据用 POST、PUT、PATCH 或 DELETE。", "Change data by POST, PUT, PATCH or DELETE."),
    reason=("GET 会被预取、缓存与重试。", "GET is prefetched, cached and retried."),
    source="RFC 9110 §9.2.1",
)
def _get_writes(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        if operation.method == "GET" and operation.verb.split("-")[0] in {
            "create",
            "update",
            "delete",
            "cancel",
        }:
            yield _hit(operation)


@rule(
    "cache-unsafe",
    ERROR,
    ("{method} {operation} 不能缓存。", "{method} {operation} cannot be cached."),
    hint=("x-cache 只用在 GET 上。", "Use x-cache on GET only."),
    reason=("缓存写操作会丢掉写入。", "Caching a write loses it."),
    source="RFC 9111 §3",
)
def _cache(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        if operation.cache_seconds and not operation.is_safe:
            yield _hit(operation, "x-cache", method=operation.method)


@rule(
    "list-unbounded",
    WARNING,
    (
        "{operation} 返回列表,但没有 x-max-rows,也没有分页。",
        "{operation} answers a list without x-max-rows or pagination.",
    ),
    hint=("写 x-max-rows 与 x-pagination。", "State x-max-rows and x-pagination."),
    reason=(
        "没有上限的列表拖垮上游,也多给了数据。",
        "A list without bound brings the upstream down and gives more than needed.",
    ),
    source="OWASP API4:2023, PIPL Art. 6 (data minimisation)",
)
def _unbounded(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        is_list = subject.resolved(answer_schema(operation)).get("type") == "array"
        is_asked = is_list or (operation.verb.split("-")[0] in {"list", "search"} and operation.is_safe)
        if is_asked and not operation.max_rows and operation.pagination is None and not subject.is_foreign:
            yield _hit(operation)


@rule(
    "pagination-field",
    ERROR,
    (
        "{operation} 的分页字段 {field}({value})在契约里不存在。",
        "{field} ({value}) of {operation}'s pagination is not in the contract.",
    ),
    hint=(
        "cursor 与 size 是查询参数,items 与 next 是响应属性。",
        "cursor and size are query parameters; items and next are response properties.",
    ),
    reason=("SDK 与 GraphQL 按这些字段翻页。", "SDKs and GraphQL page by these fields."),
    source="design §3",
)
def _pagination(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        page = operation.pagination
        if page is None:
            continue
        queries = {one.name for one in operation.parameters if one.location == "query"}
        answer = answer_schema(operation)
        properties = {name for name, _ in subject.reached_properties(answer)} if answer else set()
        for field, value, known in (
            ("cursor", page.cursor, queries),
            ("size", page.size, queries),
            ("items", page.items, properties),
            ("next", page.next, properties),
        ):
            if value and value.split(".")[-1] not in known:
                yield _hit(operation, "x-pagination", field, field=field, value=value)


@rule(
    "batch-operation",
    ERROR,
    (
        "{operation} 的 x-batch 指向的 {target} 不成立:{why}。",
        "x-batch of {operation} does not hold for {target}: {why}.",
    ),
    hint=(
        "operation 是同一服务的操作,parameter 是它的参数,key 是返回行的属性。",
        "operation is one of this service, parameter one of its parameters, key a property of its rows.",
    ),
    reason=("GraphQL 按它合并请求。", "GraphQL merges requests by it."),
    source="design §3",
)
def _batch(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        batch = operation.batch
        if batch is None:
            continue
        target = subject.service.operation(batch.operation)
        why = ""
        if target is None:
            why = "no such operation / 没有这个操作"
        elif batch.parameter not in {one.name for one in target.parameters}:
            why = f"no parameter / 没有参数 {batch.parameter}"
        elif batch.key not in {name for name, _ in subject.reached_properties(answer_schema(target))}:
            why = f"no property / 没有属性 {batch.key}"
        if why:
            yield _hit(operation, "x-batch", target=batch.operation, why=why)


@rule(
    "stream-json",
    INFO,
    (
        "{operation} 声明了 x-stream,JSON 请求体将不被校验。",
        "{operation} says x-stream: its JSON body will not be checked.",
    ),
    hint=("只在请求体确实很大时用 x-stream。", "Use x-stream for truly large bodies only."),
    reason=(
        "流式请求体不整体读入,也就无法按 schema 校验。",
        "A streamed body is not read whole, so no schema can check it.",
    ),
    source="design §2",
)
def _stream(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        if (
            operation.stream
            and operation.body
            and any("json" in one.content_type for one in operation.body.media)
        ):
            yield _hit(operation, "x-stream")


@rule(
    "status-created",
    INFO,
    ("{operation} 创建资源,却没有声明 201。", "{operation} creates something but does not declare 201."),
    hint=("成功创建答 201 与 Location。", "Answer 201 with Location."),
    reason=("201 说明东西已经存在、在哪里。", "201 says that the thing exists and where."),
    source="RFC 9110 §15.3.2",
    own_only=True,
)
def _created(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        statuses = {one.status for one in successes(operation)}
        if operation.method == "POST" and operation.verb == "create" and not statuses & {"201", "202"}:
            yield _hit(operation, "responses")
