"""Lint rules about personal data: classification, masks, and names of properties that give persons away."""

import re
from collections.abc import Iterator

from api.contract import profile
from api.contract.model import Level
from api.contract.naming import words
from api.contract.normalise_enums import types_of
from api.contract.pointers import join
from api.contract.rule import ERROR, INFO, WARNING, Hit, Subject, rule, successes

# kind -> (words of an English or pinyin property name in a row, pattern for Chinese names)
_KINDS: tuple[tuple[str, frozenset[str], str], ...] = (
    ("id-number", frozenset({"id card", "id number", "identity number", "identity card", "idcard", "sfz", "sfzh", "ssn",
                             "social security number", "national id", "passport", "passport number", "nino", "citizen id"}),
     "身份证|证件号|公民身份号码|护照"),
    ("name", frozenset({"full name", "first name", "last name", "family name", "given name", "surname", "forename",
                        "person name", "citizen name", "xm", "xingming", "legal representative"}), "姓名|名字|法定代表人|联系人"),
    ("phone", frozenset({"phone", "mobile", "telephone", "phone number", "mobile number", "sjh", "lxdh", "cellphone"}),
     "手机|电话|联系方式"),
    ("email", frozenset({"email", "email address", "e mail"}), "邮箱|电子邮件"),
    ("address", frozenset({"home address", "residential address", "zz", "address line", "postal address"}), "住址|家庭地址|户籍|居住地"),
    ("birth", frozenset({"birth date", "date of birth", "birthday", "dob", "csrq"}), "出生|生日"),
    ("bank-account", frozenset({"bank account", "account number", "iban", "card number", "bank card"}), "银行账|银行卡|卡号"),
    ("health", frozenset({"diagnosis", "medical record", "disease", "blood type"}), "病历|诊断|疾病|血型"),
    ("biometric", frozenset({"fingerprint image", "face image", "iris", "face feature", "biometric"}), "人脸|指纹|虹膜"),
    ("location", frozenset({"latitude longitude", "gps", "current location"}), "行踪|实时位置"),
)  # fmt: skip
_MASKED_KINDS = frozenset(
    {"id-number", "name", "phone", "email", "address", "birth", "bank-account", "health", "biometric", "tax"}
)


def personal_kind(name: str) -> str:
    """The kind of personal data that a property's name suggests, "" when none."""
    joined = f" {' '.join(word.rstrip('0123456789') for word in words(name))} "
    for kind, english, chinese in _KINDS:
        if any(f" {phrase} " in joined for phrase in english) or re.search(chinese, name):
            return kind
    return ""


@rule(
    "personal-unclassified",
    WARNING,
    (
        "属性 {name} 像是个人信息({kind}),却没有 x-classification。",
        "The property {name} looks like personal data ({kind}) but has no x-classification.",
    ),
    hint=(
        "写 x-classification: {{level: L3, kind: {kind}}} 与 x-mask。",
        "Write x-classification: {{level: L3, kind: {kind}}} and x-mask.",
    ),
    reason=(
        "没有分类就没有脱敏:它会原样进日志与请求查看器。",
        "Without a class there is no mask: it would stand in logs and the request viewer.",
    ),
    source="PIPL Art. 28, Art. 51; GB/T 35273-2020",
)
def _unclassified(subject: Subject) -> Iterator[Hit]:
    for name, schema, pointer in subject.properties:
        kind = personal_kind(name)
        is_leaf = not {"object", "array", "boolean"} & set(types_of(subject.resolved(schema)))
        if kind and is_leaf and "x-classification" not in schema:
            yield Hit(pointer, {"name": name, "kind": kind})


