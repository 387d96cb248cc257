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
    """How far a state has come. Every change raises `version`, a reset or a restore also raises `base` to it."""

    state_id = fields.CharField(max_length=40, primary_key=True)
    version = fields.BigIntField(default=0)
    base = fields.BigIntField(default=0)
    clock_us = fields.BigIntField(null=True)  # the app's clock minus the real one, None: it has not begun
    city = fields.CharField(max_length=80, default="")  # the city that its first change was made on

    class Meta:
        table = "city_state_head"


class StateSnapshot(Model):
    """A state kept under a name. Its records are the rows of city_state with this name."""

    id = fields.BigIntField(primary_key=True, generated=True)
    state_id = fields.CharField(max_length=40)
    name = fields.CharField(max_length=40)
    records = fields.IntField()
    created_at = fields.BigIntField()  # microseconds of the real clock
    clock_at = fields.BigIntField(default=0)  # microseconds of the app's clock, 0 = it showed the real time
    city = fields.CharField(max_length=80, default="")
    pending = fields.TextField()  # JSON: the events that were still to come

    class Meta:
        table = "city_snapshot"
        unique_together = (("state_id", "name"),)


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
