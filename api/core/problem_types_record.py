"""Problem types of the step record, and of what can happen at any step."""

from api.core.problems import define

_RECORD = "record"

EVIDENCE_UNAVAILABLE = define(
    "evidence-unavailable",
    503,
    ("无法留存访问证据", "The access record could not be kept"),
    (
        "{operation} 须先留存访问证据再返回数据，当前无法写入。",
        "{operation} answers only after its access record is kept, and it cannot be kept now.",
    ),
    ("稍后重试。", "Try again later."),
    ("L3 及以上的数据，没有证据就不提供。", "No evidence, no data of L3 and above."),
    step=_RECORD,
    retry=True,
)
INTERNAL_ERROR = define(
    "internal-error",
    500,
    ("平台内部错误", "An internal error"),
    ("平台出错，已记录。", "The platform failed; it is on record."),
    ("把 request_id 告诉平台运维。", "Tell the operators the request_id."),
    ("平台的缺陷。", "A defect of the platform."),
)
SHUTTING_DOWN = define(
    "shutting-down",
    503,
    ("服务正在重启", "The server is restarting"),
    ("此进程正在退出。", "This process is going down."),
    ("立即重试。", "Try again at once."),
    ("部署或扩缩容时的短暂状态。", "A short state during a deployment."),
    retry=True,
)
