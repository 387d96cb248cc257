"""Tables of the gateway, in the plane store: request log, usage, field use, access evidence.

Written by `record` only, in batches, with plain SQL; these models are for migrations and for reading.
"""

from tortoise import fields
from tortoise.models import Model


class RequestRecord(Model):
    """One operation call. Holds no body, no token and no classified value.

    Ids begin with their time, so the newest have the greatest id, and nothing else is needed to find old rows.
    """

    id = fields.CharField(max_length=40, primary_key=True)  # the Request-Id
    at = fields.BigIntField()  # microseconds since the epoch
    parent_id = fields.CharField(max_length=40, default="")
    app_id = fields.CharField(max_length=40)  # "" where nobody could be made out
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
    span = fields.CharField(max_length=11)  # how its id begins: the second, or so, in which the call came

    class Meta:
        table = "request_record"
        indexes = (("span", "app_id"),)


class UsageBucket(Model):
    """Calls of one app to one operation in one hour, by status and problem, as one process counted them.

    A row belongs to the process that made it, which writes its totals again and again: repeating a write
    counts nothing twice. Readers add the rows up.
    """

    id = fields.BigIntField(primary_key=True, generated=True)
    hour = fields.BigIntField()  # hours since the epoch
    app_id = fields.CharField(max_length=40)
    service = fields.CharField(max_length=80)
    operation = fields.CharField(max_length=128)
    status = fields.IntField()
    problem = fields.CharField(max_length=48, default="")
    calls = fields.BigIntField()
    cost = fields.BigIntField()
    duration_us = fields.BigIntField()
    upstream_us = fields.BigIntField()
    request_bytes = fields.BigIntField()
    response_bytes = fields.BigIntField()
    histogram = fields.TextField(default="")  # JSON: calls per latency bucket of usage.BUCKETS_MS
    minutes = fields.BigIntField(default=0)  # bit n: there was a call in minute n of the hour

    class Meta:
        table = "usage_bucket"
        indexes = (("app_id", "hour"), ("service", "hour"), ("hour",))


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
        indexes = (("service", "operation"),)


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
    consent = fields.CharField(max_length=100, default="")  # hash of the text that was agreed to
    mandate = fields.CharField(max_length=64, default="")  # by which the person speaks for an organisation
    person = fields.CharField(max_length=80, default="")  # c_…: who consented, a pseudonym
    subject_hash = fields.CharField(max_length=64, default="")  # digest of the identifying parameters
    suite = fields.CharField(max_length=16)
    previous = fields.CharField(max_length=64)
    hash = fields.CharField(max_length=64)

    class Meta:
        table = "access_evidence"


class KeptAnswer(Model):
    """What came of a call with an Idempotency-Key, for 24 hours. The answer is sealed: it may hold personal data."""

    id = fields.CharField(max_length=64, primary_key=True)  # digest of app, operation and key
    app_id = fields.CharField(max_length=40, db_index=True)
    fingerprint = fields.CharField(max_length=64)  # digest of the request: the key stands for this one only
    state = fields.CharField(max_length=8)  # started, done or unknown
    answer = fields.TextField(default="")  # sealed msgpack of status, headers and body
    started_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "kept_answer"


class ComposedCase(Model):
    """A case of a composed service: what was asked for and how far its steps came, sealed."""

    id = fields.CharField(max_length=40, primary_key=True)  # case_…
    app_id = fields.CharField(max_length=40, db_index=True)
    service = fields.CharField(max_length=80)
    content = fields.TextField()  # sealed msgpack of cases.Case
    created_at = fields.DatetimeField()
    taken_until = fields.DatetimeField()  # until then one call works on it

    class Meta:
        table = "composed_case"


class AgentCall(Model):
    """A call on its way through an agent. States: waiting, taken (by one process, once), answered, lost.

    What is asked and answered is sealed, and the row goes when the answer has been fetched. Moments are
    microseconds since the epoch.
    """

    id = fields.CharField(max_length=40, primary_key=True)  # agq_…
    agent = fields.CharField(max_length=40)  # its name
    state = fields.CharField(max_length=8)
    holder = fields.CharField(max_length=40, default="")  # the agent's process that took it
    created_at = fields.BigIntField()
    deadline_at = fields.BigIntField(db_index=True)
    lease_until = fields.BigIntField(default=0)  # a process that is not heard of until then is lost
    request = fields.TextField()  # sealed msgpack of letters.CallLetter
    answer = fields.TextField(default="")  # sealed msgpack of letters.AnswerLetter

    class Meta:
        table = "agent_call"
        indexes = (("agent", "state", "created_at"), ("holder", "state"))


class AgentProcess(Model):
    """A process that runs an agent: when it was last heard of."""

    id = fields.CharField(max_length=40, primary_key=True)  # agp_…, made by the process at its start
    agent = fields.CharField(max_length=40, db_index=True)  # its name
    version = fields.CharField(max_length=40, default="")
    started_at = fields.BigIntField()
    seen_at = fields.BigIntField()
    left_at = fields.BigIntField(default=0)  # it said that it takes no more calls

    class Meta:
        table = "agent_process"


class EvidenceHead(Model):
    """One row (id 1): how many evidence rows there are and the hash of the last, the lock of the chain."""

    id = fields.IntField(primary_key=True)
    count = fields.BigIntField(default=0)
    hash = fields.CharField(max_length=64, default="")

    class Meta:
        table = "evidence_head"
