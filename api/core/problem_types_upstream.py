"""Problem types of the step call for systems that are spoken to through a mapping: codes, shapes, encodings."""

from api.core.problems import define

_CALL = "call"

UPSTREAM_CODE_UNKNOWN = define(
    "upstream-code-unknown",
    502,
    ("部门系统返回了未登记的代码", "The department's system gave a code that nobody explained"),
    (
        "{service} 以代码“{code}”回答 {operation}，映射没有说明它的含义。",
        "{service} answered {operation} with the code “{code}”, and the mapping does not say what that means.",
    ),
    (
        "把 request_id 告诉主管部门；部门在映射的 outcome 中补上这个代码。",
        "Tell the owning department the request_id; it adds the code to `outcome` of its mapping.",
    ),
    (
        "许多部门系统总是以 200 回答，成败写在正文的业务代码里。未说明的代码一律不算成功。",
        "Many department systems always answer 200 and say in a business code how it went. A code that nobody explained never counts as success.",
    ),
    step=_CALL,
)
UPSTREAM_FAULT = define(
    "upstream-fault",
    502,
    ("部门系统报告内部故障", "The department's system reports a fault"),
    ("{service} 报告故障，代码“{code}”。", "{service} reports a fault, code “{code}”."),
    (
        "retryable 为 true 时稍后重试；否则把 request_id 告诉主管部门。",
        "Try again later where `retryable` is true, else tell the owning department the request_id.",
    ),
    (
        "部门系统收到了请求，但在自己一侧出错。",
        "The department's system got the request and failed on its own side.",
    ),
    step=_CALL,
    retry=True,
)
UPSTREAM_SHAPE = define(
    "upstream-shape",
    502,
    ("部门系统的回答与映射不符", "The department's answer does not fit its mapping"),
    (
        "{service} 对 {operation} 的回答在“{at}”处与映射不符：{reason}",
        "The answer of {service} to {operation} does not fit the mapping at “{at}”: {reason}",
    ),
    (
        "把 request_id 告诉主管部门；多半是它的系统改版而映射未改。",
        "Tell the owning department the request_id; its system has probably changed and the mapping has not.",
    ),
    (
        "回答按部门登记的映射读取，读不出契约要求的内容就不交给调用方。",
        "Answers are read by the mapping that the department registered; what does not give the contract's shape is not handed on.",
    ),
    step=_CALL,
)
UPSTREAM_UNDECODABLE = define(
    "upstream-undecodable",
    502,
    ("部门系统的回答含无法解码的字节", "The department's answer holds bytes that cannot be read"),
    (
        "{service} 的回答按 {encoding} 解码，从第 {offset} 字节起有 {count} 处读不出。",
        "Read as {encoding}, the answer of {service} holds {count} unreadable places, the first at byte {offset}.",
    ),
    (
        "把 request_id 告诉主管部门；可在映射中改 encoding 的版本，或声明 undecodable: replace。",
        "Tell the owning department the request_id; it may name another edition under `encoding`, or say `undecodable: replace`.",
    ),
    (
        "猜出来的字会变成错的姓名，因此默认拒绝，并说明位置。",
        "A guessed character becomes a wrong name, so the answer is refused and the place is told.",
    ),
    step=_CALL,
)
UPSTREAM_NOT_MAPPED = define(
    "upstream-not-mapped",
    502,
    ("映射没有覆盖这次调用", "The mapping does not cover this call"),
    (
        "{service} 的映射不能把 {operation} 的“{at}”写成部门系统的形式：{reason}",
        "The mapping of {service} cannot write “{at}” of {operation} in the department's form: {reason}",
    ),
    (
        "把 request_id 告诉主管部门，请它补全映射。",
        "Tell the owning department the request_id; it has to complete its mapping.",
    ),
    (
        "请求符合契约，但映射缺少这个操作、取值或代码。",
        "The request fits the contract; the mapping lacks the operation, the value or its code.",
    ),
    step=_CALL,
)
