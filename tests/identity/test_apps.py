"""Apps over HTTP: registering with everything or nothing, secrets, keys, suspending, deleting with undo."""

import base64
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from api.catalogue.models import Subscription
from api.contract.model import Level
from api.core import clock, crypto
from api.core.caller import OPERATOR
from api.core.models import ControlChange, JournalEntry
from api.identity import housekeeping
from api.identity.apps import service as apps
from api.identity.models import App, AppSecret
from tests.identity.conftest import Browser, Platform
from tests.identity.offers import publish
from tests.identity.test_organisations import company, join


@pytest.fixture(scope="module")
async def services(platform: Platform) -> None:
    await publish("company@v1", Level.L2)
    await publish("credit@v1", Level.L3, purposes=("bank-credit",))


async def app_of(owner: Browser, **body: object) -> dict:
    answer = await owner.post("/apps", {"name": "演示", **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_an_app_comes_with_secret_and_subscriptions(platform: Platform, services: None) -> None:
    owner = await platform.person()
    answer = await owner.post("/apps", {"name": "演示", "subscribe": ["company@v1", "credit@v1:bank-credit"]})
    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["location"] == f"/platform/v1/apps/{made['app_id']}"
    assert answer.headers["cache-control"] == "no-store"
    assert made["client_id"].startswith("kt_")
    assert made["client_secret"].startswith("kts_")
    assert made["environment"] == "sandbox"
    assert made["subscriptions"] == ["company@v1", "credit@v1:bank-credit"]
    assert made["pending"] == []
    seen = await owner.get(f"/apps/{made['app_id']}")
    assert made["client_secret"] not in seen.text
    assert [one["hint"] for one in seen.json()["secrets"]] == [made["client_secret"][-4:]]
    assert [(one["service"], one["purpose"], one["status"]) for one in seen.json()["subscriptions"]] == [
        ("company@v1", "", "active"),
        ("credit@v1", "bank-credit", "active"),
    ]
    row = await AppSecret.get(id=made["secret_id"])
    assert crypto.is_secret(made["client_secret"], row.hash)
    journal = await JournalEntry.filter(subject=f"app/{made['app_id']}")
    assert [entry.action for entry in journal] == ["app:create"]  # one write, one entry
    assert made["client_secret"] not in journal[0].detail
    kinds = await ControlChange.filter(key=made["app_id"]).values_list("kind", flat=True)
    assert set(kinds) == {"app", "subscription"}


@pytest.mark.parametrize(
    "wrong", ["no-such@v1", "company@v2", "credit@v1", "credit@v1:other", "", ":", "@", "x\x00@v1"]
)
async def test_a_refused_subscription_leaves_nothing_behind(
    platform: Platform, services: None, wrong: str
) -> None:
    owner = await platform.person()
    counts = await App.all().count(), await AppSecret.all().count(), await Subscription.all().count()
    journal = await JournalEntry.all().count()
    answer = await owner.post("/apps", {"name": "演示", "subscribe": ["company@v1", wrong]})
    assert 400 <= answer.status_code < 500, answer.text
    assert counts == (
        await App.all().count(),
        await AppSecret.all().count(),
        await Subscription.all().count(),
    )
    assert await JournalEntry.all().count() == journal


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": ""}, 400),
        ({"name": "x" * 101}, 400),
        ({"name": "a\u0000b"}, 400),
        ({"name": "x", "description": "\u0000"}, 400),
        ({"name": "x", "environment": "test"}, 400),
        ({"name": "x", "environment": "live"}, 409),
        ({"name": "x", "organisation": "no-such"}, 404),
        ({"name": "x", "organisation": "\u0000"}, 404),
        ({"name": "x", "subscribe": "company@v1"}, 400),
        ({}, 400),
    ],
)
async def test_faulty_apps_are_refused(platform: Platform, body: dict, status: int) -> None:
    assert (await (await platform.person()).post("/apps", body)).status_code == status


