"""Mail to people: a row in the outbox; a sender (SMTP, later) or the page /outbox takes it from there."""

from api.core import clock, ids
from api.core.models import OutboxMail


async def post(recipient: str, subject: str, body: str, link: str = "") -> None:
    """Queue a mail. Call it inside `audit.write`, so that mail and change stand or fall together."""
    await OutboxMail.create(
        id=ids.random_id("mail"), at=clock.now(), recipient=recipient, subject=subject, body=body, link=link
    )
