"""Tables of webhook endpoints, in the control store: they are settings, every change of them is in the journal."""

from typing import Any

from tortoise import fields
from tortoise.models import Model


class Endpoint(Model):
    """Where an app receives events. States: unverified (no event yet), active, disabled (see `reason`)."""

    id = fields.CharField(max_length=40, primary_key=True)  # we_…
    app_id = fields.CharField(max_length=40, db_index=True)
    environment = fields.CharField(max_length=8)
    url = fields.CharField(max_length=500)
    description = fields.CharField(max_length=200, default="")
    types: fields.JSONField[Any] = fields.JSONField(default=list)  # event types, none = all
    concurrency = fields.IntField(default=5)  # deliveries at once, of one process
    state = fields.CharField(max_length=12, default="unverified")
    reason = fields.CharField(max_length=24, default="")  # of being disabled: owner, gone or failing
    created_by = fields.CharField(max_length=64)
    created_at = fields.DatetimeField()
    verified_at = fields.DatetimeField(null=True)
    disabled_at = fields.DatetimeField(null=True)

    class Meta:
        table = "webhook_endpoint"


class SigningKey(Model):
    """A pair of signing keys of an endpoint, sealed by the vault. One without an end, and an older one until it ends."""

    id = fields.CharField(max_length=40, primary_key=True)  # whk_…
    endpoint_id = fields.CharField(max_length=40, db_index=True)
    secret = fields.CharField(max_length=200)  # sealed, 32 bytes of HMAC-SHA256
    private_key = fields.CharField(max_length=200)  # sealed, 32 bytes of Ed25519
    public_key = fields.CharField(max_length=64)  # base64
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(null=True)

    class Meta:
        table = "webhook_signing_key"
