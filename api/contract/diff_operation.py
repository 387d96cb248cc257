"""Differences of one operation that a caller meets on the wire: route, parameters, bodies, answers."""

from collections.abc import Iterator

from api.contract.diff_change import BREAKING, COMPATIBLE, DOCS, Teller
from api.contract.diff_schema import SchemaDiff
from api.contract.model import JsonObject, Media, Operation, Parameter, Response
from api.contract.pointers import join

Schemas = tuple[dict[str, JsonObject], dict[str, JsonObject]]  # of the old and the new contract


class WireDiff:
    """Compares one operation, old against new; what it finds goes to the teller."""

    def __init__(self, teller: Teller, schemas: Schemas) -> None:
        self._teller = teller
        self._before = teller.before
        self._after = teller.after
        self._schemas = schemas

    def run(self) -> None:
        self._route()
        self._parameters()
        self._body()
        self._responses()

    # --- the operation itself --------------------------------------------------------------------
    def _route(self) -> None:
        old, new = self._before, self._after
        if (old.method, _shape(old.path)) != (new.method, _shape(new.path)):
            was, now = f"{old.method} {old.path}", f"{new.method} {new.path}"
            self._teller.tell(
                "removed",
                BREAKING,
                "route-changed",
                (f"地址由 {was} 改为 {now}。", f"The route was {was} and is {now}."),
            )
        if old.id != new.id:
            self._teller.tell(
                "removed",
                BREAKING,
                "operation-renamed",
                (
                    f"operationId 由 {old.id} 改为 {new.id}。",
                    f"The operationId was {old.id} and is {new.id}.",
                ),
            )
        if (old.resource, old.verb) != (new.resource, new.verb):
            was, now = f"{old.resource}.{old.verb}", f"{new.resource}.{new.verb}"
            self._teller.tell(
                "removed",
                BREAKING,
                "name-changed",
                (
                    f"SDK 与 GraphQL 里的名字由 {was} 改为 {now}。",
                    f"Its name in SDKs and GraphQL was {was} and is {now}.",
                ),
            )

    def _parameters(self) -> None:
        old = {(one.location, one.name): one for one in self._named(self._before)}
        new = {(one.location, one.name): one for one in self._named(self._after)}
        for (place, name), parameter in old.items():
            field = f"{place}:{name}"
            after = new.get((place, name))
            if after is None:
                said = (f"参数 {name}({place})被移除。", f"The parameter {name} ({place}) was removed.")
                self._teller.tell(
                    "removed", BREAKING, "parameter-removed", said, field=field, pointer=self._before.pointer
                )
            else:
                self._parameter(parameter, after, field)
        for (place, name), parameter in new.items():
            if (place, name) not in old:
                self._new_parameter(parameter, f"{place}:{name}")

    def _named(self, operation: Operation) -> Iterator[Parameter]:
        """Path parameters are known by their position: renaming one breaks no caller of the address."""
        positions = {
            name: str(index)
            for index, name in enumerate(piece.split("}", 1)[0] for piece in operation.path.split("{")[1:])
        }
        for parameter in operation.parameters:
            if parameter.location == "header":
                yield _renamed(parameter, parameter.name.lower())
            elif parameter.location == "path" and parameter.name in positions:
                twin = self._twin_name(positions[parameter.name])
                yield _renamed(parameter, twin or parameter.name)
            else:
                yield parameter

    def _twin_name(self, position: str) -> str:
        names = [piece.split("}", 1)[0] for piece in self._before.path.split("{")[1:]]
        return names[int(position)] if int(position) < len(names) else ""

    def _new_parameter(self, parameter: Parameter, field: str) -> None:
        name, place = parameter.name, parameter.location
        if parameter.required and place != "path":
            said = (f"新增必填参数 {name}({place})。", f"The new parameter {name} ({place}) is required.")
            self._teller.tell("required", BREAKING, "parameter-required", said, field=field)
        else:
            said = (f"新增可选参数 {name}({place})。", f"The optional parameter {name} ({place}) is new.")
            self._teller.tell("added", COMPATIBLE, "parameter-added", said, field=field)

    def _parameter(self, old: Parameter, new: Parameter, field: str) -> None:
        if new.required and not old.required:
            self._teller.tell(
                "required",
                BREAKING,
                "parameter-required",
                (f"参数 {old.name} 变为必填。", f"The parameter {old.name} became required."),
                field=field,
            )
        elif old.required and not new.required:
            self._teller.tell(
                "relaxed",
                COMPATIBLE,
                "parameter-optional",
                (f"参数 {old.name} 变为可选。", f"The parameter {old.name} became optional."),
                field=field,
            )
        if _wire(old) != _wire(new):
            self._teller.tell(
                "narrowed",
                BREAKING,
                "parameter-style",
                (
                    f"参数 {old.name} 的写法(style、explode 或 content)改变。",
                    f"How the parameter {old.name} is written (style, explode or content) changed.",
                ),
                field=field,
            )
        if old.deprecated != new.deprecated or old.description != new.description:
            self._teller.tell(
                "docs",
                DOCS,
                "parameter-text",
                (f"参数 {old.name} 的说明有改动。", f"The description of the parameter {old.name} changed."),
                field=field,
            )
        self._schema(old.schema, new.schema, is_request=True, field=field, pointer=self._after.pointer)

    # --- bodies ------------------------------------------------------------------------------------
    def _body(self) -> None:
        old, new = self._before.body, self._after.body
        if old is None and new is None:
            return
        spot = f"{self._after.pointer}/requestBody"
        if old is None or new is None:
            self._body_came_or_went(is_required=new is not None and new.required, spot=spot)
            return
        if new.required and not old.required:
            said = ("请求体变为必填。", "The request body became required.")
            self._teller.tell("required", BREAKING, "body-required", said, field="body:", pointer=spot)
        elif old.required and not new.required:
            said = ("请求体变为可选。", "The request body became optional.")
            self._teller.tell("relaxed", COMPATIBLE, "body-optional", said, field="body:", pointer=spot)
        self._media(old.media, new.media, ("body", "body:", spot))

    def _body_came_or_went(self, *, is_required: bool, spot: str) -> None:
        if self._after.body is None:
            said = ("不再接受请求体。", "No request body is taken any more.")
            self._teller.tell("removed", BREAKING, "body-removed", said, field="body:", pointer=spot)
        else:
            said = ("新增请求体。", "A request body is new.")
            severity = BREAKING if is_required else COMPATIBLE
            self._teller.tell("added", severity, "body-added", said, field="body:", pointer=spot)

    def _media(self, old: tuple[Media, ...], new: tuple[Media, ...], where: tuple[str, str, str]) -> None:
        """Media types that came, went, or changed their schema; `where` is (what, field, pointer)."""
        what, field, spot = where
        before = {media.content_type: media for media in old}
        after = {media.content_type: media for media in new}
        for kind, media in before.items():
            if kind in after:
                pointer = join(spot, "content", kind)
                schemas = (media.schema or {}, after[kind].schema or {})
                self._schema(*schemas, is_request=what == "body", field=field, pointer=pointer)
                continue
            said = (f"不再有媒体类型 {kind}。", f"The media type {kind} is gone.")
            self._teller.tell("removed", BREAKING, f"{what}-media-removed", said, field=field, pointer=spot)
        for kind in after.keys() - before.keys():
            said = (f"新增媒体类型 {kind}。", f"The media type {kind} is new.")
            self._teller.tell("added", COMPATIBLE, f"{what}-media-added", said, field=field, pointer=spot)

    def _responses(self) -> None:
        before = {one.status: one for one in self._before.responses}
        after = {one.status: one for one in self._after.responses}
        for status, response in before.items():
            if status in after:
                self._response(response, after[status])
                continue
            severity = BREAKING if status[0] == "2" else COMPATIBLE
            said = (f"响应 {status} 被移除。", f"The response {status} was removed.")
            pointer, field = self._before.pointer, f"response:{status}:"
            self._teller.tell("removed", severity, "response-removed", said, field=field, pointer=pointer)
        for status in after.keys() - before.keys():
            is_new_success = status[0] == "2" and any(one[0] == "2" for one in before)
            severity = BREAKING if is_new_success else COMPATIBLE
            said = (f"新增响应 {status}。", f"The response {status} is new.")
            self._teller.tell("added", severity, "response-added", said, field=f"response:{status}:")

    def _response(self, old: Response, new: Response) -> None:
        spot, field = join(self._after.pointer, "responses", new.status), f"response:{old.status}:"
        self._media(old.media, new.media, ("response", field, spot))
        was = {header.name.lower(): header for header in old.headers}
        now = {header.name.lower(): header for header in new.headers}
        for name in was.keys() - now.keys():
            said = (f"响应头 {was[name].name} 被移除。", f"The response header {was[name].name} was removed.")
            rule = "response-header-removed"
            self._teller.tell("removed", BREAKING, rule, said, field=field, pointer=spot)
        for name in now.keys() - was.keys():
            said = (f"新增响应头 {now[name].name}。", f"The response header {now[name].name} is new.")
            rule = "response-header-added"
            self._teller.tell("added", COMPATIBLE, rule, said, field=field, pointer=spot)
        if old.description != new.description:
            said = (
                f"响应 {old.status} 的说明有改动。",
                f"The description of the response {old.status} changed.",
            )
            self._teller.tell("docs", DOCS, "response-text", said, field=field, pointer=spot)

    def _schema(self, old: object, new: object, *, is_request: bool, field: str, pointer: str) -> None:
        for one in SchemaDiff(*self._schemas, is_request=is_request).compare(old, new):
            path = field + one.path if field.startswith(("body", "response")) else field
            self._teller.tell(one.kind, one.severity, one.rule, one.said, field=path, pointer=pointer)


def _shape(path: str) -> str:
    return "{}".join(piece.split("}", 1)[-1] for piece in path.split("{"))


def _renamed(parameter: Parameter, name: str) -> Parameter:
    fields = {key: getattr(parameter, key) for key in parameter.__struct_fields__}
    return Parameter(**{**fields, "name": name})


def _wire(parameter: Parameter) -> tuple[str, bool, str]:
    """How the value stands in the request, defaults filled in. Source: OpenAPI 3.1.1 §4.8.12.2."""
    style = parameter.style or {"query": "form", "cookie": "form"}.get(parameter.location, "simple")
    explode = parameter.explode if parameter.explode is not None else style == "form"
    return style, explode, parameter.content_type