@rule(
    "classification-mask",
    WARNING,
    ("{name} 是 {level} 的 {kind},却没有 x-mask。", "{name} is {kind} of {level} but has no x-mask."),
    hint=(
        "写 x-mask: last4、first1、first3-last4、email 或 all。",
        "Write x-mask: last4, first1, first3-last4, email or all.",
    ),
    reason=(
        "日志与请求查看器按 x-mask 脱敏;没有写就整个遮住。",
        "Logs and the request viewer mask by it; without it the whole value is hidden.",
    ),
    source="GB/T 37964-2019, design §3",
)
def _mask(subject: Subject) -> Iterator[Hit]:
    for name, schema, pointer in subject.properties:
        held = profile.classification_of(schema)
        is_text = "string" in types_of(subject.resolved(schema))  # numbers are hidden whole, which is right
        is_told = held is not None and (held.level >= Level.L3 or held.kind in _MASKED_KINDS)
        if held and is_told and is_text and held.level > Level.L1 and "x-mask" not in schema:
            yield Hit(pointer, {"name": name, "level": held.level.value, "kind": held.kind})


@rule(
    "mask-unclassified",
    INFO,
    ("{name} 有 x-mask,却没有 x-classification。", "{name} has an x-mask but no x-classification."),
    hint=("写 x-classification,脱敏才会生效。", "Write x-classification: the mask has no effect without it."),
    reason=("脱敏由分类驱动。", "Masking is driven by the class."),
    source="design §3",
)
def _mask_alone(subject: Subject) -> Iterator[Hit]:
    for name, schema, pointer in subject.properties:
        if "x-mask" in schema and "x-classification" not in schema:
            yield Hit(pointer, {"name": name})


@rule(
    "personal-public",
    ERROR,
    ("{operation} 是 L1,却返回个人信息 {name}。", "{operation} is L1 but answers personal data: {name}."),
    hint=("提高 x-level,或去掉该属性。", "Raise x-level or remove the property."),
    reason=("个人信息不属于公开级。", "Personal data are not public."),
    source="PIPL Art. 25, GB/T 43697-2024",
)
def _public(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        if operation.level is not Level.L1:
            continue
        for response in successes(operation):
            for media in response.media:
                named = {
                    name
                    for name, _ in subject.reached_properties(media.schema)
                    if personal_kind(name) == "id-number"
                }
                for name in sorted(named):
                    yield Hit(operation.pointer, {"operation": operation.id, "name": name})


@rule(
    "personal-rows",
    ERROR,
    (
        "{operation} 返回成批的分类数据({name}),却没有 x-max-rows。",
        "{operation} answers classified data ({name}) in rows but states no x-max-rows.",
    ),
    hint=("写 x-max-rows。", "State x-max-rows."),
    reason=("成批的个人数据必须写明上限。", "Lists of personal data state their bound."),
    source="PIPL Art. 6, design §3",
)
def _rows(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        if operation.max_rows or operation.verb.split("-")[0] not in {"list", "search"}:
            continue
        for response in successes(operation):
            for media in response.media:
                held = [
                    name
                    for name, schema in subject.reached_properties(media.schema)
                    if profile.classification_of(schema) is not None
                ]
                if held:
                    yield Hit(
                        join(operation.pointer, "x-max-rows"), {"operation": operation.id, "name": held[0]}
                    )


@rule(
    "personal-in-path",
    WARNING,
    (
        "{operation} 把个人信息 {name}({kind})放在地址里。",
        "{operation} puts personal data into the address: {name} ({kind}).",
    ),
    hint=("改用 POST 检索,把它放进请求体。", "Search by POST and put it into the body."),
    reason=("地址会进日志与浏览器历史。", "Addresses end up in logs and histories."),
    source="PIPL Art. 51, OWASP API3:2023",
)
def _in_path(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        for index, parameter in enumerate(operation.parameters):
            kind = personal_kind(parameter.name)
            if parameter.location in {"path", "query"} and kind in {
                "id-number",
                "phone",
                "bank-account",
                "name",
            }:
                yield Hit(
                    join(operation.pointer, "parameters", index),
                    {"operation": operation.id, "name": parameter.name, "kind": kind},
                )
