"""Outside identity providers, for administrators: listed, set up, changed, taken away."""

from typing import Any

from litestar import Response, Router, get, post
from litestar.params import FromPath

from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.problems import Refusal
from api.identity.models import Organisation
from api.identity.outside import providers
from api.identity.outside.models import OutsideProvider
from api.identity.outside.providers import AUDIENCES, ProviderInput
from api.identity.outside.routes import callback_of
from portal import flash
from portal.forms import Field, Filled, Form
from portal.frame import check_signed_in, page, redirect
from portal.view import AnyRequest, Page

HOME = "/administration/providers"
PROVIDER = Form(
    Field("name_zh", maximum=100), Field("name_en", maximum=100),
    Field("slug", maximum=40, pattern="[a-z][a-z0-9-]*", hint_key="form.slug"), Field("audience", maximum=12),
    Field("issuer", maximum=300), Field("client_id", maximum=200),
    Field("client_secret", kind="password", required=False), Field("scopes", maximum=300),
    Field("trusts_email", kind="flag", required=False), Field("is_enabled", kind="flag", required=False),
    Field("mapping", kind="area", maximum=20_000, required=False),
    Field("assurance", kind="area", maximum=4000, required=False), Field("mfa_values", maximum=1000, required=False),
)  # fmt: skip
_BLANK = {"scopes": "openid profile email", "audience": "staff", "is_enabled": True}


def read_rules(form: Filled) -> list[dict[str, Any]]:
    """The rules of the text area, one a line; a line of another form is marked."""
    rules = []
    for number, line in enumerate(form.value("mapping").splitlines(), start=1):
        parts = [part.strip() for part in line.split("|")]
        if not line.strip():
            continue
        if len(parts) != 4 or not all(parts):
            form.fault("mapping", "providers.line", line=number)
            continue
        roles = [role.strip() for role in parts[3].split(",") if role.strip()]
        rules.append({"claim": parts[0], "value": parts[1], "organisation": parts[2], "roles": roles})
    return rules


def read_assurance(form: Filled) -> dict[str, str]:
    """What each acr is worth, by the lines of the text area."""
    worth = {}
    for number, line in enumerate(form.value("assurance").splitlines(), start=1):
        acr, equals, level = (part.strip() for part in line.rpartition("="))
        if not line.strip():
            continue
        if not equals or not acr or not level:
            form.fault("assurance", "providers.line", line=number)
            continue
        worth[acr] = level
    return worth


def _input_of(form: Filled) -> ProviderInput:
    return ProviderInput(
        slug=form.value("slug"), audience=form.value("audience"), issuer=form.value("issuer"),
        name_zh=form.value("name_zh"), name_en=form.value("name_en"), client_id=form.value("client_id"),
        client_secret=form.value("client_secret"), scopes=form.value("scopes"),
        trusts_email=bool(form.values.get("trusts_email")), is_enabled=bool(form.values.get("is_enabled")),
        mapping=read_rules(form), assurance=read_assurance(form), mfa_values=form.value("mfa_values").split(),
    )  # fmt: skip


async def _values_of(row: OutsideProvider) -> dict[str, Any]:
    slugs = {
        str(one.id): str(one.slug)
        for one in await Organisation.filter(id__in=[rule["organisation"] for rule in row.mapping] or [""])
    }
    lines = [
        f"{rule['claim']} | {rule['value']} | {slugs.get(rule['organisation'], rule['organisation'])} | {', '.join(rule['roles'])}"
        for rule in row.mapping
    ]
    return {
        "slug": row.slug, "audience": row.audience, "issuer": row.issuer, "name_zh": row.name_zh, "name_en": row.name_en,
        "client_id": row.client_id, "scopes": row.scopes, "trusts_email": row.trusts_email, "is_enabled": row.is_enabled,
        "mapping": "\n".join(lines), "assurance": "\n".join(f"{acr} = {level}" for acr, level in row.assurance.items()),
        "mfa_values": " ".join(row.mfa_values),
    }  # fmt: skip


@get("/administration/providers")
async def show_providers(request: AnyRequest, caller: CurrentCaller) -> Page:
    """All of them."""
    check_signed_in(caller)
    return await page(request, caller, "providers.html", rows=await providers.providers(caller))


async def _form_page(
    request: AnyRequest, caller: Caller, form: Filled, row: OutsideProvider | None = None
) -> Page:
    status = 200 if form.is_valid else form.status
    return await page(
        request, caller, "provider.html", status=status, form=form, row=row, audiences=AUDIENCES,
        callback=callback_of(row) if row else "",
    )  # fmt: skip


@get("/administration/providers/new")
async def show_new(request: AnyRequest, caller: CurrentCaller) -> Page:
    """The form for another one."""
    check_signed_in(caller)
    providers.check_can_manage_providers(caller)
    return await _form_page(request, caller, PROVIDER.blank(_BLANK))


@post("/administration/providers/new")
async def add(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """Set it up; its page then says which redirect URI to register."""
    check_signed_in(caller)
    form = await PROVIDER.read(request)
    said = _input_of(form)
    if form.is_valid:
        try:
            row = await providers.add_provider(caller, said)
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect(f"{HOME}/{row.id}", flash.put("providers.saved"))
    return await _form_page(request, caller, form)


@get("/administration/providers/{provider_id:str}")
async def show_provider(request: AnyRequest, caller: CurrentCaller, provider_id: FromPath[str]) -> Page:
    """One of them, to change."""
    check_signed_in(caller)
    row = await providers.get_provider(caller, provider_id)
    return await _form_page(request, caller, PROVIDER.blank(await _values_of(row)), row)


@post("/administration/providers/{provider_id:str}")
async def change(
    request: AnyRequest, caller: CurrentCaller, provider_id: FromPath[str]
) -> Page | Response[None]:
    """Save what was changed."""
    check_signed_in(caller)
    row = await providers.get_provider(caller, provider_id)
    form = await PROVIDER.read(request)
    said = _input_of(form)
    if form.is_valid:
        try:
            await providers.change_provider(caller, row.id, said)
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect(f"{HOME}/{row.id}", flash.put("providers.saved"))
    return await _form_page(request, caller, form, row)


@post("/administration/providers/{provider_id:str}/remove")
async def remove(caller: CurrentCaller, provider_id: FromPath[str]) -> Response[None]:
    """Take it away."""
    check_signed_in(caller)
    await providers.remove_provider(caller, provider_id)
    return redirect(HOME, flash.put("providers.removed", kind="info"))


router = Router("/", route_handlers=[show_providers, show_new, add, show_provider, change, remove])
