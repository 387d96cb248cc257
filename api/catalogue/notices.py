"""What the catalogue writes to people: mails, in the reader's language, queued in the running transaction.

Addresses come from outside.ask(); where nobody answers that question no mail is written, and the events of
the change still are.
"""

from api.catalogue import outside
from api.catalogue.models import Approval
from api.catalogue.outside import Contact
from api.catalogue.permissions import DECIDERS, DEVELOPERS, PUBLISH_LIVE, PUBLISHERS, SUBSCRIPTION
from api.core import mail
from api.core.problems import Text

_KINDS = {
    PUBLISH_LIVE: Text("正式发布 {subject}", "going live of {subject}"),
    SUBSCRIPTION: Text("应用 {app} 订阅 {subject}", "the subscription of app {app} to {subject}"),
}
_OUTCOMES = {
    "approved": Text("已批准", "approved"),
    "rejected": Text("已拒绝", "rejected"),
    "cancelled": Text("已撤回", "withdrawn"),
}


def name_of(approval: Approval) -> Text:
    """What an approval is about, in a few words."""
    kind = _KINDS.get(approval.kind, Text(f"{approval.kind} {{subject}}", f"{approval.kind} {{subject}}"))
    facts = {
        "subject": approval.payload.get("service", approval.subject),
        "app": approval.payload.get("app", ""),
    }
    return Text(kind.in_language("zh", facts), kind.in_language("en", facts))


async def _post(contact: Contact, subject: Text, body: Text, link: str) -> None:
    language = contact.locale
    greeting = (
        Text(f"{contact.name},您好:\n\n", f"Dear {contact.name},\n\n") if contact.name else Text("", "")
    )
    await mail.post(
        contact.email,
        subject.in_language(language)[:200],
        greeting.in_language(language) + body.in_language(language) + "\n",
        link=outside.ask().settings.sandbox_url.rstrip("/") + link,
    )


def _link(approval: Approval) -> str:
    return f"/approvals/{approval.id}"


async def tell_deciders(approval: Approval, *, is_comment: bool = False) -> None:
    """Write to those who may decide: approvers and owners unconnected with the request, else administrators."""
    questions = outside.ask()
    deciders = await questions.contacts(approval.organisation_id, DECIDERS)
    if approval.kind != PUBLISH_LIVE:
        barred = set(approval.requester_organisations)
        deciders = [one for one in deciders if not barred & await questions.memberships(one.person_id)]
        if approval.organisation_id in barred:
            deciders = [
                one
                for one in await questions.administrators()
                if not barred & await questions.memberships(one.person_id)
            ]
    name = name_of(approval)
    if is_comment:
        subject = Text(f"新留言:{name.zh}", f"New comment: {name.en}")
        body = Text(
            f"关于“{name.zh}”的申请有新留言。", f"There is a new comment on the request about {name.en}."
        )
    else:
        subject = Text(f"待审批:{name.zh}", f"To decide: {name.en}")
        body = Text(
            f"有一项申请等待您的决定:{name.zh}。\n申请编号:{approval.id}\n申请人不能审批自己的申请。",
            f"A request awaits your decision: {name.en}.\nRequest: {approval.id}\nNobody decides their own request.",
        )
    for contact in _distinct(deciders):
        if contact.person_id != approval.requested_by:
            await _post(contact, subject, body, _link(approval))


async def tell_requester(approval: Approval, *, is_comment: bool = False) -> None:
    """Write to who asked; where an app or the operator asked, to the developers or publishers of its side."""
    questions = outside.ask()
    person = await questions.contact(approval.requested_by)
    contacts = [person] if person else []
    if not contacts:
        roles = PUBLISHERS if approval.kind == PUBLISH_LIVE else DEVELOPERS
        for party in approval.payload.get("parties") or [approval.organisation_id]:
            contacts += await questions.contacts(party, roles)
    name = name_of(approval)
    if is_comment:
        subject = Text(f"新留言:{name.zh}", f"New comment: {name.en}")
        body = Text(
            f"您的申请“{name.zh}”有新留言。", f"There is a new comment on your request about {name.en}."
        )
    else:
        outcome = _OUTCOMES[approval.status]
        subject = Text(f"{outcome.zh}:{name.zh}", f"{outcome.en.capitalize()}: {name.en}")
        reason = approval.reason
        body = Text(
            f"您的申请“{name.zh}”{outcome.zh}。" + (f"\n说明:{reason}" if reason else ""),
            f"Your request about {name.en} is {outcome.en}." + (f"\nReason: {reason}" if reason else ""),
        )
    for contact in _distinct(contacts):
        await _post(contact, subject, body, _link(approval))


async def tell_subscribers(organisation_ids: set[str], subject: Text, body: Text, link: str) -> int:
    """Write to the developers of these organisations (a change, a sunset). Returns how many mails."""
    questions = outside.ask()
    contacts = []
    for organisation_id in sorted(organisation_ids):
        contacts += await questions.contacts(organisation_id, DEVELOPERS)
    for contact in _distinct(contacts):
        await _post(contact, subject, body, link)
    return len(_distinct(contacts))


def _distinct(contacts: list[Contact]) -> list[Contact]:
    return list({contact.person_id: contact for contact in contacts}.values())
