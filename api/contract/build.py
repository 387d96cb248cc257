"""A normalised document -> Service, the IR. Fast and without losses: `normalise` has told them all.

What info states for all operations is copied down, so a reader of an Operation never looks above it.
"""

import hashlib
from typing import Any

import msgspec

from api.contract import profile
from api.contract.model import (
    Body,
    Json,
    JsonObject,
    Media,
    Operation,
    Parameter,
    Response,
    Scope,
    Service,
    Texts,
)
from api.contract.naming import major_version
from api.contract.normalise_operations import operations_in

_OAUTH = {"oauth2", "openIdConnect"}


def service_of(document: JsonObject) -> Service:
    """The service that a normalised document describes."""
    info = profile.as_object(document.get("info"))
    components = profile.as_object(document.get("components"))
    schemes = profile.as_object(components.get("securitySchemes"))
    name = profile.text(info.get("x-name"))
    operations = tuple(
        _operation(entry, info, schemes, name) for entry in operations_in({"paths": {}, **document})
    )
    title, description = profile.text(info.get("title")), profile.text(info.get("description"))
    return Service(
        name=name,
        version=major_version(profile.text(info.get("version"))),
        release=profile.text(info.get("version")),
        title=title,
        description=description,
        texts=_texts(info, title, description),
        department=profile.text(info.get("x-department")),
        owner=profile.as_object(info.get("x-owner")),
        status=profile.status_of(info.get("x-status")),
        promise=profile.promise_of(info.get("x-service")),
        operations=operations,
        schemas=profile.as_object(components.get("schemas")),
        scopes=_scopes(operations, schemes),
        webhooks=profile.as_object(document.get("webhooks")),
        directory=profile.as_object(info.get("x-directory")),
        document=document,
        digest=digest_of(document),
        deprecation=profile.deprecation_of(info.get("x-deprecation")),
    )


def digest_of(document: Json) -> str:
    """`sha256:` and the hash of the canonical JSON (sorted keys, no spaces)."""
    return "sha256:" + hashlib.sha256(msgspec.json.encode(document, order="sorted")).hexdigest()


def _texts(holder: JsonObject, title: str, description: str) -> dict[str, Texts]:
    """x-i18n, completed by what the document says in its own language."""
    texts = profile.i18n_of(holder.get("x-i18n"))
    for key, value in (("title", title), ("description", description)):
        if value:
            texts.setdefault(profile.language_of(value), {}).setdefault(key, value)
    return texts


def _operation(
    entry: tuple[str, str, JsonObject, str], info: JsonObject, schemes: JsonObject, service: str
) -> Operation:
    path, method, written, pointer = entry

    def effective(key: str) -> Any:
        return written[key] if key in written else info.get(key)

    summary, description = profile.text(written.get("summary")), profile.text(written.get("description"))
    basis, law = profile.basis_of(effective("x-basis"))
    resource = profile.text(written.get("x-resource"))
    return Operation(
        id=profile.text(written.get("operationId")),
        resource="" if resource == service else resource,
        verb=profile.text(written.get("x-verb")),
        method=method.upper(),
        path=path,
        summary=summary,
        description=description,
        texts=_texts(written, summary or profile.text(written.get("operationId")), description),
        tags=tuple(written.get("x-tags") or written.get("tags") or ()),
        parameters=tuple(_parameter(one) for one in written.get("parameters", ())),
        body=_body(written.get("requestBody")),
        responses=tuple(
            _response(status, one)
            for status, one in written.get("responses", {}).items()
            if not status.startswith("x-")
        ),
        scopes=_required_scopes(written.get("security"), schemes),
        grade=profile.grade_of(effective("x-grade")),
        level=profile.level_of(effective("x-level")),
        quota=profile.quota_of(effective("x-quota")),
        basis=basis,
        basis_law=law,
        purposes=profile.purposes_of(effective("x-purpose")),
        subject=profile.one_of(profile.SUBJECTS, effective("x-subject"), ""),
        share=profile.share_of(effective("x-share")),
        open=profile.one_of(profile.OPENS, effective("x-open"), "closed"),
        audience=profile.one_of(profile.AUDIENCES, effective("x-audience"), "third-party"),
        idempotent=written.get("x-idempotent") is True,
        stream=written.get("x-stream") is True,
        cache_seconds=profile.count(written.get("x-cache")),
        max_rows=profile.count(written.get("x-max-rows")),
        assurance=profile.text(effective("x-assurance")),
        pagination=profile.pagination_of(written.get("x-pagination")),
        batch=profile.batch_of(written.get("x-batch")),
        deprecation=profile.deprecation_of(effective("x-deprecation")),
        scenarios=profile.scenarios_of(written.get("x-scenarios")),
        pointer=pointer,
    )


