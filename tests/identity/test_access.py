"""Cookies, CSRF tokens, origins and bearers: who a request is taken to be, and what it may change."""

import pytest
from httpx import ASGITransport, AsyncClient

from api.app import create_app
from api.core.caller import Caller, CallerKind
from api.identity.access import IdentityPlugin
from api.identity.installation import Installation, configure
from api.identity.routes import router
from api.settings import Settings
from tests.identity.conftest import ORIGIN, PASSWORD, Platform


async def test_a_cookie_alone_changes_nothing(platform: Platform) -> None:
    person = await platform.person()
    token, person.csrf = person.csrf, ""
    assert (await person.get("/me")).status_code == 200
    for wrong in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": token[:-1]}, {"X-CSRF-Token": "é"}):
        headers = [(name.encode(), value.encode("latin-1")) for name, value in wrong.items()]
        answer = await person.send("PATCH", "/me", {"name": "改名"}, headers=dict(headers))
        assert answer.status_code == 403
        assert answer.json()["rule"] == "csrf-token"
    assert (
        await person.send("PATCH", "/me", {"name": "改名"}, headers={"X-CSRF-Token": token})
    ).status_code == 200


async def test_another_persons_token_does_not_fit(platform: Platform) -> None:
    one, other = await platform.person(), await platform.person()
    answer = await one.send("PATCH", "/me", {"name": "改名"}, headers={"X-CSRF-Token": other.csrf})
    assert answer.status_code == 403


