"""The compiled SDKs as drivers need every call written out: Dispatch.java and dispatch.go, from the model."""

from collections.abc import Iterator

from sdk.go.emitter import Writer as GoWriter
from sdk.go.emitter import resource_member, service_member
from sdk.go.naming import exported, field_name
from sdk.go.naming import text as go_text
from sdk.go.type_writer import optional_params
from sdk.java import emitter as java_emitter
from sdk.java import naming
from sdk.java.types import codec
from sdk.model import ObjectType, Resource, SdkModel, SdkOperation, SdkService
from sdk.snippets.calls import Call
from sdk.wording import Names

STREAMED = "its body or answer is no JSON"
REQUIRED = "Go's types always send what is required"
LISTED = "the SDK gives a page as its items, and this one holds more"


def _operations(model: SdkModel) -> Iterator[tuple[str, SdkService, Resource, SdkOperation]]:
    for service in model.services:
        for resource in service.resources:
            for one in resource.operations:
                yield f"{service.key.partition('@')[0]}/{one.id}", service, resource, one


def _obstacle(model: SdkModel, service: SdkService, resource: Resource, one: SdkOperation) -> str:
    call = Call(model, service, resource, one, "", {})
    if call.body_kind not in {"", "json"} or call.is_download or (one.answer.type and not one.answer.is_json):
        return STREAMED
    if one.pages is not None and one.answer.type is not None:
        page = next((each for each in model.types if each.name == one.answer.type.name), None)
        if not isinstance(page, ObjectType) or {field.wire for field in page.fields} - {
            one.pages.items,
            one.pages.next,
        }:
            return LISTED
    return ""


def java(model: SdkModel, package: str) -> str:
    """Dispatch.java, for Driver.java."""
    writer = java_emitter._Writer(model)
    cases, methods = [], []
    for place, (key, service, resource, one) in enumerate(_operations(model)):
        obstacle = _obstacle(model, service, resource, one)
        if obstacle:
            cases.append(f"            case {naming.text(key)}: throw new Unsaid({naming.text(obstacle)});\n")
            continue
        cases.append(f"            case {naming.text(key)}: return call{place}(client, v, body, options);\n")
        given = [
            f"read({codec(each.type)}, v.get({naming.text(each.wire)}))"
            for each in Call(model, service, resource, one, "", {}).positional
        ]
        if one.body is not None:
            given.append(f"read({codec(one.body.type)}, body)")
        params = writer._params.get((service.key, one.id))
        if params is not None:
            names = Names()
            setters = "".join(
                f".{naming.member(names.take(each.name))}(v.containsKey({naming.text(each.wire)}) ? read({codec(each.type)}, v.get({naming.text(each.wire)})) : null)"
                for each in optional_params(one)
            )
            given.append(f"new {params}(){setters}")
        path = [naming.service(service.name)]
        path += [java_emitter.resource_method(service, resource)] if resource.name else []
        made = f"client.{'().'.join([*path, naming.operation(one.name)])}({', '.join([*given, 'options'])})"
        if one.pages is not None:
            result = (
                f"var page = {made}.first();\n        var found = new LinkedHashMap<String, Object>();\n"
                f"        found.put({naming.text(one.pages.items)}, Codec.list({codec(one.pages.item)}).write(page.items()));\n"
                f"        page.nextCursor().ifPresent(next -> found.put({naming.text(one.pages.next)}, next));\n        return found;"
            )
        elif one.answer.type is None:
            result = f"{made};\n        return null;"
        else:
            result = f"return {codec(one.answer.type)}.write({made});"
        methods.append(
            f"\n    private static Object call{place}(Kaimen client, Map<String, Object> v, Object body, CallOptions options) {{\n        {result}\n    }}\n"
        )
    return (
        f"import {package}.*;\nimport java.util.LinkedHashMap;\nimport java.util.Map;\n\nfinal class Dispatch {{\n"
        "    static final class Unsaid extends RuntimeException {\n        Unsaid(String why) {\n            super(why);\n        }\n    }\n\n"
        "    private static <T> T read(Codec<T> codec, Object json) {\n        try {\n            return codec.read(json);\n"
        '        } catch (DecodingException error) {\n            throw new Unsaid("the SDK\'s types take no such value");\n        }\n    }\n\n'
        "    static Object call(Kaimen client, String key, Map<String, Object> v, Object body, CallOptions options) {\n        switch (key) {\n"
        f'{"".join(cases)}            default: throw new Unsaid("no SDK holds it");\n        }}\n    }}\n{"".join(methods)}}}\n'
    )


