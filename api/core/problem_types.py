"""Problem types of the request path: one entry, one `type` URI, one generated documentation page.

Facts named in braces are given where the problem is raised. Add an entry here and its page appears.
"""

from api.core import problem_types_graphql as problem_types_graphql
from api.core import problem_types_mcp as problem_types_mcp
from api.core import problem_types_upstream as problem_types_upstream
from api.core.problem_types_call import (
    CASE_NOT_FOUND as CASE_NOT_FOUND,
)
from api.core.problem_types_call import (
    CASE_UNDER_WAY as CASE_UNDER_WAY,
)
from api.core.problem_types_call import (
    CIRCUIT_OPEN as CIRCUIT_OPEN,
)
from api.core.problem_types_call import (
    DEPARTMENT_CLOSED as DEPARTMENT_CLOSED,
)
from api.core.problem_types_call import (
    EGRESS_REFUSED as EGRESS_REFUSED,
)
from api.core.problem_types_call import (
    IDEMPOTENCY_IN_PROGRESS as IDEMPOTENCY_IN_PROGRESS,
)
from api.core.problem_types_call import (
    IDEMPOTENCY_KEY_REUSED as IDEMPOTENCY_KEY_REUSED,
)
from api.core.problem_types_call import (
    IDEMPOTENCY_OUTCOME_UNKNOWN as IDEMPOTENCY_OUTCOME_UNKNOWN,
)
from api.core.problem_types_call import (
    UPSTREAM_BUSY as UPSTREAM_BUSY,
)
from api.core.problem_types_call import (
    UPSTREAM_INVALID as UPSTREAM_INVALID,
)
from api.core.problem_types_call import (
    UPSTREAM_TIMEOUT as UPSTREAM_TIMEOUT,
)
from api.core.problem_types_call import (
    UPSTREAM_UNREACHABLE as UPSTREAM_UNREACHABLE,
)
from api.core.problem_types_grant import (
    ASSURANCE_TOO_LOW as ASSURANCE_TOO_LOW,
)
from api.core.problem_types_grant import (
    CERTIFICATE_MISMATCH as CERTIFICATE_MISMATCH,
)
from api.core.problem_types_grant import (
    CONSENT_OUTDATED as CONSENT_OUTDATED,
)
from api.core.problem_types_grant import (
    CONSENT_WITHDRAWN as CONSENT_WITHDRAWN,
)
from api.core.problem_types_grant import (
    MANDATE_REFUSED as MANDATE_REFUSED,
)
from api.core.problem_types_grant import (
    PROOF_INVALID as PROOF_INVALID,
)
from api.core.problem_types_grant import (
    PROOF_MISSING as PROOF_MISSING,
)
from api.core.problem_types_grant import (
    PROOF_REPLAYED as PROOF_REPLAYED,
)
from api.core.problem_types_grant import (
    PROOF_UNCHECKED as PROOF_UNCHECKED,
)
from api.core.problem_types_record import (
    EVIDENCE_UNAVAILABLE as EVIDENCE_UNAVAILABLE,
)
from api.core.problem_types_record import (
    INTERNAL_ERROR as INTERNAL_ERROR,
)
from api.core.problem_types_record import (
    SHUTTING_DOWN as SHUTTING_DOWN,
)
from api.core.problems import define

_ADMIT, _ROUTE, _AUTHENTICATE, _AUTHORISE = "admit", "route", "authenticate", "authorise"
_LIMIT, _VALIDATE = "limit", "validate"

