"""Lint rules about policy: levels, grades, bases, purposes, consent, sharing, scopes."""

import re
from collections.abc import Iterator

from api.contract import profile
from api.contract.model import Basis, Grade, Level, Operation
from api.contract.pointers import join
from api.contract.rule import ERROR, INFO, WARNING, Hit, Subject, rule, successes

_SCOPE = re.compile(r"[a-z][a-z0-9-]*:[a-z][a-z0-9-]*:[a-z][a-z0-9-]*\Z")
_CONSENTS = {Basis.CONSENT, Basis.SEPARATE_CONSENT}


def _hit(operation: Operation, key: str, **facts: object) -> Hit:
    return Hit(
        join(operation.pointer, key) if key else operation.pointer, {"operation": operation.id, **facts}
    )


@rule(
    "level-missing",
    WARNING,
    ("服务没有写 x-level,按 L2 处理。", "The service states no x-level; L2 is assumed."),
    hint=("在 info 里写 x-level 与 x-grade。", "State x-level and x-grade in info."),
    reason=("分级决定谁能用、怎样记录。", "The level decides who may use it and how it is recorded."),
    source="design §3, GB/T 43697-2024",
    own_only=True,
)
def _level_missing(subject: Subject) -> Iterator[Hit]:
    if "x-level" not in subject.document.get("info", {}):
        yield Hit("/info")


