"""The consent text: who gets which data of whom, why, how, for how long, in Chinese and English.

It is made from the contract, the purpose, the app's own statements and nothing else; nobody writes one by hand.
The same request gives the same text, byte for byte, so its hash says what a person has seen. It names no person.

Source: PIPL (《个人信息保护法》) articles 14, 15, 17, 23, 28 to 31, in force since 1 November 2021.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from api.core import crypto
from api.core.problems import Text
from api.identity.consents.choices import Choice, Situation, choices_of, fields_in, purpose_text
from api.identity.consents.details import CHINA, Detail
from api.identity.consents.published import ConsentedService, both

EDITION = "1"
ROLES = {
    "legal-representative": Text("法定代表人", "legal representative"),
    "agent": Text("代理人", "agent"),
    "finance": Text("财务代理人", "agent for finance"),
}


class FieldItem(Struct, frozen=True):
    """A field as the page lists it. A sensitive one is agreed to by a choice of its own."""

    name: str
    label: Text
    is_sensitive: bool = False


class KindOfData(Struct, frozen=True):
    """What one service tells: the fields, for which purpose, until when."""

    service: str
    title: Text
    department: Text
    operations: tuple[Text, ...]
    fields: tuple[FieldItem, ...]
    purpose: Text
    until: str  # RFC 3339


class ConsentText(Struct, frozen=True):
    """The whole text. `hash` names its suite: `intl$sha256:…` of the canonical JSON with `hash` empty."""

    about: Text
    recipient: Text
    app: str
    contact: Text
    purpose: Text
    method: Text
    kinds: tuple[KindOfData, ...]
    choices: tuple[Choice, ...]
    retention: Text
    until: str
    until_text: Text
    withdrawal: Text
    notes: tuple[Text, ...]
    organisation: str = ""
    organisation_name: Text = Text("", "")
    edition: str = EDITION
    hash: str = ""


class Asker(Struct, frozen=True, kw_only=True):
    """The app that asks, and what it says of itself. `contact` and `retention` "" are not stated (sandbox only)."""

    name: str
    recipient: Text
    contact: str = ""
    retention: str = ""


def compose_text(
    asker: Asker,
    details: list[Detail],
    services: Mapping[str, ConsentedService],
    departments: Mapping[str, Text],
    situation: Situation,
    *,
    withdraw_at: str,
) -> ConsentText:
    """The text for these details. `services` by key, `departments` by slug; `withdraw_at` is an address."""
    until = max((one.until for one in details), key=datetime.fromisoformat)
    kinds = tuple(_kind(one, services[one.service], departments, situation) for one in details)
    text = ConsentText(
        about=_about(situation),
        recipient=asker.recipient,
        app=asker.name,
        contact=both({}, asker.contact)
        if asker.contact
        else Text("未登记（沙箱应用）", "not registered (an app of the sandbox)"),
        purpose=joined([one.purpose for one in kinds]),
        method=_method(asker, details, services, [one.department for one in kinds]),
        kinds=kinds,
        choices=tuple(
            choice for one in details for choice in choices_of(one, services[one.service], situation)
        ),
        retention=both({}, asker.retention)
        if asker.retention
        else Text("应用未说明（沙箱应用）", "not stated by the app (an app of the sandbox)"),
        until=until,
        until_text=moment_text(until),
        withdrawal=Text(
            f"随时可在 {withdraw_at} 撤回，一秒内对平台所有进程生效；撤回与同意一样方便，且不影响撤回前已进行的处理。",
            f"At any time at {withdraw_at}; it takes effect within a second everywhere on this platform, is as easy as "
            "consenting, and does not undo what was lawfully done before.",
        ),
        notes=_notes(details, situation),
        organisation=situation.organisation,
        organisation_name=situation.organisation_name,
    )
    return replace(text, hash=hash_of(text))


def hash_of(text: ConsentText) -> str:
    """Suite, algorithm and hex: over the canonical JSON (sorted keys) of the text, its own hash left empty."""
    data = msgspec.json.encode(replace(text, hash=""), order="sorted")
    return f"{crypto.SUITE}$sha256:{hashlib.sha256(data).hexdigest()}"


def _about(situation: Situation) -> Text:
    if situation.organisation:
        role = ROLES[situation.role]
        return Text(
            f"{situation.organisation_name.zh}（{situation.organisation}）的数据；你以{role.zh}身份代表该组织决定。",
            f"Data of {situation.organisation_name.en} ({situation.organisation}); you decide for it as its {role.en}.",
        )
    if situation.is_child:
        return Text(
            "一名不满十四周岁未成年人的数据；你作为其父母或其他监护人决定。",
            "Data of a child below 14; you decide as a parent or other guardian.",
        )
    return Text("你本人的数据。", "Your own data.")


def _kind(
    detail: Detail, service: ConsentedService, departments: Mapping[str, Text], situation: Situation
) -> KindOfData:
    known = fields_in(detail, service)
    separate = {name for choice in choices_of(detail, service, situation) for name in choice.fields}
    return KindOfData(
        service=detail.service,
        title=service.title,
        department=departments.get(service.service.department) or both({}, service.service.department or "—"),
        operations=tuple(service.operation_title(id_) for id_ in detail.operations),
        fields=tuple(
            FieldItem(name, both(known[name].label, name), name in separate) for name in detail.fields
        ),
        purpose=purpose_text(detail.purpose, service),
        until=detail.until,
    )


def _method(
    asker: Asker, details: list[Detail], services: Mapping[str, ConsentedService], departments: list[Text]
) -> Text:
    """How the data get there: through this gateway, call by call."""
    writes = any(
        not services[one.service].operations[id_].is_safe for one in details for id_ in one.operations
    )
    sources = joined(departments)
    zh, en = ("查询和办理", "look up and submit") if writes else ("查询", "look up")
    return Text(
        f"在同意的期限内，{asker.name}可经开门平台向{sources.zh}{zh}上述数据，逐次调用、加密传输；"
        "平台记录每次调用的时间、服务与用途，不保存数据内容。",
        f"While the consent runs, {asker.name} may {en} these data at {sources.en} through the Kaimen platform, call by "
        "call and encrypted; the platform records time, service and purpose of each call and keeps no content.",
    )


def _notes(details: list[Detail], situation: Situation) -> tuple[Text, ...]:
    notes = [
        Text(
            "是否同意由你自愿决定；可以只同意一部分。",
            "You are free to agree or not, and to agree to a part only.",
        ),
        Text(
            "以后契约新增的字段、变更的用途，须再次征得同意。",
            "Fields that the service adds later, and other purposes, need another consent.",
        ),
    ]
    if situation.organisation:
        notes.append(
            Text(
                "授权以你现有的代表权限为限；你不再代表该组织时，授权随之终止。",
                "It rests on your present mandate: when you no longer speak for the organisation, it ends.",
            )
        )
    else:
        notes.append(
            Text(
                "依据《个人信息保护法》第十四条、第十五条、第十七条。",
                "By PIPL, articles 14, 15 and 17.",
            )
        )
    if situation.is_child:
        notes.append(
            Text(
                "依据《个人信息保护法》第三十一条，由监护人同意。",
                "A guardian consents, by PIPL, article 31.",
            )
        )
    return tuple(notes)


def moment_text(text: str) -> Text:
    """An instant as people in China read it."""
    moment = datetime.fromisoformat(text).astimezone(CHINA)
    clock = f"{moment.hour:02d}:{moment.minute:02d}"
    return Text(
        f"{moment.year} 年 {moment.month} 月 {moment.day} 日 {clock}（北京时间）",
        f"{moment.date().isoformat()} {clock} (UTC+8)",
    )


def joined(texts: list[Text]) -> Text:
    """The different ones of them as one."""
    different = list(dict.fromkeys(texts))
    return Text("、".join(one.zh for one in different), ", ".join(one.en for one in different))


def lines_of(text: ConsentText, locale: str) -> list[str]:
    """The text as plain lines in one language, for the command line and for people who compare editions."""
    zh = locale.startswith("zh")

    def said(one: Text) -> str:
        return one.in_language(locale)

    head = [
        ("关于", "About", said(text.about)),
        ("接收方", "Recipient", f"{said(text.recipient)} · {text.app}"),
        ("联系方式", "Contact", said(text.contact)),
        ("目的", "Purpose", said(text.purpose)),
        ("方式", "Method", said(text.method)),
    ]
    lines = [f"{(one[0] + '：') if zh else (one[1] + ': ')}{one[2]}" for one in head]
    for kind in text.kinds:
        lines.append(
            f"{'数据：' if zh else 'Data: '}{said(kind.department)} · {said(kind.title)} ({kind.service})"
        )
        lines += [
            f"  {'☐' if one.is_sensitive else '·'} {said(one.label)} [{one.name}]" for one in kind.fields
        ]
    for choice in text.choices:
        lines.append(f"☐ {said(choice.title)} [{choice.id}]")
        lines.append(f"  {said(choice.explanation)}")
    tail = [
        ("保存期限", "Retention", said(text.retention)),
        ("有效期至", "Until", said(text.until_text)),
        ("撤回", "Withdrawal", said(text.withdrawal)),
    ]
    lines += [f"{(one[0] + '：') if zh else (one[1] + ': ')}{one[2]}" for one in tail]
    return [*lines, *(f"* {said(one)}" for one in text.notes), text.hash]
