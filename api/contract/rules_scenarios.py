"""Lint rules about x-scenarios: unique ids, parameters that exist, declared statuses, bodies that fit."""

from collections.abc import Iterator

from api.contract.judge import without_presence
from api.contract.model import Operation, Response, Scenario
from api.contract.normalise_bodies import is_json
from api.contract.pointers import join
from api.contract.rule import ERROR, WARNING, Hit, Subject, rule

_BODY_KEY = "body"


def _scenarios(subject: Subject) -> Iterator[tuple[Operation, int, Scenario]]:
    for operation in subject.operations:
        for index, scenario in enumerate(operation.scenarios):
            yield operation, index, scenario


def _hit(operation: Operation, index: int, scenario: Scenario, *tokens: str, **facts: object) -> Hit:
    pointer = join(operation.pointer, "x-scenarios", index, *tokens)
    return Hit(pointer, {"operation": operation.id, "id": scenario.id, **facts})


@rule(
    "scenario-id",
    ERROR,
    ("场景 {id} 在 {operation} 里不唯一。", "The scenario {id} is not unique in {operation}."),
    hint=("给每个场景自己的 id。", "Give each scenario an id of its own."),
    reason=("请求头 Kaimen-Scenario 按 id 选择场景。", "The header Kaimen-Scenario picks a scenario by id."),
    source="design §3, §4",
)
def _ids(subject: Subject) -> Iterator[Hit]:
    seen: set[tuple[str, str]] = set()
    for operation, index, scenario in _scenarios(subject):
        if (operation.id, scenario.id) in seen:
            yield _hit(operation, index, scenario, "id")
        seen.add((operation.id, scenario.id))


@rule(
    "scenario-title",
    WARNING,
    ("场景 {id} 缺少{language}标题。", "The scenario {id} has no title in {language}."),
    hint=("写 title: {{zh-CN: …, en: …}}。", "Write title: {{zh-CN: …, en: …}}."),
    reason=("文档与门户以两种语言列出场景。", "Docs and portal list scenarios in both languages."),
    source="design §3",
)
def _titles(subject: Subject) -> Iterator[Hit]:
    for operation, index, scenario in _scenarios(subject):
        families = {language.split("-", maxsplit=1)[0] for language in scenario.title}
        for family, language in (("zh", "中文 Chinese"), ("en", "英文 English")):
            if family not in families:
                yield _hit(operation, index, scenario, "title", language=language)


@rule(
    "scenario-when",
    ERROR,
    (
        "场景 {id} 的 when.{name} 不是 {operation} 的参数。",
        "when.{name} of the scenario {id} is no parameter of {operation}.",
    ),
    hint=("when 里写参数名,或 body 里的属性。", "Name parameters in when, or properties of the body."),
    reason=("对不上参数的场景永远不会触发。", "A scenario that matches no parameter never fires."),
    source="design §3",
)
def _when(subject: Subject) -> Iterator[Hit]:
    for operation, index, scenario in _scenarios(subject):
        known = {one.name for one in operation.parameters}
        if operation.body:
            known |= {_BODY_KEY} | {
                name for media in operation.body.media for name, _ in subject.reached_properties(media.schema)
            }
        for name in scenario.when:
            if name.removeprefix("body.").split(".")[0] not in known and name not in known:
                yield _hit(operation, index, scenario, "when", name, name=name)


@rule(
    "scenario-when-value",
    ERROR,
    (
        "场景 {id} 的 when.{name} 不符合参数的 schema:{error}。",
        "when.{name} of the scenario {id} does not fit the parameter's schema: {error}.",
    ),
    hint=("写一个能通过校验的值。", "Write a value that passes validation."),
    reason=(
        "校验在场景之前:这个请求到不了场景。",
        "Validation comes before scenarios: the request never gets there.",
    ),
    source="design §2, §3",
)
def _when_value(subject: Subject) -> Iterator[Hit]:
    for operation, index, scenario in _scenarios(subject):
        for parameter in operation.parameters:
            if parameter.name in scenario.when:
                error = subject.judge.error_of(scenario.when[parameter.name], parameter.schema)
                if error:
                    yield _hit(
                        operation, index, scenario, "when", parameter.name, name=parameter.name, error=error
                    )


@rule(
    "scenario-status",
    ERROR,
    (
        "场景 {id} 答 {status},但 {operation} 没有声明它。",
        "The scenario {id} answers {status}, which {operation} does not declare.",
    ),
    hint=("在 responses 里声明这个状态。", "Declare the status in responses."),
    reason=("场景只能做契约允许的事。", "A scenario can only do what the contract allows."),
    source="design §3",
)
def _status(subject: Subject) -> Iterator[Hit]:
    for operation, index, scenario in _scenarios(subject):
        status = scenario.then.get("status")
        if isinstance(status, int) and _response(operation, status) is None:
            yield _hit(operation, index, scenario, "then", "status", status=status)


@rule(
    "scenario-body",
    ERROR,
    (
        "场景 {id} 的响应不符合 schema:{error}。",
        "The answer of the scenario {id} does not fit its schema: {error}.",
    ),
    hint=(
        "then.body 写响应的一部分;写出的每个值都要符合 schema。",
        "then.body states a part of the answer; every value that it states must fit the schema.",
    ),
    reason=(
        "沙箱也校验响应:这样的场景做不出来。",
        "The sandbox checks answers too: such a scenario cannot happen.",
    ),
    source="design §2, §3",
)
def _body(subject: Subject) -> Iterator[Hit]:
    for operation, index, scenario in _scenarios(subject):
        status = scenario.then.get("status")
        response = _response(operation, status) if isinstance(status, int) else None
        if response is None or "body" not in scenario.then:
            continue
        for media in response.media:
            if is_json(media.content_type) and media.schema is not None:
                error = subject.partial_judge.error_of(scenario.then["body"], without_presence(media.schema))
                if error:
                    yield _hit(operation, index, scenario, "then", "body", error=error)


def _response(operation: Operation, status: int) -> Response | None:
    wanted = (str(status), f"{status // 100}XX", "default")
    return next((one for key in wanted for one in operation.responses if one.status == key), None)
