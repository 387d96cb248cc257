"""Problem types of the step call: what an upstream does wrong. Use them as `problem_types.NAME`."""

from api.core.problems import define

_CALL = "call"

UPSTREAM_UNREACHABLE = define(
    "upstream-unreachable",
    502,
    ("部门系统无法连接", "The department's system cannot be reached"),
    ("无法连接 {service} 的上游系统。", "The upstream of {service} cannot be reached."),
    ("稍后重试；状态见服务页。", "Try again later; its state is on the service page."),
    (
        "连接被拒绝、中断，或域名无法解析。",
        "The connection was refused or broken, or the name does not resolve.",
    ),
    step=_CALL,
    retry=True,
)
UPSTREAM_TIMEOUT = define(
    "upstream-timeout",
    504,
    ("部门系统超时", "The department's system took too long"),
    ("{service} 在 {deadline_ms} 毫秒内没有回答。", "{service} did not answer within {deadline_ms} ms."),
    ("稍后重试；写操作请带 Idempotency-Key。", "Try again later; send an Idempotency-Key with a write."),
    ("上游在期限内没有给出完整响应。", "The upstream gave no complete answer before the deadline."),
    step=_CALL,
    retry=True,
)
UPSTREAM_INVALID = define(
    "upstream-invalid",
    502,
    ("部门系统的响应无法读取", "The department's system answered nonsense"),
    ("{service} 的响应不是合法的 HTTP。", "The answer of {service} is no valid HTTP."),
    ("把 request_id 告诉主管部门。", "Tell the owning department the request_id."),
    ("响应头错误、长度不符或提前断开。", "Broken header, wrong length or an early end."),
    step=_CALL,
    retry=True,
)
CIRCUIT_OPEN = define(
    "circuit-open",
    503,
    ("部门系统暂停接入", "The department's system is held off"),
    (
        "{service} 连续失败，暂停 {retry_after} 秒。",
        "{service} failed repeatedly and is held off for {retry_after} s.",
    ),
    ("等待 Retry-After 秒。", "Wait Retry-After seconds."),
    (
        "熔断器保护出故障的上游，不让请求堆积。",
        "The circuit breaker protects a failing upstream from a queue of calls.",
    ),
    step=_CALL,
    retry=True,
)
DEPARTMENT_CLOSED = define(
    "department-closed",
    503,
    ("不在服务时间", "The department is closed"),
    ("{service} 的服务时间为 {hours}。", "{service} answers during {hours}."),
    ("在服务时间内重试，见 Retry-After。", "Try again within its hours; see Retry-After."),
    ("契约的 x-service 声明了服务时间。", "The contract's x-service states the hours."),
    step=_CALL,
    retry=True,
)
UPSTREAM_BUSY = define(
    "upstream-busy",
    503,
    ("部门系统繁忙", "The department's system is busy"),
    (
        "{service} 的并发调用已满。",
        "As many calls to {service} are under way as its connection allows.",
    ),
    ("等待 Retry-After 秒，并降低并发。", "Wait Retry-After seconds and send fewer calls at once."),
    (
        "每个上游的并发调用有上限，一个慢系统不会拖住其他服务。",
        "Calls to one upstream are bounded, so that a slow system cannot hold up the others.",
    ),
    step=_CALL,
    retry=True,
)
EGRESS_REFUSED = define(
    "egress-refused",
    502,
    ("上游地址不被允许", "The upstream's address is not allowed"),
    (
        "{service} 的上游地址不在平台允许访问的网络之内。",
        "The upstream of {service} is outside the networks that the platform may call.",
    ),
    ("把 request_id 告诉平台运维。", "Tell the operators the request_id."),
    (
        "KAIMEN_EGRESS_ALLOW 默认为空；域名解析出的地址须在其中，链路本地与云元数据地址一律拒绝。",
        "KAIMEN_EGRESS_ALLOW is empty by default; the address that a name resolves to must be in it, and link-local and cloud metadata addresses are always refused.",
    ),
    step=_CALL,
)
IDEMPOTENCY_KEY_REUSED = define(
    "idempotency-key-reused",
    422,
    ("幂等键已用于另一请求", "The idempotency key was used for another request"),
    (
        "此 Idempotency-Key 在 24 小时内用于内容不同的请求。",
        "This Idempotency-Key was used within 24 hours for a request of other content.",
    ),
    (
        "为每个新请求生成新的键；重试时请求须逐字相同。",
        "Make a new key for each new request; a retry must repeat the request exactly.",
    ),
    (
        "同一幂等键的重试得到第一次的答复，不会重复办理。",
        "A retry with the same key gets the first answer and does nothing twice.",
    ),
    step=_CALL,
)
IDEMPOTENCY_IN_PROGRESS = define(
    "idempotency-in-progress",
    409,
    ("同一幂等键的请求正在办理", "A request with this idempotency key is under way"),
    ("第一次的请求还没有结束。", "The first request with it has not ended yet."),
    ("等待 Retry-After 秒后以同一幂等键重试。", "Wait Retry-After seconds and try again with the same key."),
    ("同一幂等键的请求只办理一次。", "What comes with one idempotency key is done once."),
    step=_CALL,
    retry=True,
)
IDEMPOTENCY_OUTCOME_UNKNOWN = define(
    "idempotency-outcome-unknown",
    409,
    ("无法得知第一次请求的结果", "It is not known what came of the first request"),
    (
        "部门系统收到过 {operation} 的请求，但没有给出可信的答复；为免重复办理，不再转发。",
        "The department's system was sent {operation} and gave no answer that could be trusted; it is not sent twice.",
    ),
    (
        "先查询是否已办理；确认没有，再换一个新的幂等键提交。",
        "Look up whether it was done; when it was not, send it again with a new key.",
    ),
    (
        "第一次请求超时、连接中断或部门系统出错。重复转发可能办理两次。",
        "The first request timed out, broke off or met a fault of the department's; sending it again might do it twice.",
    ),
    step=_CALL,
)
CASE_NOT_FOUND = define(
    "case-not-found",
    404,
    ("没有这个办件", "No such case"),
    (
        "没有编号为 {number} 的办件，或它属于另一个应用。",
        "There is no case {number}, or it is another app's.",
    ),
    (
        "核对编号；沙箱重置后，此前的办件不再存在。",
        "Check the number; cases from before a reset of the sandbox are gone.",
    ),
    ("编号没有使用过，或办件不属于本应用。", "The number was never used, or the case is not this app's."),
    step=_CALL,
)
CASE_UNDER_WAY = define(
    "case-under-way",
    409,
    ("办件正在办理", "The case is being worked on"),
    ("另一个请求正在办理 {number}。", "Another request works on {number}."),
    ("等待 Retry-After 秒后再查询或继续。", "Wait Retry-After seconds, then look at it or go on."),
    ("一个办件同时只由一个请求办理。", "One request at a time works on a case."),
    step=_CALL,
    retry=True,
)
