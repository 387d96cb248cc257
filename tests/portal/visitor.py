"""A visitor without JavaScript: opens pages, fills the forms that are there, presses buttons, follows redirects.

It takes nothing but what a page offers: a form's hidden fields come from the page, a field that is not there
can't be filled.
"""

import contextlib
import html.parser
import itertools
import re
import secrets
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import httpx

CLIENTS = contextlib.ExitStack()
PASSWORD = "静水流深 blue door 7"
_addresses = itertools.count(1)


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class FormElement:
    """A form of a page: `fields` holds what would be sent if nobody typed anything."""

    action: str
    method: str
    is_multipart: bool
    fields: list[tuple[str, str]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    buttons: list[Element] = field(default_factory=list)


class Page(html.parser.HTMLParser):
    """A page as read: forms, links, texts, and every element in order."""

    VOID = frozenset({"input", "br", "meta", "link", "hr", "img", "path", "rect", "circle"})

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(convert_charrefs=True)
        self.answer = answer
        self.url = str(answer.url)
        self.status = answer.status_code
        self.source = answer.text
        self.elements: list[Element] = []
        self.forms: list[FormElement] = []
        self._stack: list[Element] = []
        self._form: FormElement | None = None
        self._select: tuple[str, list[Element]] | None = None
        if "html" in answer.headers.get("content-type", ""):
            self.feed(self.source)

    def handle_starttag(self, tag, attrs):
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in self.VOID:
            self._stack.append(element)
        self._take(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def _take(self, element):
        attributes, name = element.attributes, element.attributes.get("name", "")
        if element.tag == "form":
            self._form = FormElement(
                attributes.get("action", ""), attributes.get("method", "get"), "multipart" in attributes.get("enctype", "")
            )  # fmt: skip
            self.forms.append(self._form)
        elif self._form is None:
            return
        elif element.tag == "button":
            self._form.buttons.append(element)
        elif element.tag == "select":
            self._select = (name, [])
            self._form.names.add(name)
        elif element.tag == "option" and self._select:
            self._select[1].append(element)
        elif element.tag == "input" and name:
            self._form.names.add(name)
            kind = attributes.get("type", "text")
            is_box = kind in {"checkbox", "radio"}
            if kind != "file" and (not is_box or "checked" in attributes):
                self._form.fields.append((name, attributes.get("value", "on" if is_box else "")))
        elif element.tag == "textarea":
            self._form.names.add(name)

    def handle_endtag(self, tag):
        while self._stack:
            element = self._stack.pop()
            if element.tag == "textarea" and self._form:
                self._form.fields.append(
                    (element.attributes.get("name", ""), element.text.removeprefix("\n"))
                )
            if element.tag == "select" and self._form and self._select:
                name, options = self._select
                chosen = next(
                    (one for one in options if "selected" in one.attributes), options[0] if options else None
                )
                if chosen:
                    self._form.fields.append((name, chosen.attributes.get("value", chosen.text)))
                self._select = None
            if element.tag == "form":
                self._form = None
            if element.tag == tag:
                return

    def handle_data(self, data):
        for element in self._stack:
            element.text += data

    # --- what a person sees ---------------------------------------------------------------------
    @property
    def text(self) -> str:
        body = next((one for one in self.elements if one.tag == "main"), None)
        return " ".join(body.text.split()) if body else self.source

    def all(self, tag: str) -> list[Element]:
        return [one for one in self.elements if one.tag == tag]

    def heading(self) -> str:
        return " ".join(self.all("h1")[0].text.split())

    def link(self, beginning: str) -> str:
        """The first link of the page's main part whose address begins so."""
        for one in self.all("a"):
            if one.attributes.get("href", "").startswith(beginning):
                return one.attributes["href"]
        raise AssertionError(f"no link {beginning} on {self.url}:\n{self.text[:1500]}")

    def form(self, action: str) -> FormElement:
        """The form whose action ends so."""
        for one in self.forms:
            if urlsplit(one.action).path.endswith(action):
                return one
        raise AssertionError(f"no form …{action} on {self.url}: {[one.action for one in self.forms]}")

    def has_form(self, action: str) -> bool:
        return any(urlsplit(one.action).path.endswith(action) for one in self.forms)

    def with_class(self, name: str) -> list[Element]:
        return [one for one in self.elements if name in one.attributes.get("class", "").split()]

    def errors(self) -> dict[str, str]:
        """What is said at each field: by the field's name."""
        return {
            one.attributes["id"].removeprefix("error-"): " ".join(one.text.split())
            for one in self.elements
            if one.attributes.get("id", "").startswith("error-")
        }


class Visitor:
    """A browser without JavaScript, with an address of its own (edge limits count by address)."""

    def __init__(self, url: str, *, language: str = "zh-CN") -> None:
        number = next(_addresses)
        headers = {
            "Accept": "text/html",
            "Accept-Language": language,
            "X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
        }
        self.http = CLIENTS.enter_context(
            httpx.Client(base_url=url, timeout=30, headers=headers, follow_redirects=True)
        )
        self.url = url
        self.email = f"v{secrets.token_hex(5)}@example.org"

    def open(self, path: str, *, expect: int = 200) -> Page:
        page = Page(self.http.get(path))
        assert page.status == expect, f"GET {path} → {page.status}\n{page.text[:2000]}"
        return page

    def submit(self, page: Page, action: str, *, expect: int = 200, files=None, add=(), **values) -> Page:
        """Fill the named fields of a form and send it. Lists fill check boxes; None unticks."""
        form = page.form(action)
        for name in values:
            assert name in form.names, f"no field {name} in {form.action}: {sorted(form.names)}"
        sent = [(name, value) for name, value in form.fields if name not in values]
        for name, value in values.items():
            if value is not None:
                sent += [(name, str(one)) for one in (value if isinstance(value, list) else [value])]
        sent += list(add)
        address = urljoin(page.url, form.action)
        if form.method.lower() == "get":
            answer = self.http.get(address, params=sent)
        else:
            grouped: dict[str, list[str]] = {}
            for name, value in sent:
                grouped.setdefault(name, []).append(value)
            headers = {"Referer": page.url, "Origin": self.url}
            parts = files if form.is_multipart else None
            answer = self.http.post(address, data=grouped, files=parts, headers=headers)
        result = Page(answer)
        assert result.status == expect, f"POST {form.action} → {result.status}\n{result.text[:2500]}"
        return result

    # --- the usual way in ----------------------------------------------------------------------
    def newest_mail(self) -> str:
        """The link of the newest mail to this person."""
        page = self.open("/outbox")
        for block in re.split(r"<article", page.source)[1:]:
            if self.email in block:
                found = re.search(r'class="button[^"]*" href="([^"]+)"', block)
                assert found, block
                return found.group(1).replace("&amp;", "&")
        raise AssertionError(f"no mail for {self.email}")

    def sign_up(self, name: str = "林小晴") -> "Visitor":
        page = self.open("/sign-up")
        self.submit(page, "/sign-up", email=self.email, name=name, password=PASSWORD)
        page = self.submit(self.open(self.newest_mail()), "/verify")
        self.submit(page, "/sign-in", password=PASSWORD)
        return self

    def sign_in(self) -> Page:
        return self.submit(self.open("/sign-in"), "/sign-in", email=self.email, password=PASSWORD)

    def make_app(self, *services: str, name: str = "样例应用", **purposes: str) -> Page:
        """A sandbox app; its page, with the secret on it."""
        page = self.open("/apps/new")
        return self.submit(page, "/apps/new", name=name, services=list(services), **purposes)
