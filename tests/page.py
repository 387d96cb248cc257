"""A page of the portal as a test reads it: forms with what they would send, links, texts, errors. No JavaScript."""

import html.parser
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx


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

    def credentials(self) -> tuple[str, str]:
        """Client id and secret, where this page shows a secret."""
        client_id = next(one.text for one in self.all("code") if one.text.startswith("kt_"))
        return client_id, self.with_class("secret")[0].text.strip()

    def errors(self) -> dict[str, str]:
        """What is said at each field: by the field's name."""
        return {
            one.attributes["id"].removeprefix("error-"): " ".join(one.text.split())
            for one in self.elements
            if one.attributes.get("id", "").startswith("error-")
        }
