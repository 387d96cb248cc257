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