async def test_members_see_developers_change_strangers_see_nothing(platform: Platform) -> None:
    owner, developer, viewer = [await platform.person() for _ in range(3)]
    identifier = await company(owner, "app-roles")
    await join(platform, owner, identifier, developer, ["developer"])
    await join(platform, owner, identifier, viewer, ["viewer"])
    app = await app_of(developer, organisation="app-roles")
    path = f"/apps/{app['app_id']}"
    assert (await viewer.get(path)).status_code == 200
    for method, where, body in (
        ("PATCH", path, {"name": "新"}),
        ("POST", f"{path}/secrets", {"label": "x"}),
        ("POST", f"{path}/suspend", None),
        ("DELETE", path, None),
        ("PUT", f"{path}/keys", {"keys": []}),
        ("POST", f"{path}/go-live", {}),
    ):
        answer = await viewer.send(method, where, body)
        assert answer.status_code == 403, where
        assert answer.json()["role"] == "owner or developer"
    assert (await developer.send("PATCH", path, {"name": "新"})).json()["name"] == "新"
    assert (await developer.send("PUT", f"{path}/platform-scopes", {"scopes": []})).status_code == 403
    scopes = ["platform:apps:read"]
    assert (await owner.send("PUT", f"{path}/platform-scopes", {"scopes": scopes})).json()[
        "platform_scopes"
    ] == scopes
    assert (
        await owner.send("PUT", f"{path}/platform-scopes", {"scopes": ["platform:all"]})
    ).status_code == 400
    stranger = await platform.person()
    for where in (path, f"{path}/secrets", f"{path}/keys", f"{path}/checklist", f"{path}/subscriptions"):
        assert (await stranger.get(where)).status_code == 404
        assert (await platform.browser().get(where)).status_code == 401
    assert (await stranger.post(f"{path}/secrets", {"label": "x"})).status_code == 404
    for wrong in ("a_0", "x", "a_%00", "a_" + "0" * 50):
        assert (await owner.get(f"/apps/{wrong}")).status_code == 404


async def test_five_secrets_overlap(platform: Platform) -> None:
    owner = await platform.person()
    app = await app_of(owner)
    path = f"/apps/{app['app_id']}/secrets"
    made = [
        await owner.post(path, {"label": f"服务器 {number}", "expires_in_days": 90}) for number in range(4)
    ]
    assert [answer.status_code for answer in made] == [201] * 4
    sixth = await owner.post(path, {"label": "多余"})
    assert (sixth.status_code, sixth.json()["rule"]) == (409, "secret-limit")
    revoked = made[0].json()["secret_id"]
    answer = await owner.send("DELETE", f"{path}/{revoked}")
    assert answer.status_code == 200
    assert not answer.json()["is_active"]
    assert (await owner.send("DELETE", f"{path}/{revoked}")).status_code == 200  # again changes nothing
    assert (await owner.post(path, {"label": "补上"})).status_code == 201
    listed = (await owner.get(path)).json()["items"]
    assert len(listed) == 5
    assert revoked not in {one["secret_id"] for one in listed}
    # an expired one makes room too
    await AppSecret.filter(id=listed[0]["secret_id"]).update(expires_at=clock.now() - timedelta(seconds=1))
    assert (await owner.post(path, {"label": "再补"})).status_code == 201
    for wrong in (
        {"label": ""},
        {"label": "x", "expires_in_days": 0},
        {"label": "x", "expires_in_days": 731},
        {},
    ):
        assert (await owner.post(path, wrong)).status_code == 400
    assert (await owner.send("DELETE", f"{path}/sec_0")).status_code == 404
    other = await app_of(owner)
    assert (await owner.send("DELETE", f"{path}/{other['secret_id']}")).status_code == 404


