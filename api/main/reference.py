"""Reference pages, generated from the code they describe: file name under docs/ -> Markdown.

Bilingual in one page, Chinese first: a reference table needs no second copy that could differ.
"""

import importlib
import json

import click

from api.core.problems import REGISTRY, ProblemType
from api.main.reference_city import city_page
from api.main.reference_table import table
from api.settings import describe_settings
from sandbox.city.inventory import problem_types

PROBLEM_MODULES = (
    "api.core.problem_types",
    "api.core.problem_types_platform",
    "api.core.problem_types_downloads",
    "api.core.problem_types_people",
    "api.core.problem_types_consent",
    "api.core.problem_types_events",
    "sandbox.city.problem_types",
)


def _problem_kinds() -> list[ProblemType]:
    """The platform's problem types, then those of the city's departments: every `type` URI has its page."""
    for module in PROBLEM_MODULES:
        importlib.import_module(module)
    return [*REGISTRY.values(), *problem_types()]


def pages() -> dict[str, str]:
    """All generated pages."""
    made = {"problems/index.md": _problem_index(), "reference/settings.md": _settings_page()}
    made |= {f"problems/{kind.slug}.md": _problem_page(kind) for kind in _problem_kinds()}
    made["reference/cli.md"] = _cli_page()
    made["reference/city.md"] = city_page()
    made["reference/lint-rules.md"] = _rules_page()
    made["reference/profile.md"] = _profile_page()
    made["reference/platform-api.md"] = _platform_page()
    return made


def _problem_index() -> str:
    rows = [
        [f"[`{kind.slug}`]({kind.slug}.md)", kind.status, f"`{kind.step}`" if kind.step else "—", f"{kind.title.zh} · {kind.title.en}"]
        for kind in _problem_kinds()
    ]  # fmt: skip
    return (
        "# 问题类型 · Problem types\n\n"
        "每个错误都是 `application/problem+json`(RFC 9457):`type` 指向这里的一页,`step` 是拒绝请求的步骤,"
        "`rule` 是规则,`next` 是下一步该做什么。\n\n"
        "Every error is `application/problem+json` (RFC 9457): `type` leads to a page here, `step` is the step of the "
        "request that refused, `rule` the rule, `next` what to do.\n\n"
        + table(["类型 · type", "状态 · status", "步骤 · step", "标题 · title"], rows)
    )


def _problem_page(kind: ProblemType) -> str:
    shown = {"type": f"…/docs/problems/{kind.slug}/", "title": kind.title.en, "status": kind.status}
    if kind.step:
        shown["step"] = kind.step
    shown |= {"rule": kind.slug, "detail": kind.detail.en, "next": kind.next.en, "request_id": "rs_…"}
    step = f" · `{kind.step}`" if kind.step else ""
    again = "\n可重试 · may be retried\n" if kind.is_retryable else ""
    return (
        f"# {kind.title.zh} · {kind.title.en}\n\n`{kind.slug}` · HTTP {kind.status}{step}\n{again}\n"
        f"## 为什么 · Why\n\n{kind.cause.zh}\n\n{kind.cause.en}\n\n"
        f"## 下一步 · What to do\n\n{kind.next.zh}\n\n{kind.next.en}\n\n"
        f"## 响应 · Answer\n\n```json\n{json.dumps(shown, ensure_ascii=False, indent=2)}\n```\n"
    )


def _settings_page() -> str:
    rows = [
        [f"`{row.variable}`", row.type, f"`{row.default}`" if row.default != "" else "—", row.unit or "—",
         f"`{row.range}`" if row.range else "—", row.description]
        for row in describe_settings()
    ]  # fmt: skip
    return (
        "# 设置 · Settings\n\n从环境变量读取一次;未知的名字与越界的值会在启动时报告。"
        "Read once from the environment; unknown names and values out of range are told at start.\n\n"
        + table(
            [
                "变量 · variable",
                "类型 · type",
                "默认 · default",
                "单位 · unit",
                "范围 · range",
                "含义 · meaning",
            ],
            rows,
        )
    )


def _cli_page() -> str:
    root = importlib.import_module("api.main.cli").main
    head = (
        "# 命令行 · Command line\n\n退出码 · exit codes: 0 完成 done · 1 被拒绝或失败 refused or failed · "
        "2 用法错误 wrong usage · 3 连不上服务器 no server\n"
    )
    parts = [head]
    context = click.Context(root)
    parts += [
        _command_text(root.get_command(context, name), f"kaimen {name}")
        for name in root.list_commands(context)
    ]
    return "\n".join(parts)


def _command_text(command: click.Command, path: str) -> str:
    context = click.Context(command, info_name=path)
    text = f"## `{path}`\n\n{(command.help or '').strip()}\n"
    if isinstance(command, click.Group):
        return text + "\n" + "\n".join(
            _command_text(sub, f"{path} {name}") for name, sub in sorted(command.commands.items())
        )  # fmt: skip
    usage = " ".join(command.collect_usage_pieces(context))
    text += f"\n```\n{path} {usage}\n```\n\n"
    rows = []
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record:
            rows.append([f"`{record[0]}`", record[1] or "—"])
    return text + (table(["选项 · option", "含义 · meaning"], rows) if rows else "")


def _rules_page() -> str:
    rules = importlib.import_module("api.contract.rules").RULES
    rows = [
        [f"`{rule.id}`", rule.severity.value, f"{rule.reason[0]} {rule.reason[1]}", rule.source]
        for rule in rules
    ]
    return f"# 契约检查规则 · Lint rules\n\n`kaimen contract lint FILE` · {len(rows)} rules\n\n" + table(
        ["规则 · rule", "级别 · severity", "理由 · reason", "来源 · source"], rows
    )


def _profile_page() -> str:
    module = importlib.import_module("api.contract.profile")
    schema = module.profile_schema()
    return (
        "# 契约规范 · Contract profile\n\nOpenAPI 3.1 加上我们的 `x-` 扩展。"
        "OpenAPI 3.1 with our `x-` extensions, as JSON Schema 2020-12 (`api/contract/profile.schema.json`).\n\n"
        f"```json\n{json.dumps(schema, ensure_ascii=False, indent=2)}\n```\n"
    )


def _platform_page() -> str:
    document = importlib.import_module("api.main.compose").platform_openapi()
    rows = [
        [f"`{method.upper()} {path}`", operation.get("summary", ""), ", ".join(operation.get("tags", []))]
        for path, item in sorted(document["paths"].items())
        for method, operation in item.items()
        if isinstance(operation, dict) and "responses" in operation
    ]
    return (
        "# 平台接口 · Platform API\n\n门户能做的一切,都有接口;完整契约在 `/platform/openapi.json`。"
        "Everything the portal can do, as an API; the whole contract is at `/platform/openapi.json`.\n\n"
        + table(["操作 · operation", "作用 · summary", "类别 · tag"], rows)
    )
