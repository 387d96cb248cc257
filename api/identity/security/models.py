"""Tables of people's second factors, in the control store. api.identity.models names them for Tortoise."""

from typing import Any

from tortoise import fields
from tortoise.models import Model


class Totp(Model):
    """A person's authenticator app. The secret is sealed, the last step that was accepted only ever rises."""

    person_id = fields.CharField(max_length=40, primary_key=True)
    secret = fields.CharField(max_length=200)  # sealed by the vault for this person
    last_step = fields.BigIntField(default=0)
    confirmed_at = fields.DatetimeField(null=True)  # None: shown to the person, no code given yet
    created_at = fields.DatetimeField()

    class Meta:
        table = "totp"


class Passkey(Model):
    """A WebAuthn credential of a person."""

    id = fields.CharField(max_length=40, primary_key=True)  # pk_…
    person_id = fields.CharField(max_length=40, db_index=True)
    credential_hash = fields.CharField(max_length=80, unique=True)
    credential_id = fields.TextField()  # base64url, up to 1023 bytes
    public_key = fields.TextField()  # COSE, base64url
    sign_count = fields.BigIntField(default=0)
    transports: fields.JSONField[Any] = fields.JSONField(default=list)
    label = fields.CharField(max_length=100)
    is_backed_up = fields.BooleanField(default=False)
    created_at = fields.DatetimeField()
    last_used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "passkey"


class RecoveryCode(Model):
    """One of a person's single-use codes, stored as its hash."""

    hash = fields.CharField(max_length=80, primary_key=True)
    person_id = fields.CharField(max_length=40, db_index=True)
    created_at = fields.DatetimeField()
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "recovery_code"