async def test_rotation_overlaps(platform: Platform) -> None:
    owner = await platform.person()
    app = await app_of(owner)
    path = f"/apps/{app['app_id']}/secrets"
    rotated = await owner.post(f"{path}/{app['secret_id']}/rotate", {"overlap_hours": 2})
    assert rotated.status_code == 201
    assert rotated.json()["client_secret"] != app["client_secret"]
    old, new = await AppSecret.get(id=app["secret_id"]), await AppSecret.get(id=rotated.json()["secret_id"])
    assert old.expires_at is not None
    assert timedelta(hours=1, minutes=59) < old.expires_at - clock.now() <= timedelta(hours=2)
    assert new.expires_at is None
    assert new.label == old.label
    # a shorter life is never lengthened by a second rotation
    again = await owner.post(f"{path}/{app['secret_id']}/rotate", {"overlap_hours": 100})
    assert again.status_code == 201
    assert (await AppSecret.get(id=app["secret_id"])).expires_at == old.expires_at
    await owner.send("DELETE", f"{path}/{app['secret_id']}")
    dead = await owner.post(f"{path}/{app['secret_id']}/rotate", {})
    assert (dead.status_code, dead.json()["rule"]) == (409, "secret-inactive")


async def test_suspend_resume_delete_restore(platform: Platform) -> None:
    owner = await platform.person()
    app = await app_of(owner)
    path = f"/apps/{app['app_id']}"
    assert (await owner.post(f"{path}/resume")).status_code == 409
    assert (await owner.post(f"{path}/suspend")).json()["status"] == "suspended"
    assert (await owner.post(f"{path}/suspend")).status_code == 409
    deleted = await owner.send("DELETE", path)
    assert (deleted.status_code, deleted.json()["status"]) == (200, "deleted")
    assert app["app_id"] not in {one["app_id"] for one in (await owner.get("/apps")).json()["items"]}
    assert [one["app_id"] for one in (await owner.get("/apps?status=deleted")).json()["items"]] == [
        app["app_id"]
    ]
    refused = await owner.post(f"{path}/secrets", {"label": "x"})
    assert (refused.status_code, refused.json()["rule"]) == (409, "app-status")
    restored = await owner.post(f"{path}/restore")
    assert (restored.status_code, restored.json()["status"]) == (200, "suspended")  # as what it was
    assert restored.json()["deleted_at"] is None
    assert (await owner.post(f"{path}/resume")).json()["status"] == "active"
    assert (await owner.post(f"{path}/restore")).status_code == 409
    assert await ControlChange.filter(kind="app", key=app["app_id"]).count() == 5


async def test_undo_ends_after_thirty_days_and_the_rest_is_swept(platform: Platform) -> None:
    owner = await platform.person()
    app, kept = await app_of(owner, description="描述"), await app_of(owner)
    for one in (app, kept):
        await owner.send("DELETE", f"/apps/{one['app_id']}")
    long_ago = clock.now() - timedelta(days=30, seconds=1)
    await App.filter(id=app["app_id"]).update(deleted_at=long_ago)
    late = await owner.post(f"/apps/{app['app_id']}/restore")
    assert (late.status_code, late.json()["rule"]) == (409, "app-undo-time")
    removed = await housekeeping.sweep()
    assert (removed["apps"], removed["secrets"]) == (1, 1)
    row = await App.get(id=app["app_id"])
    assert (row.name, row.description, row.status) == ("", "", "deleted")
    assert (await App.get(id=kept["app_id"])).name == "演示"
    assert (await owner.post(f"/apps/{kept['app_id']}/restore")).status_code == 200
    assert await housekeeping.sweep() == {}


async def test_what_an_administrator_suspended_an_administrator_resumes(platform: Platform) -> None:
    owner, administrator = await platform.person(), await platform.administrator()
    path = f"/apps/{(await app_of(owner))['app_id']}"
    assert (await administrator.post(f"{path}/suspend")).status_code == 200
    refused = await owner.post(f"{path}/resume")
    assert (refused.status_code, refused.json()["rule"]) == (403, "suspended-by-platform")
    assert (await administrator.send("DELETE", path)).status_code == 403
    await owner.send("DELETE", path)
    await owner.post(f"{path}/restore")  # is no way around it
    assert (await owner.post(f"{path}/resume")).status_code == 403
    assert (await administrator.post(f"{path}/resume")).json()["status"] == "active"


