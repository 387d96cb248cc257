"""The refusals of an operation written out: one response for each status, one example for each problem."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from api.contract import profile
from api.contract.model import Json, JsonObject

PROBLEM_NAME = "Problem"
_MEDIA = "application/problem+json"
_REQUEST_ID = "rs_00000000000000000000000000"
_UNKNOWN = "…"
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def _texts(zh: str, en: str) -> JsonObject:
    return {"description": zh, "x-i18n": {"zh-CN": {"description": zh}, "en": {"description": en}}}


PROBLEM: JsonObject = {
    "type": "object",
    **_texts("问题（RFC 9457）。", "A problem (RFC 9457)."),
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            **_texts("问题类型，指向说明页。", "Problem type; leads to its page."),
        },
        "title": {"type": "string", **_texts("标题。", "Title.")},
        "status": {"type": "integer", **_texts("状态码。", "Status.")},
        "detail": {"type": "string", **_texts("说明。", "Detail.")},
        "step": {"type": "string", **_texts("拒绝请求的步骤。", "The step that refused.")},
        "rule": {"type": "string", **_texts("规则。", "The rule.")},
        "next": {"type": "string", **_texts("下一步该做什么。", "What to do next.")},
        "request_id": {"type": "string", **_texts("请求编号。", "Request id.")},
        "instance": {
            "type": "string",
            "format": "uri-reference",
            **_texts("本次请求的记录。", "The record of this request."),
        },
    },
}
_BY_STATUS = {
    400: ("请求有误。", "The request is not right."),
    403: ("不予允许。", "It is not allowed."),
    404: ("没有找到。", "Not found."),
    409: ("与当前状态冲突。", "It conflicts with the present state."),
    410: ("已不存在。", "It is gone."),
    412: ("前提已改变。", "A precondition no longer holds."),
    422: ("部门不予受理。", "The department refuses it."),
    429: ("请求过多。", "Too many requests."),
    451: ("依法不提供。", "The law forbids giving it."),
    502: ("部门系统答复有误。", "The department's system answers wrongly."),
    503: ("部门系统暂时不可用。", "The department's system is down for now."),
    504: ("部门系统没有及时答复。", "The department's system did not answer in time."),
}
_OTHER = ("部门拒绝或未能办理。", "The department refuses it or cannot do it.")


def refused() -> JsonObject:
    """The response for everything else that may be refused: by the platform, on the way."""
    made = _texts("平台拒绝或失败：见 type。", "The platform refused or failed; see type.")
    return {**made, "content": {_MEDIA: {"schema": _schema()}}}


def add_refusals(operation: JsonObject, problems: Mapping[str, JsonObject]) -> None:
    """Add what `x-refusals` names to the operation's responses, and `default`. What stands there stays.

    Slugs that no problem has are left alone: lint tells them.
    """
    written = operation.setdefault("responses", {})
    facts = _facts_of(operation)
    responses = {key: one for key, one in written.items() if key != "default"}
    for slug in operation["x-refusals"]:
        entry = problems.get(slug) if isinstance(slug, str) else None
        if entry is None or not isinstance(entry.get("status"), int):
            continue
        status = entry["status"]
        response = responses.setdefault(str(status), _texts(*_BY_STATUS.get(status, _OTHER)))
        content = response.setdefault("content", {})
        if not content or _MEDIA in content:
            media = content.setdefault(_MEDIA, {"schema": _schema()})
            stated = profile.as_object(entry.get("example"))
            named = {**facts, **stated, **_facts_of_scenario(operation, slug)}
            media.setdefault("examples", {}).setdefault(slug, _example(slug, entry, named))
    successes = [key for key in responses if key[:1] in {"1", "2", "3"} or key.startswith("x-")]
    ordered = [*successes, *sorted(key for key in responses if key not in successes)]
    default = written.get("default") or refused()
    operation["responses"] = {**{key: responses[key] for key in ordered}, "default": default}


def _schema() -> JsonObject:
    return {"$ref": f"#/components/schemas/{PROBLEM_NAME}"}


def _example(slug: str, entry: JsonObject, facts: Mapping[str, Any]) -> JsonObject:
    titles = profile.texts_of(entry.get("title"))
    texts = {field: _in_chinese(profile.texts_of(entry.get(field))) for field in ("title", "detail", "next")}
    named = {
        name: facts.get(name, _UNKNOWN) for text in texts.values() for name in _PLACEHOLDER.findall(text)
    }

    def fill(text: str) -> str:
        return _PLACEHOLDER.sub(lambda match: str(named[match[1]]), text)

    return {
        "summary": texts["title"],
        "x-i18n": {language: {"title": title} for language, title in titles.items()},
        "value": {
            **{name: value for name, value in named.items() if value != _UNKNOWN},
            "type": f"/docs/problems/{slug}/",
            "title": fill(texts["title"]),
            "status": entry["status"],
            "detail": fill(texts["detail"]),
            "step": "call",
            "rule": slug,
            "next": fill(texts["next"]),
            "request_id": _REQUEST_ID,
            "instance": f"/platform/v1/requests/{_REQUEST_ID}",
        },
    }


def _in_chinese(texts: Mapping[str, str]) -> str:
    return texts.get("zh-CN") or texts.get("zh") or next(iter(texts.values()), "")


def _facts_of(operation: JsonObject) -> dict[str, Any]:
    """What the operation's examples call by name: its parameters, then what its body holds."""
    found: dict[str, Any] = {}
    for media in profile.as_object(profile.as_object(operation.get("requestBody")).get("content")).values():
        for name, value in _leaves(_example_of(media)):
            found.setdefault(name, value)
    for parameter in operation.get("parameters", ()):
        value = _example_of(parameter)
        if isinstance(value, str | int | float):
            found[str(parameter.get("name"))] = value
    return found


def _facts_of_scenario(operation: JsonObject, slug: str) -> dict[str, Any]:
    """The values that bring about this refusal, where a scenario gives some."""
    scenarios = operation.get("x-scenarios")
    for scenario in scenarios if isinstance(scenarios, list) else ():
        if profile.as_object(profile.as_object(scenario).get("then")).get("problem") == slug:
            when = profile.as_object(profile.as_object(scenario).get("when"))
            given = {name: value for name, value in when.items() if isinstance(value, str | int | float)}
            return {**dict(_leaves(when.get("body"))), **given}
    return {}


def _example_of(holder: Json) -> Json:
    holder = profile.as_object(holder)
    if "example" in holder:
        return holder["example"]
    named = (
        one.get("value")
        for one in profile.as_object(holder.get("examples")).values()
        if isinstance(one, dict)
    )
    examples = profile.as_object(holder.get("schema")).get("examples")
    return next(named, examples[0] if isinstance(examples, list) and examples else None)


def _leaves(value: Json) -> Iterator[tuple[str, Any]]:
    """Names and plain values inside an example, outer ones first; lists are passed over."""
    level = [value]
    while level:
        following: list[Json] = []
        for one in level:
            for name, item in profile.as_object(one).items():
                if isinstance(item, dict):
                    following.append(item)
                elif isinstance(item, str | int | float):
                    yield name, item
        level = following
