"""Problem types of the sandbox itself; those of a department stand in its contract under `x-problems`."""

from api.core.problems import define

SANDBOX_STATE_FULL = define(
    "sandbox-state-full",
    409,
    ("沙箱数据已满", "The sandbox state is full"),
    (
        "此应用在沙箱里已改动 {limit} 条记录，达到上限。",
        "This app has changed {limit} records in the sandbox, which is the limit.",
    ),
    (
        "POST /platform/v1/sandbox/reset 清空后重试。",
        "POST /platform/v1/sandbox/reset to begin anew, then try again.",
    ),
    (
        "每个应用在沙箱里有自己的数据副本，只存改动过的记录，数量有上限。",
        "Each app has its own copy of the sandbox, of which only changed records are kept, up to a limit.",
    ),
    step="call",
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
    step="call",
)
DEPARTMENT_UNAVAILABLE = define(
    "department-unavailable",
    503,
    ("部门系统暂时不可用", "The department's system is down"),
    ("部门系统正在维护。", "The department's system is under maintenance."),
    ("等待 Retry-After 秒后重试。", "Wait Retry-After seconds and try again."),
    (
        "沙箱场景模拟的部门故障，用来检验应用如何应对。",
        "An outage played by a sandbox scenario, to try out how an app copes with it.",
    ),
    step="call",
    retry=True,
)