async def test_the_plan_is_set_by_administrators(platform: Platform) -> None:
    from api.catalogue.plans import ensure_plans

    await ensure_plans()
    owner, administrator = await platform.person(), await platform.administrator()
    path = f"/apps/{(await app_of(owner))['app_id']}"
    from api.catalogue.models import Plan

    name = str((await Plan.exclude(name="standard").first()).name)
    assert (await owner.send("PATCH", path, {"plan": name})).status_code == 403
    assert (await administrator.send("PATCH", path, {"plan": name})).json()["plan"] == name
    assert (await administrator.send("PATCH", path, {"plan": "no-such"})).status_code == 400
    assert (await administrator.send("PATCH", path, {"plan": "standard", "name": "x"})).status_code == 403


async def test_apps_in_pages(platform: Platform) -> None:
    owner = await platform.person()
    made = [(await app_of(owner, name=f"应用 {number}"))["app_id"] for number in range(7)]
    seen, path = [], "/apps?limit=3&environment=sandbox"
    for _ in range(5):
        page = await owner.get(path)
        seen += [one["app_id"] for one in page.json()["items"]]
        if page.json()["next"] is None:
            break
        path = page.headers["link"].partition(">")[0].removeprefix("</platform/v1")
    assert seen == made[::-1]
    assert (await owner.get("/apps?environment=other")).status_code == 400
    assert (await owner.get("/apps?organisation_id=%00")).status_code == 404
    assert (await owner.get("/apps?environment=live")).json() == {"items": [], "next": None}


async def test_the_operators_apps(platform: Platform, services: None) -> None:
    made = await apps.create_app(OPERATOR, name="命令行", subscribe=["company@v1"])
    assert made.subscriptions[0].status == "active"
    again = await apps.create_app(OPERATOR, name="命令行")
    assert again.app.organisation_id == made.app.organisation_id
    assert made.app.id in {app.id for app in await apps.apps_of(OPERATOR)}
    administrator = await platform.administrator()
    assert (await administrator.get(f"/apps/{made.app.id}")).status_code == 200
    assert (await (await platform.person()).get(f"/apps/{made.app.id}")).status_code == 404


async def test_whose_the_app_is_must_be_clear(platform: Platform) -> None:
    owner = await platform.person()
    await company(owner, "clear-one")
    personal = (await app_of(owner))["organisation_id"]  # the personal one, where nothing is said
    named = (await app_of(owner, organisation="clear-one"))["organisation_id"]
    assert personal != named


async def test_subscriptions_of_an_app(platform: Platform, services: None) -> None:
    owner = await platform.person()
    path = f"/apps/{(await app_of(owner))['app_id']}/subscriptions"
    made = await owner.post(path, {"service": "company@v1"})
    assert made.status_code == 201
    identifier = made.json()["subscription_id"]
    assert made.headers["location"].endswith(f"/subscriptions/{identifier}")
    assert made.json()["status"] == "active"
    assert [one["service"] for one in (await owner.get(path)).json()["items"]] == ["company@v1"]
    assert (await owner.post(path, {"service": "nothing@v9"})).status_code == 403
    other = f"/apps/{(await app_of(owner))['app_id']}/subscriptions"
    assert (await owner.send("DELETE", f"{other}/{identifier}")).status_code == 404
    assert (await owner.send("DELETE", f"{path}/{identifier}")).json()["status"] == "cancelled"


# --- keys -----------------------------------------------------------------------------------------
def public(key: ECKey | RSAKey | OKPKey, **members: object) -> dict:
    return {**key.as_dict(private=False), **members}


EC, ED = ECKey.generate_key("P-256"), OKPKey.generate_key("Ed25519")
RSA = RSAKey.generate_key(2048)