def _parameter(written: JsonObject) -> Parameter:
    content = profile.as_object(written.get("content"))
    content_type: str = next(iter(content), "")
    media = profile.as_object(content.get(content_type))
    schema = _schema(media.get("schema") if content_type else written.get("schema")) or {}
    has_example, example = _example({**media, **written}, schema)
    explode = written.get("explode")
    return Parameter(
        name=profile.text(written.get("name")),
        location=profile.text(written.get("in")),
        required=written.get("required") is True,
        schema=schema,
        description=profile.text(written.get("description")),
        style=profile.text(written.get("style")),
        explode=explode if isinstance(explode, bool) else None,
        content_type=content_type,
        example=example,
        has_example=has_example,
        deprecated=written.get("deprecated") is True,
    )


def _schema(written: Json) -> JsonObject | None:
    if isinstance(written, bool):
        return {} if written else {"not": {}}
    return written if isinstance(written, dict) else None


def _example(holder: JsonObject, schema: JsonObject) -> tuple[bool, Json]:
    """The first example that the contract gives here, of whatever form."""
    if "example" in holder:
        return True, holder["example"]
    for one in profile.as_object(holder.get("examples")).values():
        if isinstance(one, dict) and "value" in one:
            return True, one["value"]
    examples = schema.get("examples")
    return (True, examples[0]) if isinstance(examples, list) and examples else (False, None)


def _media(content: Json) -> tuple[Media, ...]:
    made = []
    for content_type, one in profile.as_object(content).items():
        schema = _schema(one.get("schema"))
        has_example, example = _example(one, schema or {})
        made.append(Media(content_type, schema, example, has_example))
    return tuple(made)


def _body(written: Json) -> Body | None:
    if not isinstance(written, dict):
        return None
    return Body(
        written.get("required") is True,
        _media(written.get("content")),
        profile.text(written.get("description")),
    )


def _response(status: str, written: JsonObject) -> Response:
    headers = tuple(
        _parameter({**one, "name": name, "in": "header"})
        for name, one in profile.as_object(written.get("headers")).items()
        if isinstance(one, dict)
    )
    return Response(status, profile.text(written.get("description")), _media(written.get("content")), headers)


def _required_scopes(security: Json, schemes: JsonObject) -> tuple[str, ...]:
    """The scopes of the one requirement that the normaliser left."""
    found: list[str] = []
    for requirement in security if isinstance(security, list) else ():
        for name, scopes in requirement.items():
            if profile.as_object(schemes.get(name)).get("type") in _OAUTH:
                found += scopes
    return tuple(dict.fromkeys(found))


def _scopes(operations: tuple[Operation, ...], schemes: JsonObject) -> tuple[Scope, ...]:
    """Every scope that an operation asks for or a scheme describes, with its texts and aliases."""
    texts: dict[str, Texts] = {}
    aliases: dict[str, tuple[str, ...]] = {}
    used = {scope: None for operation in operations for scope in operation.scopes}
    for scheme in schemes.values():
        for flow in profile.as_object(scheme.get("flows")).values():
            for scope, text in profile.as_object(profile.as_object(flow).get("scopes")).items():
                texts.setdefault(scope, {}).update(profile.texts_of(text))
        for scope, more in profile.as_object(scheme.get("x-scopes")).items():
            texts.setdefault(scope, {}).update(profile.texts_of(profile.as_object(more).get("texts")))
            aliases[scope] = profile.purposes_of(profile.as_object(more).get("aliases"))
    return tuple(Scope(name, texts.get(name, {}), aliases.get(name, ())) for name in used)
