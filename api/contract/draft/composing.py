"""Drafted operations -> a contract in the lean form: levels, refusals, scenarios and examples included.

What is guessed is the strict choice: closed, L2 at least, consent where there are personal data of L3.
"""

from typing import Any

from msgspec import Struct

from api.contract.draft import checks, notices
from api.contract.draft.examples import example_of, example_record
from api.contract.draft.operations import Drafted, is_personal
from api.contract.draft.parts import Field
from api.contract.draft.schemas import Schemas, plain_schema, texts
from api.contract.model import JsonObject
from api.contract.naming import pascal
from api.contract.report import Report

PURPOSE = "service-handling"
BASES = ("consent", "contract", "statutory-duty")


class Choices(Struct, frozen=True):
    """What the officer may state instead of having it guessed."""

    name: str
    title_zh: str
    title_en: str
    department: str
    basis: str = ""  # of operations with personal data of L3; "" = consent
    law: str = ""
    article: str = ""


def contract_of(operations: list[Drafted], choices: Choices, report: Report) -> JsonObject:
    """The document."""
    schemas = Schemas()
    problems: JsonObject = {}
    paths: JsonObject = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method] = _Composer(
            one, choices, schemas, problems, report
        ).operation()
    tags = {one.resource: one for one in operations}
    scopes = {scope: text for one in operations for scope, text in [_scope(one, choices)]}
    return {
        "openapi": "3.1.0",
        "info": _info(choices, operations),
        "servers": [{"url": f"/api/{choices.name}/v1", "description": "网关 · the gateway"}],
        "tags": [
            {"name": name, **texts(_noun(one), name.replace("-", " ").capitalize())}
            for name, one in tags.items()
        ],
        "x-problems": problems,
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "securitySchemes": {"kaimen": _scheme(scopes)},
        },
    }


def _info(choices: Choices, operations: list[Drafted]) -> JsonObject:
    zh, en = (
        f"{choices.title_zh}，由部门提供。起草稿，发布前请核对。",
        f"{choices.title_en}, offered by the department. A draft; check it before it is published.",
    )
    info: JsonObject = {
        "title": choices.title_zh,
        "version": "1.0.0",
        "description": zh,
        "x-i18n": {"en": {"title": choices.title_en, "description": en}},
        "x-name": choices.name,
        "x-department": choices.department,
        "x-owner": {"name": choices.department},
        "x-status": "alpha",
        "x-grade": "general",
        "x-level": "L2",
        "x-share": {
            "share": "conditional",
            "basis": "《政务数据共享条例》",
            "conditions": "说明用途 · for a stated purpose",
        },
        "x-open": "closed",
        "x-audience": "third-party",
        "x-basis": "contract",
        "x-quota": "standard",
        "x-directory": {
            "code": f"DRAFT-{choices.name}",
            "path": f"{choices.department}/{choices.title_zh}",
            "update": "daily",
        },
    }
    if any(_level(one) >= "L3" for one in operations):
        info["x-purposes"] = {
            PURPOSE: {"zh-CN": "办理本人申请的事项", "en": "To handle what the person asked for"}
        }
    return info


def _scheme(scopes: dict[str, tuple[str, str]]) -> JsonObject:
    return {
        "type": "oauth2",
        "description": "应用以 client_credentials 换取令牌 · an app gets a token with client_credentials",
        "flows": {
            "clientCredentials": {
                "tokenUrl": "/oauth/token",
                "scopes": {scope: zh for scope, (zh, _) in scopes.items()},
            }
        },
        "x-scopes": {scope: {"texts": {"zh-CN": zh, "en": en}} for scope, (zh, en) in scopes.items()},
    }


def _noun(one: Drafted) -> str:
    """What the operation is about, in Chinese."""
    if one.record is not None:
        return one.record.zh or "记录"
    return one.zh


def _scope(one: Drafted, choices: Choices) -> tuple[str, tuple[str, str]]:
    verb = "write" if one.is_write else "read"
    word = ("办理", "Submit") if one.is_write else ("读取", "Read")
    return f"{choices.name}:{one.resource}:{verb}", (
        f"{word[0]}{_noun(one)}",
        f"{word[1]} {one.resource.replace('-', ' ')}",
    )


def _level(one: Drafted) -> str:
    def levels(fields: list[Field]) -> list[str]:
        return [
            level for each in fields for level in ([each.level] if each.level else []) + levels(each.fields)
        ]

    return max(["L2", *levels(one.answer), *levels(one.body), *levels([each for _, each in one.parameters])])


