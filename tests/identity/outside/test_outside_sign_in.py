"""Sign-in through an outside provider that tells the truth, and through one that lies in every way that matters."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from api.core import audit, clock
from api.core.models import JournalEntry
from api.core.problems import Problem
from api.identity.models import Membership, Person, PersonalToken, Session
from api.identity.outside import providers, staff
from api.identity.outside.calls import CallError, Calls
from api.identity.outside.checking import Checker
from api.identity.outside.citizens import CITIZENS, LINK, STAFF, subject_of
from api.identity.outside.discovery import check_address
from api.identity.outside.mapping import assurance_of, values_of
from api.identity.outside.models import OutsideAccount, OutsideProvider
from api.identity.outside.providers import ProviderInput
from api.identity.outside.relying_party import Identity, RelyingParty
from api.identity.people import service as people
from api.identity.people.sessions import caller_of_session
from api.settings import Settings
from tests.identity.conftest import Browser, Platform
from tests.identity.outside.lying_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    LyingProvider,
    lying_provider,
    rsa_key,
)
from tests.identity.test_organisations import company

CALLBACK = "http://127.0.0.1:8000/sign-in/outside/office/callback"


@pytest.fixture
async def party(settings: Settings) -> AsyncIterator[RelyingParty]:
    calls = Calls(settings)
    yield RelyingParty(calls)
    await calls.close()


@pytest.fixture
def outside() -> Any:
    with lying_provider() as running:
        yield running


class Setting:
    """One provider set up here, and people who come from it."""

    def __init__(
        self, platform: Platform, party: RelyingParty, outside: LyingProvider, row: OutsideProvider
    ) -> None:
        self.platform, self.party, self.outside, self.row = platform, party, outside, row

    async def arrive(self, *, purpose: str = STAFF, who: str = "", **query: str) -> Identity:
        """Out and back; `query` replaces what the provider sends."""
        departure = await self.party.depart(self.row, purpose, CALLBACK, who=who)
        back = self.outside.sign_in(departure.address) | query
        return await self.party.arrive(self.row, back, departure.cookie_value, frozenset({purpose}))

    async def sign_in(self) -> tuple[str, Session]:
        return await staff.sign_in(self.row, await self.arrive(), "tests")

    async def change(self, **columns: Any) -> None:
        async with audit.write("system:tests", "provider:change", "provider"):
            await OutsideProvider.filter(id=self.row.id).update(**columns)
        self.row = await OutsideProvider.get(id=self.row.id)


async def set_up(
    platform: Platform, party: RelyingParty, outside: LyingProvider, administrator: Browser, **more: Any
) -> Setting:
    caller = await platform.caller(administrator)
    said = ProviderInput(
        slug=f"office-{outside.url.rpartition(':')[2]}", audience=more.pop("audience", "staff"), issuer=outside.url,
        name_zh="单位", name_en="Office", client_id=CLIENT_ID, client_secret=CLIENT_SECRET, trusts_email=more.pop("trusts_email", True),
        assurance={"one": "low", "two": "substantial", "three": "high"}, mfa_values=["otp", "three"], **more,
    )  # fmt: skip
    return Setting(platform, party, outside, await providers.add_provider(caller, said))


@pytest.fixture
async def office(platform: Platform, party: RelyingParty, outside: LyingProvider) -> Setting:
    return await set_up(platform, party, outside, await platform.administrator())


# --- the truth ------------------------------------------------------------------------------------
async def test_a_newcomer_gets_a_person_roles_and_a_session(
    platform: Platform, party: RelyingParty, outside: LyingProvider
) -> None:
    owner = await platform.person()
    slug = f"office-{outside.url.rpartition(':')[2]}"
    organisation = await company(owner, slug)
    rules = [
        {
            "claim": "groups",
            "value": "developers",
            "organisation": slug,
            "roles": ["developer"],
        },
        {
            "claim": "realm.roles",
            "value": "*",
            "organisation": organisation,
            "roles": ["viewer"],
        },
        {"claim": "groups", "value": "nobody", "organisation": slug, "roles": ["owner"]},
    ]
    office = await set_up(platform, party, outside, await platform.administrator(), mapping=rules)
    outside.userinfo |= {
        "email": "Ou.New@company.example",
        "groups": ["developers", 7],
        "realm": {"roles": ["x"]},
    }
    cookie, session = await office.sign_in()
    person = await Person.get(id=session.person_id)
    assert (person.email, person.name, person.password_hash) == ("ou.new@company.example", "Ou Taiyuan", "")
    caller = await caller_of_session(cookie)
    assert caller is not None
    assert caller.organisations[organisation] == {"developer", "viewer"}
    assert not caller.has_mfa, "acr two and amr pwd are no second factor there"
    entry = await JournalEntry.filter(subject=f"person/{person.id}", action="session:open").first()
    assert entry is not None
    assert "developer" in entry.detail
    outside.claims |= {"acr": "three"}
    outside.userinfo |= {"groups": []}
    cookie, _ = await office.sign_in()
    caller = await caller_of_session(cookie)
    assert caller is not None
    assert caller.has_mfa
    assert caller.organisations[organisation] == {"viewer"}
    assert await Person.filter(email="ou.new@company.example").count() == 1


async def test_an_account_becomes_the_person_with_its_address_only_where_trusted(
    office: Setting, platform: Platform
) -> None:
    known = await platform.person()
    office.outside.userinfo |= {"email": known.email.upper()}
    await office.change(trusts_email=False)
    with pytest.raises(Problem) as refused:
        await office.sign_in()
    assert refused.value.rule == "account-unknown"
    await office.change(trusts_email=True)
    for unverified in (False, "true", None):
        office.outside.userinfo |= {"email_verified": unverified}
        with pytest.raises(Problem) as refused:
            await office.sign_in()
        assert refused.value.rule == "account-unknown"
    office.outside.userinfo |= {"email_verified": True}
    _, session = await office.sign_in()
    assert session.person_id == known.person_id
    assert "关联" in (await platform.mail_to(known.email)).subject


async def test_a_person_links_an_account_of_an_untrusted_provider(
    office: Setting, platform: Platform
) -> None:
    await office.change(trusts_email=False)
    person, other = await platform.person(), await platform.person()
    caller = await platform.caller(person)
    identity = await office.arrive(purpose=LINK, who=caller.id)
    with pytest.raises(Problem) as refused:
        await staff.link(await platform.caller(other), office.row, identity)
    assert refused.value.rule == "link-other"
    await staff.link(caller, office.row, identity)
    _, session = await office.sign_in()
    assert session.person_id == person.person_id
    stranger = await platform.caller(other)
    with pytest.raises(Problem) as refused:
        await staff.link(stranger, office.row, await office.arrive(purpose=LINK, who=stranger.id))
    assert refused.value.rule == "account-taken"
    account = await OutsideAccount.get(provider_id=office.row.id)
    await providers.unlink(caller, account.id)
    assert not await Session.filter(hash=session.hash).exists()


async def test_what_a_provider_says_is_made_clean(office: Setting) -> None:
    office.outside.userinfo |= {"name": "Ou\u0000 \u202eTai\nyuan " + "x" * 500, "locale": 5}
    _, session = await office.sign_in()
    name = (await Person.get(id=session.person_id)).name
    assert name.startswith("Ou Tai yuan x")
    assert len(name) == 100


async def test_who_is_shut_out_here_stays_out(office: Setting, platform: Platform) -> None:
    administrator = await platform.administrator()
    _, session = await office.sign_in()
    assert (await administrator.post(f"/people/{session.person_id}/disable")).status_code == 200
    with pytest.raises(Problem) as refused:
        await office.sign_in()
    assert refused.value.rule == "person-disabled"


async def test_who_has_no_password_gets_none_past_the_provider(office: Setting, platform: Platform) -> None:
    office.outside.userinfo |= {"email": "no.password@company.example"}
    await office.sign_in()
    await people.ask_reset("no.password@company.example")
    mail = await platform.mail_to("no.password@company.example")
    assert "关联" in mail.subject, "the newest mail is still the one of the link"


# --- disabled there, out here ---------------------------------------------------------------------
async def later(account: OutsideAccount, seconds: int) -> None:
    then = clock.now() - timedelta(seconds=seconds)
    async with audit.write("system:tests", "time:passes", "outside"):
        await OutsideAccount.filter(id=account.id).update(checked_at=then)


@pytest.mark.parametrize("has_refresh_token", [True, False])
async def test_disabled_there_is_out_here(
    office: Setting, platform: Platform, has_refresh_token: bool
) -> None:
    office.outside.gives_refresh_token = has_refresh_token
    cookie, session = await office.sign_in()
    caller = await caller_of_session(cookie)
    assert caller is not None
    _, token = await people.create_personal_token(caller, "laptop", 30)
    account = await OutsideAccount.get(provider_id=office.row.id)
    checker = Checker(office.party)
    assert await checker.turn() == 0, "it was in order a moment ago"
    await later(account, 26)
    assert await checker.turn() == 1
    assert await caller_of_session(cookie) is not None
    office.outside.is_disabled = True
    assert await checker.turn() == 0, "each account once in 25 s"
    await later(account, 26)
    assert await checker.turn() == 1
    assert await caller_of_session(cookie) is None
    assert await people.caller_of_personal_token(token) is None
    assert await PersonalToken.filter(person_id=session.person_id, revoked_at=None).count() == 0
    await later(account, 26)
    assert await checker.turn() == 0, "nothing of it is in use any more"
    office.outside.is_disabled = False
    cookie, _ = await office.sign_in()
    assert await caller_of_session(cookie) is not None


async def test_roles_follow_the_claims(
    platform: Platform, party: RelyingParty, outside: LyingProvider
) -> None:
    slug = f"roles-{outside.url.rpartition(':')[2]}"
    organisation = await company(await platform.person(), slug)
    rules = [{"claim": "groups", "value": "a", "organisation": slug, "roles": ["viewer"]}]
    office = await set_up(platform, party, outside, await platform.administrator(), mapping=rules)
    outside.userinfo |= {"groups": "a"}
    _, session = await office.sign_in()
    held = Membership.filter(person_id=session.person_id, organisation_id=organisation)
    assert await held.count() == 1
    outside.userinfo |= {"groups": "b"}
    await later(await OutsideAccount.get(provider_id=office.row.id), 26)
    await Checker(party).turn()
    assert await held.count() == 0
    assert await Session.filter(hash=session.hash).exists()


async def test_a_provider_that_is_away_is_waited_for_ten_minutes(office: Setting) -> None:
    cookie, _ = await office.sign_in()
    account = await OutsideAccount.get(provider_id=office.row.id)
    office.outside.lies["userinfo_status"] = 503
    await later(account, 26)
    await Checker(office.party).turn()
    assert await caller_of_session(cookie) is not None
    async with audit.write("system:tests", "time:passes", "outside"):
        await OutsideAccount.filter(id=account.id).update(answered_at=clock.now() - timedelta(minutes=11))
    await later(account, 26)
    await Checker(office.party).turn()
    assert await caller_of_session(cookie) is None


async def test_a_provider_that_is_switched_off_ends_what_came_through_it(
    office: Setting, platform: Platform
) -> None:
    cookie, _ = await office.sign_in()
    administrator = await platform.administrator()
    items = (await administrator.get("/outside-providers")).json()["items"]
    item = next(one for one in items if one["provider_id"] == office.row.id)
    assert "client_secret" not in item
    body = {
        name: value for name, value in item.items() if name not in {"provider_id", "callback", "created_at"}
    }
    changed = await administrator.send(
        "PUT", f"/outside-providers/{office.row.id}", body | {"is_enabled": False}
    )
    assert changed.status_code == 200, changed.text
    assert await caller_of_session(cookie) is None
    assert (await administrator.send("DELETE", f"/outside-providers/{office.row.id}")).status_code == 204
    assert not await OutsideAccount.filter(provider_id=office.row.id).exists()


# --- lies -----------------------------------------------------------------------------------------
LIES: dict[str, dict[str, Any]] = {
    "nonce": {"claims": {"nonce": "another"}},
    "nonce-missing": {"claims": {"nonce": None}},
    "issuer": {"claims": {"iss": "https://evil.example"}},
    "audience": {"claims": {"aud": "someone else"}},
    "audiences-without-azp": {"claims": {"aud": [CLIENT_ID, "other"]}},
    "azp": {"claims": {"azp": "someone else"}},
    "expired": {"claims": {"exp": 1_700_000_000}},
    "expiry-missing": {"claims": {"exp": None}},
    "expiry-text": {"claims": {"exp": "9999999999"}},
    "issued-long-ago": {"claims": {"iat": 1_700_000_000}},
    "issued-tomorrow": {"claims": {"iat": 9_999_999_999}},
    "subject-missing": {"claims": {"sub": None}},
    "subject-empty": {"claims": {"sub": ""}},
    "subject-number": {"claims": {"sub": 7}},
    "subject-long": {"claims": {"sub": "x" * 256}},
    "subject-nul": {"claims": {"sub": "a\u0000b"}},
    "subject-not-userinfos": {"claims": {"sub": "u-2"}},
    "algorithm-none": {"header": {"alg": "none"}},
    "algorithm-hmac": {"header": {"alg": "HS256"}},
    "unknown-kid": {"header": {"kid": "nobody's"}},
    "id-token-missing": {"token": {"id_token": None}},
    "id-token-garbage": {"token": {"id_token": "a.b.c"}},
    "id-token-number": {"token": {"id_token": 5}},
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_is_refused(office: Setting, lie: str) -> None:
    office.outside.lies = LIES[lie]
    with pytest.raises(Problem) as refused:
        await office.arrive()
    assert refused.value.rule == "token-refused"
    assert refused.value.status == 401


async def test_a_key_that_is_not_the_providers_is_refused(office: Setting) -> None:
    for foreign in (office.outside.other_key, rsa_key()):
        office.outside.lies = {
            "signed_with": foreign,
            "header": {"alg": "RS256" if foreign.key_type == "RSA" else "ES256"},
        }
        with pytest.raises(Problem) as refused:
            await office.arrive()
        assert refused.value.rule == "token-refused"


async def test_an_answer_belongs_to_the_browser_and_the_provider_that_began(
    office: Setting, party: RelyingParty, platform: Platform
) -> None:
    first = await party.depart(office.row, STAFF, CALLBACK)
    second = await party.depart(office.row, STAFF, CALLBACK)
    back = office.outside.sign_in(first.address)
    purposes = frozenset({STAFF})
    cases = [
        (back, second.cookie_value, purposes, "state-unknown"),
        (back, "", purposes, "state-unknown"),
        (back, first.cookie_value[:-2] + "00", purposes, "state-unknown"),
        (back, first.cookie_value, frozenset({CITIZENS}), "state-unknown"),
        (back | {"state": ""}, first.cookie_value, purposes, "state-unknown"),
        (back | {"state": "状态"}, first.cookie_value, purposes, "state-unknown"),
        (back | {"iss": "https://other.example"}, first.cookie_value, purposes, "issuer-mixed-up"),
        ({name: back[name] for name in ("code", "state")}, first.cookie_value, purposes, "issuer-mixed-up"),
        (back | {"code": ""}, first.cookie_value, purposes, "code-missing"),
        (back | {"error": "access_denied"}, first.cookie_value, purposes, "provider-refused"),
        (back | {"code": "guessed"}, first.cookie_value, purposes, "code-refused"),
    ]
    for query, sealed, allowed, rule in cases:
        with pytest.raises(Problem) as refused:
            await party.arrive(office.row, query, sealed, allowed)
        assert refused.value.rule == rule
    with lying_provider() as other:
        elsewhere = await set_up(platform, party, other, await platform.administrator())
        with pytest.raises(Problem) as refused:
            await party.arrive(elsewhere.row, back, first.cookie_value, purposes)
        assert refused.value.rule == "state-unknown"
    assert (await party.arrive(office.row, back, first.cookie_value, purposes)).subject == "u-1"
    with pytest.raises(Problem) as refused:
        await party.arrive(office.row, back, first.cookie_value, purposes)
    assert refused.value.rule == "code-refused", "its code is spent"


@pytest.mark.parametrize(
    "configuration",
    [
        {"issuer": "https://other.example"},
        {"token_endpoint": None},
        {"token_endpoint": "http://169.254.169.254/latest"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
async def test_a_configuration_that_is_no_good_is_refused(
    office: Setting, configuration: dict[str, Any]
) -> None:
    office.outside.lies = {"configuration": configuration}
    with pytest.raises(Problem) as refused:
        await office.party.depart(office.row, STAFF, CALLBACK)
    assert (refused.value.status, refused.value.rule) == (502, "outside-provider-away")


async def test_only_allowed_addresses_are_called(outside: LyingProvider, platform: Platform) -> None:
    calls = Calls(Settings(embedded=False, egress_allow=""))
    try:
        with pytest.raises(CallError, match="KAIMEN_EGRESS_ALLOW"):
            await calls.get(outside.url + "/jwks")
    finally:
        await calls.close()
    for address in (
        "http://login.example",
        "ftp://a.example",
        "https://u:p@a.example",
        "https://a.example/x y",
    ):
        with pytest.raises(CallError):
            check_address(address)


async def test_keys_are_read_again_for_an_unknown_one_but_not_at_every_turn(office: Setting) -> None:
    await office.arrive()
    before = office.outside.asked.count("jwks")
    await office.arrive()
    assert office.outside.asked.count("jwks") == before
    office.outside.lies = LIES["unknown-kid"]
    for _ in range(5):
        with pytest.raises(Problem):
            await office.arrive()
    assert office.outside.asked.count("jwks") <= before + 1


# --- citizens, mapping, administration ------------------------------------------------------------
async def test_a_citizen_is_a_subject_with_an_id_that_tells_nothing(
    platform: Platform, party: RelyingParty, outside: LyingProvider
) -> None:
    office = await set_up(platform, party, outside, await platform.administrator(), audience="citizens")
    outside.claims |= {"acr": "three"}
    outside.userinfo |= {"birthdate": "1990-02-30", "national_id": "n-1", "name": "林溪"}
    identity = await office.arrive(purpose=CITIZENS)
    subject = subject_of(office.row, identity)
    assert (subject.name, subject.assurance, subject.birth_date) == ("林溪", "high", None)
    assert subject.id.startswith("c_")
    assert "u-1" not in subject.id
    assert subject.national["number"] == "n-1"
    assert subject.id == subject_of(office.row, await office.arrive(purpose=CITIZENS)).id
    outside.claims |= {"acr": "unheard of"}
    assert subject_of(office.row, await office.arrive(purpose=CITIZENS)).assurance == "low"


def test_claims_are_read_by_name_and_by_path() -> None:
    claims = {"a": {"b": ["x", 1, None]}, "a.b": "y", "c": 5, "d": ["p"]}
    assert values_of(claims, "a.b") == ["y"]
    assert values_of(claims, "c") == []
    assert values_of(claims, "d.e") == []
    assert values_of({"a": {"b": "z"}}, "a.b") == ["z"]
    row = OutsideProvider(assurance={"x": "high"}, mapping=[], mfa_values=[])
    assert assurance_of(row, {"acr": ["nothing", "x"]}) == "high"
    assert assurance_of(row, {}) == "low"


async def test_only_administrators_set_providers_up_and_faults_are_told_together(platform: Platform) -> None:
    body = {
        "slug": "nowhere", "audience": "staff", "issuer": "http://login.example", "name_zh": "某处", "name_en": "Nowhere", "client_id": "c",
        "scopes": "profile", "assurance": {"x": "total"},
        "mapping": [{"claim": "g", "value": "v", "organisation": "no-such", "roles": ["owner"]}, {"claim": "g", "value": "v", "organisation": "x", "roles": ["king"]}],
    }  # fmt: skip
    person = await platform.person()
    assert (await person.post("/outside-providers", body)).status_code == 403
    assert (await platform.browser().get("/outside-providers")).status_code == 401
    refused = await (await platform.administrator()).post("/outside-providers", body)
    assert refused.status_code == 400
    pointers = {error["pointer"] for error in refused.json()["errors"]}
    for field, value in (
        ("mfa_values", ["a\u0000b"]),
        ("assurance", {"\u0000": "low"}),
        ("scopes", "openid \u0000"),
    ):
        answer = await (await platform.administrator()).post(
            "/outside-providers", body | {"mapping": []} | {field: value}
        )
        assert answer.status_code == 400
    assert pointers == {"/issuer", "/scopes", "/client_secret", "/assurance", "/mapping/0", "/mapping/1"}
