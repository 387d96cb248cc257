"""An app's OAuth settings through the platform API: what is taken, what is refused, and that it counts at once."""

import json
from typing import Any

import pytest
from httpx import Response
from joserfc.jwk import ECKey

from api.core import audit
from api.core.models import JournalEntry
from api.identity.models import App
from tests.identity.conftest import Browser, Platform
from tests.identity.test_apps import app_of, public

CALLBACK = "https://bank.example/callback"
CODE = ["client_credentials", "authorization_code", "refresh_token"]
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
GOOD = {"grant_types": CODE, "redirect_uris": [CALLBACK]}
THUMBPRINT = "a" * 43


async def change(owner: Browser, app_id: str, **oauth: Any) -> Response:
    return await owner.send("PATCH", f"/apps/{app_id}", {"oauth": oauth})


async def faults(owner: Browser, app_id: str, **oauth: Any) -> dict[str, str]:
    """The refusal's faults by pointer."""
    answer = await change(owner, app_id, **oauth)
    assert answer.status_code == 400, answer.text
    assert answer.json()["type"].endswith("/input-invalid/")
    return {one["pointer"]: one["message"] for one in answer.json()["errors"]}


async def test_a_new_app_acts_for_itself(platform: Platform) -> None:
    owner = await platform.person()
    app = await app_of(owner)
    oauth = (await owner.get(f"/apps/{app['app_id']}")).json()["oauth"]
    assert oauth == {
        "profile": "baseline", "auth_method": "client_secret", "is_public": False, "grant_types": ["client_credentials"],
        "redirect_uris": [], "post_logout_redirect_uris": [], "token_binding": "", "certificate_thumbprint": "",
        "certificate_subject": "", "contact": "", "retention": "",
    }  # fmt: skip


async def test_settings_are_kept_and_what_stays_away_stays(platform: Platform) -> None:
    owner = await platform.person()
    app = await app_of(owner)
    answer = await change(owner, app["app_id"], **GOOD, contact="data@bank.example", retention="留存 90 天。")
    assert answer.status_code == 200, answer.text
    assert answer.json()["oauth"]["redirect_uris"] == [CALLBACK]
    again = await owner.send(
        "PATCH", f"/apps/{app['app_id']}", {"name": "new", "oauth": {"contact": "x@bank.example"}}
    )
    assert again.json()["name"] == "new"
    oauth = (await owner.get(f"/apps/{app['app_id']}")).json()["oauth"]
    assert (oauth["grant_types"], oauth["retention"], oauth["contact"]) == (
        CODE,
        "留存 90 天。",
        "x@bank.example",
    )


@pytest.mark.parametrize(
    "uri",
    ["https://bank.example/cb", "https://bank.example:8443/a/b?c=d", "http://127.0.0.1/cb", "http://127.0.0.1:3000/",
     "http://[::1]:9/cb", "http://localhost:3000/cb", "https://xn--fiq228c.example/cb"],
)  # fmt: skip
async def test_redirect_uris_that_are_taken(platform: Platform, uri: str) -> None:
    owner = await platform.person()
    answer = await change(owner, (await app_of(owner))["app_id"], **(GOOD | {"redirect_uris": [uri]}))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "uri",
    [
        "", "bank.example/cb", "http://bank.example/cb", "https://bank.example/#x", "https://bank.example/cb#", "myapp://cb",
        "https://*.bank.example/cb", "https://bank.example/*", "javascript:alert(1)", "data:text/html,x", "https://",
        "https:///cb", "https://u@bank.example/", "https://u:p@bank.example/", "https://bank.example:0/", "https://bank/",
        "https://bank.example:99999/", "https://bank.example/../x", "https://bank.example/%2e%2e/x", "https://银行.example/",
        "https://bank.example/a b", "https://bank.example/\\x", "https://bank.example/%zz", 'https://bank.example/"',
        "http://169.254.169.254/latest", "https://169.254.169.254/", "https://metadata.google.internal/cb",
        "https://10.0.0.1/", "https://192.168.1.1/cb", "https://172.16.0.1/", "https://127.0.0.1/", "https://[::1]/",
        "https://[fe80::1]/", "https://[fd00::1]/", "https://[::ffff:10.0.0.1]/", "https://0.0.0.0/", "https://100.64.0.1/",
        "https://2130706433/", "https://0x7f000001/", "https://127.1/", "https://224.0.0.1/", "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example/", "http://127.0.0.2/", "HTTPS://bank.example/" + "x" * 500, "https://bank.example/\n",
        "https://bank.example/\x00", "ftp://bank.example/", "https://-bank.example/",
    ],
)  # fmt: skip
async def test_redirect_uris_that_are_refused(platform: Platform, uri: str) -> None:
    owner = await platform.person()
    app = await app_of(owner)
    told = await faults(owner, app["app_id"], **(GOOD | {"redirect_uris": [CALLBACK, uri]}))
    assert "/redirect_uris/1" in told
    told = await faults(owner, app["app_id"], post_logout_redirect_uris=[uri])
    assert "/post_logout_redirect_uris/0" in told


async def test_a_live_app_has_no_loopback(platform: Platform) -> None:
    owner = await platform.person()
    app = await app_of(owner)
    async with audit.write("test", "app:change", "app/x"):
        await App.filter(id=app["app_id"]).update(environment="live")
    told = await faults(owner, app["app_id"], **(GOOD | {"redirect_uris": ["http://127.0.0.1/cb"]}))
    assert "https" in told["/redirect_uris/0"]


