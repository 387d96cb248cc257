"""A visitor: a person with a browser without JavaScript, for every test that needs somebody.

Opens pages, fills the forms that are there, presses buttons, follows redirects; takes nothing but what a page
offers. `api` speaks to the platform API with the same session, as a page's script would.
"""

import contextlib
import itertools
import re
import secrets
from typing import Any, Self
from urllib.parse import urljoin

import httpx

from tests.authenticator import Authenticator
from tests.page import Page
from tests.server import Installation

PASSWORD = "静水流深 blue door 7"
_CLIENTS = contextlib.ExitStack()
_addresses = itertools.count(1)


def say_goodbye() -> None:
    """Close the connections of all visitors; the session fixtures that serve the platform call it."""
    _CLIENTS.close()


def administrator(installation: Installation, url: str, *, language: str = "en") -> "Visitor":
    """An administrator of the platform, invited by the command line and signed in."""
    return Visitor(url, language=language).accept(installation.json("admin", "invite")["link"])


class Visitor:
    """A person's browser, with an address of its own (edge limits count by address)."""

    def __init__(self, url: str, *, language: str = "zh-CN") -> None:
        number = next(_addresses)
        headers = {
            "Accept": "text/html",
            "Accept-Language": language,
            "X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
        }
        self.http = httpx.Client(base_url=url, timeout=30, headers=headers, follow_redirects=True)
        _CLIENTS.callback(self.http.close)
        self.url = url
        self.email = f"v{secrets.token_hex(5)}@example.org"
        self.authenticator: Authenticator | None = None
        self._csrf = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Close this visitor's connections, where a test does not leave that to `say_goodbye`."""
        self.http.close()

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
            self._csrf = ""  # the form may have begun or ended a session
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

    def sign_up(self, name: str = "林小晴") -> Self:
        """Sign up, verify by the mailed link, sign in."""
        page = self.open("/sign-up")
        self.submit(page, "/sign-up", email=self.email, name=name, password=PASSWORD)
        page = self.submit(self.open(self.newest_mail()), "/verify")
        self.submit(page, "/sign-in", password=PASSWORD)
        return self

    def sign_in(self) -> Page:
        """With the password, and the authenticator app where there is one."""
        page = self.submit(self.open("/sign-in"), "/sign-in", email=self.email, password=PASSWORD)
        if self.authenticator is None:
            return page
        return self.submit(page, "/sign-in/step", code=self.authenticator.code())

    def set_up_factor(self) -> Self:
        """An authenticator app, as whoever approves, publishes live or administers needs one."""
        page = self.submit(self.open("/account/security"), "/account/security/totp")
        app = Authenticator("".join(page.with_class("secret")[0].text.split()))
        page = self.submit(page, "/totp/confirm", code=app.code())
        app.recovery_codes = page.with_class("codes")[0].text.split()
        self.authenticator = app
        return self

    def accept(self, link: str, name: str = "何华") -> Self:
        """Join by an invitation link: as who is signed in, or as a new person, who signs in then; with a second factor."""
        page = self.open(link)
        names = page.form("/invitation").names
        new = {"email": self.email, "name": name, "password": PASSWORD}
        page = self.submit(page, "/invitation", **{key: new[key] for key in new if key in names})
        if page.has_form("/sign-in"):
            self.submit(page, "/sign-in", password=PASSWORD)
        return self if self.authenticator else self.set_up_factor()

    def make_app(self, *services: str, name: str = "样例应用", **purposes: str) -> Page:
        """A sandbox app; its page, with the secret on it."""
        page = self.open("/apps/new")
        return self.submit(page, "/apps/new", name=name, services=list(services), **purposes)

    # --- the platform API ----------------------------------------------------------------------
    @property
    def session(self) -> dict[str, str]:
        """The headers by which another client speaks with this person's session."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        return {"Cookie": cookie, "X-CSRF-Token": self._csrf_token()}

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request to the platform API, whatever it answers."""
        headers = {"Accept": "application/json", "X-CSRF-Token": self._csrf_token()}
        return self.http.request(method, path, headers=headers | options.pop("headers", {}), **options)

    def api(
        self, method: str, path: str, expect: int | tuple[int, ...] = (200, 201, 202, 204), **body: Any
    ) -> Any:
        """The JSON of an answer whose status must be as expected."""
        answer = self.ask(method, path, json=body or None)
        expected = (expect,) if isinstance(expect, int) else expect
        assert answer.status_code in expected, f"{method} {path} → {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def _csrf_token(self) -> str:
        if not self._csrf:
            me = self.http.get("/platform/v1/me", headers={"Accept": "application/json"})
            self._csrf = me.json()["csrf_token"]
        return self._csrf
