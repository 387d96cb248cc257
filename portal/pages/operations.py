"""The page of one operation: what it takes and gives, how to call it, and trying it."""

from typing import Any

import msgspec
from litestar import Router, get, post
from litestar.params import FromPath
from msgspec import Struct

from api.catalogue import service as catalogue
from api.catalogue.models import Subscription
from api.contract.addresses import PLATFORM, public_prefix
from api.contract.model import Media, Operation, Parameter, Scenario
from api.core.caller import Caller, CallerKind
from api.core.dependencies import CurrentCaller
from api.identity.apps import service as apps
from api.identity.models import App
from api.identity.permissions import can_edit_app
from portal import samples, tryit
from portal.contract_texts import OperationTexts
from portal.forms import Field, Filled, Form
from portal.frame import check_signed_in, page
from portal.language import language_of
from portal.shelf import FieldRow, Shown, find_operation, find_service, rows_of, samples_of, type_of
from portal.tryit import Answer
from portal.view import AnyRequest, Page, settings_of

_NEIGHBOURS = 30
_ROWS_SHOWN = 200


class ParameterView(Struct, frozen=True):
    name: str
    location: str
    required: bool
    type: str
    described: str
    example: str
    options: tuple[str, ...] = ()


class MediaView(Struct, frozen=True):
    content_type: str
    type: str
    rows: list[FieldRow]
    sample: str


class ResponseView(Struct, frozen=True):
    status: str
    description: str
    media: list[MediaView]


def _parameter_view(one: Parameter, texts: OperationTexts) -> ParameterView:
    options = one.schema.get("enum") or (["true", "false"] if one.schema.get("type") == "boolean" else [])
    example = (
        one.example
        if one.has_example
        else one.schema.get("example", (one.schema.get("examples") or [None])[0])
    )
    return ParameterView(
        name=one.name,
        location=one.location,
        required=one.required,
        type=type_of(one.schema),
        described=texts.parameter(one),
        example=samples.as_text(example)[:200],
        options=tuple(samples.as_text(option) for option in options[:200]),
    )


def _media_view(media: Media, shown: Shown, language: str, seed: str) -> MediaView:
    schema = media.schema
    sample = ""
    if "json" in media.content_type and (media.has_example or schema is not None):
        value = media.example if media.has_example else samples.made_of(schema, shown.service, seed)
        sample = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()[:20_000]
    rows = rows_of(schema, shown.service.schemas, language) if schema else []
    return MediaView(
        media.content_type, "" if schema is None else type_of(schema), rows[:_ROWS_SHOWN], sample
    )


def _responses(
    operation: Operation, shown: Shown, texts: OperationTexts, language: str
) -> list[ResponseView]:
    return [
        ResponseView(
            one.status,
            texts.response(one),
            [_media_view(media, shown, language, f"{operation.id}:{one.status}") for media in one.media[:2]],
        )
        for one in operation.responses[:12]
    ]


def _form_fields(operation: Operation) -> list[Field]:
    """A field for each parameter, `location.name`; cookies are not ours to send."""
    return [
        Field(f"{one.location}.{one.name}", required=one.required, maximum=1000, label=one.name)
        for one in operation.parameters
        if one.location != "cookie"
    ]


TRY = Form(
    Field("app", required=False, maximum=40),
    Field("scenario", required=False, maximum=64),
    Field("body", kind="area", required=False, maximum=200_000),
)


async def usable_apps(caller: Caller, version_id: str) -> list[App]:
    """The caller's sandbox apps that are subscribed to the version, those first that he may call with."""
    if caller.kind is not CallerKind.PERSON:
        return []
    rows = [
        one
        for one in await apps.apps_of(caller)
        if one.environment == "sandbox"
        and one.status == "active"
        and can_edit_app(caller, one.organisation_id)
    ]
    ids = [row.id for row in rows]
    rows_held = await Subscription.filter(
        app_id__in=ids or [""], version_id=version_id, status="active"
    ).values_list("app_id", flat=True)
    held = {str(one) for one in rows_held}
    return [row for row in rows if row.id in held]


