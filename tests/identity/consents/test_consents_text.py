"""The consent text: everything it has to say, from contract and purpose alone, and a hash that follows every word."""

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from api.catalogue.service import subscribe
from api.contract.build import service_of
from api.core.caller import OPERATOR
from api.core.problems import Refusal, Text
from api.identity.consents import service as consents
from api.identity.consents.asking import asker_of
from api.identity.consents.choices import Situation
from api.identity.consents.details import Detail, Recipient
from api.identity.consents.published import ConsentedService
from api.identity.consents.text import Asker, ConsentText, compose_text, hash_of, lines_of
from api.identity.models import App
from sandbox.city.inventory import read_services
from tests.identity.consents.conftest import TAX, World, publish
from tests.identity.consents.contracts import WELFARE

GOLDEN = Path(__file__).parent / "tax-paid-consent.txt"
ASKER = Asker(
    name="贷款助手", recipient=Text("虚构银行", "Imaginary Bank"), contact="privacy@bank.example",
    retention="贷款结清后三年",
)  # fmt: skip
COMPANY = Situation(
    organisation="91990106MA0000015L", organisation_name=Text("开门满山（样例）茶业有限公司", "Kaimen Manshan (Sample) Tea Co., Ltd."),
    role="legal-representative",
)  # fmt: skip


def detail_of(service: ConsentedService, purpose: str, *operations: str, **more: Any) -> Detail:
    fields = dict.fromkeys(name for id_ in operations for name in service.fields[id_])
    return Detail(
        service=service.key, operations=operations, fields=tuple(fields), purpose=purpose,
        until="2027-02-21T15:59:59.000Z", **more,
    )  # fmt: skip


def tax_text(asker: Asker = ASKER, situation: Situation = COMPANY, **more: Any) -> ConsentText:
    service = ConsentedService(read_services()["tax"])
    detail = detail_of(service, "bank-credit", "getTaxPaid", organisation=situation.organisation, **more)
    return compose_text(
        asker, [detail], {"tax@v1": service}, {"tax": Text("税务局", "Tax Bureau")}, situation,
        withdraw_at="https://kaimen.example/consents",
    )  # fmt: skip


def welfare_text(*operations: str, is_child: bool = False, **more: Any) -> ConsentText:
    service = ConsentedService(service_of(WELFARE))
    detail = detail_of(service, "benefit", *operations, **more)
    return compose_text(
        ASKER,
        [detail],
        {"welfare@v1": service},
        {},
        Situation(is_child=is_child),
        withdraw_at="https://x.example/",
    )


def test_the_text_of_tax_paid_changed_only_on_purpose() -> None:
    """To accept a change: KAIMEN_TEST_UPDATE_GOLDEN=1 python -m pytest tests/identity/consents"""
    recipient = Recipient("虚构担保公司", "dpo@guarantor.example", "为贷款提供担保")
    text = tax_text(pass_on_to=(recipient,))
    made = "\n".join([*lines_of(text, "zh"), "", *lines_of(text, "en"), ""])
    if os.environ.get("KAIMEN_TEST_UPDATE_GOLDEN"):
        GOLDEN.write_text(made)
    assert made == GOLDEN.read_text()


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_it_says_what_the_law_asks_for(locale: str) -> None:
    text = tax_text()
    said = "\n".join(lines_of(text, locale))
    said_zh = locale == "zh"
    for word in (
        "虚构银行" if said_zh else "Imaginary Bank",  # who
        "privacy@bank.example",  # contact
        "银行审批贷款" if said_zh else "a bank's decision on a loan",  # purpose
        "逐次调用" if said_zh else "call by call",  # method
        "税务局" if said_zh else "Tax Bureau",  # from whom
        "已缴合计" if said_zh else "Paid in all",  # what
        "贷款结清后三年",  # retention
        "2027 年 2 月 21 日" if said_zh else "2027-02-21",  # until
        "https://kaimen.example/consents",  # how to withdraw
        "自愿" if said_zh else "free to agree",
    ):
        assert word in said
    assert "None" not in said


def test_sensitive_fields_are_choices_and_others_are_not() -> None:
    text = tax_text()
    (kind,) = text.kinds
    sensitive = {one.name for one in kind.fields if one.is_sensitive}
    assert "total_paid_yuan" in sensitive
    assert "code" not in sensitive
    assert {name for choice in text.choices for name in choice.fields} == sensitive
    assert all(choice.kind == "sensitive" and len(choice.fields) == 1 for choice in text.choices)
    assert all("L3" in choice.explanation.zh and "《" not in choice.explanation.zh for choice in text.choices)
    assert not any("个人信息保护法" in note.zh for note in text.notes), (
        "a company's figures are no personal data"
    )


