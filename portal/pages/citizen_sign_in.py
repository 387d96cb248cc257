"""Signing in as a citizen: a person of the city is picked in the sandbox, an outside provider says who it is live."""

from collections.abc import Sequence
from urllib.parse import urlencode

from litestar import Response, Router, post
from msgspec.structs import replace

from api.core import problem_types_platform as platform_types
from api.core.problems import Refusal, Text
from api.identity.consents.subjects import ASSURANCES, Subject
from api.identity.installation import current
from portal import citizens, flash, personas
from portal.citizen_frame import citizen_page
from portal.frame import redirect
from portal.language import language_of
from portal.next_page import safe_next
from portal.pages.citizen_outside import provider_buttons
from portal.view import AnyRequest, Page, Words, settings_of

_SOUGHT = 40


async def sign_in_page(
    request: AnyRequest,
    *,
    asking: str = "",
    refuse: str = "",
    goes_to: str = "",
    people: Sequence[Subject] | None = None,
    guardian_of: Subject | None = None,
    back: str = "",
    assurance: str = "",
    hint: str = "",
    is_fresh: bool = False,
) -> Page:
    """Who are you? `asking` is the app for which, `refuse` where its request can be refused, `people` who may answer.

    `back` is where to go on, this very address if "". `hint` is whom the app expects (login_hint).
    """
    words = Words(language_of(request))
    query = request.query_params
    sought = str(query.get("q", hint if is_fresh and len(hint) <= _SOUGHT else ""))[:_SOUGHT]
    kept = [(name, value) for name, value in query.multi_items() if name not in {"q", "lang"}]
    here = request.url.path + (f"?{urlencode(kept)}" if kept else "")
    rows, is_cut = [], False
    if settings_of(request).environment == "sandbox":
        if people is not None:
            rows = await personas.rows_of_some(list(people), words)
        else:
            rows, is_cut = await personas.rows_of(request, words, sought)
            if not rows and "q" not in query:  # the app expects somebody who is not here
                sought, (rows, is_cut) = "", await personas.rows_of(request, words)
    return citizen_page(
        request, "citizen_sign_in.html", goes_to=goes_to, asking=asking, refuse=refuse, guardian_of=guardian_of,
        people=rows, is_cut=is_cut, is_whole=people is None, sought=sought, kept=kept, clear=here,
        next=back or here, assurance=assurance, providers=await _providers(request, back or here, assurance),
    )  # fmt: skip


async def _providers(request: AnyRequest, next_: str, assurance: str) -> list[dict[str, str]]:
    """The outside providers that citizens sign in with, live."""
    return await provider_buttons(next_, assurance) if settings_of(request).environment == "live" else []


@post("/consents/sign-in", opt={"slowapi": "60/minute"})
async def sign_in(request: AnyRequest) -> Response[None]:
    """As a person of the city. Only the sandbox has any: elsewhere there is no such page."""
    if settings_of(request).environment != "sandbox":
        raise Refusal(platform_types.PAGE_NOT_FOUND)
    sent = await request.form()
    subject = await current().subjects.find(str(sent.get("subject", ""))[:80])
    if subject is None:
        raise Refusal(platform_types.NOT_FOUND, what=Text("这位市民", "such citizen"))
    wanted = str(sent.get("assurance", ""))
    if wanted in ASSURANCES and ASSURANCES.index(wanted) > ASSURANCES.index(subject.assurance):
        subject = replace(subject, assurance=wanted)  # nothing is checked in the sandbox; the page says so
    go_on = safe_next(str(sent.get("next", ""))) or "/consents"
    return redirect(go_on, citizens.remember(request, subject))


@post("/consents/sign-out")
async def sign_out(request: AnyRequest) -> Response[None]:
    """Out in this browser, and on to where somebody else signs in."""
    go_on = safe_next(str((await request.form()).get("next", ""))) or "/consents"
    return redirect(go_on, citizens.forget(request), flash.put("citizen.signed_out", kind="info"))


router = Router("/", route_handlers=[sign_in, sign_out])