async def test_public_keys_of_all_kinds_are_taken(platform: Platform) -> None:
    owner = await platform.person()
    path = f"/apps/{(await app_of(owner))['app_id']}/keys"
    assert (await owner.get(path)).json() == {"keys": [], "auth_method": "client_secret"}
    keys = [
        public(EC, alg="ES256", kid="ec", use="sig"),
        public(ED, alg="EdDSA", key_ops=["verify"]),
        public(RSA, alg="PS256", kid="rsa", x5c=["dropped"]),
    ]
    answer = await owner.send("PUT", path, {"keys": keys})
    assert answer.status_code == 200, answer.text
    stored = answer.json()
    assert stored["auth_method"] == "private_key_jwt"
    assert [key["kid"] for key in stored["keys"]] == ["ec", ED.thumbprint(), "rsa"]
    assert "x5c" not in stored["keys"][2]
    both = await owner.send("PUT", path, {"keys": keys, "auth_method": "client_secret"})
    assert both.json()["auth_method"] == "client_secret"  # keys laid in before switching over
    assert (await owner.send("PUT", path, {"keys": []})).json() == {
        "keys": [],
        "auth_method": "client_secret",
    }
    assert (await owner.send("PUT", path, {"keys": [], "auth_method": "private_key_jwt"})).status_code == 400


def weak_rsa() -> dict:
    number = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key().public_numbers().n
    return public(RSA) | {"n": base64.urlsafe_b64encode(number.to_bytes(128, "big")).decode().rstrip("=")}


def odd_exponent() -> dict:
    return public(RSA) | {"e": "Aw"}


@pytest.mark.parametrize(
    ("keys", "pointer"),
    [
        (lambda: [EC.as_dict(private=True)], "/keys/0/d"),
        (lambda: [RSA.as_dict(private=True)], "/keys/0/d"),
        (lambda: [public(RSA) | {"q": "AQ"}], "/keys/0/q"),
        (lambda: [OctKey.generate_key(256).as_dict()], "/keys/0/kty"),
        (lambda: [{"kty": "none"}], "/keys/0/kty"),
        (lambda: [public(EC), "no key"], "/keys/1"),
        (lambda: [public(EC, alg="none")], "/keys/0/alg"),
        (lambda: [public(RSA, alg="RS512")], "/keys/0/alg"),
        (lambda: [public(EC, alg="RS256")], "/keys/0/alg"),
        (lambda: [public(EC, use="enc")], "/keys/0/use"),
        (lambda: [public(EC, key_ops=["sign"])], "/keys/0/use"),
        (lambda: [public(ECKey.generate_key("P-384"))], "/keys/0/crv"),
        (lambda: [public(OKPKey.generate_key("X25519"))], "/keys/0/crv"),
        (lambda: [public(EC) | {"x": public(EC)["y"]}], "/keys/0"),
        (lambda: [public(EC) | {"x": 5}], "/keys/0"),
        (lambda: [{"kty": "EC", "crv": "P-256"}], "/keys/0"),
        (lambda: [weak_rsa()], "/keys/0/n"),
        (lambda: [odd_exponent()], "/keys/0/e"),
        (lambda: [public(EC, kid="a"), public(ED, kid="a")], "/keys/1/kid"),
        (lambda: [public(EC), public(EC)], "/keys/1/kid"),
        (lambda: [public(EC, kid="")], "/keys/0/kid"),
        (lambda: [public(EC, kid="\u0000")], "/keys/0/kid"),
        (lambda: [public(EC, kid=["a"])], "/keys/0/kid"),
        (lambda: [public(EC, kid=str(number)) for number in range(11)], "/keys"),
        (lambda: [public(RSA) | {"n": "A" * 3000}], "/keys/0"),
        (lambda: [public(RSA) | {"n": "_" * 2000}], "/keys/0/n"),
        (lambda: [public(RSA) | {"n": "!!!"}], "/keys/0/n"),
    ],
)
async def test_everything_else_is_refused(platform: Platform, keys, pointer: str) -> None:
    owner = await platform.person()
    path = f"/apps/{(await app_of(owner))['app_id']}/keys"
    answer = await owner.send("PUT", path, {"keys": keys()})
    assert answer.status_code == 400, answer.text
    assert pointer in {error["pointer"] for error in answer.json()["errors"]}
    assert (await owner.get(path)).json()["keys"] == []
