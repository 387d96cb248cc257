"""Endpoints that the platform itself disables, and how their people hear of it."""

from api.catalogue import outside
from api.core import audit, clock, mail
from api.core.problems import Text
from api.events import deliveries
from api.events.endpoints.models import Endpoint
from api.identity.models import App

ACTOR = "platform:webhooks"
_READERS = frozenset({"owner", "developer"})
REASONS = {
    "owner": Text("由应用的成员停用。", "Disabled by a member of the app."),
    "gone": Text(
        "接收方回答 410 Gone,表示不再需要事件。", "The receiver answered 410 Gone: it wants no more events."
    ),
    "failing": Text(
        "接收方连续多日没有一次成功应答。", "The receiver has not given one good answer for days."
    ),
}


async def disable(endpoint_id: str, reason: str) -> bool:
    """Disable an active endpoint, give up what waits for it, and write to the app's people. Again changes nothing."""
    endpoint = await Endpoint.get_or_none(id=endpoint_id)
    if endpoint is None or endpoint.state != "active":
        return False
    app = await App.get_or_none(id=endpoint.app_id)
    organisation = app.organisation_id if app else ""
    async with audit.write(
        ACTOR, "webhook:disable", f"app/{endpoint.app_id}", organisation=organisation, endpoint=endpoint.id, reason=reason
    ) as entry:  # fmt: skip
        changed = await Endpoint.filter(id=endpoint.id, state="active").update(
            state="disabled", reason=reason, disabled_at=clock.now()
        )
        entry.detail["changed"] = changed
        if changed and app is not None:
            await _tell(app, endpoint, reason)
    await deliveries.give_up_waiting(endpoint.environment, endpoint.id, "endpoint-disabled")
    return bool(changed)


async def _tell(app: App, endpoint: Endpoint, reason: str) -> None:
    """A mail to owners and developers, in their language."""
    questions = outside.ask()
    subject = Text(
        f"应用“{app.name}”的事件端点已停用", f"A webhook endpoint of the app “{app.name}” is disabled"
    )
    why = REASONS[reason]
    body = Text(
        f"{endpoint.url}\n\n{why.zh}未送达的事件仍在记录中。修好接收方后重新验证端点,再重发失败的事件。\n",
        f"{endpoint.url}\n\n{why.en} Events that were not delivered are kept. Mend the receiver, verify the endpoint "
        "again, then replay what failed.\n",
    )
    link = f"{questions.settings.sandbox_url.rstrip('/')}/apps/{app.id}/webhooks/{endpoint.id}"
    for person in await questions.contacts(app.organisation_id, _READERS):
        await mail.post(
            person.email,
            subject.in_language(person.locale)[:200],
            body.in_language(person.locale),
            link=link,
        )
