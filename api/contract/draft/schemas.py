"""Fields -> JSON Schemas of the contract, in the lean form; nested objects become components of their own."""

from api.contract.draft.parts import Field
from api.contract.model import JsonObject
from api.contract.naming import pascal

_MOST_ITEMS = 1000


class Schemas:
    """Collects the components of a draft."""

    def __init__(self) -> None:
        self.components: dict[str, JsonObject] = {}

    def object_of(self, name: str, fields: list[Field], zh: str, en: str) -> JsonObject:
        """A reference to the component of an object; a name that is taken by another object is numbered."""
        made: JsonObject = {"type": "object", **texts(zh, en)}
        required = [one.name for one in fields if one.is_required]
        if required:
            made["required"] = required
        made["properties"] = {one.name: self.property_of(name, one) for one in fields}
        return {"$ref": f"#/components/schemas/{self._place(name, made)}"}

    def _place(self, name: str, made: JsonObject) -> str:
        free, number = name, 2
        while free in self.components and self.components[free] != made:
            free, number = f"{name}{number}", number + 1
        self.components[free] = made
        return free

    def property_of(self, owner: str, field: Field) -> JsonObject:
        """The schema of a property with its texts, class and relation."""
        said = texts(field.zh or field.native, field.en or field.name)
        single: JsonObject
        if field.is_object:
            single = self.object_of(
                f"{owner}{pascal(field.name)}", field.fields, field.zh or field.native, field.en or field.name
            )
        else:
            single = plain_schema(field)
        made = {"type": "array", "items": single, "maxItems": _MOST_ITEMS} if field.is_list else single
        made = {**made, **said}
        if field.kind:
            made["x-classification"] = {"level": field.level, "kind": field.kind}
            made["x-mask"] = field.mask
        if field.ref is not None:
            made["x-ref"] = {"operation": field.ref[0], "parameter": field.ref[1]}
        return made


def plain_schema(field: Field) -> JsonObject:
    """The schema of a single value, without texts."""
    return {**field.schema, **({"x-element": field.element} if field.element else {})}


def texts(zh: str, en: str) -> JsonObject:
    """A description and its other language, as the lean form writes them."""
    zh, en = zh.strip(), en.strip()
    return {"description": zh, "x-i18n": {"zh-CN": {"description": zh}, "en": {"description": en}}} if not _is_chinese(zh) else {
        "description": zh, "x-i18n": {"en": {"description": en}}
    }  # fmt: skip


def _is_chinese(text: str) -> bool:
    return any("\u3400" <= char <= "\u9fff" for char in text)
