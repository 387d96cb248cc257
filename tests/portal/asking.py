"""An app that asks citizens for consent, and the citizen's browser that comes with its request."""

import base64
import hashlib
import json
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

from tests.page import Page
from tests.visitor import Visitor

CALLBACK = "https://bank.example/callback"
TAX = {"type": "kaimen-service", "service": "tax@v1", "purpose": "bank-credit"}
CLINIC = {"type": "kaimen-service", "service": "clinic@v1", "purpose": "school-entry"}
MANSHAN = "91990106MA0000015L"  # of which Lin Xi is the legal representative
HENGZHU = "91990105MA00000231"


@dataclass
class App:
    """A baseline app with a secret, made in the portal by `developer`."""

    developer: Visitor
    id: str
    client_id: str
    secret: str
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def url(self) -> str:
        return self.developer.url

    def request(self, **changes: Any) -> dict[str, str]:
        """A good authorization request with these changes; None leaves a parameter out."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        wanted: dict[str, Any] = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": CALLBACK, "state": "s-1",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256", "authorization_details": [TAX], **changes,
        }  # fmt: skip
        return {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in wanted.items()
            if value is not None
        }

    def send(self, citizen: Visitor, **changes: Any) -> Page:
        """The app sends the citizen's browser over; the page that it is led to."""
        return Page(citizen.http.get("/oauth/authorize", params=self.request(**changes)))

    def redeem(self, code: str) -> dict[str, Any]:
        """The token for a code."""
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK,
            "code_verifier": self.verifier,
        }  # fmt: skip
        answer = httpx.post(f"{self.url}/oauth/token", data=form, auth=(self.client_id, self.secret))
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def call(self, token: str, path: str) -> httpx.Response:
        """A call under the consent."""
        return httpx.get(
            self.url + path, headers={"Authorization": f"Bearer {token}", "Accept-Language": "en"}
        )


def make_app(developer: Visitor, *services: str, name: str = "港湾银行", **purposes: str) -> App:
    """An app with the code grant and a redirect URI, set up in the portal."""
    page = developer.make_app(*services, name=name, **purposes)
    app_id = urlsplit(page.url).path.rpartition("/")[2]
    secret = page.with_class("secret")[0].text
    found = re.search(r"kt_[0-9a-z]+", page.source)
    assert found
    page = developer.open(f"/apps/{app_id}/oauth")
    developer.submit(
        page, f"/apps/{app_id}/oauth", redirect_uris=CALLBACK, contact="privacy@bank.example",
        grant_types=["client_credentials", "authorization_code", "refresh_token"], retention="六个月后删除",
    )  # fmt: skip
    return App(developer, app_id, found.group(0), secret)


def sign_in(citizen: Visitor, page: Page, name: str, *, expect: int = 200) -> Page:
    """Pick the person of this name on the sign-in page; the page that follows."""
    form = page.form("/consents/sign-in")
    button = next(one for one in form.buttons if name in one.text)
    return citizen.submit(
        page, "/consents/sign-in", add=[("subject", button.attributes["value"])], expect=expect
    )


def decide(citizen: Visitor, page: Page, decision: str, *choices: str) -> httpx.Response:
    """Press a button of the decision; the answer, not followed: it leads to the app."""
    form = next(
        one for one in page.forms if any(button.attributes.get("value") == decision for button in one.buttons)
    )
    data: dict[str, Any] = {name: value for name, value in form.fields if name != "choice"}
    data |= {"decision": decision, "choice": list(choices)}
    return citizen.http.post(
        urljoin(page.url, form.action), data=data, headers={"Origin": citizen.url}, follow_redirects=False
    )


def answer_of(response: httpx.Response) -> dict[str, str]:
    """What the app gets back with the browser."""
    assert response.status_code == 303, Page(response).text[:1500]
    location = response.headers["location"]
    assert location.startswith(CALLBACK), location
    return dict(parse_qsl(urlsplit(location).query))


def choices_of(page: Page) -> dict[str, str]:
    """The choices of a consent page: id -> title."""
    found = {}
    for one in page.all("label"):
        boxes = re.search(r"choice", one.attributes.get("class", ""))
        if boxes:
            found[" ".join(one.text.split())] = one
    boxes = [one for one in page.all("input") if one.attributes.get("name") == "choice"]
    return {box.attributes["value"]: title for box, title in zip(boxes, found, strict=True)}
