"""Tables of events, in the plane store: the outbox, each app's feed, deliveries and their attempts.

Moments are microseconds since the epoch. Written with plain SQL, for rules here are conditional updates of many
rows; these models are for migrations and for reading. Endpoints are settings and live in the control store.
"""

from tortoise import fields
from tortoise.models import Model


class EventRow(Model):
    """An event as `api.core.outbox` wrote it. `released_at` 0: not yet told, its time has not come."""

    number = fields.BigIntField(primary_key=True, generated=True)
    id = fields.CharField(max_length=40, unique=True)
    app_id = fields.CharField(max_length=40)  # "" = every app that may know of it
    source = fields.CharField(max_length=128)  # post@v1
    type = fields.CharField(max_length=128)
    subject = fields.CharField(max_length=200)
    data = fields.TextField()  # JSON
    request_id = fields.CharField(max_length=40, default="")  # of the call that it came of
    at = fields.BigIntField()
    due_at = fields.BigIntField(default=0)  # by the app's clock, 0 = at once
    released_at = fields.BigIntField(default=0)

    class Meta:
        table = "event"
        indexes = (("released_at", "app_id", "due_at"),)


class FeedHead(Model):
    """How far an app's feed has come, and how far the app has acknowledged it. The lock of the feed."""

    app_id = fields.CharField(max_length=40, primary_key=True)
    position = fields.BigIntField(default=0)
    acknowledged = fields.BigIntField(default=0)

    class Meta:
        table = "event_feed_head"


class FeedEntry(Model):
    """An event in an app's feed. `position` counts the app's events, `sequence` those of the subject."""

    id = fields.BigIntField(primary_key=True, generated=True)
    app_id = fields.CharField(max_length=40)
    position = fields.BigIntField()
    event_id = fields.CharField(max_length=40, db_index=True)
    lane = fields.CharField(max_length=40)  # digest of source and subject
    sequence = fields.BigIntField()
    time = fields.BigIntField()  # when it happened, by the app's clock
    released_at = fields.BigIntField()

    class Meta:
        table = "event_feed"
        unique_together = (("app_id", "position"),)
        indexes = (("app_id", "lane", "sequence"),)


class Delivery(Model):
    """The bringing of one event to one endpoint. States: waiting, delivered, failed (given up).

    Whoever attempts it holds the lease, taken by a conditional update. `blocks_until` is how long a failing
    delivery holds up the later ones of its subject, `overtaken_at` when one of them went past it: a gap.
    """

    id = fields.CharField(max_length=40, primary_key=True)
    app_id = fields.CharField(max_length=40)
    endpoint_id = fields.CharField(max_length=40)
    event_id = fields.CharField(max_length=40, db_index=True)
    type = fields.CharField(max_length=128)
    lane = fields.CharField(max_length=40)
    position = fields.BigIntField()
    state = fields.CharField(max_length=12)
    reason = fields.CharField(max_length=40, default="")  # why it was given up
    attempts = fields.IntField(default=0)  # since it was created or last replayed
    created_at = fields.BigIntField()
    started_at = fields.BigIntField()  # creation or last replay: what the days of retries count from
    next_at = fields.BigIntField()
    blocks_until = fields.BigIntField(default=0)
    overtaken_at = fields.BigIntField(default=0)
    lease_until = fields.BigIntField(default=0)
    lease_holder = fields.CharField(max_length=40, default="")
    finished_at = fields.BigIntField(default=0)
    last_status = fields.IntField(default=0)  # of the last attempt, 0 = no answer

    class Meta:
        table = "webhook_delivery"
        unique_together = (("endpoint_id", "event_id"),)
        indexes = (
            ("state", "next_at"),
            ("endpoint_id", "state", "next_at"),
            ("endpoint_id", "lane", "state", "position"),
            ("app_id", "position"),
        )


class Attempt(Model):
    """One POST to an endpoint and what came of it. Bodies are cut to a bounded snippet."""

    id = fields.BigIntField(primary_key=True, generated=True)
    delivery_id = fields.CharField(max_length=40, db_index=True)
    at = fields.BigIntField()
    status = fields.IntField(default=0)  # 0 = no answer
    latency_ms = fields.IntField(default=0)
    error = fields.CharField(max_length=200, default="")  # why there was no answer
    snippet = fields.TextField(default="")

    class Meta:
        table = "webhook_attempt"


class EndpointHealth(Model):
    """How an endpoint has been answering, kept in the plane store because it changes with every delivery."""

    endpoint_id = fields.CharField(max_length=40, primary_key=True)
    failing_since = fields.BigIntField(default=0)  # 0 = the last answer was good
    failures = fields.IntField(default=0)  # in a row
    last_success_at = fields.BigIntField(default=0)

    class Meta:
        table = "webhook_health"