# --- admit -----------------------------------------------------------------------------------------
REQUEST_TOO_LARGE = define(
    "request-too-large",
    413,
    ("请求过大", "The request is too large"),
    ("请求体超过 {limit_bytes} 字节。", "The request body is larger than {limit_bytes} bytes."),
    (
        "减小请求体，或调用契约标明 x-stream 的操作。",
        "Send less, or use an operation whose contract says x-stream.",
    ),
    (
        "JSON 请求体在校验前须整体读入，上限 1 MiB。",
        "A JSON body is read whole before it is checked; the bound is 1 MiB.",
    ),
    step=_ADMIT,
)
URI_TOO_LONG = define(
    "uri-too-long",
    414,
    ("地址过长", "The address is too long"),
    ("路径或查询参数超过 {limit_bytes} 字节。", "The path or the query is longer than {limit_bytes} bytes."),
    ("把大的参数放进请求体，或分多次请求。", "Send large parameters in a body, or in several requests."),
    (
        "路径与查询各有上限，在任何查找之前检查。",
        "Path and query have a bound each, checked before any look-up.",
    ),
    step=_ADMIT,
)
HEADERS_TOO_LARGE = define(
    "headers-too-large",
    431,
    ("请求头过大", "The headers are too large"),
    (
        "请求头多于 {limit_count} 个，或共超过 {limit_bytes} 字节。",
        "There are more than {limit_count} headers, or they take more than {limit_bytes} bytes.",
    ),
    ("少发请求头；令牌一般不超过 2 KB。", "Send fewer headers; a token rarely takes more than 2 KB."),
    ("请求头有上限，在任何查找之前检查。", "Headers have a bound, checked before any look-up."),
    step=_ADMIT,
)
REQUEST_MALFORMED = define(
    "request-malformed",
    400,
    ("请求格式不正确", "The request is malformed"),
    ("{what}", "{what}"),
    ("改正所述之处后重新发送。", "Mend what is named and send it again."),
    (
        "路径、请求头或参数里有控制字符、NUL、错误的百分号编码，或越过根目录的路径段。",
        "The path, a header or a parameter holds control characters, NUL, a broken percent-encoding, or dot segments above the root.",
    ),
    step=_ADMIT,
)
TOO_MANY_REQUESTS_FROM_ADDRESS = define(
    "flood-limit",
    429,
    ("请求过于频繁", "Too many requests"),
    (
        "此来源每秒请求数超过上限 {per_second}。",
        "This source sends more than {per_second} requests a second.",
    ),
    ("等待 Retry-After 秒后再试，并在客户端限速。", "Wait Retry-After seconds and slow the client down."),
    (
        "在任何查找之前，按来源地址与凭据散列限流，保护所有人。",
        "Before any look-up, requests are limited by address and by credential hash; it protects everyone.",
    ),
    step=_ADMIT,
    retry=True,
)
# --- route -----------------------------------------------------------------------------------------
OPERATION_NOT_FOUND = define(
    "operation-not-found",
    404,
    ("没有这个接口", "No such operation"),
    ("{method} {path} 不属于任何已发布的服务。", "{method} {path} belongs to no published service."),
    (
        "对照目录 {catalogue} 检查服务名、版本与路径。",
        "Check service, version and path against the catalogue: {catalogue}.",
    ),
    (
        "路径写错、服务未在此环境发布，或版本已下线。",
        "The path is wrong, the service is not published in this environment, or the version is retired.",
    ),
    step=_ROUTE,
)
METHOD_NOT_ALLOWED = define(
    "method-not-allowed",
    405,
    ("方法不被允许", "Method not allowed"),
    ("{path} 只接受 {allowed}。", "{path} takes {allowed} only."),
    ("改用 Allow 头列出的方法。", "Use a method that the Allow header lists."),
    (
        "路径存在，但契约没有为它定义此方法。",
        "The path exists, but the contract defines no such method for it.",
    ),
    step=_ROUTE,
)
SERVICE_RETIRED = define(
    "service-retired",
    410,
    ("服务版本已下线", "The service version is retired"),
    ("{service} 已于 {sunset} 下线。", "{service} was retired on {sunset}."),
    ("迁移到 {successor}。", "Move to {successor}."),
    (
        "版本走完了生命周期；之前的响应已带 Deprecation 与 Sunset 头。",
        "The version reached the end of its life cycle; earlier answers carried Deprecation and Sunset.",
    ),
    step=_ROUTE,
)
# --- authenticate ----------------------------------------------------------------------------------
TOKEN_MISSING = define(
    "token-missing",
    401,
    ("缺少访问令牌", "No access token"),
    ("请求没有 Authorization: Bearer 令牌。", "The request has no Authorization: Bearer token."),
    (
        "先在 {token_endpoint} 以 client_credentials 换取令牌，再放入 Authorization 头。",
        "Get a token from {token_endpoint} with client_credentials and send it in the Authorization header.",
    ),
    ("每次调用都要有访问令牌。", "Every call carries an access token."),
    step=_AUTHENTICATE,
)
TOKEN_INVALID = define(
    "token-invalid",
    401,
    ("访问令牌无效", "The access token is not valid"),
    ("{reason}", "{reason}"),
    ("在 {token_endpoint} 重新换取令牌。", "Get a new token from {token_endpoint}."),
    (
        "令牌被改动、签名密钥未知、受众不符，或根本不是访问令牌。",
        "The token was altered, its key is unknown, its audience is another, or it is no access token at all.",
    ),
    step=_AUTHENTICATE,
)
TOKEN_EXPIRED = define(
    "token-expired",
    401,
    ("访问令牌已过期", "The access token has expired"),
    ("令牌已于 {expired_at} 过期。", "The token expired at {expired_at}."),
    (
        "在 {token_endpoint} 重新换取令牌；令牌有效期 600 秒。",
        "Get a new token from {token_endpoint}; tokens live 600 seconds.",
    ),
    (
        "令牌有效期短，客户端应在过期前更新。",
        "Tokens are short-lived; a client renews them before they expire.",
    ),
    step=_AUTHENTICATE,
)
TOKEN_REVOKED = define(
    "token-revoked",
    401,
    ("访问令牌已撤销", "The access token is revoked"),
    ("此令牌或其应用的授权已被撤销。", "This token, or the right of its app, was revoked."),
    ("确认应用状态后重新换取令牌。", "Check the state of the app, then get a new token."),
    ("令牌被撤销、密钥被删除，或应用被停用。", "The token was revoked, or the app suspended or deleted."),
    step=_AUTHENTICATE,
)
WRONG_ENVIRONMENT = define(
    "wrong-environment",
    401,
    ("凭据属于另一环境", "The credential belongs to the other environment"),
    (
        "这是 {presented} 环境的凭据，而此处是 {here} 环境。",
        "This is a credential of the {presented} environment; this is the {here} environment.",
    ),
    (
        "在 {other_base} 使用此凭据，或换用 {here} 环境的应用。",
        "Use it at {other_base}, or use an app of the {here} environment.",
    ),
    (
        "沙箱与正式环境的凭据、密钥与数据互相隔离。",
        "Sandbox and live keep apart their credentials, keys and data.",
    ),
    step=_AUTHENTICATE,
)
# --- authorise -------------------------------------------------------------------------------------
NOT_SUBSCRIBED = define(
    "not-subscribed",
    403,
    ("应用未订阅此服务", "The app is not subscribed"),
    ("应用 {app} 没有订阅 {service}。", "App {app} is not subscribed to {service}."),
    (
        "在开发者门户订阅 {service}，或运行 kaimen subscription add {app} {service}。",
        "Subscribe to {service} in the portal, or run kaimen subscription add {app} {service}.",
    ),
    ("每个应用只能调用它订阅的服务。", "An app calls only the services that it subscribed to."),
    step=_AUTHORISE,
)
SUBSCRIPTION_PENDING = define(
    "subscription-pending",
    403,
    ("订阅待审批", "The subscription awaits approval"),
    (
        "应用 {app} 对 {service} 的订阅正在等待主管部门审批。",
        "The subscription of {app} to {service} awaits its department's approval.",
    ),
    ("在门户查看审批进度。", "See its progress in the portal."),
    (
        "正式环境中 L2 及以上的服务由主管部门审批。",
        "In the live environment, L2 and above are approved by the owning department.",
    ),
    step=_AUTHORISE,
)
SCOPE_MISSING = define(
    "scope-missing",
    403,
    ("令牌缺少所需权限", "The token lacks a scope"),
    (
        "{operation} 需要权限 {scope}；令牌的权限是：{granted}。",
        "{operation} needs the scope {scope}; the token has: {granted}.",
    ),
    (
        "用 scope={scope} 重新换取令牌；若被拒，先订阅提供它的服务。",
        "Get a token with scope={scope}; if that is refused, subscribe to the service that offers it.",
    ),
    (
        "换取令牌时请求的权限没有包含此操作所需的权限。",
        "The scopes asked for at the token endpoint do not include the one this operation needs.",
    ),
    step=_AUTHORISE,
)
PURPOSE_REQUIRED = define(
    "purpose-required",
    403,
    ("须说明用途", "A purpose is required"),
    ("{operation} 只可用于：{purposes}。", "{operation} may be used only for: {purposes}."),
    (
        "以允许的用途订阅，如 {service}：{first_purpose}。",
        "Subscribe with an allowed purpose, for example {service}：{first_purpose}.",
    ),
    ("L3 及以上的数据只在说明用途时提供。", "Data of L3 and above are given for a stated purpose only."),
    step=_AUTHORISE,
)
CONSENT_REQUIRED = define(
    "consent-required",
    403,
    ("须经本人或企业授权", "Consent is required"),
    (
        "{operation} 的法律依据是数据主体的同意，此令牌没有携带授权。",
        "The legal basis of {operation} is the consent of the data subject; this token carries none.",
    ),
    (
        "请数据主体通过授权页面同意后，以授权码换取令牌。",
        "Ask the data subject for consent through the authorization page and use the token it gives.",
    ),
    (
        "个人信息依同意处理。来源：《个人信息保护法》第十三条。",
        "Personal data are processed by consent. Source: PIPL, article 13.",
    ),
    step=_AUTHORISE,
)
CLASSIFICATION_REFUSED = define(
    "classification-refused",
    403,
    ("数据分级不允许", "The classification forbids it"),
    (
        "{operation} 的数据为 {level}，不经此通道提供。",
        "The data of {operation} are {level}; they do not leave through this face.",
    ),
    ("在数据沙箱(可用不可见)中使用这些数据。", "Use these data in the data sandbox: usable, not visible."),
    (
        "重要数据、核心数据不经任何接口提供，L4 数据只在数据沙箱中使用。来源：GB/T 43697-2024。",
        "Important and core data leave through no face; L4 data are used in the clean room only. Source: GB/T 43697-2024.",
    ),
    step=_AUTHORISE,
)
AUDIENCE_REFUSED = define(
    "audience-refused",
    403,
    ("服务不对此类应用开放", "The service is not open to this app"),
    ("{operation} 只对 {audience} 开放。", "{operation} is open to {audience} only."),
    ("联系服务的主管部门。", "Ask the owning department."),
    ("契约的 x-audience 限定了使用者。", "The contract's x-audience names who may use it."),
    step=_AUTHORISE,
)
# --- limit -----------------------------------------------------------------------------------------
QUOTA_EXCEEDED = define(
    "quota-exceeded",
    429,
    ("配额用尽", "The quota is used up"),
    (
        "套餐 {plan} 的 {quota_class} 配额为 {limit}/{window_seconds} 秒，此调用需 {cost}。",
        "Plan {plan} gives {limit} units of {quota_class} per {window_seconds} s; this call costs {cost}.",
    ),
    ("等待 Retry-After 秒，或申请更高的套餐。", "Wait Retry-After seconds, or ask for a larger plan."),
    (
        "按应用、套餐与配额类以 GCRA 算法计量；被拒绝的调用不扣配额。",
        "Metered by GCRA for each app, plan and quota class; a refused call costs nothing.",
    ),
    step=_LIMIT,
    retry=True,
)
COST_ABOVE_PLAN = define(
    "cost-above-plan",
    400,
    ("单次调用超过套餐上限", "One call costs more than the plan can ever give"),
    (
        "此调用需 {cost}，套餐 {plan} 一次最多 {limit}。",
        "This call costs {cost}; plan {plan} gives {limit} at once.",
    ),
    ("减少每次请求的条数。", "Ask for fewer items at a time."),
    ("等待也不会让这次调用通过。", "Waiting would not let this call pass."),
    step=_LIMIT,
)
# --- validate --------------------------------------------------------------------------------------
PARAMETER_INVALID = define(
    "parameter-invalid",
    400,
    ("参数不符合契约", "A parameter breaks the contract"),
    ("{count} 个参数不符合契约。", "{count} parameter(s) break the contract."),
    ("按 errors 逐条改正；规则见 {docs}。", "Mend them one by one as errors says; the rules are at {docs}."),
    (
        "参数缺失、类型不符、超出范围或格式错误。",
        "A parameter is missing, of another type, out of range or of a wrong format.",
    ),
    step=_VALIDATE,
)
BODY_INVALID = define(
    "body-invalid",
    400,
    ("请求体不符合契约", "The body breaks the contract"),
    ("请求体有 {count} 处不符合契约。", "The body breaks the contract in {count} place(s)."),
    ("按 errors 逐条改正；规则见 {docs}。", "Mend them one by one as errors says; the rules are at {docs}."),
    (
        "请求体不是合法 JSON，或不符合契约中的 JSON Schema。",
        "The body is no JSON, or does not fit the contract's JSON Schema.",
    ),
    step=_VALIDATE,
)
MEDIA_TYPE_UNSUPPORTED = define(
    "media-type-unsupported",
    415,
    ("媒体类型不支持", "The media type is not supported"),
    ("{operation} 接受 {accepted}，收到 {received}。", "{operation} takes {accepted}; it got {received}."),
    ("设置正确的 Content-Type。", "Set the right Content-Type."),
    ("契约没有为此操作定义该媒体类型。", "The contract defines no such media type for the operation."),
    step=_VALIDATE,
)
NOT_ACCEPTABLE = define(
    "not-acceptable",
    406,
    ("无法提供所要的媒体类型", "No acceptable media type"),
    ("{operation} 只提供 {offered}。", "{operation} offers {offered} only."),
    ("修改 Accept 头。", "Change the Accept header."),
    (
        "Accept 头排除了契约定义的全部媒体类型。",
        "The Accept header rules out every media type of the contract.",
    ),
    step=_VALIDATE,
)
SCENARIO_UNKNOWN = define(
    "scenario-unknown",
    400,
    ("没有这个沙箱场景", "No such sandbox scenario"),
    (
        "{operation} 没有场景 {scenario}；可用：{known}。",
        "{operation} has no scenario {scenario}; it has: {known}.",
    ),
    ("从契约的 x-scenarios 选择一个。", "Choose one of the contract's x-scenarios."),
    (
        "Kaimen-Scenario 头选择契约中可执行的场景。",
        "The header Kaimen-Scenario picks an executable scenario of the contract.",
    ),
    step=_VALIDATE,
)
SCENARIO_ON_LIVE = define(
    "scenario-on-live",
    400,
    ("正式环境没有场景", "There are no scenarios on the live plane"),
    ("正式环境不接受 Kaimen-Scenario 头。", "The live plane takes no Kaimen-Scenario header."),
    ("去掉此头，或在沙箱调用。", "Leave the header out, or call the sandbox."),
    (
        "场景是沙箱行为；在正式环境出现多半是配置错误。",
        "Scenarios belong to the sandbox; on the live plane the header is most likely a mistake.",
    ),
    step=_VALIDATE,
)
RESPONSE_INVALID = define(
    "response-invalid",
    502,
    ("部门的响应不符合契约", "The department's answer breaks the contract"),
    (
        "{service} 的响应有 {count} 处不符合契约。",
        "The answer of {service} breaks the contract in {count} place(s).",
    ),
    (
        "部门须改正服务或契约；把 request_id 告诉他们。",
        "The department mends its service or its contract; tell them the request_id.",
    ),
    (
        "沙箱校验响应，以便上线前发现差异。",
        "The sandbox checks answers so that drift is found before it goes live.",
    ),
    step=_VALIDATE,
)
