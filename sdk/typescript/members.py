"""How operations and their parts are called in TypeScript: members, classes, pages, and what is said of them."""

from collections.abc import Iterator

from sdk.escaping import in_words
from sdk.model import NamedType, ObjectType, Param, Resource, SdkOperation, SdkService, Words
from sdk.typescript.naming import TAKEN_MEMBERS, constant, member, text, type_name, variable
from sdk.wording import Names, words_of


def object_key(name: str) -> str:
    """A member name as it stands in an object or interface."""
    return name if name.isascii() and name.isidentifier() else text(name)


def class_of(service: SdkService, resource: Resource) -> str:
    return type_name((*service.name, *resource.name, "resource"))


def service_member(service: SdkService) -> str:
    made = member(service.name)
    return made + "_" if made == "sandbox" else made


def resource_member(service: SdkService, resource: Resource) -> str:
    own = next((one for one in service.resources if not one.name), None)
    taken = {method_name(one) for one in own.operations} if own is not None else set()
    made = member(resource.name)
    return made + "_" if made in taken else made


def method_name(operation: SdkOperation) -> str:
    made = member(operation.name)
    return made + "_" if made in TAKEN_MEMBERS else made


def positional(operation: SdkOperation) -> list[Param]:
    """Required parameters: those of the path in its order, then the others."""
    required = [one for one in operation.params if one.is_required]
    return sorted(
        required,
        key=lambda one: operation.path.find("{" + one.wire + "}") if one.location == "path" else 10_000,
    )


def optional_params(operation: SdkOperation) -> list[Param]:
    return [one for one in operation.params if not one.is_required]


def value_of(one: Param, codec: str) -> str:
    value = variable(one.name) if one.is_required else f"params[{text(member(one.name))}]"
    return value if codec == '""' else f"encode({codec}, {value})"


def is_multipart(operation: SdkOperation) -> bool:
    return (
        operation.body is not None
        and operation.body.media_type.partition(";")[0].strip().lower() == "multipart/form-data"
    )


def page_names(operation: SdkOperation, kinds: dict[Words, NamedType]) -> dict[str, str]:
    pages = operation.pages
    assert pages is not None
    items, following = pages.items, pages.next
    answer = operation.answer.type
    page = kinds.get(answer.name) if answer is not None else None
    if isinstance(page, ObjectType):
        by_wire = {field.wire: member(field.name) for field in page.fields}
        items, following = by_wire.get(items, items), by_wire.get(following, following)
    return {
        "style": pages.style,
        "items": items,
        "next": following,
        "size": pages.size,
        "cursor": pages.cursor,
    }


def about(operation: SdkOperation) -> list[str]:
    found = [in_words(operation.text), in_words(operation.about)]
    if operation.needs_consent:
        found.append("Needs a person's consent; see the documentation of consent.")
    if operation.is_deprecated:
        found.append(f"@deprecated {operation.sunset}".strip())
    return found


def scenarios_of(service: SdkService) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for resource in service.resources:
        for operation in resource.operations:
            names = Names()
            values = [
                (constant(names.take(words_of(one.id, "scenario"))), one.id) for one in operation.scenarios
            ]
            if values:
                yield member((*resource.name, *operation.name)), values