@pytest.mark.parametrize(
    ("oauth", "pointer"),
    [
        ({"profile": "strong"}, "/profile"), ({"auth_method": "basic"}, "/auth_method"), ({"token_binding": "x"}, "/token_binding"),
        ({"grant_types": ["password"]}, "/grant_types/0"), ({"grant_types": ["authorization_code"]}, "/redirect_uris"),
        ({"grant_types": ["client_credentials", "refresh_token"]}, "/grant_types"),
        ({"auth_method": "none"}, "/grant_types"), ({"auth_method": "private_key_jwt"}, "/auth_method"),
        ({"auth_method": "tls_client_auth"}, "/certificate_thumbprint"), ({"profile": "fapi2"}, "/profile"),
        ({"profile": "fapi2", "token_binding": "dpop"}, "/profile"),
        ({"profile": "fapi2", "auth_method": "tls_client_auth", "certificate_thumbprint": THUMBPRINT}, "/token_binding"),
        ({"certificate_thumbprint": "a" * 42}, "/certificate_thumbprint"),
        ({"certificate_thumbprint": "=" * 43}, "/certificate_thumbprint"),
        ({"certificate_subject": "CN=\x00"}, "/certificate_subject"), ({"contact": "a\nb"}, "/contact"),
        ({"contact": "x" * 255}, "/contact"), ({"retention": "x" * 2001}, "/retention"), ({"retention": "\x00"}, "/retention"),
        ({"redirect_uris": [f"https://bank.example/{number}" for number in range(21)]}, "/redirect_uris"),
    ],
    ids=str,
)  # fmt: skip
async def test_what_does_not_fit_together(platform: Platform, oauth: dict[str, Any], pointer: str) -> None:
    owner = await platform.person()
    app = await app_of(owner)
    assert pointer in await faults(owner, app["app_id"], **oauth)
    kept = (await owner.get(f"/apps/{app['app_id']}")).json()["oauth"]
    assert (kept["profile"], kept["auth_method"]) == ("baseline", "client_secret")


async def test_every_fault_is_told_at_once(platform: Platform) -> None:
    owner = await platform.person()
    told = await faults(
        owner, (await app_of(owner))["app_id"], profile="x", redirect_uris=["x", "y"], token_binding="z"
    )
    assert {"/profile", "/redirect_uris/0", "/redirect_uris/1", "/token_binding"} <= set(told)


async def test_the_way_to_fapi(platform: Platform) -> None:
    owner = await platform.person()
    app = await app_of(owner)
    key = public(ECKey.generate_key("P-256"))
    assert (await owner.send("PUT", f"/apps/{app['app_id']}/keys", {"keys": [key]})).status_code == 200
    answer = await change(owner, app["app_id"], **GOOD, profile="fapi2", token_binding="dpop")
    assert answer.status_code == 200, answer.text
    assert answer.json()["oauth"]["auth_method"] == "private_key_jwt"
    # its keys cannot be taken away while it needs them, nor its binding
    assert (await owner.send("PUT", f"/apps/{app['app_id']}/keys", {"keys": []})).status_code == 400
    assert "/token_binding" in await faults(owner, app["app_id"], token_binding="")
    assert "/profile" in await faults(owner, app["app_id"], auth_method="client_secret")


async def test_a_public_client(platform: Platform) -> None:
    owner = await platform.person()
    app = await app_of(owner)
    answer = await change(
        owner, app["app_id"], auth_method="none", grant_types=["authorization_code", "refresh_token"],
        redirect_uris=[CALLBACK],
    )  # fmt: skip
    assert answer.json()["oauth"]["is_public"] is True
    # keys that it lays in do not make it authenticate otherwise
    key = public(ECKey.generate_key("P-256"))
    laid = await owner.send("PUT", f"/apps/{app['app_id']}/keys", {"keys": [key]})
    assert laid.json()["auth_method"] == "none"
    back = await change(owner, app["app_id"], auth_method="client_secret")
    assert back.json()["oauth"]["is_public"] is False


async def test_device_grant(platform: Platform) -> None:
    owner = await platform.person()
    app = await app_of(owner)
    answer = await change(owner, app["app_id"], grant_types=[DEVICE, "refresh_token"])
    assert answer.status_code == 200, answer.text


async def test_strangers_and_viewers_change_nothing(platform: Platform) -> None:
    owner, stranger = await platform.person(), await platform.person()
    app = await app_of(owner)
    assert (await change(stranger, app["app_id"], **GOOD)).status_code == 404
    assert (await change(platform.browser(), app["app_id"], **GOOD)).status_code in {401, 403}
    assert (await owner.send("PATCH", f"/apps/{app['app_id']}", {"oauth": {"unknown": 1}})).status_code == 400


async def test_the_change_is_in_the_journal_without_values(platform: Platform) -> None:
    owner = await platform.person()
    app = await app_of(owner)
    await change(owner, app["app_id"], **GOOD)
    entry = await JournalEntry.filter(action="app:oauth:set", subject=f"app/{app['app_id']}").first()
    assert entry is not None
    assert json.loads(entry.detail)["fields"] == ["grant_types", "redirect_uris"]
    assert CALLBACK not in entry.detail