async def test_the_form_field_serves_where_there_is_no_header(platform: Platform) -> None:
    """Forms of the portal carry the token as a field; the body is still there for the handler."""
    person = await platform.person()
    url = f"{ORIGIN}/platform/v1/sign-out"
    assert (await person.http.post(url, data={"csrf": "wrong"})).status_code == 403
    assert (await person.http.post(url, data={"csrf": person.csrf})).status_code == 204


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": ORIGIN}, 200),
        ({"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "https://127.0.0.1:8000.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://["}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
async def test_what_comes_from_another_site_is_refused(
    platform: Platform, headers: dict, status: int
) -> None:
    person = await platform.person()
    assert (await person.send("PATCH", "/me", {"locale": "en"}, headers=headers)).status_code == status
    assert (await person.send("GET", "/me", headers=headers)).status_code == 200
    # also where nobody is signed in yet, so that nobody is signed in as someone else from afar
    body = {"email": person.email, "password": PASSWORD}
    answer = await platform.browser().post("/sign-in", body, headers=headers)
    assert answer.status_code == status


async def test_https_gets_a_host_cookie(platform: Platform) -> None:
    person = await platform.person()
    settings = Settings(sandbox_url="https://open.city.example")
    door = create_app(settings, handlers=[router], plugins=[IdentityPlugin(Installation(settings=settings))])
    async with AsyncClient(transport=ASGITransport(door), base_url="https://open.city.example") as http:
        answer = await http.post("/platform/v1/sign-in", json={"email": person.email, "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-kaimen_session=ks_")
        assert "Secure" in cookie
        assert "HttpOnly" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
        assert (await http.get("/platform/v1/me")).status_code == 200
        plain = {"Cookie": f"kaimen_session={http.cookies['__Host-kaimen_session']}"}
        async with AsyncClient(transport=ASGITransport(door), base_url="https://open.city.example") as other:
            assert (await other.get("/platform/v1/me", headers=plain)).status_code == 401
    configure(platform.installation)  # the platform of the other tests again


@pytest.mark.parametrize("cookie", ["", "x", "ks_" + "a" * 43, "k" * 4000, "ks_\u00e9", "ks_%00"])
async def test_a_cookie_that_opens_nothing_is_nobody(platform: Platform, cookie: str) -> None:
    headers = {b"Cookie": f"kaimen_session={cookie}".encode("latin-1")}
    answer = await platform.browser().get("/me", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["type"].endswith("/problems/not-signed-in/")


async def test_a_session_set_by_another_is_not_taken_over(platform: Platform) -> None:
    """Session fixation: the value that is in the browser before sign-in is never the session after it."""
    attacker = await platform.person()
    planted = attacker.http.cookies["kaimen_session"]
    victim = platform.browser()
    victim.http.cookies["kaimen_session"] = planted
    person = await platform.person()
    answer = await victim.sign_in(person.email)
    assert answer.status_code == 200
    assert planted not in answer.headers["set-cookie"]
    assert (await attacker.get("/me")).json()["person"]["email"] == attacker.email


async def test_an_access_token_acts_within_its_scopes(platform: Platform) -> None:
    owner = await platform.person()
    organisation = (await owner.get("/me")).json()["organisations"][0]["organisation_id"]
    own = (await owner.post("/apps", {"name": "自动化"})).json()
    other = (await (await platform.person()).post("/apps", {"name": "别人的"})).json()
    machine = platform.browser()

    def may(*scopes: str) -> dict[str, str]:
        platform.app_callers["t"] = Caller(
            kind=CallerKind.APP, id=own["app_id"], organisations={organisation: frozenset()},
            scopes=frozenset(scopes), grant="client_credentials",
        )  # fmt: skip
        return {"Authorization": "Bearer t"}

    nothing = may()
    assert (await machine.get(f"/apps/{own['app_id']}", headers=nothing)).status_code == 404
    assert (await machine.get("/apps", headers=nothing)).json()["items"] == []
    read = may("platform:apps:read")
    assert (await machine.get(f"/apps/{own['app_id']}", headers=read)).status_code == 200
    assert (await machine.get(f"/apps/{other['app_id']}", headers=read)).status_code == 404
    assert [one["app_id"] for one in (await machine.get("/apps", headers=read)).json()["items"]] == [
        own["app_id"]
    ]
    answer = await machine.post("/apps", {"name": "第二个"}, headers=read)
    assert answer.status_code == 403
    assert "platform:apps:write" in answer.json()["next"]
    write = may("platform:apps:write")
    assert (await machine.post("/apps", {"name": "第二个"}, headers=write)).status_code == 201
    # what a machine never does
    for method, path, body in (
        ("POST", "/tokens", {"label": "x"}),
        ("POST", "/organisations", {"kind": "company", "slug": "x-y", "name_zh": "x", "name_en": "x"}),
        ("PUT", f"/apps/{own['app_id']}/platform-scopes", {"scopes": ["platform:apps:write"]}),
        ("POST", f"/apps/{own['app_id']}/go-live", {}),
        ("PATCH", f"/apps/{own['app_id']}", {"plan": "large"}),
        ("PATCH", "/me", {"name": "x"}),
        ("GET", "/people", None),
        ("GET", "/sessions", None),
    ):
        assert (await machine.send(method, path, body, headers=write)).status_code == 403, path
    wrong = await machine.get("/me", headers={"Authorization": "Bearer other"})
    assert wrong.status_code == 401
    assert wrong.json()["type"].endswith("/problems/token-invalid/")


async def test_only_the_process_itself_can_be_the_operator(platform: Platform) -> None:
    """The local command line puts the operator into the ASGI scope; nothing that comes over HTTP gets there."""
    from api.core.caller import OPERATOR

    async def local(scope, receive, send) -> None:
        if scope["type"] == "http":
            scope["state"] = {"caller": OPERATOR}
        await platform.door(scope, receive, send)

    async with AsyncClient(transport=ASGITransport(local), base_url=ORIGIN) as http:
        me = (await http.get("/platform/v1/me")).json()
        assert (me["kind"], me["grant"], me["person"]) == ("operator", "operator", None)
    for headers in ({"caller": "operator"}, {"state": "operator"}, {"X-Caller": "operator:local"}):
        assert (await platform.browser().get("/me", headers=headers)).status_code == 401


async def test_sign_in_is_limited_by_address(platform: Platform) -> None:
    browser = platform.browser()
    answers = [await browser.sign_in("nobody@company.example", "guess number one") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert (await platform.browser().sign_in("nobody@company.example", "guess")).status_code == 401


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=", b"--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=csrf\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n\xff\r\n--x--',
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="csrf"; filename="f"\r\n\r\nz\r\n--x--\r\n',
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="csrf"\r\nContent-Type: text/plain; charset=nonsense\r\n\r\nz\r\n--x--\r\n',
        ),
        ("application/x-www-form-urlencoded", b"csrf=%ff%00&csrf=b"),
        ("application/x-www-form-urlencoded; charset=utf-16", b"\xff"),
        ("application/x-www-form-urlencoded", b"&" * 5000),
        ("application/x-www-form-urlencoded", b""),
        ("text/plain", b"csrf=x"),
        ("\xff", b"x"),
    ],
)
async def test_a_broken_form_is_no_way_round(platform: Platform, media_type: str, content: bytes) -> None:
    person = await platform.person()
    answer = await person.http.post(
        f"{ORIGIN}/platform/v1/sign-out",
        content=content,
        headers=[(b"Content-Type", media_type.encode("latin-1"))],
    )
    assert answer.status_code in {400, 403}, answer.text
    assert (await person.get("/me")).status_code == 200
