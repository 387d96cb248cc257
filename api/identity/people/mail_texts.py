"""The words of the mails about a person's security, beside those in mails.py: kind: locale: (subject, body)."""

_NOT_YOU = {
    "zh": "如果不是您本人操作，请立即重置密码，并检查安全设置：\n\n{link}",
    "en": "If it was not you, reset your password at once and look at your security settings:\n\n{link}",
}


def _notice(zh: tuple[str, str], en: tuple[str, str]) -> dict[str, tuple[str, str]]:
    return {"zh": (zh[0], f"{zh[1]}\n\n{_NOT_YOU['zh']}"), "en": (en[0], f"{en[1]}\n\n{_NOT_YOU['en']}")}


SECURITY_TEXTS: dict[str, dict[str, tuple[str, str]]] = {
    "totp-added": _notice(
        ("已启用身份验证器", "您的账户刚刚启用了身份验证器，今后登录需要它的代码。"),
        ("An authenticator app was added", "Your account has an authenticator app now; signing in takes its code."),
    ),
    "totp-removed": _notice(
        ("已移除身份验证器", "您的账户刚刚移除了身份验证器。"),
        ("The authenticator app was removed", "The authenticator app was removed from your account just now."),
    ),
    "passkey-added": _notice(
        ("已添加通行密钥", "您的账户刚刚添加了通行密钥“{label}”，可以用它登录。"),
        ("A passkey was added", "The passkey “{label}” was added to your account; it opens a session."),
    ),
    "passkey-removed": _notice(
        ("已移除通行密钥", "您的账户刚刚移除了通行密钥“{label}”。"),
        ("A passkey was removed", "The passkey “{label}” was removed from your account just now."),
    ),
    "recovery-made": _notice(
        ("恢复码已更新", "您的账户刚刚生成了新的恢复码，旧的全部失效。"),
        ("Recovery codes were made", "New recovery codes were made for your account; older ones stopped working."),
    ),
    "recovery-used": _notice(
        ("使用了一个恢复码", "有人用您的密码和一个恢复码登录。还剩 {left} 个恢复码。"),
        ("A recovery code was used", "A recovery code was used with your account. {left} are left."),
    ),
    "factor-blocked": _notice(
        (
            "验证码连续错误",
            "有人知道您的密码，但连续 5 次输错验证码，验证已暂停 15 分钟。",
        ),
        (
            "Wrong codes in a row",
            "Somebody who knows your password gave five wrong codes in a row. None is looked at for 15 minutes.",
        ),
    ),
    "factors-reset": _notice(
        (
            "两步验证已被重置",
            "平台管理员应要求移除了您的身份验证器、通行密钥与恢复码，并退出了全部登录。请登录后重新启用两步验证。",
        ),
        (
            "Your two-factor authentication was reset",
            ("An administrator removed your authenticator app, passkeys and recovery codes and ended every session. "
            "Sign in and set them up anew."),
        ),
    ),
    "outside-linked": _notice(
        ("已关联外部账户", "您的账户刚刚关联了“{provider}”，今后可以通过它登录。"),
        ("An outside account was linked", "“{provider}” was linked to your account; it opens a session here."),
    ),
}  # fmt: skip