class _Go(GoWriter):
    def dispatch(self) -> str:
        cases = []
        for key, service, resource, one in _operations(self._model):
            obstacle = _obstacle(self._model, service, resource, one)
            if obstacle:
                cases.append(f"\tcase {go_text(key)}:\n\t\treturn nil, unsaid({go_text(obstacle)})\n")
                continue
            cases.append(f"\tcase {go_text(key)}:\n{self._case(service, resource, one)}")
        return (
            'package main\n\nimport (\n\t"context"\n\t"encoding/json"\n\n\tsdk "' + self._module + '"\n)\n\n'
            "func dispatch(ctx context.Context, client *sdk.Client, key string, v map[string]json.RawMessage, sent json.RawMessage, options []sdk.CallOption) (any, error) {\n"
            f'\tswitch key {{\n{"".join(cases)}\t}}\n\treturn nil, unsaid("no SDK holds it")\n}}\n'
        )

    def _case(self, service: SdkService, resource: Resource, one: SdkOperation) -> str:
        lines, given = [], [] if one.pages is not None else ["ctx"]
        for place, each in enumerate(Call(self._model, service, resource, one, "", {}).positional):
            lines.append(
                f"\t\tvar p{place} {self._qualified(self._type(each.type))}\n{_read(f'v[{go_text(each.wire)}]', f'p{place}')}"
            )
            given.append(f"p{place}")
        if one.body is not None:
            lines.append(f"\t\tvar body {self._qualified(self._body_type(one))}\n{_read('sent', 'body')}")
            lines.append(
                f"\t\tif !isSaid(sent, body) {{\n\t\t\treturn nil, unsaid({go_text(REQUIRED)})\n\t\t}}\n"
            )
            given.append("body")
        if optional_params(one):
            lines.append(f"\t\tparams := &sdk.{self._param_types[service.key, one.id]}{{}}\n")
            names = Names()
            for each in optional_params(one):
                member = field_name(names.take(each.name))
                lines.append(
                    f"\t\tif _, ok := v[{go_text(each.wire)}]; ok {{\n{_read(f'v[{go_text(each.wire)}]', f'params.{member}')}\t\t}}\n"
                )
            given.append("params")
        path = [
            service_member(service),
            *([resource_member(service, resource)] if resource.name else []),
            exported(one.name),
        ]
        made = f"client.{'.'.join(path)}({', '.join([*given, 'options...'])})"
        if one.pages is not None:
            lines.append(
                f"\t\tpage, err := {made}.First(ctx)\n\t\tif err != nil {{\n\t\t\treturn nil, err\n\t\t}}\n"
                f"\t\tfound := map[string]any{{{go_text(one.pages.items)}: page.Items}}\n"
                f'\t\tif page.NextCursor != "" {{\n\t\t\tfound[{go_text(one.pages.next)}] = page.NextCursor\n\t\t}}\n\t\treturn found, nil\n'
            )
        elif one.answer.type is None:
            lines.append(f"\t\treturn nil, {made}\n")
        else:
            lines.append(f"\t\treturn {made}\n")
        return "".join(lines)

    def _qualified(self, made: str) -> str:
        """A type of the package as another package writes it."""
        head = ""
        while made.startswith(("*", "[]", "map[string]")):
            part = next(one for one in ("*", "[]", "map[string]") if made.startswith(one))
            head, made = head + part, made.removeprefix(part)
        return head + (f"sdk.{made}" if made[0].isupper() else made)


def _read(source: str, target: str) -> str:
    return (
        f"\t\tif err := json.Unmarshal({source}, &{target}); err != nil {{\n"
        '\t\t\treturn nil, unsaid("the SDK\'s types take no such value")\n\t\t}\n'
    )


def go(model: SdkModel, module: str) -> str:
    """dispatch.go, for driver.go."""
    return _Go(model, module, "1.0.0").dispatch()
