"""Contracts into the model of a package: which operations, under which names, with which types.

The same contracts and the same choice of operations give the same model, whatever order they come in.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

from api.contract import profile
from api.contract.model import (
    Basis,
    Json,
    JsonObject,
    Level,
    Media,
    Operation,
    Parameter,
    Response,
    Service,
    Texts,
)
from api.contract.normalise_bodies import is_json
from sdk.flatten import flatten
from sdk.model import (
    Answer,
    BodyPart,
    EnumType,
    Event,
    Kind,
    NamedType,
    ObjectType,
    Pages,
    Param,
    Resource,
    SdkLoss,
    SdkModel,
    SdkOperation,
    SdkService,
    TypeRef,
    UnionType,
    Words,
)
from sdk.typing_schemas import ANY, Typist, texts_of
from sdk.wording import Names, words_of

_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_STYLES = {"query": "form", "path": "simple", "header": "simple"}
_STRUCTURED = frozenset({Kind.NAMED, Kind.MAP, Kind.ANY})
_IDEMPOTENCY = "idempotency-key"  # the client sends it itself


def model_of(
    services: Iterable[Service],
    *,
    chosen: Mapping[str, Collection[str]] | None = None,
    max_level: Level = Level.L3,
    levels: Mapping[str, Level] | None = None,
) -> SdkModel:
    """The model of a package with these service versions, one version of each name.

    `chosen`: operations by service key (`company@v1`), None for all. Operations and fields above `max_level` are
    left out: no face offers them; `levels` says it for single services by key. Raises ValueError for two versions
    of one service.
    """
    ordered = sorted(services, key=lambda one: one.key)
    if len({one.name for one in ordered}) != len(ordered):
        raise ValueError("a package holds one version of each service")
    type_names, service_names = Names(), Names()
    made, types, losses = [], [], []
    for service in ordered:
        name = service_names.take(words_of(service.name, "service"))
        highest = min((levels or {}).get(service.key, max_level), max_level)
        typist = Typist(service.schemas, type_names, prefix=name, max_level=highest.value)
        keep = chosen.get(service.key) if chosen is not None else None
        made.append(_service(service, name, typist, keep, highest))
        types += typist.made
        losses += [SdkLoss(one.rule, f"{service.key}#{one.pointer}", one.message) for one in typist.losses]
    return SdkModel(tuple(made), _reached(made, types), tuple(losses))


def _service(
    service: Service, name: Words, typist: Typist, keep: Collection[str] | None, max_level: Level
) -> SdkService:
    by_resource: dict[Words, list[Operation]] = {}
    for operation in service.operations:
        if operation.level.value > max_level.value or (keep is not None and operation.id not in keep):
            continue
        key = words_of(operation.resource) if operation.resource else ()
        by_resource.setdefault(key, []).append(operation)
    resources = []
    resource_names = Names()
    for key, operations in sorted(by_resource.items()):
        names = Names()
        made = tuple(
            _operation(one, names.take(words_of(one.verb or one.id, "call")), key or name, typist)
            for one in operations
        )
        resources.append(Resource(resource_names.take(key) if key else (), made))
    return SdkService(
        key=service.key,
        name=name,
        base_path=f"/api/{service.name}/{service.version}",
        release=service.release,
        title=_texts(service.texts, "title"),
        about=_texts(service.texts, "description"),
        resources=tuple(resources),
        events=tuple(_events(service, typist)),
        digest=service.digest,
    )


# --- operations ---------------------------------------------------------------------------------------
def _operation(operation: Operation, name: Words, resource: Words, typist: Typist) -> SdkOperation:
    hint = words_of(operation.id, "call")
    params = sorted(_params(operation, hint, typist), key=lambda one: not one.is_required)
    answer = _answer(operation, hint, typist)
    deprecation = operation.deprecation
    return SdkOperation(
        id=operation.id,
        name=name,
        http_method=operation.method,
        path=operation.path,
        params=tuple(params),
        body=_body(operation, hint, typist),
        answer=answer,
        scopes=operation.scopes,
        is_idempotent=operation.idempotent and not operation.is_safe,
        is_safe=operation.is_safe,
        pages=_pages(operation, answer, typist),
        text=_texts(operation.texts, "title"),
        about=_texts(operation.texts, "description"),
        is_deprecated=deprecation is not None,
        sunset=deprecation.sunset if deprecation is not None else "",
        needs_consent=operation.basis in {Basis.CONSENT, Basis.SEPARATE_CONSENT},
        purposes=operation.purposes,
        scenarios=operation.scenarios,
        example=_example(operation),
    )


def _params(operation: Operation, hint: Words, typist: Typist) -> Iterator[Param]:
    names = Names([("body",), ("options",), ("request",)])
    for one in operation.parameters:
        if one.location == "cookie" or one.name.lower() in {_IDEMPOTENCY, "authorization", "accept"}:
            continue
        words = names.take(words_of(one.name, "parameter"))
        pointer = f"{operation.pointer}/parameters/{one.name}"
        made = typist.type_of(one.schema, (*hint, *words), pointer)
        style = one.style or _STYLES[one.location]
        yield Param(
            wire=one.name,
            name=words,
            location=one.location,
            type=made,
            is_required=one.required,
            style=style,
            explode=one.explode if one.explode is not None else style == "form",
            text=_param_texts(one),
            default=one.schema.get("default"),
            is_json=bool(one.content_type) or (made.kind in _STRUCTURED and one.location == "header"),
        )


def _param_texts(one: Parameter) -> Texts:
    found = dict(texts_of(one.schema))
    if one.description:
        found[profile.language_of(one.description)] = one.description
    return found


def _body(operation: Operation, hint: Words, typist: Typist) -> BodyPart | None:
    if operation.body is None or not operation.body.media:
        return None
    media = _best(operation.body.media)
    kind = media.content_type.partition(";")[0].strip().lower()
    described = operation.body.description
    text = {profile.language_of(described): described} if described else {}
    if is_json(kind) or kind in {_FORM, _MULTIPART}:
        made = (
            typist.type_of(media.schema, (*hint, "body"), operation.pointer + "/requestBody")
            if media.schema is not None
            else ANY
        )
    elif kind.startswith("text/"):
        made = TypeRef(Kind.STRING)
    else:
        made = TypeRef(Kind.BINARY)
    return BodyPart(media.content_type, made, operation.body.required, text)


def _best(media: tuple[Media, ...]) -> Media:
    """JSON where there is JSON, then forms, then what comes first."""

    def rank(one: Media) -> int:
        kind = one.content_type.partition(";")[0].strip().lower()
        return (
            0
            if kind == "application/json"
            else 1
            if is_json(kind)
            else 2
            if kind in {_MULTIPART, _FORM}
            else 3
        )

    return min(media, key=rank)


def _answer(operation: Operation, hint: Words, typist: Typist) -> Answer:
    good = sorted((one for one in operation.responses if one.status[:1] == "2"), key=lambda one: one.status)
    described = [one for one in good if one.media]
    if not described:
        return Answer(good[0].status if good else "204")
    return _answer_of(described[0], hint, typist, operation.pointer)


def _answer_of(response: Response, hint: Words, typist: Typist, pointer: str) -> Answer:
    media = _best(response.media)
    kind = media.content_type.partition(";")[0].strip().lower()
    if is_json(kind):
        made = (
            typist.type_of(media.schema, (*hint, "answer"), f"{pointer}/responses/{response.status}")
            if media.schema is not None
            else ANY
        )
        return Answer(response.status, media.content_type, made)
    if kind.startswith("text/") and kind != "text/csv":
        return Answer(response.status, media.content_type, TypeRef(Kind.STRING))
    return Answer(response.status, media.content_type, TypeRef(Kind.BINARY))


def _pages(operation: Operation, answer: Answer, typist: Typist) -> Pages | None:
    """How the list goes on, where contract and answer agree about it."""
    stated = operation.pagination
    wire = {one.name for one in operation.parameters}
    if stated is None or answer.type is None or not answer.is_json or stated.cursor not in wire:
        return None
    size = stated.size if stated.size in wire else ""
    if answer.type.kind == Kind.ARRAY and not stated.items:
        return Pages(stated.style, stated.cursor, size, "", stated.next, answer.type.of or ANY)
    page = next((one for one in typist.made if one.name == answer.type.name), None)
    if not isinstance(page, ObjectType):
        return None
    by_wire = {one.wire: one.type for one in page.fields}
    items = by_wire.get(stated.items)
    if items is None or items.of is None or (stated.style == "cursor" and stated.next not in by_wire):
        return None
    return Pages(stated.style, stated.cursor, size, stated.items, stated.next, items.of)


def _example(operation: Operation) -> JsonObject:
    found: JsonObject = {
        one.name: one.example for one in operation.parameters if one.required and one.has_example
    }
    if operation.body is not None and operation.body.media:
        media = _best(operation.body.media)
        if media.has_example:
            found["body"] = media.example
    return found


# --- events, texts ------------------------------------------------------------------------------------
def _events(service: Service, typist: Typist) -> Iterator[Event]:
    names = Names()
    for event_type, item in sorted(service.webhooks.items()):
        written = profile.as_object(profile.as_object(item).get("post"))
        content = profile.as_object(profile.as_object(written.get("requestBody")).get("content"))
        schema: Json = next(
            (
                profile.as_object(one).get("schema")
                for media, one in content.items()
                if is_json(media.partition(";")[0].lower()) or "cloudevents" in media
            ),
            None,
        )
        words = names.take(words_of(event_type, "event"))
        yield Event(
            event_type,
            words,
            typist.type_of(_data_of(schema, typist), (*words, "data"), f"/webhooks/{event_type}"),
            {**_summary(written), **texts_of(written)},
        )


def _data_of(schema: Json, typist: Typist) -> Json:
    """The schema of `data` where the body is described as a CloudEvent, else the body's."""
    flat = flatten(schema, typist.schemas, {}) if isinstance(schema, dict) else {}
    properties = profile.as_object(flat.get("properties"))
    if {"specversion", "data"} <= properties.keys():
        inner: Json = properties["data"]
        return inner
    return schema


