"""What the MCP face says of itself, in the two languages of the platform."""

from api.core.problems import Text
from api.mcp.names import CONFIRM, PURPOSE, SCENARIO

INSTRUCTIONS = Text(
    "开门平台的政务服务，每个工具是一项服务操作。只列出此令牌有权使用的操作；操作较多时先用 search_operations 查找，"
    "再用 describe_operation 看参数，用 call_operation 调用。改变数据的操作须先给用户看过，再带 kaimen_confirm: true 调用。"
    "失败的结果写明步骤（step）、规则（rule）和下一步（next）。",
    "Government services of the Kaimen platform; each tool is one operation. Only what this token may use is listed; "
    "where there is much, find it with search_operations, read its arguments with describe_operation, and call it with "
    "call_operation. Operations that change data are shown to the person first, then called with kaimen_confirm: true. "
    "A failed result says step, rule and what to do next.",
)
ARGUMENTS = {
    CONFIRM: Text(
        "此操作会改变数据。先给用户看过要做的事，用户同意后才设为 true。",
        "This changes data. Set to true only after the person has seen what will be done and agreed.",
    ),
    PURPOSE: Text("数据用途，须是订阅时批准的。", "What the data are for; one that the subscription allows."),
    SCENARIO: Text("只在沙箱：按契约的场景回答。", "Sandbox only: answer by this scenario of the contract."),
}
SEARCH = Text(
    "按关键词查找可用的操作（中文或英文）。返回名称、标题和是否只读。",
    "Find operations by keywords, Chinese or English. Gives name, title and whether it only reads.",
)
SEARCH_TITLE = Text("查找操作", "Find operations")
DESCRIBE = Text(
    "一项操作的说明、参数与答复的 JSON Schema、权限范围、配额和场景。",
    "One operation: description, JSON Schemas of arguments and answer, scopes, quota and scenarios.",
)
DESCRIBE_TITLE = Text("查看操作", "Describe an operation")
CALL = Text(
    "调用一项操作。arguments 按 describe_operation 给出的 input_schema；改变数据的操作须带 kaimen_confirm: true。",
    "Call an operation. `arguments` follow the input_schema of describe_operation; what changes data wants kaimen_confirm: true in them.",
)
CALL_TITLE = Text("调用操作", "Call an operation")
QUERY = Text("关键词；留空列出全部。", "Keywords; empty lists everything.")
OPERATION = Text("操作的名称，如 company_get。", "Name of the operation, as in company_get.")
LIMIT = Text("最多返回多少项。", "How many at most.")
ARGUMENTS_OF = Text("此操作的参数。", "The operation's arguments.")
CHANGES = Text("（改变数据，须确认）", " (changes data, wants a confirmation)")
CONTRACT = Text("{title}的契约（OpenAPI 3.1）", "Contract of {title} (OpenAPI 3.1)")
GUIDE = Text("{title}：操作一览", "{title}: its operations")
PROMPT = Text(
    "请帮助我办理“{title}”。{description}\n\n可用的工具，按此顺序：\n{tools}\n\n先问清楚缺少的信息；"
    "在调用改变数据的工具之前，把要提交的内容给我看，我同意后才带 kaimen_confirm: true 调用。办理失败时告诉我 next 所说的下一步。",
    "Please help me with “{title}”. {description}\n\nThe tools for it, in this order:\n{tools}\n\nAsk me for what is missing. "
    "Before you call a tool that changes data, show me what will be sent, and call it with kaimen_confirm: true once I "
    "agree. If it fails, tell me what `next` says.",
)
