"""The reference page of the simulated city, generated: its personas, its services, every scenario that it plays."""

from typing import Any

from api.contract.model import Operation, Scenario, Service
from api.main.reference_table import table
from sandbox.city.casting import cast
from sandbox.city.inventory import read_desks, read_services
from sandbox.city.schemas import Persona

_HEAD = """# 模拟城市 · The simulated city

沙箱背后的部门、人物与场景。这里的代码与号码在每一座城市里都相同,与种子无关;校验位正确,但所在号段不属于任何人。
怎样使用见[在模拟城市里试验](../how-to/try-the-city.md)。

The departments, personas and scenarios behind the sandbox. These codes and numbers are the same in every city,
whatever its seed; their check characters are right, and their ranges belong to nobody. How to use them:
[Try things in the city](../how-to/try-the-city.md).
"""


def city_page() -> str:
    """The Markdown of reference/city."""
    people = cast()
    parts = [
        _HEAD,
        "## 企业 · Companies\n",
        _personas([one for one in people if one.kind == "organisation"]),
        "## 人物 · People\n",
        _personas([one for one in people if one.kind == "person"]),
    ]
    parts += [_service(service) for service in (*read_services().values(), *read_desks().values())]
    return "\n".join(parts)


def _personas(people: list[Persona]) -> str:
    rows = [
        [f"`{one.id}`", f"`{one.code}`", f"{one.name}<br>{one.english_name}", f"{one.story['zh']}<br>{one.story['en']}"]
        for one in people
    ]  # fmt: skip
    return table(["id", "代码 · code", "名称 · name", "故事 · story"], rows)


def _service(service: Service) -> str:
    title = service.texts.get("en", {}).get("title", "")
    parts = [f"## {service.title} · {title} `{service.key}`\n"]
    for operation in service.operations:
        english = operation.texts.get("en", {}).get("title", "")
        parts.append(f"### {operation.summary} · {english} `{operation.id}`\n")
        parts.append(
            f"`{operation.method} /api/{service.name}/{service.version}{operation.path}` · {operation.level}\n"
        )
        parts.append(_scenarios(operation))
    return "\n".join(parts)


def _scenarios(operation: Operation) -> str:
    rows = [
        [f"`{one.id}`", f"{one.title.get('zh-CN', '')}<br>{one.title.get('en', '')}", _pairs(one.when), _pairs(one.given), _outcome(one)]
        for one in operation.scenarios
    ]  # fmt: skip
    return table(["场景 · scenario", "", "触发值 · when", "前提 · given", "结果 · then"], rows)


def _pairs(values: dict[str, Any]) -> str:
    return "<br>".join(f"`{key}: {value}`" for key, value in values.items()) or "—"


def _outcome(scenario: Scenario) -> str:
    problem = scenario.then.get("problem")
    status = str(scenario.then["status"])
    return f"{status} [`{problem}`](../problems/{problem}.md)" if problem else status
