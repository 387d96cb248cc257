"""Tables of core, in the control store: journal, change feed, outbox of events and of mail."""

from tortoise import fields
from tortoise.models import Model


class ControlVersion(Model):
    """One row (id 1): raised by every control-plane commit, and the head of the journal's chain."""

    id = fields.IntField(primary_key=True)
    version = fields.BigIntField(default=0)
    journal_count = fields.BigIntField(default=0)
    journal_hash = fields.CharField(max_length=64, default="")

    class Meta:
        table = "control_version"


class ControlChange(Model):
    """The feed that processes poll: what changed, in commit order."""

    id = fields.BigIntField(primary_key=True, generated=True)
    kind = fields.CharField(max_length=32)  # app, subscription, publication, plan, organisation, person
    key = fields.CharField(max_length=128)
    at = fields.DatetimeField()

    class Meta:
        table = "control_change"


class JournalEntry(Model):
    """One audited state change. No foreign keys: nothing blocks a deletion, nothing is dragged along."""

    sequence = fields.BigIntField(primary_key=True, generated=True)
    at = fields.CharField(max_length=32)  # RFC 3339, as hashed
    actor = fields.CharField(max_length=128, db_index=True)
    action = fields.CharField(max_length=64)  # "app:secret:add"
    subject = fields.CharField(max_length=160, db_index=True)  # "app/a_…"
    organisation = fields.CharField(max_length=64, default="", db_index=True)
    detail = fields.TextField()  # canonical JSON
    suite = fields.CharField(max_length=16)
    previous = fields.CharField(max_length=64)
    hash = fields.CharField(max_length=64)

    class Meta:
        table = "journal_entry"


class OutboxEvent(Model):
    """A CloudEvent waiting for delivery, written in the transaction of its change."""

    id = fields.CharField(max_length=64, primary_key=True)
    at = fields.DatetimeField()
    source = fields.CharField(max_length=128)
    type = fields.CharField(max_length=128, db_index=True)
    subject = fields.CharField(max_length=160)
    data = fields.TextField()

    class Meta:
        table = "outbox_event"


class OutboxMail(Model):
    """A mail to a person. The embedded mode shows it at /outbox instead of sending it."""

    id = fields.CharField(max_length=64, primary_key=True)
    at = fields.DatetimeField()
    recipient = fields.CharField(max_length=254, db_index=True)
    subject = fields.CharField(max_length=200)
    body = fields.TextField()
    link = fields.CharField(max_length=500, default="")
    sent_at = fields.DatetimeField(null=True)

    class Meta:
        table = "outbox_mail"
