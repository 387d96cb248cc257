"""Tables of sign-in through outside OpenID providers, in the control store. api.identity.models names them."""

from typing import Any

from tortoise import fields
from tortoise.models import Model


class OutsideProvider(Model):
    """An OpenID provider elsewhere, as an administrator set it up. `audience` is staff or citizens."""

    id = fields.CharField(max_length=40, primary_key=True)  # op_…
    slug = fields.CharField(max_length=40, unique=True)
    audience = fields.CharField(max_length=12)
    issuer = fields.CharField(max_length=300)
    name_zh = fields.CharField(max_length=100)
    name_en = fields.CharField(max_length=100)
    client_id = fields.CharField(max_length=200)
    client_secret = fields.CharField(max_length=1000)  # sealed by the vault for this provider
    scopes = fields.CharField(max_length=300, default="openid profile email")
    # whether an address that it calls verified is enough to be the account which has that address here
    trusts_email = fields.BooleanField(default=False)
    # rules, each {"claim", "value", "organisation" (id), "roles"}: who gets which membership
    mapping: fields.JSONField[Any] = fields.JSONField(default=list)
    # `acr` values and what they are worth: {"urn:…": "substantial"}
    assurance: fields.JSONField[Any] = fields.JSONField(default=dict)
    # `acr` or `amr` values that count as a second factor
    mfa_values: fields.JSONField[Any] = fields.JSONField(default=list)
    is_enabled = fields.BooleanField(default=True)
    created_by = fields.CharField(max_length=64)
    created_at = fields.DatetimeField()

    class Meta:
        table = "outside_provider"


class OutsideAccount(Model):
    """Whose account at a provider is which person here, and when it was last found in order there."""

    id = fields.CharField(max_length=40, primary_key=True)  # oa_…
    provider_id = fields.CharField(max_length=40, db_index=True)
    subject = fields.CharField(max_length=255)
    person_id = fields.CharField(max_length=40, db_index=True)
    tokens = fields.TextField(default="")  # sealed: what the next check is made with
    created_at = fields.DatetimeField()
    signed_in_at = fields.DatetimeField()
    checked_at = fields.DatetimeField()  # when a check last began
    answered_at = fields.DatetimeField()  # when the provider last said that it is in order
    ended_at = fields.DatetimeField(null=True)  # refused there, until the next sign-in

    class Meta:
        table = "outside_account"
        unique_together = (("provider_id", "subject"),)
