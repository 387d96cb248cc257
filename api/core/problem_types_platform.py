"""Problem types of the platform API and the portal; see problem_types for those of the request path."""

from api.core.problems import define

NOT_SIGNED_IN = define(
    "not-signed-in",
    401,
    ("请先登录", "Sign in first"),
    (
        "此操作需要登录会话、个人令牌或带 platform 权限的访问令牌。",
        "This needs a session, a personal token, or an access token with a platform scope.",
    ),
    ("登录，或带上个人令牌。", "Sign in, or send a personal token."),
    ("没有凭据，或会话已过期。", "There is no credential, or the session has expired."),
)
PERMISSION_DENIED = define(
    "permission-denied",
    403,
    ("没有权限", "Permission denied"),
    ("{reason}", "{reason}"),
    ("请组织的 {role} 操作。", "Ask someone who is {role} of the organisation."),
    ("你的角色不允许此操作。", "Your role does not allow it."),
)
OWN_REQUEST = define(
    "own-request",
    403,
    ("不能审批自己的申请", "Nobody approves their own request"),
    (
        "申请人及其所在组织的成员不能审批此申请。",
        "Neither the requester nor a member of the requester's organisations may decide this.",
    ),
    ("请主管部门的另一位审批人处理。", "Ask another approver of the owning department."),
    ("审批须由与申请无关的第二人作出。", "An approval is made by a second, unconnected person."),
)
CSRF_FAILED = define(
    "csrf-failed",
    403,
    ("页面已过期", "The page has expired"),
    ("请求缺少或带错了防伪令牌。", "The request lacks the anti-forgery token, or has a wrong one."),
    ("刷新页面后重试。", "Reload the page and try again."),
    ("会话更换，或请求来自别的网站。", "The session changed, or the request came from another site."),
)
NOT_FOUND = define(
    "not-found",
    404,
    ("没有找到", "Not found"),
    ("没有{what}，或你无权查看。", "There is no {what}, or you may not see it."),
    ("检查标识是否正确。", "Check the identifier."),
    ("对象不存在，或不属于你的组织。", "It does not exist, or is not your organisation's."),
)
CONFLICT = define(
    "conflict",
    409,
    ("状态冲突", "It conflicts with the present state"),
    ("{reason}", "{reason}"),
    ("{following}", "{following}"),
    ("对象的状态已经改变，或名称已被使用。", "The state has changed, or the name is taken."),
)
INPUT_INVALID = define(
    "input-invalid",
    400,
    ("输入有误", "The input is not valid"),
    ("有 {count} 处输入需要改正。", "{count} input(s) need mending."),
    ("按 errors 逐条改正。", "Mend them one by one as errors says."),
    ("字段缺失、格式不符或超出范围。", "A field is missing, of a wrong form or out of range."),
)
SIGN_IN_FAILED = define(
    "sign-in-failed",
    401,
    ("登录失败", "Sign-in failed"),
    (
        "电子邮箱或密码不正确，或邮箱尚未验证。",
        "The e-mail or the password is wrong, or the e-mail is not verified yet.",
    ),
    ("检查后重试，或重置密码。", "Check them and try again, or reset the password."),
    (
        "不说明是哪一项有误，以免泄露谁有账户。",
        "It does not say which, so that nobody learns who has an account.",
    ),
)
LINK_SPENT = define(
    "link-spent",
    410,
    ("链接已失效", "The link is spent"),
    ("此链接已用过或已过期。", "This link was used or has expired."),
    ("重新申请一个。", "Ask for a new one."),
    ("验证、重置与邀请链接只能用一次。", "Links to verify, reset and invite work once."),
)
TOO_MANY_REQUESTS = define(
    "too-many-requests",
    429,
    ("操作过于频繁", "Too many requests"),
    ("此操作的频率上限为 {limit}。", "The limit here is {limit}."),
    ("等待 Retry-After 秒后再试。", "Wait Retry-After seconds."),
    (
        "登录、注册与令牌接口按来源地址限频。",
        "Sign-in, registration and token routes are limited by address.",
    ),
    retry=True,
)
PAGE_NOT_FOUND = define(
    "page-not-found",
    404,
    ("没有这个页面", "No such page"),
    ("{path} 不存在。", "{path} does not exist."),
    ("从首页或目录开始。", "Start from the home page or the catalogue."),
    ("地址写错，或页面已移走。", "The address is wrong or the page has moved."),
)
CONTRACT_REFUSED = define(
    "contract-refused",
    422,
    ("契约无法接受", "The contract is refused"),
    ("契约有 {count} 个错误。", "The contract has {count} error(s)."),
    ("按 findings 逐条改正后重新导入。", "Mend the findings one by one and import it again."),
    ("文件无法解析，或引用了不允许的地址。", "The file cannot be read, or refers to what is not allowed."),
)
PUBLISH_REFUSED = define(
    "publish-refused",
    409,
    ("不能发布", "It cannot be published"),
    ("{reason}", "{reason}"),
    ("{following}", "{following}"),
    ("发布清单上还有未完成的项目。", "The checklist has open items."),
)
CHECKLIST_OPEN = define(
    "checklist-open",
    409,
    ("上线清单尚未完成", "The going-live checklist is not finished"),
    ("有 {count} 项尚未完成。", "{count} item(s) are still open."),
    ("按 errors 逐项完成后重试。", "Finish them one by one as errors says, then try again."),
    (
        "上线前须有成功的沙箱调用、已验证的联系邮箱、已在正式环境发布的服务，并回答清单上的问题。",
        "Going live takes a successful sandbox call, a verified contact, services that are published live, and answers to the questions.",
    ),
)
SESSION_REQUIRED = define(
    "session-required",
    403,
    ("须在浏览器中登录后操作", "This needs a browser session"),
    (
        "个人令牌与访问令牌不能{what}。",
        "A personal token or an access token cannot {what}.",
    ),
    ("在门户登录后操作。", "Sign in to the portal and do it there."),
    (
        "令牌泄露时，不应能借它更换密码或再造令牌。",
        "A leaked token must not be enough to change the password or to make more tokens.",
    ),
)
SUBSCRIPTION_REFUSED = define(
    "subscription-refused",
    403,
    ("不能订阅", "It cannot be subscribed to"),
    ("{reason}", "{reason}"),
    ("{following}", "{following}"),
    (
        "服务未在此环境发布、用途不在允许之列，或数据分级与开放对象不允许。",
        "It is not published in this environment, the purpose is not allowed, or classification or audience forbid it.",
    ),
)
BREAKING_CHANGE = define(
    "breaking-change",
    409,
    ("新契约会破坏现有应用", "The new contract would break apps"),
    (
        "与已发布的 {service} 相比有 {count} 处破坏性变更，{apps} 个应用在用。",
        "Against {service} as published there are {count} breaking change(s), in use by {apps} app(s).",
    ),
    (
        "以新的主版本发布；或在沙箱以 force_reason 写明原因。",
        "Publish it under a new major version; in the sandbox, a force_reason lets it through.",
    ),
    (
        "同一主版本内的应用不应因部门的更新而停摆。变更与受影响的应用列在 changes 中。",
        "Within a major version no update of a department stops an app. The changes and the apps they hit are in changes.",
    ),
)
UPLOAD_REFUSED = define(
    "upload-refused",
    400,
    ("上传无法接受", "The upload is refused"),
    ("{reason}", "{reason}"),
    ("{following}", "{following}"),
    (
        "文件过大、过多、路径越界，或找不到入口文件。",
        "Files are too large or too many, a path climbs out, or no entry document can be found.",
    ),
)
AUTHORIZATION_REFUSED = define(
    "authorization-refused",
    400,
    ("应用的授权请求有误", "The app's authorization request is wrong"),
    ("{reason}", "{reason}"),
    (
        "请返回应用重试；若仍如此，请告知应用的开发者。",
        "Go back to the app and try again; if it stays so, tell those who made the app.",
    ),
    (
        "在确认应用与其重定向地址相符之前，浏览器不会被送往任何地址，错误因此显示在这里。",
        "Until app and redirect URI are known to belong together the browser is sent nowhere, so the error is shown here.",
    ),
)
