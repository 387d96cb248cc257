"""Lint rules about the document as a whole: who answers for it, texts in both languages, servers, life cycle."""

from collections.abc import Iterator
from datetime import date

from api.contract import profile
from api.contract.pointers import join
from api.contract.rule import ERROR, INFO, WARNING, Hit, Subject, rule

_LANGUAGES = {"zh-CN": "中文 Chinese", "en": "英文 English"}


def _speaks(texts: dict[str, dict[str, str]], language: str, field: str) -> bool:
    family = language.split("-", maxsplit=1)[0]
    return any(one.split("-", maxsplit=1)[0] == family and held.get(field) for one, held in texts.items())


@rule(
    "info-owner",
    WARNING,
    ("没有写明负责的部门与联系人。", "Nobody is named who answers for the service."),
    hint=("在 info 里写 x-department 与 x-owner。", "Write x-department and x-owner in info."),
    reason=("出问题时要找得到人。", "When something breaks, somebody must be found."),
    source="design §3",
    own_only=True,
)
def _owner(subject: Subject) -> Iterator[Hit]:
    if not subject.service.department or not subject.service.owner:
        yield Hit("/info")


@rule(
    "service-text-language",
    WARNING,
    ("服务的{field}缺少{language}。", "The {field} of the service is missing in {language}."),
    hint=("在 info.x-i18n 里补上。", "Add it to info.x-i18n."),
    reason=("门户与授权页以两种语言示人。", "Portal and consent pages speak both languages."),
    source="design §3",
    own_only=True,
)
def _service_language(subject: Subject) -> Iterator[Hit]:
    for language, name in _LANGUAGES.items():
        for field in ("title", "description"):
            if not _speaks(subject.service.texts, language, field):
                yield Hit("/info", {"field": field, "language": name})


@rule(
    "operation-text-language",
    WARNING,
    ("{operation} 的{field}缺少{language}。", "The {field} of {operation} is missing in {language}."),
    hint=("在操作的 x-i18n 里补上。", "Add it to the operation's x-i18n."),
    reason=("文档与授权文字以两种语言示人。", "Docs and consent texts speak both languages."),
    source="design §3",
    own_only=True,
)
def _operation_language(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        for language, name in _LANGUAGES.items():
            for field in ("title", "description"):
                if not _speaks(operation.texts, language, field):
                    yield Hit(
                        operation.pointer, {"operation": operation.id, "field": field, "language": name}
                    )


@rule(
    "operation-description",
    INFO,
    ("{operation} 没有说明。", "{operation} has no description."),
    hint=("写一句它做什么、何时用。", "Say in a sentence what it does and when to use it."),
    reason=("没有说明的接口没有人敢用。", "Nobody dares to use what nobody describes."),
    source="OpenAPI 3.1.1 §4.8.10",
)
def _description(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        if not operation.summary and not operation.description:
            yield Hit(operation.pointer, {"operation": operation.id})


@rule(
    "server-http",
    WARNING,
    ("服务地址 {url} 不是 https。", "The server address {url} is not https."),
    hint=(
        "改为 https;平台自己的地址由环境决定。",
        "Use https; the platform's own address comes from the environment.",
    ),
    reason=("明文会泄露令牌与数据。", "Plain text gives tokens and data away."),
    source="RFC 6750 §5.3, GB/T 22239-2019",
)
def _server_http(subject: Subject) -> Iterator[Hit]:
    for index, server in enumerate(subject.document.get("servers", ())):
        if str(server.get("url", "")).lower().startswith("http://"):
            yield Hit(f"/servers/{index}/url", {"url": server["url"]})


@rule(
    "server-variables",
    INFO,
    (
        "服务地址 {url} 的变量 {name} 没有默认值。",
        "The variable {name} of the server address {url} has no default.",
    ),
    hint=("在 servers.variables 里写 default。", "State a default in servers.variables."),
    reason=("没有默认值的地址无法使用。", "An address without a default cannot be used."),
    source="OpenAPI 3.1.1 §4.8.6",
)
def _server_variables(subject: Subject) -> Iterator[Hit]:
    for index, server in enumerate(subject.document.get("servers", ())):
        url = str(server.get("url", ""))
        variables = profile.as_object(server.get("variables"))
        for name in [piece.split("}", 1)[0] for piece in url.split("{")[1:]]:
            if "default" not in profile.as_object(variables.get(name)):
                yield Hit(f"/servers/{index}/url", {"url": url, "name": name})


@rule(
    "release-semver",
    INFO,
    ("info.version {release} 不是语义化版本。", "info.version {release} is no semantic version."),
    hint=("写 主.次.修订,例如 1.4.0。", "Write major.minor.patch, 1.4.0 for example."),
    reason=(
        "版本号由契约差异决定,SDK 据此编号。",
        "The contract's differences decide the number, and SDKs carry it.",
    ),
    source="Semantic Versioning 2.0.0",
)
def _semver(subject: Subject) -> Iterator[Hit]:
    parts = subject.service.release.split("-", maxsplit=1)[0].split("+", maxsplit=1)[0].split(".")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):
        yield Hit("/info/version", {"release": subject.service.release})


def _parsed(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@rule(
    "sunset-missing",
    WARNING,
    ("{what} 已弃用,但没有下线日期。", "{what} is deprecated, but no sunset is stated."),
    hint=("在 x-deprecation 里写 at 与 sunset。", "State at and sunset in x-deprecation."),
    reason=("使用者需要知道还有多少时间。", "Users need to know how much time is left."),
    source="RFC 8594, RFC 9745",
)
def _sunset_missing(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        is_deprecated = (
            subject.written(operation).get("deprecated") is True or operation.deprecation is not None
        )
        if is_deprecated and (operation.deprecation is None or not operation.deprecation.sunset):
            yield Hit(operation.pointer, {"what": operation.id})
    if subject.service.status == "deprecated" and subject.service.deprecation is None:
        yield Hit("/info", {"what": subject.service.key})


@rule(
    "sunset-order",
    ERROR,
    ("下线日期 {sunset} 早于弃用日期 {at}。", "The sunset {sunset} is earlier than the deprecation {at}."),
    hint=("下线日期不得早于弃用日期。", "Put the sunset no earlier than the deprecation."),
    reason=("Sunset 头不得早于 Deprecation。", "A Sunset must not be earlier than the Deprecation."),
    source="RFC 9745 §4",
)
def _sunset_order(subject: Subject) -> Iterator[Hit]:
    places = [(operation.pointer, operation.deprecation) for operation in subject.operations]
    for pointer, deprecation in [("/info", subject.service.deprecation), *places]:
        if deprecation is None:
            continue
        at, sunset = _parsed(deprecation.at), _parsed(deprecation.sunset)
        if at and sunset and sunset < at:
            yield Hit(join(pointer, "x-deprecation"), {"sunset": deprecation.sunset, "at": deprecation.at})


@rule(
    "name-proposed",
    INFO,
    ("服务名 {name} 由标题推出。", "The service name {name} was made from the title."),
    hint=(
        "发布前在 overlay 里改成你想要的名字,之后不能改。",
        "Set the name you want in the overlay before publishing; later it cannot change.",
    ),
    reason=("名字出现在地址、权限范围与 SDK 里。", "The name stands in addresses, scopes and SDKs."),
    source="design §3",
)
def _name_proposed(subject: Subject) -> Iterator[Hit]:
    if subject.is_foreign:
        yield Hit("/info", {"name": subject.service.name})
