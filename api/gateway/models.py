"""Tables of the gateway, in the plane store: request log, usage, field use, access evidence.

Written by `record` only, in batches, with plain SQL; these models are for migrations and for reading.
"""

from tortoise import fields
from tortoise.models import Model


class RequestRecord(Model):
    """One operation call. Holds no body, no token and no classified value."""

    id = fields.CharField(max_length=40, primary_key=True)  # the Request-Id
    at = fields.BigIntField(db_index=True)  # microseconds since the epoch
    parent_id = fields.CharField(max_length=40, default="")
    app_id = fields.CharField(max_length=40, db_index=True)  # "" where nobody could be made out
    service = fields.CharField(max_length=80)  # company@v1
    operation = fields.CharField(max_length=128)
    face = fields.CharField(max_length=8)  # rest, graphql or mcp
    method = fields.CharField(max_length=8)
    path = fields.CharField(max_length=512)  # classified parameters masked
    status = fields.IntField()
    duration_us = fields.IntField()
    upstream_us = fields.IntField(default=0)
    request_bytes = fields.BigIntField(default=0)
    response_bytes = fields.BigIntField(default=0)
    step = fields.CharField(max_length=16)  # the refusing step, "" when it went through
    problem = fields.CharField(max_length=48)  # problem slug, or ""
    facts = fields.TextField()  # JSON: facts of the problem
    verdicts = fields.TextField()  # JSON: [[step, verdict, note], …]
    purpose = fields.CharField(max_length=64, default="")
    scenario = fields.CharField(max_length=64, default="")
    quota_left = fields.IntField(default=-1)
    trace_id = fields.CharField(max_length=32, default="")

    class Meta:
        table = "request_record"


class UsageBucket(Model):
    """Calls of one app to one operation in one hour, by status."""

    id = fields.BigIntField(primary_key=True, generated=True)
    hour = fields.BigIntField(db_index=True)  # hours since the epoch
    app_id = fields.CharField(max_length=40)
    service = fields.CharField(max_length=80)
    operation = fields.CharField(max_length=128)
    status = fields.IntField()
    calls = fields.BigIntField()
    cost = fields.BigIntField()
    duration_us = fields.BigIntField()
    upstream_us = fields.BigIntField()
    request_bytes = fields.BigIntField()
    response_bytes = fields.BigIntField()
    histogram = fields.TextField(default="")  # JSON: calls per latency bucket of record.BUCKETS_MS

    class Meta:
        table = "usage_bucket"
        unique_together = (("hour", "app_id", "service", "operation", "status"),)


class FieldUse(Model):
    """When an app last sent a parameter or body field of an operation, or received an answer from it."""

    id = fields.BigIntField(primary_key=True, generated=True)
    app_id = fields.CharField(max_length=40)
    service = fields.CharField(max_length=80)
    operation = fields.CharField(max_length=128)
    field = fields.CharField(max_length=200)  # "query:code", "body:/a/b", "response"
    last_at = fields.BigIntField()
    calls = fields.BigIntField()

    class Meta:
        table = "field_use"
        unique_together = (("app_id", "service", "operation", "field"),)


class AccessEvidence(Model):
    """Who read whose sensitive data, why and when: committed before the answer, chained by hash."""

    sequence = fields.BigIntField(primary_key=True, generated=True)
    at = fields.BigIntField()
    request_id = fields.CharField(max_length=40, db_index=True)
    app_id = fields.CharField(max_length=40, db_index=True)
    service = fields.CharField(max_length=80)
    operation = fields.CharField(max_length=128)
    level = fields.CharField(max_length=4)
    basis = fields.CharField(max_length=24)
    purpose = fields.CharField(max_length=64, default="")
    grant = fields.CharField(max_length=64, default="")
    subject_hash = fields.CharField(max_length=64, default="")  # digest of the identifying parameters
    suite = fields.CharField(max_length=16)
    previous = fields.CharField(max_length=64)
    hash = fields.CharField(max_length=64)

    class Meta:
        table = "access_evidence"