async def _operation_page(
    request: AnyRequest, caller: Caller, shown: Shown, operation: Operation, form: Filled, *,
    answer: Answer | None = None, status: int = 200,
) -> Page:  # fmt: skip
    language = language_of(request)
    service = shown.service
    texts = OperationTexts(service, operation, language)
    mine = await usable_apps(caller, shown.id) if "sandbox" in shown.publications else []
    parameters = [_parameter_view(one, texts) for one in operation.parameters]
    position = shown.operations.index(operation)
    first = max(0, min(position - _NEIGHBOURS // 2, len(shown.operations) - _NEIGHBOURS))
    bodies = operation.body.media if operation.body else ()
    context: dict[str, Any] = {
        "shown": shown,
        "service": service,
        "operation": operation,
        "prefix": public_prefix(service.name, service.version),
        "is_platform": service.name == PLATFORM,
        "form": form,
        "apps": [(one.id, one.name) for one in mine],
        "parameters": [one for one in parameters if one.location != "cookie"],
        "parameters_all": parameters,
        "has_body": bool(samples.json_media(operation)),
        "body_type": samples.json_media(operation),
        "bodies": [_media_view(one, shown, language, f"{operation.id}:body") for one in bodies[:3]],
        "responses": _responses(operation, shown, texts, language),
        "samples": await samples_of(shown, operation, _base_of(request, shown)),
        "neighbours": shown.operations[first : first + _NEIGHBOURS],
        "answer": answer,
    }
    return await page(request, caller, "operation.html", status=status, **context)


def _base_of(request: AnyRequest, shown: Shown) -> str:
    """The address of the service version in the environment whose document is shown."""
    issuer = settings_of(request).issuer_of(shown.environment)
    return issuer + public_prefix(shown.service.name, shown.service.version)


def _scenario(operation: Operation, identifier: str) -> Scenario | None:
    return next((one for one in operation.scenarios if one.id == identifier), None)


@get("/catalogue/{name:str}/{version:str}/operations/{operation_id:str}")
async def show_operation(
    request: AnyRequest,
    caller: CurrentCaller,
    name: FromPath[str],
    version: FromPath[str],
    operation_id: FromPath[str],
) -> Page:
    """The operation; `scenario` in the address fills the form with that scenario's values."""
    shown = await find_service(caller, name, version)
    operation = find_operation(shown, operation_id)
    scenario = _scenario(operation, str(request.query_params.get("scenario", "")))
    values = samples.beginning_of(shown.service, operation, scenario)
    blank = TRY.blank(values | {"scenario": scenario.id if scenario else ""}, _form_fields(operation))
    return await _operation_page(request, caller, shown, operation, blank)


@post("/catalogue/{name:str}/{version:str}/operations/{operation_id:str}", opt={"slowapi": "60/minute"})
async def try_operation(
    request: AnyRequest,
    caller: CurrentCaller,
    name: FromPath[str],
    version: FromPath[str],
    operation_id: FromPath[str],
) -> Page:
    """Calls the operation as the caller's sandbox app and shows the answer below the form."""
    check_signed_in(caller)
    shown = await find_service(caller, name, version)
    operation = find_operation(shown, operation_id)
    form = await TRY.read(request, _form_fields(operation))
    mine = await usable_apps(caller, shown.id)
    app = next((one for one in mine if form.value("app") in {"", one.id}), None)
    if app is None:
        form.fault("app", "try.no_app")
    if not form.is_valid or app is None:
        return await _operation_page(request, caller, shown, operation, form, status=422)
    values = {key: str(value) for key, value in form.values.items()}
    body_type = samples.json_media(operation) if form.value("body") else ""
    answer = await tryit.call(
        request,
        app=app,
        scopes=(await catalogue.granted_scopes(app.id)) & set(operation.scopes),
        operation=operation,
        address=tryit.address_of(shown.service, operation, values),
        headers=tryit.headers_of(operation, values, form.value("scenario"), body_type),
        body=form.value("body").encode() if body_type else b"",
        language=language_of(request),
    )
    return await _operation_page(request, caller, shown, operation, form, answer=answer)


router = Router("/", route_handlers=[show_operation, try_operation])
