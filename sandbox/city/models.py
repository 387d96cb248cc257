"""The sandbox's copy-on-write state: what an app changed in the city, as rows over the read-only base."""

from tortoise import fields
from tortoise.models import Model


class StateRow(Model):
    """One record as an app left it. `value` is JSON, "" marks a deleted one, `version` that of the head when it was written."""

    id = fields.BigIntField(primary_key=True, generated=True)
    state_id = fields.CharField(max_length=40)
    snapshot = fields.CharField(max_length=64, default="")  # "" = the present state
    department = fields.CharField(max_length=64)
    key = fields.CharField(max_length=160)
    value = fields.TextField()
    version = fields.BigIntField()

    class Meta:
        table = "city_state"
        unique_together = (("state_id", "snapshot", "department", "key"),)


class StateHead(Model):
    """How far a state has come. Every write and reset raises `version`, a reset also raises `base` to it."""

    state_id = fields.CharField(max_length=40, primary_key=True)
    version = fields.BigIntField(default=0)
    base = fields.BigIntField(default=0)

    class Meta:
        table = "city_state_head"


class IdentityGrant(Model):
    """What the city's identity provider gave out: a code (used once) or a refresh token. Hashes only."""

    hash = fields.CharField(max_length=80, primary_key=True)
    kind = fields.CharField(max_length=8)  # code or refresh
    client_id = fields.CharField(max_length=64)
    data = fields.TextField()  # JSON
    expires_at = fields.DatetimeField()
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "city_identity_grant"


class DisabledAccount(Model):
    """An account of the city's identity provider that is shut out there."""

    id = fields.CharField(max_length=64, primary_key=True)
    disabled_at = fields.DatetimeField()

    class Meta:
        table = "city_identity_disabled"
