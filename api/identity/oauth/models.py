"""Tables of the authorization server, in the plane store: keys and token state never cross planes.

Access tokens are not stored: a denylist of token ids (`jti`) holds the revoked ones until they expire.
"""

from typing import Any

from tortoise import fields
from tortoise.models import Model


class SigningKey(Model):
    kid = fields.CharField(max_length=64, primary_key=True)
    algorithm = fields.CharField(max_length=16)  # ES256
    state = fields.CharField(max_length=8)  # next, active or retired
    # the state again, NULL when retired: being unique, it lets racers make one active and one next key only
    slot = fields.CharField(max_length=8, null=True, unique=True)
    public_jwk: fields.JSONField[Any] = fields.JSONField()
    sealed = fields.TextField()  # private JWK, sealed by the vault with the kid as context
    created_at = fields.DatetimeField()
    activated_at = fields.DatetimeField(null=True)
    retired_at = fields.DatetimeField(null=True)

    class Meta:
        table = "signing_key"


class UsedAssertion(Model):
    """The `jti` of a client assertion, the primary key decides who was first (RFC 7523 §3)."""

    key = fields.CharField(max_length=160, primary_key=True)
    expires_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "used_assertion"


class RevokedToken(Model):
    """Sequence lets every process poll for what is new."""

    sequence = fields.BigIntField(primary_key=True, generated=True)
    jti = fields.CharField(max_length=64, unique=True)
    expires_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "revoked_token"
