"""The words of the mails to people, in the language of the person. Posted inside `audit.write`, by core.mail.

Plain text. Where the language is not known (an invitation) both stand in the mail, Chinese first. What a
person typed (names) is made one line here; it is never part of a header.
"""

from api.core import mail
from api.identity.installation import current
from api.identity.models import Person
from api.identity.people.mail_texts import SECURITY_TEXTS

_GREETING = {"zh": "您好{name}:", "en": "Hello{name},"}
_SIGNATURE = {"zh": "—— 开门 Kaimen", "en": "— Kaimen 开门"}

# kind: locale: (subject, body)
_TEXTS: dict[str, dict[str, tuple[str, str]]] = {
    "verify": {
        "zh": (
            "验证您的电子邮箱",
            (
                "请打开下面的链接完成注册,链接 24 小时内有效,只能用一次:\n\n{link}\n\n"
                "如果不是您本人注册,请不要打开它,忽略此邮件即可,不会产生账户。"
            ),
        ),
        "en": (
            "Verify your e-mail address",
            (
                "Open this link to finish signing up. It works once, within 24 hours:\n\n{link}\n\n"
                "If you did not sign up, do not open it and ignore this mail: no account will come of it."
            ),
        ),
    },
    "known": {
        "zh": (
            "您已经有账户",
            "有人用此邮箱注册,但它已有账户。如果是您,请直接登录:\n\n{link}\n\n忘记密码可在登录页重置。如果不是您,不必理会。",
        ),
        "en": (
            "You have an account already",
            (
                "Someone signed up with this address, which has an account already. If it was you, sign in:\n\n{link}\n\n"
                "A forgotten password can be reset there. If it was not you, there is nothing to do."
            ),
        ),
    },
    "reset": {
        "zh": (
            "重置密码",
            "请打开下面的链接设置新密码,链接 1 小时内有效,只能用一次:\n\n{link}\n\n如果不是您本人要求,忽略此邮件即可,密码不变。",
        ),
        "en": (
            "Reset your password",
            (
                "Open this link to set a new password. It works once, within an hour:\n\n{link}\n\n"
                "If you did not ask for it, ignore this mail: your password stays as it is."
            ),
        ),
    },
    "password-changed": {
        "zh": (
            "密码已更改",
            "您的密码刚刚被更改,其他设备上的登录已全部退出。如果不是您本人操作,请立即重置密码:\n\n{link}",
        ),
        "en": (
            "Your password was changed",
            (
                "Your password was changed just now, and every other session was ended. "
                "If it was not you, reset it at once:\n\n{link}"
            ),
        ),
    },
    "invite-member": {
        "zh": (
            "邀请您加入“{organisation}”",
            (
                "{inviter}邀请您加入“{organisation}”,角色:{roles}。链接 7 天内有效,只能用一次:\n\n{link}\n\n"
                "如果您不认识邀请人,忽略此邮件即可。"
            ),
        ),
        "en": (
            "You are invited to join “{organisation}”",
            (
                "{inviter} invites you to join “{organisation}” as {roles}. The link works once, within 7 days:\n\n{link}\n\n"
                "If you do not know who invites you, ignore this mail."
            ),
        ),
    },
    "invite-administrator": {
        "zh": (
            "邀请您管理开门平台",
            "请打开下面的链接成为平台管理员,链接 24 小时内有效,只能用一次:\n\n{link}",
        ),
        "en": (
            "You are invited to administer Kaimen",
            "Open this link to become an administrator. It works once, within 24 hours:\n\n{link}",
        ),
    },
    **SECURITY_TEXTS,
}


def link_to(page: str, token: str = "") -> str:
    """The address of a portal page, with the token of a link."""
    address = f"{current().settings.sandbox_url.rstrip('/')}/{page}"
    return f"{address}?token={token}" if token else address


async def send(
    kind: str, recipient: str, link: str, *, locale: str = "", name: str = "", **facts: tuple[str, str]
) -> None:
    """Queue a mail of this kind; without a locale in both languages. `facts` are pairs (Chinese, English)."""
    locales = (locale,) if locale in {"zh", "en"} else ("zh", "en")
    subjects, bodies = [], []
    for position, one in ((("zh", "en").index(chosen), chosen) for chosen in locales):
        words = {key: _one_line(pair[position]) for key, pair in facts.items()}
        subject, body = _TEXTS[kind][one]
        subjects.append(subject.format_map(words))
        greeting = _GREETING[one].format(name=(" " if one == "en" else ",") + _one_line(name) if name else "")
        bodies.append(f"{greeting}\n\n{body.format_map(words | {'link': link})}\n\n{_SIGNATURE[one]}\n")
    await mail.post(recipient, " / ".join(subjects)[:200], "\n\n".join(bodies), link)


async def send_notice(person: Person, kind: str, **facts: tuple[str, str]) -> None:
    """Tell a person of a change of their security; the link is the way to a new password."""
    await send(kind, person.email, link_to("reset"), locale=person.locale, name=person.name, **facts)


def _one_line(text: str) -> str:
    return " ".join(text.split())
