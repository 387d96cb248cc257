"""The platform API of identity in one process, and people who use it as browsers and command lines do."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient, Response

from api.app import create_app
from api.catalogue import outside
from api.core import audit, ids
from api.core.caller import OPERATOR, Caller
from api.core.edge_limits import EdgeLimits
from api.core.models import OutboxMail
from api.core.problem_types import TOKEN_INVALID
from api.core.problems import Refusal
from api.core.store import Stores
from api.identity.access import CSRF_HEADER, IdentityPlugin
from api.identity.installation import Installation
from api.identity.people import service as people
from api.identity.people.accounts import make_person
from api.identity.people.passwords import hash_password
from api.identity.people.sessions import caller_of_session, open_session
from api.identity.routes import router
from api.main.answers import outside_of
from api.settings import Settings

_hash: list[str] = []
PASSWORD = "four unrelated words here"
ORIGIN = "http://127.0.0.1:8000"


class Calls:
    """Stands where the gateway counts calls."""

    def __init__(self) -> None:
        self.by_app: dict[str, int] = {}

    async def successful_calls(self, app_id: str, since: datetime) -> int:
        return self.by_app.get(app_id, 0)


class Browser:
    """A client with cookies of its own and an address of its own (so with edge limits of its own)."""

    _number = 0

    def __init__(self, app: Any) -> None:
        Browser._number += 1
        address = f"198.18.{Browser._number // 250}.{Browser._number % 250 + 1}"
        self.http = AsyncClient(transport=ASGITransport(app, client=(address, 40000)), base_url=ORIGIN)
        self.csrf = self.email = self.person_id = ""

    async def send(self, method: str, path: str, body: Any = None, **options: Any) -> Response:
        headers = {CSRF_HEADER: self.csrf} if self.csrf else {}
        headers |= options.pop("headers", {})
        if body is not None:
            options["json"] = body
        return await self.http.request(method, f"/platform/v1{path}", headers=headers, **options)

    async def get(self, path: str, **options: Any) -> Response:
        return await self.send("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> Response:
        return await self.send("POST", path, body, **options)

    async def sign_in(self, email: str, password: str = PASSWORD) -> Response:
        self.csrf = ""
        answer = await self.post("/sign-in", {"email": email, "password": password})
        if answer.status_code == 200:
            self.csrf = answer.json()["csrf_token"]
        return answer


class Platform:
    """The application, its mail, and people."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.calls = Calls()
        self.app_callers: dict[str, Caller] = {}
        self.installation = Installation(
            settings=settings, sandbox_calls=self.calls, platform_caller=self._platform_caller
        )
        self.door = create_app(
            settings, handlers=[router], plugins=[IdentityPlugin(self.installation), EdgeLimits()]
        )
        self._browsers: list[Browser] = []

    async def _platform_caller(self, token: str, request: object = None) -> Caller:
        if token not in self.app_callers:
            raise Refusal(TOKEN_INVALID, reason="unknown", token_endpoint="…")
        return self.app_callers[token]

    def browser(self) -> Browser:
        browser = Browser(self.door)
        self._browsers.append(browser)
        return browser

    async def close(self) -> None:
        for browser in self._browsers:
            await browser.http.aclose()

    async def mail_to(self, address: str) -> OutboxMail:
        mail = await OutboxMail.filter(recipient=address).order_by("-at", "-id").first()
        assert mail is not None, f"no mail to {address}"
        return mail

    async def token_to(self, address: str) -> str:
        match = re.search(r"\?token=([\w-]+)$", (await self.mail_to(address)).link)
        assert match is not None
        return match[1]

    async def person(self, email: str = "", name: str = "林梅") -> Browser:
        """Someone who has an account and is signed in; what that takes over HTTP has tests of its own."""
        if not _hash:
            _hash.append(await hash_password(PASSWORD))
        browser = self.browser()
        browser.email = email or f"{ids.random_id('x', 5)}@company.example"
        async with audit.write("system:tests", "person:verify", "person") as entry:
            person = await make_person(
                entry, email=browser.email, name=name, locale="zh", password_hash=_hash[0]
            )
        async with audit.write(f"person:{person.id}", "session:open", f"person/{person.id}") as entry:
            cookie, session = await open_session(entry, person, "tests", has_mfa=True)
        browser.http.cookies["kaimen_session"] = cookie
        browser.person_id, browser.csrf = person.id, session.csrf
        return browser

    async def caller(self, browser: Browser) -> Caller:
        """The Caller that a browser's session stands for now."""
        caller = await caller_of_session(browser.http.cookies["kaimen_session"])
        assert caller is not None
        return caller

    async def administrator(self) -> Browser:
        browser = await self.person(name="管理员")
        token = await people.invite_administrator(OPERATOR)
        assert (await browser.post("/invitations/accept", {"token": token})).status_code == 200
        return browser


@pytest.fixture(scope="module")
async def platform(stores: Stores, settings: Settings) -> AsyncIterator[Platform]:
    made = Platform(settings)
    outside.use(outside_of(settings))
    yield made
    outside.use(outside.Outside())
    await made.close()


Racer = Callable[[], Awaitable[Any]]