@rule(
    "level-above-operation",
    ERROR,
    (
        "{operation} 是 {level},却返回 {field_level} 的属性 {name}。",
        "{operation} is {level} but answers the property {name}, which is {field_level}.",
    ),
    hint=("提高操作的 x-level,或去掉该属性。", "Raise the operation's x-level or remove the property."),
    reason=(
        "操作的级别不得低于它给出的数据。",
        "An operation is at least as sensitive as the data that it gives.",
    ),
    source="GB/T 43697-2024, design §3",
)
def _above(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        told: set[str] = set()
        for response in successes(operation):
            for media in response.media:
                for name, schema in subject.reached_properties(media.schema):
                    held = profile.classification_of(schema)
                    if held and held.level > operation.level and name not in told:
                        told.add(name)
                        yield _hit(
                            operation,
                            "",
                            level=operation.level.value,
                            name=name,
                            field_level=held.level.value,
                        )


@rule(
    "level-purpose",
    ERROR,
    ("{operation} 是 {level},却没有写明用途。", "{operation} is {level} but names no purpose."),
    hint=("写 x-purpose: [bank-credit]。", "Write x-purpose: [bank-credit]."),
    reason=("敏感数据只为写明的用途提供。", "Sensitive data are given for a stated purpose only."),
    source="PIPL Art. 6, design §3",
)
def _purpose(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        if operation.level >= Level.L3 and not operation.purposes:
            yield _hit(operation, "x-purpose", level=operation.level.value)


@rule(
    "grade-no-face",
    WARNING,
    (
        "{operation} 是 {grade} 级数据,不会经任何接入面提供。",
        "{operation} holds data of the grade {grade}: no face will offer it.",
    ),
    hint=("从对外契约里去掉它。", "Leave it out of the contract."),
    reason=("重要数据与核心数据不对外提供。", "Important and core data do not leave."),
    source="GB/T 43697-2024, Data Security Law Art. 21",
)
def _grade(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        if operation.grade is not Grade.GENERAL:
            yield _hit(operation, "x-grade", grade=operation.grade.value)


@rule(
    "level-clean-room",
    WARNING,
    ("{operation} 是 L4,只在洁净室提供。", "{operation} is L4: it is offered in the clean room only."),
    hint=("把汇总结果做成 L3 以下的操作。", "Offer aggregates as an operation of L3 or below."),
    reason=("最敏感的数据不以明细离开。", "The most sensitive data do not leave row by row."),
    source="design §3",
)
def _clean_room(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        if operation.level is Level.L4:
            yield _hit(operation, "x-level")


@rule(
    "consent-subject",
    ERROR,
    (
        "{operation} 以同意为依据,却没有写明谁的数据。",
        "{operation} rests on consent but does not say whose data they are.",
    ),
    hint=("写 x-subject: person 或 organisation。", "Write x-subject: person or organisation."),
    reason=("没有主体就没有人能同意。", "Without a subject nobody can consent."),
    source="PIPL Art. 13-14, design §3",
)
def _subject(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        if operation.basis in _CONSENTS and not operation.subject:
            yield _hit(operation, "x-subject")


@rule(
    "consent-purpose",
    ERROR,
    ("{operation} 以同意为依据,却没有写明用途。", "{operation} rests on consent but names no purpose."),
    hint=("写 x-purpose;同意书会逐字引用。", "Write x-purpose; the consent text quotes it."),
    reason=("同意必须针对明确的目的。", "Consent is given for a definite purpose."),
    source="PIPL Art. 14, Art. 17",
)
def _consent_purpose(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        if operation.basis in _CONSENTS and operation.level < Level.L3 and not operation.purposes:
            yield _hit(operation, "x-purpose")


@rule(
    "duty-law",
    ERROR,
    (
        "{operation} 以法定职责为依据,却没有写明法律与条款。",
        "{operation} rests on a statutory duty but names no law and article.",
    ),
    hint=(
        "写 x-basis: {{basis: statutory-duty, law: …, article: …}}。",
        "Write x-basis: {{basis: statutory-duty, law: …, article: …}}.",
    ),
    reason=("法定职责要指得出条文。", "A statutory duty can point to its article."),
    source="PIPL Art. 13(3), Art. 34",
)
def _law(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        if operation.basis is Basis.STATUTORY_DUTY and not {"law", "article"} <= operation.basis_law.keys():
            yield _hit(operation, "x-basis")


@rule(
    "open-level",
    ERROR,
    (
        "{operation} 声明向公众开放,却是 {level}。",
        "{operation} is declared open to the public but is {level}.",
    ),
    hint=("只有 L1 可以 x-open: open。", "Only L1 may be x-open: open."),
    reason=("无条件开放的数据必须是公开级。", "What is open without condition must be public."),
    source="design §3, GB/T 43697-2024",
)
def _open(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        if operation.open == "open" and operation.level is not Level.L1:
            yield _hit(operation, "x-open", level=operation.level.value)


@rule(
    "share-conditions",
    WARNING,
    (
        "{operation} 有条件共享,却没有写条件与依据。",
        "{operation} is shared on conditions, but neither conditions nor basis are stated.",
    ),
    hint=(
        "写 x-share: {{share: conditional, basis: …, conditions: …}}。",
        "Write x-share: {{share: conditional, basis: …, conditions: …}}.",
    ),
    reason=(
        "条件要写明,别的部门才能申请。",
        "Other departments can only apply when the conditions are stated.",
    ),
    source="政务数据共享条例 (2025), design §3",
    own_only=True,
)
def _share(subject: Subject) -> Iterator[Hit]:
    shared = subject.document.get("info", {}).get("x-share")
    for operation in subject.operations:
        written = subject.written(operation).get("x-share", shared)
        fields = profile.as_object(written)
        if (
            written is not None
            and operation.share == "conditional"
            and not (fields.get("basis") and fields.get("conditions"))
        ):
            yield _hit(operation, "x-share")


@rule(
    "scope-missing",
    ERROR,
    ("{operation} 没有要求权限范围。", "{operation} asks for no scope."),
    hint=("在 security 里写 {service}:{resource}:read。", "State {service}:{resource}:read in security."),
    reason=("没有权限范围,任何已订阅的应用都能调用。", "Without a scope every subscribed app may call it."),
    source="RFC 6749 §3.3, design §3",
)
def _scope_missing(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        if not operation.scopes and operation.level is not Level.L1:
            service = subject.service.name
            yield _hit(operation, "security", service=service, resource=operation.resource or service)


@rule(
    "scope-form",
    ERROR,
    (
        "权限范围 {scope} 不是“服务:资源:动作”的形式。",
        "The scope {scope} is not of the form service:resource:verb.",
    ),
    hint=("例如 {service}:profile:read。", "For example {service}:profile:read."),
    reason=("同意书与审计按这三段解释权限。", "Consent texts and audit explain rights by these three parts."),
    source="design §3",
)
def _scope_form(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        for scope in operation.scopes:
            if not _SCOPE.match(scope) or scope.split(":")[0] != subject.service.name:
                yield _hit(operation, "security", scope=scope, service=subject.service.name)


@rule(
    "scope-write-read",
    WARNING,
    ("{operation} 改动数据,却只要求 {scope}。", "{operation} changes data but asks for {scope} only."),
    hint=("改动数据的操作要求 write 范围。", "Ask for a write scope where data change."),
    reason=("只读授权不应能写。", "A right to read should not be able to write."),
    source="OWASP API5:2023",
    own_only=True,
)
def _write_scope(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        is_write = operation.method in {"PUT", "PATCH", "DELETE"} or operation.verb.split("-")[0] in {
            "create",
            "update",
        }
        if is_write and operation.scopes and all(scope.endswith(":read") for scope in operation.scopes):
            yield _hit(operation, "security", scope=", ".join(operation.scopes))


@rule(
    "scope-text",
    WARNING,
    ("权限范围 {scope} 缺少{language}文字。", "The scope {scope} has no text in {language}."),
    hint=("在安全方案的 x-scopes 里写 texts。", "Write texts in x-scopes of the security scheme."),
    reason=("人们在同意之前要读懂它。", "People read it before they consent."),
    source="PIPL Art. 17, design §3",
    own_only=True,
)
def _scope_text(subject: Subject) -> Iterator[Hit]:
    for scope in subject.service.scopes:
        families = {language.split("-", maxsplit=1)[0] for language in scope.texts}
        for family, language in (("zh", "中文 Chinese"), ("en", "英文 English")):
            if family not in families:
                yield Hit("/components/securitySchemes", {"scope": scope.name, "language": language})


@rule(
    "write-idempotent",
    INFO,
    (
        "{operation} 创建或提交数据,没有写 x-idempotent。",
        "{operation} creates or submits something and does not state x-idempotent.",
    ),
    hint=(
        "支持 Idempotency-Key 就写 x-idempotent: true。",
        "Write x-idempotent: true where Idempotency-Key is honoured.",
    ),
    reason=("SDK 只在写明幂等时重试 POST。", "SDKs retry a POST only where it is stated to be idempotent."),
    source="draft-ietf-httpapi-idempotency-key-header",
    own_only=True,
)
def _idempotent(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        if operation.method in {"POST", "PATCH"} and "x-idempotent" not in subject.written(operation):
            yield _hit(operation, "")
