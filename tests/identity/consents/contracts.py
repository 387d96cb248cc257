"""Contracts that the city does not have: data of persons, operations of separate consent, several purposes."""

import copy

from api.contract.model import JsonObject


def _classified(level: str, kind: str, zh: str, en: str) -> JsonObject:
    return {
        "type": "string", "description": zh, "x-classification": {"level": level, "kind": kind}, "x-mask": "all",
        "x-i18n": {"zh-CN": {"description": zh}, "en": {"description": en}},
    }  # fmt: skip


def _operation(id_: str, scope: str, basis: object, schema: JsonObject, **more: object) -> JsonObject:
    return {
        "operationId": id_, "summary": id_, "x-basis": basis, "x-subject": "person", "x-level": "L3",
        "x-purpose": ["benefit", "research"], "security": [{"kaimen": [scope]}],
        "x-i18n": {"zh-CN": {"title": f"查询 {id_}"}, "en": {"title": f"Look up {id_}"}},
        "responses": {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}, **more,
    }  # fmt: skip


WELFARE: JsonObject = {
    "openapi": "3.1.0",
    "info": {
        "title": "民政", "version": "1.0.0", "x-name": "welfare", "x-department": "civil-affairs",
        "x-i18n": {"zh-CN": {"title": "民政服务"}, "en": {"title": "Welfare"}},
        "x-purposes": {"benefit": {"zh-CN": "审核补助", "en": "deciding on a benefit"}},
    },
    "paths": {
        "/me": {"get": _operation("getMe", "welfare:me:read", "consent", {"$ref": "#/components/schemas/Person"})},
        "/me/family": {
            "get": _operation("getFamily", "welfare:family:read", "separate-consent", {
                "type": "object",
                "properties": {"size": {"type": "integer", "title": "Size"}, "income": {"type": "integer"}},
            })
        },
        "/me/status": {
            "get": _operation(
                "getStatus", "welfare:status:read",
                {"basis": "statutory-duty", "law": "《社会救助暂行办法》", "article": "第九条"},
                {"type": "object", "properties": {"status": {"type": "string"}}},
            )
        },
        "/companies/{code}": {
            "get": _operation("getEmployer", "welfare:employer:read", "consent", {
                "type": "object", "properties": {"jobs": {"type": "integer"}},
            }, **{"x-subject": "organisation"})
        },
    },
    "components": {
        "schemas": {
            "Person": {
                "type": "object",
                "properties": {
                    "name": _classified("L2", "name", "姓名。", "Name."),
                    "account": _classified("L2", "bank-account", "银行账号。", "Bank account."),
                    "illness": _classified("L3", "health", "疾病。", "Illness."),
                    "address": {
                        "type": "object", "description": "住址，含门牌。",
                        "x-classification": {"level": "L2", "kind": "address"},
                        "properties": {"district": {"type": "string"}, "street.name": {"type": "string"}},
                    },
                    "children": {"type": "array", "items": {"$ref": "#/components/schemas/Person"}},
                },
            }
        },
        "securitySchemes": {
            "kaimen": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": {}}}}
        },
    },
}  # fmt: skip


def welfare_with_phone() -> JsonObject:
    """The next release: a field more under the same scope."""
    document = copy.deepcopy(WELFARE)
    document["components"]["schemas"]["Person"]["properties"]["phone"] = _classified(
        "L2", "phone", "电话。", "Phone."
    )
    return document
