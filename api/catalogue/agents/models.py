"""Tables of agents, in the control store: which there are, and the credentials with which they connect."""

from tortoise import fields
from tortoise.models import Model


class Agent(Model):
    """A department's way out of a closed network, in one environment. Any number of processes may run it."""

    id = fields.CharField(max_length=40, primary_key=True)  # ag_…
    name = fields.CharField(max_length=40)  # what stands in an upstream: agent:NAME
    environment = fields.CharField(max_length=8)
    organisation_id = fields.CharField(max_length=40, db_index=True)
    description = fields.CharField(max_length=200, default="")
    created_by = fields.CharField(max_length=64)
    created_at = fields.DatetimeField()
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "agent"
        unique_together = (("name", "environment"),)


class AgentCredential(Model):
    """A secret of an agent (`kat_…`, `kal_…`), shown once, stored as its hash."""

    id = fields.CharField(max_length=40, primary_key=True)  # agc_…
    agent_id = fields.CharField(max_length=40, db_index=True)
    hash = fields.CharField(max_length=80, unique=True)
    hint = fields.CharField(max_length=8)
    created_by = fields.CharField(max_length=64)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "agent_credential"
