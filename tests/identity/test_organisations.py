"""Organisations over HTTP: who makes them, who is let in, who may not leave."""

import pytest

from api.core.caller import OPERATOR
from api.core.problems import Refusal
from api.identity.apps import service as apps
from api.identity.models import Membership, Organisation, Person
from api.identity.organisations import service as organisations
from api.identity.people import service as people
from tests.identity.authenticating import with_app
from tests.identity.conftest import PASSWORD, Browser, Platform


async def company(owner: Browser, slug: str) -> str:
    body = {"kind": "company", "slug": slug, "name_zh": "示例公司", "name_en": "Sample Company"}
    answer = await owner.post("/organisations", body)
    assert answer.status_code == 201, answer.text
    identifier = answer.json()["organisation_id"]
    assert answer.headers["location"] == f"/platform/v1/organisations/{identifier}"
    return identifier


async def join(
    platform: Platform, owner: Browser, organisation: str, member: Browser, roles: list[str]
) -> None:
    answer = await owner.post(
        f"/organisations/{organisation}/invitations", {"email": member.email, "roles": roles}
    )
    assert answer.status_code == 201, answer.text
    token = await platform.token_to(member.email)
    assert (await member.post("/invitations/accept", {"token": token})).status_code == 200


async def test_a_company_and_its_members(platform: Platform) -> None:
    owner, member = await platform.person(name="所有者"), await platform.person(name="开发者")
    identifier = await company(owner, "harbour-one")
    await join(platform, owner, identifier, member, ["viewer", "developer"])
    listed = (await member.get(f"/organisations/{identifier}/members")).json()["items"]
    assert [(one["name"], one["roles"]) for one in listed] == [
        ("所有者", ["owner"]),
        ("开发者", ["developer", "viewer"]),
    ]
    refused = await member.post(
        f"/organisations/{identifier}/invitations", {"email": "x@y.example", "roles": ["owner"]}
    )
    assert refused.status_code == 403
    assert refused.json()["role"] == "owner"
    path = f"/organisations/{identifier}/members/{member.person_id}"
    assert (await member.send("PUT", path, {"roles": ["owner"]})).status_code == 403
    assert (await owner.send("PUT", path, {"roles": ["approver"]})).json()["roles"] == ["approver"]
    assert (await member.get(f"/organisations/{identifier}")).status_code == 200
    assert (await member.send("DELETE", path)).status_code == 204  # leaves
    assert (await member.get(f"/organisations/{identifier}")).status_code == 404
    assert (await owner.send("DELETE", path)).status_code == 404
    renamed = await owner.send("PATCH", f"/organisations/{identifier}", {"name_en": "Renamed"})
    assert renamed.json()["name_en"] == "Renamed"


async def test_the_last_owner_stays(platform: Platform) -> None:
    owner, second = await platform.person(), await platform.person()
    identifier = await company(owner, "last-owner")
    path = f"/organisations/{identifier}/members/{owner.person_id}"
    for answer in (await owner.send("DELETE", path), await owner.send("PUT", path, {"roles": ["viewer"]})):
        assert answer.status_code == 409
        assert answer.json()["rule"] == "last-owner"
    await join(platform, owner, identifier, second, ["owner"])
    assert (await owner.send("PUT", path, {"roles": ["viewer"]})).status_code == 200
    assert (await owner.send("DELETE", path)).status_code == 204
    personal = (await owner.get("/me")).json()["organisations"][0]
    answer = await owner.send(
        "DELETE", f"/organisations/{personal['organisation_id']}/members/{owner.person_id}"
    )
    assert answer.status_code == 409


async def test_departments_are_made_by_administrators(platform: Platform) -> None:
    person, administrator = await platform.person(), await platform.administrator()
    body = {"kind": "department", "slug": "tax-bureau", "name_zh": "税务局(示例)", "name_en": "Tax (sample)"}
    assert (await person.post("/organisations", body)).status_code == 403
    answer = await administrator.post("/organisations", body)
    assert answer.status_code == 201
    identifier = answer.json()["organisation_id"]
    assert (await administrator.get(f"/organisations/{identifier}/members")).json()["items"] == []
    await join(platform, administrator, identifier, person, ["owner", "publisher"])
    assert (await person.get("/organisations/tax-bureau")).json()["kind"] == "department"
    # an administrator looks after it, and holds no role in it by that
    assert (await administrator.post("/apps", {"name": "x", "organisation": "tax-bureau"})).status_code == 403
    found = (await administrator.get("/organisations?kind=department")).json()["items"]
    assert identifier in {one["organisation_id"] for one in found}
    assert (await person.get("/organisations?kind=department")).json()["items"][0]["slug"] == "tax-bureau"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"kind": "individual"}, 400),
        ({"slug": "A"}, 400),
        ({"slug": "x"}, 400),
        ({"slug": "with_underscore"}, 400),
        ({"slug": "-x"}, 400),
        ({"slug": "x--y"}, 400),
        ({"slug": "operator"}, 400),
        ({"slug": "person-me"}, 400),
        ({"slug": "x" * 41}, 400),
        ({"slug": "taken-slug"}, 409),
        ({"name_zh": ""}, 400),
        ({"name_zh": "<b>"}, 400),
    ],
)
async def test_faulty_organisations_are_refused(platform: Platform, change: dict, status: int) -> None:
    owner = await platform.person()
    if not await Organisation.filter(slug="taken-slug").exists():
        await company(owner, "taken-slug")
    body = {"kind": "company", "slug": "fine-slug", "name_zh": "示例", "name_en": "Sample"} | change
    assert (await owner.post("/organisations", body)).status_code == status