def test_personal_data_are_sensitive_by_article_28_or_by_level() -> None:
    text = welfare_text("getMe")
    reasons = {choice.fields[0]: choice.explanation.zh for choice in text.choices}
    assert reasons.keys() == {"account", "illness"}
    assert "第二十八条" in reasons["account"]
    assert "金融账户" in reasons["account"]
    assert "医疗健康" in reasons["illness"]
    assert any("第十七条" in note.zh for note in text.notes)
    assert text.about.en == "Your own data."


def test_of_a_child_everything_is_sensitive() -> None:
    text = welfare_text("getMe", is_child=True)
    (kind,) = text.kinds
    assert all(one.is_sensitive for one in kind.fields)
    assert any("第三十一条" in note.zh for note in text.notes)
    assert "guardian" in text.about.en


def test_an_operation_of_separate_consent_is_one_choice() -> None:
    text = welfare_text("getMe", "getFamily")
    (separate,) = [one for one in text.choices if one.kind == "separate"]
    assert separate.fields == ("size", "income")
    assert separate.title.zh == "查询 getFamily"


def test_every_recipient_of_passing_on_is_a_choice() -> None:
    recipients = (Recipient("甲", "a@x.example", "担保"), Recipient("乙", "b@x.example", "评估"))
    choices = [one for one in tax_text(pass_on_to=recipients).choices if one.kind == "pass-on"]
    assert [one.id for one in choices] == ["tax@v1:bank-credit:pass-on:0", "tax@v1:bank-credit:pass-on:1"]
    for choice, recipient in zip(choices, recipients, strict=True):
        assert all(
            word in choice.explanation.zh for word in (recipient.name, recipient.contact, recipient.purpose)
        )
        assert "第二十三条" in choice.explanation.zh


def test_names_of_fields_do_not_collide_with_their_steps() -> None:
    (kind,) = welfare_text("getMe").kinds
    names = [one.name for one in kind.fields]
    assert "address.street~1name" in names
    assert "children" in names, "a schema that contains itself ends there"
    assert len(names) == len(set(names))


def test_the_hash_names_its_suite_and_follows_every_word() -> None:
    text = tax_text()
    assert text.hash == hash_of(text)
    assert text.hash.startswith("intl$sha256:")
    assert len(text.hash) == len("intl$sha256:") + 64
    assert tax_text() == text
    changed = [
        tax_text(replace(ASKER, name="另一应用")),
        tax_text(replace(ASKER, contact="x@y.example")),
        tax_text(replace(ASKER, retention="")),
        tax_text(situation=replace(COMPANY, role="finance")),
        tax_text(pass_on_to=(Recipient("甲", "a", "b"),)),
        replace(text, hash="", purpose=Text("其他", "other")),
    ]
    assert len({hash_of(one) for one in changed} | {text.hash}) == len(changed) + 1
    stored = msgspec.convert(msgspec.json.decode(msgspec.json.encode(text)), ConsentText)
    assert hash_of(stored) == text.hash, "the stored text proves its hash"


def test_what_an_app_says_of_itself_is_text_and_nothing_else() -> None:
    text = tax_text(replace(ASKER, name="{contact} %s <b>", retention="{0}"))
    assert "{contact} %s <b>" in text.method.zh
    assert lines_of(text, "zh")


async def test_a_live_app_must_have_said_enough(world: World) -> None:
    silent = await world.bank_app("tax@v1:bank-credit", contact="", retention="")
    details = await world.details(TAX, app=silent)
    subject = await world.persona("lin-xi")
    text = await consents.offer(silent, subject, details)
    assert "沙箱" in text.contact.zh
    silent.environment = "live"
    with pytest.raises(Refusal) as told:
        await asker_of(silent)
    assert told.value.kind.slug == "consent-not-ready"


async def test_no_person_is_named_in_what_is_kept(world: World) -> None:
    subject = await world.persona("lin-xi")
    grant = await world.grant(subject)
    kept = msgspec.json.encode([grant.text, grant.details]).decode()
    assert subject.name not in kept
    assert subject.national["number"] not in kept
    assert consents.text_of(grant) is not None
    assert hash_of(consents.text_of(grant)) == grant.text_hash


async def test_two_purposes_stand_apart(world: World) -> None:
    await publish("welfare", WELFARE)
    app: App = await world.bank_app("tax@v1:bank-credit", contact="a", retention="b")
    for purpose in ("benefit", "research"):
        await subscribe(
            OPERATOR, app_id=app.id, organisation_id=app.organisation_id, environment="sandbox",
            version_id="welfare@v1", purpose=purpose,
        )  # fmt: skip
    asked = [
        {
            "type": "kaimen-service",
            "service": "welfare@v1",
            "purpose": one,
            "operations": ["getMe"],
            "fields": ["name"],
        }
        for one in ("benefit", "research")
    ]
    details = await world.details(*asked, app=app)
    text = await consents.offer(app, await world.persona("lin-xi"), details)
    assert text.purpose == Text("审核补助、research", "deciding on a benefit, research")
    assert [kind.purpose.zh for kind in text.kinds] == ["审核补助", "research"]