def _summary(written: JsonObject) -> Texts:
    summary = profile.text(written.get("summary"))
    return {profile.language_of(summary): summary} if summary else {}


def _texts(texts: Mapping[str, Texts], key: str) -> Texts:
    return {language: one[key] for language, one in texts.items() if one.get(key)}


# --- what is reached ----------------------------------------------------------------------------------
def _reached(services: list[SdkService], types: list[NamedType]) -> tuple[NamedType, ...]:
    """The types that operations and events use, directly or by others, sorted by name."""
    by_name = {one.name: one for one in types}
    waiting = [ref for service in services for ref in _refs_of(service)]
    found: dict[Words, NamedType] = {}
    while waiting:
        ref = waiting.pop()
        if ref.of is not None:
            waiting.append(ref.of)
        if ref.kind != Kind.NAMED or ref.name in found:
            continue
        found[ref.name] = one = by_name[ref.name]
        if isinstance(one, ObjectType):
            waiting += [field.type for field in one.fields]
            if one.others is not None:
                waiting.append(one.others)
        elif isinstance(one, UnionType):
            waiting += [variant.type for variant in one.variants]
        else:
            assert isinstance(one, EnumType)
    return tuple(found[name] for name in sorted(found))


def _refs_of(service: SdkService) -> Iterator[TypeRef]:
    for event in service.events:
        yield event.data
    for resource in service.resources:
        for operation in resource.operations:
            yield from (one.type for one in operation.params)
            if operation.body is not None:
                yield operation.body.type
            if operation.answer.type is not None:
                yield operation.answer.type
            if operation.pages is not None:
                yield operation.pages.item