async def test_strangers_see_nothing(platform: Platform) -> None:
    owner, stranger = await platform.person(), await platform.person()
    identifier = await company(owner, "hidden-one")
    for path in (
        f"/organisations/{identifier}",
        "/organisations/hidden-one",
        f"/organisations/{identifier}/members",
    ):
        assert (await stranger.get(path)).status_code == 404
        assert (await platform.browser().get(path)).status_code == 401
    for path in (
        "/organisations/o_0",
        "/organisations/%00",
        "/organisations/no-such",
        "/organisations/" + "x" * 60,
    ):
        assert (await stranger.get(path)).status_code == 404
    assert (await stranger.get("/organisations/" + "x" * 65)).status_code == 400
    assert [one["kind"] for one in (await stranger.get("/organisations")).json()["items"]] == ["individual"]


async def test_an_invitation_makes_a_newcomer_in_one_step(platform: Platform) -> None:
    owner = await platform.person(name="邀请人")
    identifier = await company(owner, "newcomers")
    await owner.post(
        f"/organisations/{identifier}/invitations",
        {"email": "new.one@company.example", "roles": ["developer"]},
    )
    mail = await platform.mail_to("new.one@company.example")
    assert "邀请人邀请您加入“示例公司”" in mail.body
    assert "invites you to join “Sample Company” as developer" in mail.body  # language unknown: both
    token = await platform.token_to("new.one@company.example")
    newcomer = platform.browser()
    seen = (await newcomer.post("/invitations/preview", {"token": token})).json()
    assert seen["organisation"] == {"zh": "示例公司", "en": "Sample Company"}
    assert (seen["email"], seen["roles"], seen["has_account"]) == (
        "new.one@company.example",
        ["developer"],
        False,
    )
    weak = await newcomer.post(
        "/invitations/accept", {"token": token, "name": "新人", "password": "1234567890"}
    )
    assert weak.status_code == 400
    body = {"token": token, "name": "新人", "password": PASSWORD, "email": "other@company.example"}
    accepted = await newcomer.post("/invitations/accept", body)
    assert accepted.status_code == 200
    assert (
        accepted.json()["email"] == "new.one@company.example"
    )  # the address of the link, not the one typed in
    assert (await newcomer.post("/invitations/accept", body)).status_code == 410
    assert (await newcomer.sign_in("new.one@company.example")).status_code == 200
    roles = {one["slug"]: one["roles"] for one in (await newcomer.get("/me")).json()["organisations"]}
    assert roles["newcomers"] == ["developer"]
    assert len(roles) == 2


async def test_an_invitation_is_bound_to_its_address(platform: Platform) -> None:
    owner, invited, other = await platform.person(), await platform.person(), await platform.person()
    identifier = await company(owner, "bound-one")
    await owner.post(
        f"/organisations/{identifier}/invitations", {"email": invited.email, "roles": ["viewer"]}
    )
    token = await platform.token_to(invited.email)
    taken = await other.post("/invitations/accept", {"token": token})
    assert taken.status_code == 409
    assert taken.json()["rule"] == "invitation-address"
    nobody = platform.browser()
    wrong = await nobody.post(
        "/invitations/accept", {"token": token, "name": "x", "password": "not the password"}
    )
    assert wrong.status_code == 401
    right = await nobody.post("/invitations/accept", {"token": token, "password": PASSWORD})
    assert right.status_code == 200
    assert right.json()["person_id"] == invited.person_id


async def test_invitations_are_listed_replaced_and_withdrawn(platform: Platform) -> None:
    owner = await platform.person()
    identifier = await company(owner, "withdrawals")
    path = f"/organisations/{identifier}/invitations"
    first = (await owner.post(path, {"email": "inv@company.example", "roles": ["viewer"]})).json()
    first_token = await platform.token_to("inv@company.example")
    second = (await owner.post(path, {"email": "INV@company.example", "roles": ["owner"]})).json()
    assert [one["invitation_id"] for one in (await owner.get(path)).json()["items"]] == [
        second["invitation_id"]
    ]
    assert (await platform.browser().post("/invitations/preview", {"token": first_token})).status_code == 410
    assert (await owner.send("DELETE", f"{path}/{first['invitation_id']}")).status_code == 404
    assert (await owner.send("DELETE", f"{path}/{second['invitation_id']}")).status_code == 204
    assert (await owner.get(path)).json()["items"] == []
    token = await platform.token_to("inv@company.example")
    assert (await platform.browser().post("/invitations/preview", {"token": token})).status_code == 410


