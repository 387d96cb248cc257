"""Drawing a page: the one place where a template meets the request's language, caller, form token and messages.

Handlers give a template's name and what it shows; they never write HTML. Templates never ask a service.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response
from litestar.datastructures import Cookie
from markupsafe import Markup
from msgspec import Struct

from api.core import clock
from api.core.caller import Caller, CallerKind
from api.core.problems import Problem, Text, describe
from api.settings import Settings
from portal import csrf, flash
from portal.assets import asset
from portal.forms import Fault
from portal.icons import icon
from portal.language import language_cookie, language_of
from portal.prose import plain, prose
from portal.texts import markup, text

AnyRequest = Request[Any, Any, Any]
Page = Response[str]
BEIJING = timezone(timedelta(hours=8))


class Navigation(Struct, frozen=True):
    """What the bar at the top offers to this caller besides what everybody sees."""

    is_signed_in: bool = False
    name: str = ""
    departments: tuple[Any, ...] = ()
    pending: int = 0
    is_administrator: bool = False


def beijing(moment: datetime | None, *, seconds: bool = False) -> str:
    """An instant as people in China read it, 2025-11-23 14:05; "" for None."""
    if moment is None:
        return ""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=clock.now().tzinfo)
    return aware.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def _time_tag(moment: datetime | None, *, seconds: bool = False) -> Markup:
    if moment is None:
        return Markup("")
    return Markup('<time datetime="{}">{}</time>').format(
        clock.to_text(moment), beijing(moment, seconds=seconds)
    )


def _time_of_record(at: int) -> Markup:
    return _time_tag(from_microseconds(at), seconds=True)


def from_microseconds(at: int) -> datetime:
    """The instant of a request record."""
    return datetime.fromtimestamp(at / 1_000_000, tz=BEIJING)


def milliseconds(microseconds: int) -> str:
    """A duration as people read it: `0.42 ms`, `17 ms`, `2.1 s`."""
    if microseconds >= 1_000_000:
        return f"{microseconds / 1_000_000:.1f} s"
    value = microseconds / 1000
    return f"{value:.2f} ms" if value < 10 else f"{value:.0f} ms"


def size(count: int) -> str:
    """A number of bytes as people read it."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024 or unit == "MiB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count = count / 1024  # type: ignore[assignment]  # a float from here on
    return str(count)


def _make_environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= {"asset": asset, "icon": icon}
    filters: dict[str, Callable[..., Any]] = {
        "moment": _time_tag,
        "at": _time_of_record,
        "duration": milliseconds,
        "size": size,
        "prose": prose,
        "plain": plain,
    }
    environment.filters |= filters
    return environment


ENVIRONMENT = _make_environment()


class Words:
    """The language of one page: `t(key, fact=…)` and the few texts that data carry in two languages."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, key: str, /, **facts: Any) -> Markup:
        return markup(self.language, key, facts)

    def pick(self, zh: str, en: str) -> str:
        """The one of two texts that is in the page's language, or the other where it is empty."""
        return (zh or en) if self.language == "zh" else (en or zh)

    def named(self, row: Any) -> str:
        """The name or title of an organisation, service or plan."""
        stem = "name" if hasattr(row, "name_zh") else "title"
        return self.pick(getattr(row, f"{stem}_zh"), getattr(row, f"{stem}_en"))

    def texts(self, texts: Mapping[str, Mapping[str, str]], part: str, otherwise: str = "") -> str:
        """`part` (title or description) of the contract's texts."""
        tags = ("zh-CN", "zh") if self.language == "zh" else ("en", "en-GB")
        for tag in tags:
            if found := texts.get(tag, {}).get(part):
                return found
        return otherwise

    def pair(self, texts: Mapping[str, str]) -> str:
        """The one of a pair of texts, `zh` and `en`, that is in the page's language."""
        return self.pick(texts.get("zh", ""), texts.get("en", ""))

    def titled(self, titles: Mapping[str, str], otherwise: str = "") -> str:
        """The title of a scenario or scope, which are plain language -> text."""
        tags = ("zh-CN", "zh", "en") if self.language == "zh" else ("en", "zh-CN", "zh")
        return next((titles[tag] for tag in tags if titles.get(tag)), otherwise)

    def fault(self, fault: Fault) -> str:
        """The words of what is wrong with a field."""
        if fault.key:
            return text(self.language, fault.key, **fault.facts)
        return self.said(fault.words)

    def said(self, words: Text | str) -> str:
        """Words of a service: a Text is said in the page's language."""
        return words.in_language(self.language) if isinstance(words, Text) else str(words)


def explain(problem: Problem, language: str, docs_url: str) -> dict[str, str]:
    """A problem in the very words of its problem+json."""
    return describe(problem.kind, problem.facts, language=language, docs_url=docs_url)


def _address_in(request: AnyRequest, language: str) -> str:
    query = [(key, value) for key, value in request.query_params.multi_items() if key != "lang"]
    return f"{request.url.path}?{urlencode([*query, ('lang', language)])}"


def came_from(request: AnyRequest) -> str:
    """The page of ours that somebody looks at: this one, or for a form the one that it stood on."""
    if request.method == "GET":
        return request.url.path + (f"?{request.url.query}" if request.url.query else "")
    parts = urlsplit(request.headers.get("referer", ""))
    return parts.path if parts.netloc == request.headers.get("host", "") and parts.path else "/"


def settings_of(request: AnyRequest) -> Settings:
    """The settings that the site was made with."""
    found: Settings = request.app.state.portal.settings
    return found


def draw(
    request: AnyRequest,
    template: str,
    *,
    navigation: Navigation | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    cookies: Sequence[Cookie] = (),
    **context: Any,
) -> Page:
    """The page, with what every page has. Use `portal.pages.page`, which knows the caller."""
    language = language_of(request)
    settings = settings_of(request)
    words = Words(language)
    token, token_cookie = csrf.token_for(request)
    messages, spent = flash.take(request)
    sent = [cookie for cookie in (language_cookie(request), token_cookie, spent) if cookie] + list(cookies)
    body = ENVIRONMENT.get_template(template).render(
        t=words,
        language=language,
        other_language=_address_in(request, "en" if language == "zh" else "zh"),
        csrf=token,
        flashes=messages,
        here=request.url.path,
        came_from=came_from(request),
        query=request.query_params,
        site=settings,
        navigation=navigation or Navigation(),
        explain=lambda problem: explain(problem, language, settings.docs_url),
        **context,
    )
    return Response(
        body,
        status_code=status,
        media_type="text/html; charset=utf-8",
        headers={"Cache-Control": "no-store", "Content-Language": language, "Vary": "Cookie, Accept-Language"}
        | dict(headers or {}),
        cookies=sent,
    )


def is_person(caller: Caller) -> bool:
    """Whether somebody is signed in."""
    return caller.kind is CallerKind.PERSON
