"""What the drivers of the certificate know of a package: how each operation is called there, and what its answer holds."""

from typing import Any

from sdk.model import Kind, ObjectType, SdkModel, SdkOperation, SdkService, TypeRef, UnionType, Words
from sdk.python.naming import distinct
from sdk.python.naming import member as python_member
from sdk.typescript import members as typescript
from sdk.typescript.naming import member, type_name


def _entries(model: SdkModel, path: Any, name: Any) -> Any:
    for service in model.services:
        for resource in service.resources:
            for one in resource.operations:
                yield (
                    f"{service.key.partition('@')[0]}/{one.id}",
                    {
                        "path": path(service, resource, one),
                        "positional": [param.wire for param in typescript.positional(one)],
                        "optional": {
                            param.wire: name(param.name) for param in one.params if not param.is_required
                        },
                        "has_body": one.body is not None,
                        "is_paged": one.pages is not None,
                    },
                )


def _python_path(service: SdkService, resource: Any, one: SdkOperation) -> list[str]:
    names = distinct([python_member(each.name) for each in resource.operations])
    method = names[resource.operations.index(one)]
    own = [python_member(service.name)]
    return [*own, python_member(resource.name), method] if resource.name else [*own, method]


def _typescript_path(service: SdkService, resource: Any, one: SdkOperation) -> list[str]:
    own = [typescript.service_member(service)]
    inner = [typescript.resource_member(service, resource)] if resource.name else []
    return [*own, *inner, typescript.method_name(one)]


def python(model: SdkModel) -> dict[str, Any]:
    """The table of driver.py."""
    return {"operations": dict(_entries(model, _python_path, python_member))}


def node(model: SdkModel) -> dict[str, Any]:
    """The table of driver.mjs: it has to put wire names back, so it knows the types too."""
    kinds: dict[Words, Any] = {one.name: one for one in model.types}

    def codec(ref: TypeRef | None) -> Any:
        if ref is None:
            return ""
        if ref.kind in {Kind.ARRAY, Kind.MAP}:
            return ["a" if ref.kind == Kind.ARRAY else "m", codec(ref.of)]
        if ref.kind == Kind.BYTES:
            return "b"
        if ref.kind == Kind.NAMED and isinstance(kinds[ref.name], ObjectType):
            return type_name(ref.name)
        return "?" if ref.kind == Kind.NAMED and isinstance(kinds[ref.name], UnionType) else ""

    answers = {
        f"{service.key.partition('@')[0]}/{one.id}": codec(one.answer.type)
        for service in model.services
        for resource in service.resources
        for one in resource.operations
    }
    types = {
        type_name(one.name): {member(field.name): [field.wire, codec(field.type)] for field in one.fields}
        for one in model.types
        if isinstance(one, ObjectType)
    }
    return {"operations": dict(_entries(model, _typescript_path, member)), "answers": answers, "types": types}
