"""All that normalising has to say; see `notices` for the rest. A loss names the faces that are the poorer."""

from api.contract.model import Severity
from api.contract.notices import finding, loss
from api.contract.report import GENERATED, JSON_FACES, SDKS

_OPENAPI = "OpenAPI 3.1.1"
_SCHEMA = "JSON Schema 2020-12 Validation"
_INFO, _WARNING = Severity.INFO, Severity.WARNING

# --- head ------------------------------------------------------------------------------------------
TITLE_MISSING = finding(
    "info-title-missing",
    _WARNING,
    ("没有标题,暂用“{title}”。", "There is no title; “{title}” stands in."),
    ("写明 info.title。", "State info.title."),
    _OPENAPI + " §4.8.2",
)
VERSION_MISSING = finding(
    "info-version-missing",
    _WARNING,
    ("没有 info.version,按 {version} 处理。", "There is no info.version; {version} is assumed."),
    ("写明 info.version,例如 1.0.0。", "State info.version, 1.0.0 for example."),
    _OPENAPI + " §4.8.2",
)
LICENSE_NAME = finding(
    "license-name-missing",
    _INFO,
    ("许可证没有名称,补为“{name}”。", "The licence has no name; “{name}” was filled in."),
    ("写明 info.license.name。", "State info.license.name."),
    _OPENAPI + " §4.8.4",
)
HEAD_DROPPED = finding(
    "head-incomplete",
    _INFO,
    ("{what} 缺少 {field},已去掉。", "{what} has no {field} and was taken out."),
    ("补全,或删去。", "Complete it or remove it."),
    _OPENAPI,
)
SCOPE_TEXT = finding(
    "scope-text-missing",
    _INFO,
    ("权限范围 {scope} 没有说明文字。", "The scope {scope} has no text."),
    ("说明此范围允许什么。", "Say what the scope allows."),
    _OPENAPI + " §4.8.29",
)
CALLBACKS_MOVED = loss(
    "callbacks-moved",
    ("rest", *GENERATED),
    (
        "回调 {names} 移到文档根的 x-callbacks:目前没有接入面提供回调。",
        "The callbacks {names} were moved to x-callbacks at the root: no face offers callbacks yet.",
    ),
)
NAME_PROPOSED = finding(
    "name-proposed",
    _INFO,
    (
        "没有 x-name,服务名取自标题:{name}。",
        "There is no x-name; the service name comes from the title: {name}.",
    ),
    ("在 info 里写 x-name。", "Write x-name in info."),
    "design §3",
)
# --- paths -----------------------------------------------------------------------------------------
PATH_CHANGED = loss(
    "path-changed",
    ("rest",),
    ("路径 {old} 改为 {new}。", "The path {old} became {new}."),
    _OPENAPI + " §4.8.8",
)
PATH_QUERY = loss(
    "path-query",
    ("rest",),
    (
        "路径 {old} 里的查询部分改为必填的查询参数。",
        "The query part of the path {old} became required query parameters.",
    ),
    _OPENAPI + " §4.8.8",
)
PATH_FIXED = loss(
    "path-fixed",
    ("rest",),
    (
        "{method} {old} 与另一路径同形,参数按其唯一值固定为 {new}。",
        "{method} {old} has the shape of another path; its parameter was fixed to its one value: {new}.",
    ),
    _OPENAPI + " §4.8.8 (templated paths with the same hierarchy are identical)",
)
PATH_DUPLICATE = loss(
    "path-duplicate",
    (),
    (
        "{method} {path} 与 {first} 同形,无法区分,只保留前者。",
        "{method} {path} has the same shape as {first}; they cannot be told apart and the first is kept.",
    ),
    _OPENAPI + " §4.8.8",
)
METHOD_DROPPED = loss(
    "method-dropped",
    (),
    ("方法 {method} 不提供,操作已去掉。", "The method {method} is not offered; the operation was taken out."),
    "RFC 9110 §9.3.8",
)
KEY_UNKNOWN = finding(
    "key-unknown",
    _INFO,
    ("{where} 里没有 {key} 这个字段,已去掉。", "{where} has no field {key}; it was taken out."),
    ("检查拼写;自定义内容以 x- 开头。", "Check the spelling; begin keys of your own with x-."),
    _OPENAPI,
)
SERVERS_IGNORED = loss(
    "servers-ignored",
    ("rest",),
    (
        "此处另写了 servers:平台的上游由发布者按环境设定,不读这里。",
        "servers are stated here: upstreams are set by the publisher for each environment, this is not read.",
    ),
    "design §4",
)
# --- parameters ------------------------------------------------------------------------------------
PARAMETER_DROPPED = loss(
    "parameter-dropped",
    (),
    ("参数 {name}({place})已去掉:{why_zh}。", "The parameter {name} ({place}) was taken out: {why_en}."),
    _OPENAPI + " §4.8.12",
)
PARAMETER_IGNORED = finding(
    "parameter-ignored",
    _INFO,
    (
        "请求头参数 {name} 由规范规定忽略,已去掉。",
        "The header parameter {name} is ignored by the specification and was taken out.",
    ),
    ("用 security 与 content 表达。", "Say it by security and content."),
    _OPENAPI + " §4.8.12.1",
)
PARAMETER_ADDED = finding(
    "parameter-added",
    _WARNING,
    (
        "路径里的 {name} 没有声明,按字符串补上。",
        "{name} in the path is not declared; it was added as a string.",
    ),
    ("声明每一个路径参数。", "Declare every path parameter."),
    _OPENAPI + " §4.8.12.1",
)
PARAMETER_MENDED = finding(
    "parameter-mended",
    _INFO,
    ("参数 {name} 的 {field} 改为 {value}。", "{field} of the parameter {name} became {value}."),
    ("照此改正契约。", "Mend the contract accordingly."),
    _OPENAPI + " §4.8.12",
)
# --- bodies ----------------------------------------------------------------------------------------
MEDIA_TYPE = finding(
    "media-type-mended",
    _INFO,
    ("媒体类型 {old} 改为 {new}。", "The media type {old} became {new}."),
    ("写完整的媒体类型。", "Write the full media type."),
    "RFC 9110 §8.3.1",
)
MEDIA_WILDCARD = loss(
    "media-wildcard",
    GENERATED,
    ("媒体类型 {old} 未写明,按 {new} 处理。", "The media type {old} says nothing; {new} is assumed."),
    "RFC 9110 §12.5.1",
)
XML_ONLY = loss(
    "body-not-json",
    JSON_FACES,
    (
        "{what_zh}只有 {types},JSON 的接入面不能提供。",
        "The {what_en} has {types} only; the faces that speak JSON cannot offer it.",
    ),
)
BODY_WITHOUT_CONTENT = finding(
    "body-without-content",
    _INFO,
    ("请求体没有 content,按任意 JSON 处理。", "The request body has no content; any JSON is accepted."),
    ("写明 content。", "State its content."),
    _OPENAPI + " §4.8.13",
)
BODY_DROPPED = loss(
    "body-dropped",
    (),
    ("{method} 不带请求体,已去掉。", "{method} carries no request body; it was taken out."),
    "RFC 9110 §9.3.1, §9.3.2",
)
RESPONSE_KEY = finding(
    "response-key-mended",
    _INFO,
    ("响应键 {old} 改为 {new}。", "The response key {old} became {new}."),
    ("状态码写三位数字、4XX 或 default。", "Write three digits, 4XX or default."),
    _OPENAPI + " §4.8.16",
)
RESPONSE_DROPPED = loss(
    "response-dropped",
    (),
    ("响应键 {key} 不是状态码,已去掉。", "The response key {key} is no status; it was taken out."),
    _OPENAPI + " §4.8.16",
)
RESPONSE_ADDED = loss(
    "response-missing",
    GENERATED,
    (
        "没有声明任何响应,补上不作说明的 default。",
        "No response is declared; a default without content was added.",
    ),
    _OPENAPI + " §4.8.16",
)
CONTENT_ON_EMPTY = finding(
    "content-on-empty",
    _INFO,
    (
        "{status} 不带内容,所写的 content 已去掉。",
        "{status} carries no content; what was written was taken out.",
    ),
    ("改用 200。", "Use 200."),
    "RFC 9110 §15.3.5, §15.4.5",
)
# --- schemas ---------------------------------------------------------------------------------------
SCHEMA_BOOLEAN = loss(
    "schema-boolean",
    SDKS,
    ("布尔 schema {value} 改写为 {instead}。", "The boolean schema {value} was rewritten as {instead}."),
    "JSON Schema 2020-12 §4.3.2",
)
KEYWORD_DROPPED = loss(
    "keyword-dropped",
    (),
    (
        "关键字 {key} 的值 {value} 不合法,已去掉。",
        "The value {value} of the keyword {key} is not legal; it was taken out.",
    ),
    _SCHEMA,
)
KEYWORD_MENDED = finding(
    "keyword-mended",
    _INFO,
    (
        "关键字 {key} 的值由 {value} 改为 {instead}。",
        "The value of the keyword {key}, {value}, became {instead}.",
    ),
    ("照此改正契约。", "Mend the contract accordingly."),
    _SCHEMA,
)
PATTERN_DROPPED = loss(
    "pattern-dropped",
    (),
    ("正则 {pattern} 无法编译,已去掉。", "The pattern {pattern} does not compile; it was taken out."),
    _SCHEMA + " §6.3.3, ECMA-262",
)
PATTERN_MENDED = finding(
    "pattern-mended",
    _INFO,
    (
        "正则 {pattern} 改写为等价的 {instead}。",
        "The pattern {pattern} was rewritten as {instead}, which means the same.",
    ),
    ("写 ECMA-262 正则。", "Write ECMA-262 patterns."),
    _SCHEMA + " §6.3.3",
)
DEFAULT_DROPPED = loss(
    "default-dropped",
    SDKS,
    (
        "默认值 {value} 不符合 schema,已去掉。",
        "The default {value} does not fit its schema; it was taken out.",
    ),
    _SCHEMA + " §9.2",
)
ENUM_EMPTY = loss(
    "enum-empty",
    (),
    ("空的 enum 不允许任何值,已去掉。", "An empty enum allows nothing; it was taken out."),
    _SCHEMA + " §6.1.2",
)
ENUM_MIXED = loss(
    "enum-mixed",
    SDKS,
    ("enum 里混有几种类型,拆成 anyOf。", "The enum mixes types; it was split into anyOf."),
    _SCHEMA + " §6.1.2",
)
ENUM_NULL = finding(
    "enum-null",
    _INFO,
    ("enum 里的 null 改为可空。", "The null in the enum became a nullable type."),
    ("用 type: [string, 'null'] 表达可空。", "Say it by type: [string, 'null']."),
    _SCHEMA + " §6.1.2",
)
ENUM_VALUES = loss(
    "enum-values",
    SDKS,
    (
        "enum 的值已按类型 {type} 整理:{changes}。",
        "The values of the enum were fitted to the type {type}: {changes}.",
    ),
    _SCHEMA + " §6.1.2",
)
ENUM_CONTAINERS = loss(
    "enum-containers",
    (),
    (
        "enum 列出了数组或对象,生成的类型无法表达,移到 x-enum,不再校验。",
        "The enum lists arrays or objects, which generated types cannot express; it was moved to x-enum and is not checked.",
    ),
)
COMPONENT_RENAMED = loss(
    "component-renamed",
    SDKS,
    ("组件 {old} 改名为 {new}:{why_zh}。", "The component {old} became {new}: {why_en}."),
    _OPENAPI + " §4.8.7",
)
PROPERTY_COLLISION = loss(
    "property-collision",
    GENERATED,
    (
        "属性 {name} 与 {other} 在生成的代码里同名,代码里用 {instead}。",
        "The properties {name} and {other} get the same name in generated code, where {instead} is used.",
    ),
)
ALLOF_CONFLICT = loss(
    "allof-conflict",
    GENERATED,
    ("allOf 的各部分对 {name} 说法不一。", "The parts of allOf disagree about {name}."),
)
ALLOF_CLOSED = loss(
    "allof-closed",
    (),
    (
        "allOf 的一部分不许有其他属性,与另一部分矛盾;改为整体不许有其他属性。",
        "A part of allOf allows no further properties, which contradicts another part; the whole is closed instead.",
    ),
    "JSON Schema 2020-12 §11.3",
)
REQUIRED_IMPOSSIBLE = loss(
    "required-impossible",
    (),
    (
        "required 列出 {names},却又不许有它们(additionalProperties: false),不再必填。",
        "{names} are required and forbidden at once (additionalProperties: false); they are required no longer.",
    ),
    _SCHEMA + " §6.5.3",
)
RECURSION_ENDLESS = loss(
    "recursion-endless",
    (),
    (
        "schema {name} 只引用自身,没有内容,换成不作限制。",
        "The schema {name} refers only to itself; it was left open.",
    ),
    "JSON Schema 2020-12 §9.4.1",
)
SCHEMA_REFUSED = loss(
    "schema-refused",
    (),
    ("schema 无法编译({reason}),换成不作限制。", "The schema does not compile ({reason}); it was left open."),
    "JSON Schema 2020-12",
)
EXPLODES = loss(
    "composition-explodes",
    (),
    (
        "schema {name} 由超过 {most} 个部分重复组合而成,校验一个值会没有尽头;换成不作限制。",
        "The schema {name} is composed of more than {most} parts; checking a value would not end, so it was left open.",
    ),
    "CWE-407",
)
DISCRIMINATOR = loss(
    "discriminator-dropped",
    GENERATED,
    ("discriminator {what_zh},已去掉。", "The discriminator {what_en} and was taken out."),
    _OPENAPI + " §4.8.25",
)
HOISTED = finding(
    "schema-hoisted",
    _INFO,
    (
        "{count} 个内联对象 schema 已命名并移到 components。",
        "{count} inline object schemas were named and moved to components.",
    ),
    ("自己命名,SDK 里的类型名更好读。", "Name them yourself for better type names in the SDKs."),
)
# --- operations ------------------------------------------------------------------------------------
OPERATION_ID = loss(
    "operation-id",
    GENERATED,
    ("operationId {old} {why_zh},改为 {new}。", "The operationId {old} {why_en}; it became {new}."),
    _OPENAPI + " §4.8.10",
)
OPERATION_ID_ADDED = finding(
    "operation-id-added",
    _INFO,
    ("没有 operationId,取名 {new}。", "There is no operationId; it is called {new}."),
    (
        "自己写明 operationId:它是 SDK、GraphQL 与 MCP 里的名字。",
        "State it: it names the operation in SDKs, GraphQL and MCP.",
    ),
    _OPENAPI + " §4.8.10",
)
NAME_NUMBERED = loss(
    "name-collision",
    GENERATED,
    (
        "资源 {resource} 已有动作 {old},这个操作的动作取为 {new};用 x-verb 可自己命名。",
        "The resource {resource} has a verb {old} already; this operation's verb is {new}. Name it yourself by x-verb.",
    ),
    "design §3",
)
TAGS_MANY = loss(
    "tags-many",
    ("sdk_python",),
    (
        "操作有多个标签,归入第一个;全部保留在 x-tags。",
        "The operation has several tags and goes with the first; all are kept in x-tags.",
    ),
)
SECURITY_ALTERNATIVES = loss(
    "security-alternatives",
    ("rest", *GENERATED),
    (
        "security 给出多种选择,平台按第一种 OAuth2 要求执行,其余保留在 x-security-alternatives。",
        "security offers alternatives; the platform enforces the first OAuth2 one, the others are kept in x-security-alternatives.",
    ),
    _OPENAPI + " §4.8.30",
)
SECURITY_UNKNOWN = loss(
    "security-unknown",
    (),
    (
        "安全方案 {name} 没有定义,已去掉。",
        "The security scheme {name} is not defined; the requirement was taken out.",
    ),
    _OPENAPI + " §4.8.30",
)
