"""What a consent text asks about one by one: sensitive fields, operations of separate consent, passing data on.

Each is a choice, unticked, that can be refused without refusing the rest. Source: PIPL articles 23, 28, 29, 30.
"""

from msgspec import Struct

from api.contract.answer_fields import Field
from api.contract.model import Basis, Level
from api.core.problems import Text
from api.identity.consents.details import Detail, Recipient
from api.identity.consents.published import ConsentedService, both

# kinds of x-classification that article 28 names, and what it calls them
ARTICLE_28 = {
    "biometric": Text("生物识别", "biometric"),
    "religion": Text("宗教信仰", "religious belief"),
    "special-identity": Text("特定身份", "specific identity"),
    "health": Text("医疗健康", "medical and health"),
    "bank-account": Text("金融账户", "financial account"),
    "location": Text("行踪轨迹", "whereabouts"),
}
PURPOSES = {  # where the contract words its purpose itself (x-purposes), that counts
    "bank-credit": Text("银行审批贷款", "a bank's decision on a loan"),
    "court-enforcement": Text("法院执行", "enforcement by a court"),
    "notarisation": Text("办理公证", "notarisation"),
}


class Choice(Struct, frozen=True):
    """A separate consent: unticked, and refused one by one. `kind` is sensitive, separate or pass-on."""

    id: str
    kind: str
    service: str
    title: Text
    explanation: Text
    fields: tuple[str, ...] = ()


class Situation(Struct, frozen=True, kw_only=True):
    """Who decides about whose data: oneself, as a guardian, or in an organisation's name."""

    is_child: bool = False
    organisation: str = ""
    organisation_name: Text = Text("", "")
    role: str = ""


def purpose_text(purpose: str, service: ConsentedService | None = None) -> Text:
    """The purpose in words: the contract's, else ours, else its name."""
    texts = service.purpose_texts(purpose) if service is not None else {}
    return both(texts, "") if texts else PURPOSES.get(purpose, both({}, purpose))


def fields_in(detail: Detail, service: ConsentedService) -> dict[str, Field]:
    """The fields of the detail's operations; of one that several answer with, the most sensitive reading."""
    found: dict[str, Field] = {}
    for id_ in detail.operations:
        for name, field in service.fields[id_].items():
            known = found.get(name)
            if known is None or (field.level or Level.L1) > (known.level or Level.L1):
                found[name] = field
    return found


def choices_of(detail: Detail, service: ConsentedService, situation: Situation) -> list[Choice]:
    """What needs a consent of its own: each sensitive field, each operation that says so, each recipient."""
    known = fields_in(detail, service)
    purpose = purpose_text(detail.purpose, service)
    choices = []
    taken: set[str] = set()
    for name in detail.fields:
        reason = _why_sensitive(known[name], situation)
        if reason is not None:
            taken.add(name)
            choices.append(_sensitive(detail, name, known[name], reason, purpose, situation))
    for id_ in detail.operations:
        if service.operations[id_].basis is Basis.SEPARATE_CONSENT:
            own = tuple(name for name in detail.fields if name in service.fields[id_] and name not in taken)
            taken.update(own)
            if own:
                choices.append(_separate(detail, id_, own, service, purpose))
    return choices + [
        _passing_on(detail, number, one, service) for number, one in enumerate(detail.pass_on_to)
    ]


def _why_sensitive(field: Field, situation: Situation) -> Text | None:
    """Why a field needs a separate consent; None where it does not."""
    if not situation.organisation:
        if situation.is_child:
            return Text(
                "不满十四周岁未成年人的个人信息属于敏感个人信息（《个人信息保护法》第二十八条）。",
                "Data of a child below 14 are sensitive (PIPL, article 28).",
            )
        named = ARTICLE_28.get(field.kind)
        if named is not None:
            return Text(
                f"属于敏感个人信息：{named.zh}（《个人信息保护法》第二十八条）。",
                f"Sensitive personal data: {named.en} (PIPL, article 28).",
            )
    if field.level is not None and field.level >= Level.L3:
        return Text(
            f"数据提供部门将其列为 {field.level.value} 级敏感数据。",
            f"The department classifies it as sensitive, {field.level.value}.",
        )
    return None


def _sensitive(
    detail: Detail, name: str, field: Field, reason: Text, purpose: Text, situation: Situation
) -> Choice:
    harm = (
        Text(
            "泄露或被滥用可能损害企业的商业利益。",
            "Leaked or misused, it may harm the organisation's business.",
        )
        if situation.organisation
        else Text(
            "泄露或被滥用可能侵害人格尊严或危害人身、财产安全。",
            "Leaked or misused, it may harm the dignity or the safety of the person and their property.",
        )
    )
    return Choice(
        id=f"{detail.service}:{detail.purpose}:field:{name}",
        kind="sensitive",
        service=detail.service,
        title=both(field.label, name),
        explanation=Text(
            f"{reason.zh}用于：{purpose.zh}。{harm.zh}不勾选即不提供，其余内容不受影响。",
            f"{reason.en} It is asked for: {purpose.en}. {harm.en} Unticked it is not given; the rest is not affected.",
        ),
        fields=(name,),
    )


def _separate(
    detail: Detail, operation_id: str, fields: tuple[str, ...], service: ConsentedService, purpose: Text
) -> Choice:
    return Choice(
        id=f"{detail.service}:{detail.purpose}:operation:{operation_id}",
        kind="separate",
        service=detail.service,
        title=service.operation_title(operation_id),
        explanation=Text(
            f"此项须单独同意。用于：{purpose.zh}。不勾选即不提供，其余内容不受影响。",
            f"This needs a consent of its own. It is asked for: {purpose.en}. Unticked it is not given; the rest is not "
            "affected.",
        ),
        fields=fields,
    )


def _passing_on(detail: Detail, number: int, recipient: Recipient, service: ConsentedService) -> Choice:
    return Choice(
        id=f"{detail.service}:{detail.purpose}:pass-on:{number}",
        kind="pass-on",
        service=detail.service,
        title=Text(f"允许再提供给：{recipient.name}", f"May be passed on to: {recipient.name}"),
        explanation=Text(
            f"接收方：{recipient.name}；联系方式：{recipient.contact}；目的：{recipient.purpose}；数据：{service.title.zh}中你同意的内容。"
            "须单独同意（《个人信息保护法》第二十三条）；不勾选，应用不得转给对方。",
            f"Recipient: {recipient.name}; contact: {recipient.contact}; purpose: {recipient.purpose}; data: what you agree "
            f"to of {service.title.en}. It needs a consent of its own (PIPL, article 23); unticked, the app may not pass "
            "anything on.",
        ),
    )