class _Composer:
    def __init__(
        self, one: Drafted, choices: Choices, schemas: Schemas, problems: JsonObject, report: Report
    ) -> None:
        self._one = one
        self._choices = choices
        self._schemas = schemas
        self._problems = problems
        self._report = report
        self._name = one.schema
        self._slug = f"{choices.name}-{one.resource}" if one.resource != choices.name else choices.name

    def operation(self) -> JsonObject:
        one = self._one
        more = ("；每页至多 100 条", ", a page of at most 100") if one.is_list else ("", "")
        made: JsonObject = {
            "operationId": one.id,
            "summary": one.zh,
            "description": f"{one.zh}{more[0]}。",
            "x-i18n": {"en": {"title": one.en, "description": f"{one.en}{more[1]}."}},
            "tags": [one.resource],
            "x-resource": one.resource,
            "x-verb": one.verb,
            **self._policy(),
            "security": [{"kaimen": [_scope(one, self._choices)[0]]}],
        }
        parameters = [self._parameter(where, each) for where, each in one.parameters]
        if parameters:
            made["parameters"] = parameters
        if one.body:
            made["requestBody"] = self._body()
        status, answer = self._answer()
        made["responses"] = {status: answer}
        refusals, scenarios = self._scenarios(status)
        return {**made, "x-refusals": refusals, "x-scenarios": scenarios}

    def _policy(self) -> JsonObject:
        one, level = self._one, _level(self._one)
        made: JsonObject = {"x-level": level}
        if level >= "L3":
            made |= {"x-basis": self._basis(), "x-purpose": [PURPOSE]}
        if is_personal(one.answer) or is_personal(one.body):
            made["x-subject"] = "person" if self._has_person() else "organisation"
        made["x-quota"] = "light" if one.key is not None and not one.is_list else "standard"
        if one.method == "post":
            made["x-idempotent"] = True
        if one.is_list:
            made["x-pagination"] = {
                "style": "cursor",
                "cursor": "cursor",
                "size": "limit",
                "items": "items",
                "next": "next",
            }
            made["x-max-rows"] = 100
        elif any(each.is_list for each in one.answer):
            made["x-max-rows"] = 1000
        return made

    def _basis(self) -> Any:
        basis = self._choices.basis or "consent"
        if not self._choices.basis:
            self._report.find(notices.GUESSED_BASIS, f"/operation/{self._one.id}", basis=basis)
        if basis == "statutory-duty":
            return {
                "basis": basis,
                "law": self._choices.law or "（待补）",
                "article": self._choices.article or "（待补）",
            }
        return basis

    def _has_person(self) -> bool:
        kinds = [each.kind for each in (*self._one.answer, *self._one.body)]
        is_of_company = any(
            each.element == "GB 32100-2015"
            for each in (*self._one.answer, *self._one.body, *(f for _, f in self._one.parameters))
        )
        return "id-number" in kinds or not is_of_company

    def _parameter(self, where: str, field: Field) -> JsonObject:
        made: JsonObject = {"name": field.name, "in": where}
        if where == "path" or field.is_required:
            made["required"] = True
        return {
            **made,
            **texts(field.zh or field.native, field.en or field.name),
            "schema": plain_schema(field),
            "example": example_of(field),
        }

    def _body(self) -> JsonObject:
        one = self._one
        schema = self._schemas.object_of(
            f"{pascal(one.verb)}{pascal(one.resource)}Request",
            one.body,
            f"{one.zh}的请求",
            f"{one.en}: the request",
        )
        return {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": example_record(one.body)}},
        }

    def _answer(self) -> tuple[str, JsonObject]:
        one = self._one
        noun, english = _noun(one), one.resource.replace("-", " ")
        schema = self._schemas.object_of(one.schema, one.answer, f"{noun}。", f"{english.capitalize()}.")
        example: Any = example_record(one.answer)
        if one.is_list:
            schema = self._page(schema, noun, english)
            example = {"items": [example], "next": "KM000001"}
        status = "201" if one.is_write and one.verb == "create" else "200"
        said = (
            (f"一页{noun}。", f"A page of {english}.")
            if one.is_list
            else (f"{noun}。", f"{english.capitalize()}.")
        )
        return status, {
            **texts(*said),
            "content": {"application/json": {"schema": schema, "example": example}},
        }

    def _page(self, schema: JsonObject, noun: str, english: str) -> JsonObject:
        items = {
            "type": "array",
            "items": schema,
            "maxItems": 100,
            **texts("本页的内容。", "What the page holds."),
        }
        following = {
            "type": "string",
            "maxLength": 200,
            **texts("下一页的 cursor；没有就是最后一页。", "`cursor` of the next page; absent on the last."),
        }
        made = {"type": "object", **texts(f"一页{noun}。", f"A page of {english}."), "required": ["items"],
                "properties": {"items": items, "next": following}}  # fmt: skip
        name = f"{self._one.schema}Page"
        self._schemas.components[name] = made
        return {"$ref": f"#/components/schemas/{name}"}

    # --- refusals and scenarios --------------------------------------------------------------------
    def _scenarios(self, status: str) -> tuple[list[str], list[JsonObject]]:
        one = self._one
        found: JsonObject = {"id": "found" if not one.is_write else "accepted", "title": {"zh-CN": "查到", "en": "Found"}, "given": {},
                             "when": self._when(1), "then": {"status": int(status)}, "state": {}}  # fmt: skip
        if one.is_write:
            found["title"] = {"zh-CN": "受理", "en": "Accepted"}
        if one.is_list:
            return self._list_scenarios(found)
        missing = self._problem("not-found", 404, ("没有找到", "Not found"), (f"没有相符的{_noun(one)}。", f"There is no such {one.resource.replace('-', ' ')}."),
                                ("核对所填内容。", "Check what was given."), ("部门的系统里没有相符的记录。", "The department's system has no such record."))  # fmt: skip
        kind = one.resource.replace("-", "_")
        absent = {"id": "not-found", "title": {"zh-CN": "查不到", "en": "Not found"}, "given": {kind: "absent"}, "when": self._when(2),
                  "then": {"status": 404, "problem": missing}, "state": {}}  # fmt: skip
        slug, refused = self._refusal(kind)
        return [missing, slug], [found, absent, refused]

    def _list_scenarios(self, found: JsonObject) -> tuple[list[str], list[JsonObject]]:
        kind = self._one.resource.replace("-", "_")
        broken = self._problem("cursor-invalid", 400, ("游标无效", "The cursor is not valid"), ("cursor 已损坏，或属于另一个列表。", "The cursor is broken or belongs to another list."),
                               ("从第一页重新开始。", "Begin again at the first page."), ("游标只对得到它的那个列表有效。", "A cursor is good only for the list that gave it."))  # fmt: skip
        found = {**found, "when": {}, "given": {f"{kind}.count": 1}}
        empty = {"id": "not-found", "title": {"zh-CN": "一条也没有", "en": "None at all"}, "given": {kind: "absent"}, "when": {},
                 "then": {"status": 200, "body": {"items": []}}, "state": {}}  # fmt: skip
        refused = {"id": "cursor-invalid", "title": {"zh-CN": "游标无效", "en": "A broken cursor"}, "given": {}, "when": {"cursor": "broken"},
                   "then": {"status": 400, "problem": broken}, "state": {}}  # fmt: skip
        return [broken], [found, empty, refused]

    def _refusal(self, kind: str) -> tuple[str, JsonObject]:
        key = self._one.key
        if key is not None and key.schema.get("pattern") in {checks.CITIZEN_PATTERN, checks.CREDIT_PATTERN}:
            slug = self._problem("invalid", 400, ("校验码不符", "The check character is wrong"), (f"{key.zh}的校验码不对。", f"The check character of the {key.en.lower()} is wrong."),
                                 ("核对号码，注意易混字符。", "Check it for mistyped characters."), ("查询前先核对校验码。", "Check characters are verified before any look-up."))  # fmt: skip
            when = self._when(1, checks.with_wrong_check(str(example_of(key))))
            return slug, {"id": "invalid", "title": {"zh-CN": "校验码不符", "en": "A wrong check character"}, "given": {}, "when": when,
                          "then": {"status": 400, "problem": slug}, "state": {}}  # fmt: skip
        slug = self._problem("withheld", 422, ("部门不予办理", "The department refuses it"), ("依规定，此项不予提供或受理。", "By its rules the department neither gives nor takes this."),
                             ("向部门询问原因。", "Ask the department why."), ("部门的规定不允许。", "The department's rules do not allow it."))  # fmt: skip
        return slug, {"id": "refused", "title": {"zh-CN": "部门不予办理", "en": "Refused by the department"}, "given": {f"{kind}.withheld": True}, "when": {},
                      "then": {"status": 422, "problem": slug}, "state": {}}  # fmt: skip

    def _when(self, number: int, value: Any = None) -> JsonObject:
        """Magic values for the key; {} where there is no key, or no second value of it."""
        key = self._one.key
        if key is None or key.is_object or key.is_list:
            return {}
        chosen = example_of(key, number) if value is None else value
        if value is None and number > 1 and chosen == example_of(key, 1):
            return {}
        return {"body": {key.name: chosen}} if key in self._one.body else {key.name: chosen}

    def _problem(
        self, what: str, status: int, title: tuple[str, str], detail: tuple[str, str], following: tuple[str, str], cause: tuple[str, str]
    ) -> str:  # fmt: skip
        slug = f"{self._slug}-{what}"[:80]
        entry = {"status": status}
        both = {"title": title, "detail": detail, "next": following, "cause": cause}
        self._problems[slug] = {**entry, **{name: {"zh-CN": zh, "en": en} for name, (zh, en) in both.items()}}
        return slug
