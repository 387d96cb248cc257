"""Problem types of asking, giving and withdrawing consent; those of a call under a consent: problem_types_grant."""

from api.core.problems import define

CONSENT_TEXT_CHANGED = define(
    "consent-text-changed",
    409,
    ("授权内容已变更", "The consent text has changed"),
    (
        "页面展示之后，契约、用途、接收方或代表权限有了变化，授权内容已不是你看到的那一份。",
        "Since the page was shown, the contract, the purpose, the recipient or the mandate has changed: it is no longer the text that you saw.",
    ),
    ("阅读新的内容后重新决定。", "Read the new text and decide again."),
    (
        "同意只对实际看到的内容有效，因此以内容的散列核对。",
        "One agrees to what one has read, so the hash of the text is compared.",
    ),
)
CONSENT_NOTHING_AGREED = define(
    "consent-nothing-agreed",
    400,
    ("没有同意任何内容", "Nothing was agreed to"),
    ("所有数据都未勾选，没有可以授予的内容。", "No data are ticked, so there is nothing to grant."),
    ("勾选愿意提供的内容，或选择拒绝。", "Tick what you agree to, or refuse."),
    (
        "敏感数据逐项勾选，默认不勾选；一项也不同意就是拒绝。",
        "Sensitive data are ticked one by one and unticked at first; agreeing to none is a refusal.",
    ),
)
CONSENT_NOT_READY = define(
    "consent-not-ready",
    409,
    ("应用尚不能征求同意", "The app cannot ask for consent yet"),
    (
        "应用没有登记 {missing}，授权页面无法如实告知。",
        "The app has not stated {missing}, so the page could not say what it must.",
    ),
    (
        "应用的所有者在应用设置中填写联系方式与保存期限。",
        "The app's owner states contact and retention in the app's settings.",
    ),
    (
        "授权页面须告知接收方的联系方式与数据保存期限。来源：《个人信息保护法》第十七条、第二十三条。",
        "The page tells the recipient's contact and the retention. Source: PIPL, articles 17 and 23.",
    ),
)
GUARDIAN_REQUIRED = define(
    "guardian-required",
    403,
    ("须由监护人同意", "A guardian has to consent"),
    (
        "数据主体未满十四周岁，或所称的监护人不是其监护人。",
        "The data subject is below 14, or whoever decides is no guardian of theirs.",
    ),
    (
        "由父母或其他监护人登录后代为决定。",
        "A parent or other guardian signs in and decides.",
    ),
    (
        "处理不满十四周岁未成年人个人信息，须取得父母或其他监护人的同意。来源：《个人信息保护法》第三十一条。",
        "Data of a child below 14 are processed with the consent of a parent or other guardian only. Source: PIPL, article 31.",
    ),
)
ORGANISATION_REQUIRED = define(
    "organisation-required",
    400,
    ("须指明组织", "Which organisation is it about"),
    (
        "所请求的是组织的数据；此人可以代表 {count} 个组织。",
        "Data of an organisation are asked for; this person may speak for {count} of them.",
    ),
    (
        "从 organisations 中选择一个（统一社会信用代码），再决定。",
        "Choose one of those in organisations (by its code), then decide.",
    ),
    (
        "一次授权只涉及一个组织，令牌与记录都写明它。",
        "A consent is about one organisation, which token and record name.",
    ),
)
