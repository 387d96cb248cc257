"""Problem types of the GraphQL face: what is refused of a document before any operation runs."""

from api.core.problems import define

GRAPHQL_REQUEST_INVALID = define(
    "graphql-request-invalid",
    400,
    ("GraphQL 请求无效", "The GraphQL request is not valid"),
    ("{reason}", "{reason}"),
    (
        '以 application/json 发送 {{"query": …, "variables": …}}。',
        'Send {{"query": …, "variables": …}} as application/json.',
    ),
    (
        "请求体不是 GraphQL over HTTP 所说的形式。",
        "The body has not the form that GraphQL over HTTP asks for.",
    ),
    step="validate",
)
GRAPHQL_SYNTAX = define(
    "graphql-syntax",
    400,
    ("GraphQL 语法错误", "The GraphQL document cannot be read"),
    ("第 {line} 行第 {column} 列有语法错误。", "There is a syntax error in line {line}, column {column}."),
    ("更正此处的语法。", "Mend the document there."),
    ("文档不符合 GraphQL 的语法。", "The document does not follow the grammar of GraphQL."),
    step="validate",
)
GRAPHQL_INVALID = define(
    "graphql-invalid",
    400,
    ("查询与模式不符", "The document does not fit the schema"),
    ("有 {count} 处与模式不符。", "In {count} places the document does not fit the schema."),
    ("对照 {schema} 更正。", "Compare it with {schema}."),
    (
        "字段、参数或变量与模式不符;自省已关闭,模式另行提供。",
        "A field, an argument or a variable is not in the schema; introspection is off, the schema is served apart.",
    ),
    step="validate",
)
GRAPHQL_LIMIT = define(
    "graphql-limit",
    400,
    ("查询超过限制", "The document is beyond a limit"),
    ("{what}不得超过 {limit}。", "At most {limit} {what}."),
    ("拆成几个请求。", "Split it into several requests."),
    (
        "深度、别名、字段、词元和大小都有上限,先于执行检查。",
        "Depth, aliases, fields, tokens and size are bounded; they are checked before anything runs.",
    ),
    step="validate",
)
GRAPHQL_INTROSPECTION = define(
    "graphql-introspection",
    400,
    ("自省已关闭", "Introspection is off"),
    ("不能用 __schema 与 __type 查询。", "__schema and __type are not answered."),
    ("取用 {schema}。", "Read {schema}."),
    (
        "模式以文本提供,并按调用者的权限裁剪。",
        "The schema is served as text, cut to the rights of its reader.",
    ),
    step="validate",
)
GRAPHQL_NOT_ALLOWED = define(
    "graphql-not-registered",
    403,
    ("查询未登记", "The document is not on the app's list"),
    ("应用 {app} 只能执行已登记的查询。", "The app {app} runs registered documents only."),
    ("登记此查询:kaimen graphql register。", "Register it: kaimen graphql register."),
    ("应用开启了查询登记。", "The app has an allow-list of documents."),
    step="authorise",
)
GRAPHQL_NOT_FOUND = define(
    "graphql-document-unknown",
    404,
    ("没有这个登记的查询", "No such registered document"),
    ("应用没有登记摘要为 {digest} 的查询。", "The app has registered no document {digest}."),
    ("先登记,或发送完整的查询。", "Register it, or send the whole document."),
    ("摘要没有登记,或属于另一个应用。", "It was never registered, or belongs to another app."),
    step="validate",
)
FIELD_WITHHELD = define(
    "field-withheld",
    403,
    ("字段不在授权之内", "The field is not within the app's rights"),
    (
        "{field} 的级别为 {level},应用只获准到 {granted}。",
        "{field} is of level {level}; the app has been granted {granted}.",
    ),
    (
        "向主管部门申请更高的级别,或不选取此字段。",
        "Ask the department for the level, or leave the field out.",
    ),
    (
        "字段的分级高于订阅获准的级别。",
        "The classification of the field is above the level of the subscription.",
    ),
    step="authorise",
)
GRAPHQL_TOO_MANY = define(
    "graphql-too-many",
    429,
    ("连接过多", "Too many connections"),
    ("一个应用最多保持 {limit} 个订阅连接。", "An app holds at most {limit} connections for subscriptions."),
    (
        "关闭不用的连接;一个连接上可以有几个订阅。",
        "Close those that are not used; one connection carries several subscriptions.",
    ),
    ("连接数有上限。", "The number of connections is bounded."),
    step="limit",
)
