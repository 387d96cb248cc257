"""A citizen at a browser without JavaScript: goes where an app sends them, signs in as a person of the city, decides.

They go through the pages that the server shows, form by form, and end where an address is not the server's.
"""

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urljoin

import httpx

from tests.page import FormElement, Page

MOST_PAGES = 12


@dataclass
class Citizen:
    """`name` is that of the person whom they pick, `organisation` whom they speak for where that is asked."""

    origin: str
    name: str
    organisation: str = ""
    tick: bool = True  # the separate choices too
    seen: list[Page] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.origin, timeout=60, headers={"Accept": "text/html"})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def visit(self, address: str, decision: str = "agree", **typed: str) -> str:
        """Where the browser ends after this decision: an address elsewhere, or a page of ours without a question."""
        answer = self._go("GET", address)
        for _ in range(MOST_PAGES):
            if isinstance(answer, str):
                return answer
            page = Page(answer)
            self.seen.append(page)
            assert page.status == 200, (page.url, page.status, page.text[:2000])
            step = self._step(page, decision, typed)
            if step is None:
                return page.url
            form, fields = step
            answer = self._go(form.method.upper(), urljoin(page.url, form.action), fields)
        raise AssertionError(f"still asked after {MOST_PAGES} pages, at {page.url}:\n{page.text[:2000]}")

    def _step(
        self, page: Page, decision: str, typed: dict[str, str]
    ) -> tuple[FormElement, list[tuple[str, str]]] | None:
        """The form to send from this page, filled; None where nothing is asked."""
        for form in page.forms:
            names = {one.attributes.get("name", "") for one in form.buttons} | form.names
            fields = [(name, value) for name, value in form.fields if name not in typed]
            if "subject" in names:
                return form, [*fields, ("subject", self._pick(page, form))]
            if "decision" in names and "csrf" in names and not _is_quiet(form):
                boxes = [
                    (one.attributes["name"], one.attributes.get("value", "on"))
                    for one in page.all("input")
                    if one.attributes.get("type") == "checkbox" and self.tick and decision == "agree"
                ]
                if "organisation" in form.names and self.organisation:
                    fields = [pair for pair in fields if pair[0] != "organisation"]
                    fields.append(("organisation", self.organisation))
                return form, [*fields, *boxes, ("decision", decision)]
            if typed and set(typed) <= names:
                return form, [*fields, *typed.items()]
        return None

    def _pick(self, page: Page, form: FormElement) -> str:
        for button in form.buttons:
            if button.attributes.get("name") == "subject" and self.name in button.text:
                return button.attributes["value"]
        raise AssertionError(f"{self.name} is nobody to pick on {page.url}:\n{page.text[:2000]}")

    def _go(
        self, method: str, address: str, fields: list[tuple[str, str]] | None = None
    ) -> httpx.Response | str:
        """The page at the end of the redirects, or the first address that is not the server's."""
        data: dict[str, list[str]] = {}
        for name, value in fields or []:
            data.setdefault(name, []).append(value)
        answer = self.http.request(method, address, data=data or None)
        while answer.is_redirect:
            address = urljoin(str(answer.url), answer.headers["location"])
            if not address.startswith(self.origin + "/"):
                return address
            answer = self.http.get(address)
        return answer


def _is_quiet(form: FormElement) -> bool:
    """Whether it can only refuse: the way out of a page that asks something else."""
    return not any(one.attributes.get("value") == "agree" for one in form.buttons)
