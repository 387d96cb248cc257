"""Problem types of signing in, of second factors and of outside providers; see problem_types_platform."""

from api.core.problems import define

MFA_REQUIRED = define(
    "mfa-required",
    403,
    ("需要两步验证", "Two-factor authentication is required"),
    (
        "此操作须在通过两步验证的登录中进行：审批、正式发布与平台管理都是如此。",
        "This is done in a session that showed a second factor: deciding, publishing live and administering are.",
    ),
    (
        "打开 {where}，启用身份验证器或通行密钥，或再次验证；个人令牌须在验证后重新创建。",
        "Open {where} to set up an authenticator app or a passkey, or to confirm; make personal tokens anew after it.",
    ),
    (
        "密码可能泄露；能批准、发布或管理的角色不能只靠密码。",
        "Passwords leak; a role that can approve, publish or administer must not hang on one alone.",
    ),
)
CONFIRMATION_REQUIRED = define(
    "confirmation-required",
    403,
    ("请再次确认身份", "Confirm that it is you"),
    (
        "更改安全设置前，须在最近 {minutes} 分钟内确认过身份。",
        "Security settings are changed within {minutes} minutes after you have confirmed that it is you.",
    ),
    ("打开 {where} 确认后重试。", "Open {where} to confirm, then try again."),
    (
        "离开片刻的电脑不应足以换掉别人的第二因素。",
        "A computer left alone for a moment must not be enough to change somebody's second factor.",
    ),
)
SECOND_FACTOR_REQUIRED = define(
    "second-factor-required",
    401,
    ("还需要第二步验证", "A second factor is needed"),
    (
        "密码正确；此账户启用了两步验证。",
        "The password is right; this account has two-factor authentication.",
    ),
    (
        "在 code 中加上身份验证器的 6 位数字或一个恢复码后重新登录，或用通行密钥登录。",
        "Sign in again with `code`: six digits of the authenticator app or a recovery code; or use a passkey.",
    ),
    ("请求里只有密码。", "The request held the password alone."),
)
SECOND_FACTOR_FAILED = define(
    "second-factor-failed",
    401,
    ("验证码不正确", "The code is not right"),
    (
        "此代码不正确、已用过或已过期。",
        "The code is wrong, was used already, or is too old.",
    ),
    (
        "等身份验证器显示下一个代码后重试，或使用恢复码；检查手机时间是否准确。",
        "Wait for the app's next code and try again, or use a recovery code; check the clock of the device.",
    ),
    ("每个代码只被接受一次，有效约一分钟。", "A code is accepted once, for about a minute."),
)
SECOND_FACTOR_BLOCKED = define(
    "second-factor-blocked",
    429,
    ("验证已暂停", "Codes are not looked at for now"),
    (
        "连续 {failures} 次代码错误，已暂停验证并发信通知。",
        "{failures} codes in a row were wrong, so none is looked at for a while; a mail says so.",
    ),
    ("等待 Retry-After 秒，或用通行密钥登录。", "Wait Retry-After seconds, or sign in with a passkey."),
    (
        "六位数字经不起不限次数的猜测；按人限制，换地址也没有用。",
        "Six digits do not stand unlimited guessing; the limit is the person's, whatever the address.",
    ),
    retry=True,
)
PASSKEY_REFUSED = define(
    "passkey-refused",
    401,
    ("通行密钥未被接受", "The passkey is not accepted"),
    ("{reason}", "{reason}"),
    (
        "刷新页面后重试；若仍不行，用密码登录并检查通行密钥列表。",
        "Reload the page and try again; if that fails, sign in with the password and look at your passkeys.",
    ),
    (
        "挑战已用过或过期、签名不符、来源不是本站，或此通行密钥已被移除。",
        "The challenge is spent, the signature or the origin is not right, or the passkey was removed.",
    ),
)
OUTSIDE_SIGN_IN_FAILED = define(
    "outside-sign-in-failed",
    401,
    ("外部登录未成功", "The outside sign-in did not succeed"),
    ("{reason}", "{reason}"),
    ("{following}", "{following}"),
    (
        "身份提供方拒绝了登录、答复无法验证，或浏览器中断了登录过程。",
        "The provider refused, its answer could not be verified, or the browser lost the way.",
    ),
)
OUTSIDE_PROVIDER_AWAY = define(
    "outside-provider-away",
    502,
    ("身份提供方没有应答", "The identity provider does not answer"),
    ("{provider}：{reason}", "{provider}: {reason}"),
    (
        "稍后重试，或用其他方式登录；管理员可检查提供方地址与 KAIMEN_EGRESS_ALLOW。",
        "Try again later or sign in another way; an administrator checks its address and KAIMEN_EGRESS_ALLOW.",
    ),
    (
        "地址不在允许的网络内、连接失败，或答复不是 OpenID Connect。",
        "The address is in no allowed network, the connection failed, or the answer is not OpenID Connect.",
    ),
    retry=True,
)
