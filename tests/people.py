"""People who use the platform over HTTP, as a browser would: cookie, CSRF token, mail from the outbox page."""

import contextlib
import re
import secrets
from typing import Any

import httpx

_CLIENTS = contextlib.ExitStack()


def say_goodbye() -> None:
    """Close the connections of all visitors; the session fixture of the journeys calls it."""
    _CLIENTS.close()


class Visitor:
    """A person with a cookie jar. `api` sends JSON with the session's CSRF token."""

    def __init__(self, url: str, name: str) -> None:
        self.http = _CLIENTS.enter_context(
            httpx.Client(base_url=url, timeout=30, headers={"Accept-Language": "en"})
        )
        self.name = name
        self.email = f"{name}-{secrets.token_hex(4)}@example.org"
        self.password = "correct horse battery " + secrets.token_hex(4)
        self.csrf = ""
        self.id = ""

    def api(
        self, method: str, path: str, expect: int | tuple[int, ...] = (200, 201, 202, 204), **body: Any
    ) -> Any:
        """The JSON of an answer whose status must be as expected."""
        answer = self.http.request(
            method, path, json=body or None, headers={"X-CSRF-Token": self.csrf} if self.csrf else {}
        )
        expected = (expect,) if isinstance(expect, int) else expect
        assert answer.status_code in expected, f"{method} {path} → {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def mail(self, containing: str = "token=") -> str:
        """The newest link that was mailed to this person."""
        page = self.http.get("/outbox", headers={"Accept": "text/html"})
        assert page.status_code == 200, page.text
        for block in re.split(r"<(?:article|li|section)\b", page.text):
            if self.email in block:
                found = re.search(r'href="([^"]*' + re.escape(containing) + r'[^"]*)"', block)
                if found:
                    return found.group(1).replace("&amp;", "&")
        raise AssertionError(f"no mail for {self.email} in {page.text[:3000]}")

    def sign_up(self) -> "Visitor":
        """Sign up, verify by the mailed link, sign in."""
        self.api(
            "POST",
            "/platform/v1/sign-up",
            email=self.email,
            password=self.password,
            name=self.name,
            locale="en",
        )
        self.api("POST", "/platform/v1/verify-email", token=_token_of(self.mail("verify")))
        return self.sign_in()

    def sign_in(self) -> "Visitor":
        made = self.api("POST", "/platform/v1/sign-in", email=self.email, password=self.password)
        self.csrf, self.id = made["csrf_token"], made["person"]["person_id"]
        return self

    def accept(self, link: str, *, is_bound: bool = True) -> "Visitor":
        """Join by an invitation link, as a new person; one bound to no address takes this person's."""
        body = {"token": _token_of(link), "name": self.name, "password": self.password}
        if not is_bound:
            body["email"] = self.email
        self.api("POST", "/platform/v1/invitations/accept", **body)
        return self.sign_in()


def _token_of(link: str) -> str:
    found = re.search(r"token=([^&\"]+)", link)
    assert found, link
    return found.group(1)