async def test_what_a_removed_owner_sent_out_stops_working(platform: Platform) -> None:
    owner, second = await platform.person(), await platform.person()
    identifier = await company(owner, "removed-owner")
    await join(platform, owner, identifier, second, ["owner"])
    await second.post(
        f"/organisations/{identifier}/invitations", {"email": "friend@company.example", "roles": ["owner"]}
    )
    token = await platform.token_to("friend@company.example")
    await owner.send("DELETE", f"/organisations/{identifier}/members/{second.person_id}")
    assert (await platform.browser().post("/invitations/preview", {"token": token})).status_code == 410


async def test_a_member_is_not_invited_again_and_a_personal_organisation_stays_one(
    platform: Platform,
) -> None:
    owner, member = await platform.person(), await platform.person()
    identifier = await company(owner, "once-more")
    await join(platform, owner, identifier, member, ["viewer"])
    again = await owner.post(
        f"/organisations/{identifier}/invitations", {"email": member.email, "roles": ["owner"]}
    )
    assert (again.status_code, again.json()["rule"]) == (409, "member-already")
    personal = (await owner.get("/me")).json()["organisations"][0]["organisation_id"]
    alone = await owner.post(
        f"/organisations/{personal}/invitations", {"email": member.email, "roles": ["viewer"]}
    )
    assert (alone.status_code, alone.json()["rule"]) == (409, "individual")


async def test_the_first_administrator_comes_by_a_link_that_works_once(platform: Platform) -> None:
    older = await people.invite_administrator(OPERATOR)
    token = await people.invite_administrator(OPERATOR)
    browser = platform.browser()
    assert (
        await browser.post("/invitations/preview", {"token": older})
    ).status_code == 410  # the newest one holds
    body = {"token": token, "name": "首位管理员", "password": PASSWORD}
    missing = await browser.post("/invitations/accept", body)
    assert missing.status_code == 400
    assert missing.json()["errors"][0]["pointer"] == "/email"
    accepted = await browser.post("/invitations/accept", body | {"email": "admin@city.example"})
    assert accepted.status_code == 200
    assert accepted.json()["is_administrator"]
    again = await browser.post("/invitations/accept", body | {"email": "second@city.example"})
    assert again.status_code == 410
    assert (await browser.sign_in("admin@city.example")).status_code == 200

    early = await browser.post("/administrators/invitations", {"email": "deputy@city.example"})
    assert (early.status_code, early.json()["rule"]) == (403, "mfa-required")
    await with_app(browser)
    invited = await browser.post("/administrators/invitations", {"email": "deputy@city.example"})
    assert invited.status_code == 202
    assert "token" not in invited.text
    deputy = platform.browser()
    body = {"token": await platform.token_to("deputy@city.example"), "name": "副管理员", "password": PASSWORD}
    assert (await deputy.post("/invitations/accept", body)).json()["is_administrator"]
    person = await platform.person()
    assert (await person.post("/administrators/invitations", {"email": "x@y.example"})).status_code == 403


async def test_links_expire(platform: Platform) -> None:
    from datetime import timedelta

    from api.core import clock
    from api.identity.models import ActionLink

    token = await people.invite_administrator(OPERATOR)
    link = await ActionLink.filter(kind="invite-administrator", used_at=None).order_by("-created_at").first()
    assert link is not None
    assert link.expires_at - link.created_at == timedelta(hours=24)
    await ActionLink.filter(hash=link.hash).update(expires_at=clock.now() - timedelta(seconds=1))
    with pytest.raises(Refusal) as refused:
        await people.accept_invitation(token, "晚了", PASSWORD, email="late@city.example")
    assert refused.value.kind.slug == "link-spent"
    assert not await Person.filter(email="late@city.example").exists()


async def test_the_operators_apps_have_an_organisation_of_their_own(platform: Platform) -> None:
    first = (await apps.create_app(OPERATOR, name="一")).app.organisation_id
    second = (await apps.create_app(OPERATOR, name="二")).app.organisation_id
    assert first == second
    organisation = await organisations.get_organisation(OPERATOR, "operator")
    assert (organisation.id, organisation.kind) == (first, "company")
    assert await Membership.filter(organisation_id=first).count() == 0
    taken = await (await platform.person()).post(
        "/organisations", {"kind": "company", "slug": "operator", "name_zh": "冒充", "name_en": "Impostor"}
    )
    assert taken.status_code == 400
