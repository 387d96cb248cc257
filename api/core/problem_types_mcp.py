"""Problem types of the MCP face: what an agent asked for, and what it has to say first."""

from api.core.problems import define

CHANGE_UNCONFIRMED = define(
    "change-unconfirmed",
    428,
    ("此操作会改变数据，需要确认", "This operation changes data and wants a confirmation"),
    (
        "{operation}（{method}）会改变部门的数据：{summary}",
        "{operation} ({method}) changes data of the department: {summary}",
    ),
    (
        "先把要做的事和参数给用户看；用户同意后，以同样的参数加 kaimen_confirm: true 再调用一次。",
        "Show the person what will be done and with which arguments; once they agree, call again with the same arguments and kaimen_confirm: true.",
    ),
    (
        "智能体默认只读。应用允许更改后，写操作仍须由客户端明确确认；应用与平台都设为 free 才免去确认。",
        "Agents read only, unless told otherwise. Where the app lets them change data, a change has to be confirmed by the client; that is waived where app and platform both say free.",
    ),
    step="authorise",
)
CHANGES_OFF = define(
    "changes-off",
    403,
    ("此处不允许智能体更改数据", "Agents may change nothing here"),
    (
        "{operation}（{method}）会改变数据，而此平台的 MCP 只读。",
        "{operation} ({method}) changes data, and MCP is read-only on this platform.",
    ),
    ("请改用 REST 或 GraphQL 调用此操作。", "Call it through REST or GraphQL."),
    (
        "设置 KAIMEN_MCP_WRITES=off 使 MCP 只读。",
        "The setting KAIMEN_MCP_WRITES=off makes MCP read-only.",
    ),
    step="authorise",
)
APP_READS_ONLY = define(
    "app-reads-only",
    403,
    ("此应用的智能体只读", "Agents of this app read only"),
    (
        "{operation}（{method}）会改变数据，而应用 {app} 的智能体只读。",
        "{operation} ({method}) changes data, and agents of the app {app} read only.",
    ),
    (
        "请应用的所有者允许更改：kaimen mcp writes {app} confirm，或 PUT /platform/v1/apps/{app}/mcp。",
        "Ask an owner of the app to allow changes: kaimen mcp writes {app} confirm, or PUT /platform/v1/apps/{app}/mcp.",
    ),
    (
        "每个应用自行决定智能体可以改变什么：off（默认）、confirm（逐次确认）或 free；平台的设置是上限。",
        "Each app decides what agents may change: off (the default), confirm (each call confirms) or free; the platform's setting is the upper bound.",
    ),
    step="authorise",
)
TOOL_UNKNOWN = define(
    "tool-unknown",
    404,
    ("没有这个工具", "There is no such tool"),
    ("没有名为“{tool}”的工具。", "There is no tool named “{tool}”."),
    (
        "用 tools/list 列出工具，或用 search_operations 查找。",
        "List the tools with tools/list, or look for one with search_operations.",
    ),
    (
        "工具名由服务、资源和动词组成，例如 company_get；服务下线后其工具也消失。",
        "A tool's name is made of service, resource and verb, as in company_get; it goes with its service.",
    ),
    step="route",
)
ANSWER_TOO_LARGE = define(
    "answer-too-large",
    502,
    ("答复过大，不能交给智能体", "The answer is too large for an agent"),
    (
        "{operation} 的答复超过 {limit_bytes} 字节。",
        "The answer of {operation} is larger than {limit_bytes} bytes.",
    ),
    (
        "减少 limit 或改用 REST 以流的方式读取。",
        "Ask for fewer items, or read it as a stream through REST.",
    ),
    (
        "工具的结果整体放进模型的上下文，因此有上限。",
        "A tool's result goes whole into a model's context, so it is bounded.",
    ),
    step="call",
)
