"""Problem types of agents: processes beside a department's system on a closed network, that fetch its calls."""

from api.core.problems import define

_CALL = "call"

AGENT_AWAY = define(
    "agent-away",
    503,
    ("部门代理不在线", "The department's agent is away"),
    (
        "{service} 的代理“{agent}”没有取走这次调用。",
        "No agent “{agent}” of {service} took this call.",
    ),
    (
        "部门系统没有收到请求，可以放心重试；等待 Retry-After 秒。",
        "The department's system got nothing, so trying again is safe; wait Retry-After seconds.",
    ),
    (
        "系统在封闭网络内的部门由代理向外连接并取走调用。代理未运行、正在重启、网络中断或全部忙碌时，调用不会发出。",
        "A department on a closed network has an agent that connects outwards and fetches its calls. While it is stopped, restarting, cut off or wholly busy, nothing is sent.",
    ),
    step=_CALL,
    retry=True,
)
AGENT_LOST = define(
    "agent-lost",
    502,
    ("部门代理取走调用后没有回答", "The department's agent took the call and never answered"),
    (
        "{service} 的代理“{agent}”取走了这次调用，随后中断；部门系统是否办理，不得而知。",
        "An agent “{agent}” of {service} took this call and was lost; nobody knows whether the department acted on it.",
    ),
    (
        "读操作可以重试。写操作先查询是否已办理，再决定；平台绝不把它再次发出。",
        "A read may be tried again. Before repeating a write, look whether it was done; the platform never sends it again by itself.",
    ),
    (
        "代理在办理途中被终止、断网，或超过期限。每次调用只交给一个代理一次，因此不会重复办理。",
        "The agent was ended, cut off or too late in the middle of the call. A call is handed to one agent once, so nothing is done twice.",
    ),
    step=_CALL,
)
AGENT_TOO_LARGE = define(
    "agent-too-large",
    502,
    ("答复超过代理能传送的大小", "The answer is larger than an agent carries"),
    (
        "{service} 的答复超过代理传送的上限 {limit_bytes} 字节。",
        "The answer of {service} is larger than the {limit_bytes} bytes that an agent carries.",
    ),
    (
        "把 request_id 告诉主管部门；可改为分页。",
        "Tell the owning department the request_id; it may answer in pages.",
    ),
    (
        "经代理的请求与答复整体传送，大小有上限。",
        "Through an agent, requests and answers travel whole and are bounded.",
    ),
    step=_CALL,
)
AGENT_REFUSED = define(
    "agent-refused",
    401,
    ("代理凭据无效", "The agent's credential opens nothing"),
    (
        "此凭据不存在、已过期或已吊销，或属于另一环境。",
        "The credential is unknown, expired or revoked, or belongs to the other environment.",
    ),
    (
        "请部门发布者运行 kaimen agent rotate，并检查 --server 指向的环境。",
        "A publisher of the department runs kaimen agent rotate; check which environment --server points to.",
    ),
    (
        "代理以部门创建的凭据连接本环境。",
        "An agent connects with a credential that its department made for this environment.",
    ),
)
