"""Problem types of SDK packages: building them, and reading them with a package manager."""

from api.core.problems import define

SDK_LANGUAGE_UNKNOWN = define(
    "sdk-language-unknown",
    400,
    ("不生成这种语言的 SDK", "No SDK is made in this language"),
    ("此处不生成 {language}；可选：{languages}。", "{language} is not made here; there are: {languages}."),
    ("选择列出的语言之一。", "Choose one of the languages listed."),
    ("语言写错，或此安装没有该生成器。", "The word is wrong, or this installation has no such generator."),
)
SDK_NOTHING_OPEN = define(
    "sdk-nothing-open",
    409,
    ("应用还没有可用的操作", "No operation is open to the app yet"),
    (
        "应用没有任何生效的订阅，SDK 会是空的。",
        "The app has no active subscription, so the SDK would be empty.",
    ),
    (
        "先订阅服务：kaimen subscription add APP SERVICE@VERSION。",
        "Subscribe first: kaimen subscription add APP SERVICE@VERSION.",
    ),
    ("SDK 只含已订阅并生效的操作。", "An SDK holds the operations of active subscriptions and no others."),
)
SDK_BUILD_FAILED = define(
    "sdk-build-failed",
    503,
    ("SDK 未能生成", "The SDK could not be built"),
    ("生成 {package}（{language}）失败：{cause}。", "Building {package} ({language}) failed: {cause}."),
    (
        "稍后重试；仍失败时把 request_id 告诉平台运维。",
        "Try again; if it fails again, tell the operators the request_id.",
    ),
    (
        "生成超时、工作进程被终止，或契约中有生成器不能处理的内容。",
        "It took too long, its process was ended, or the contract holds what the generator cannot take.",
    ),
    retry=True,
)
SDK_BUSY = define(
    "sdk-busy",
    429,
    ("正在生成的 SDK 过多", "Too many SDKs are being built"),
    ("排队的生成任务已达上限 {limit}。", "The queue of builds is full: {limit}."),
    ("几秒后重试。", "Try again in a few seconds."),
    ("生成占用处理器，因此限制同时排队的数量。", "Building takes a processor, so the queue is bounded."),
    retry=True,
)
SDK_TOKEN_NEEDED = define(
    "sdk-token-needed",
    401,
    ("需要 SDK 读取令牌", "An SDK read token is needed"),
    (
        "此包属于某个应用，须带该应用的读取令牌。",
        "This package belongs to an app and needs one of the app's read tokens.",
    ),
    (
        "用 kaimen sdk token APP 创建令牌，作为密码(用户名任意)或 Bearer 令牌发送。",
        "Make one with kaimen sdk token APP; send it as the password (any user name) or as a Bearer token.",
    ),
    ("没有令牌、令牌已吊销，或应用已停用。", "There is no token, it was revoked, or the app is stopped."),
)
