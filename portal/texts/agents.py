"""Texts of a department's agents: processes beside its systems on a closed network."""

TEXTS: dict[str, tuple[str, str]] = {
    "agent.title": ("代理", "Agents"),
    "agent.lead": (
        "系统在封闭网络内时，在它旁边运行一个代理：代理只向外连接，平台从不连入。",
        "Where a system lies on a closed network, an agent runs beside it: it connects outwards only, the platform never dials in.",
    ),
    "agent.name": ("名称", "Name"),
    "agent.environment": ("环境", "Environment"),
    "agent.state": ("状态", "State"),
    "agent.connected": ("已连接", "connected"),
    "agent.away": ("未连接", "away"),
    "agent.revoked": ("已吊销", "revoked"),
    "agent.seen": ("最近联络", "Last seen"),
    "agent.never": ("从未", "never"),
    "agent.version": ("版本", "Version"),
    "agent.under_way": ("进行中的调用", "Calls under way"),
    "agent.processes": ("{count} 个进程", "{count} process(es)"),
    "agent.credentials": ("凭据", "Credentials"),
    "agent.until": ("至", "until"),
    "agent.none": ("还没有代理", "No agent yet"),
    "agent.none_text": (
        "新建一个，把凭据放到部门的机器上，然后运行 kaimen agent run。",
        "Make one, put its credential on the department's machine, and run kaimen agent run there.",
    ),
    "agent.add": ("新建代理", "Make an agent"),
    "agent.name_hint": (
        "小写字母、数字与连字符；发布服务时的上游写作 agent:名称。",
        "Lower-case letters, digits and hyphens; the upstream of a publication is agent:NAME.",
    ),
    "agent.once": ("凭据只显示这一次", "The credential is shown this once"),
    "agent.once_text": (
        "存入部门机器上权限为 0600 的文件，然后运行下面的命令。",
        "Keep it in a file of mode 0600 on the department's machine, then run the command below.",
    ),
    "agent.rotate": ("轮换凭据", "Rotate the credential"),
    "agent.rotate_text": (
        "得到新凭据；旧凭据再用 24 小时。",
        "Gives a new credential; the present one works for 24 hours more.",
    ),
    "agent.revoke": ("吊销", "Revoke"),
    "agent.revoke_text": (
        "立即生效：凭据全部失效，名称不再可用，发布到它的服务答 agent-away。",
        "At once: no credential works any more, the name stays taken, services published with it answer agent-away.",
    ),
    "agent.was_revoked": ("代理 {name} 已吊销。", "The agent {name} is revoked."),
    "agent.guide": ("操作指南", "The guide"),
}
