"""Tables of the authorization server, in the plane store: keys and token state never cross planes.

    authorization request ──consent──▶ family ──▶ code ──▶ refresh tokens, access tokens

A family is what one authorization journey gave: all its tokens live and die with it. Codes, refresh tokens, request
ids and pushed requests stand here as hashes. Access tokens are not stored: of those in a family the ids are kept
while they live, and a denylist of token ids (`jti`) holds the revoked ones until they expire.
"""

from typing import Any

from tortoise import fields
from tortoise.models import Model


class SigningKey(Model):
    kid = fields.CharField(max_length=64, primary_key=True)
    algorithm = fields.CharField(max_length=16)  # ES256
    state = fields.CharField(max_length=8)  # next, active, retired or revoked
    # the state again, NULL when retired or revoked: being unique, it lets racers make one active and one next key only
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


class PushedRequest(Model):
    """A pushed authorization request (RFC 9126), keyed by the hash of its request_uri, used once."""

    hash = fields.CharField(max_length=80, primary_key=True)
    client_id = fields.CharField(max_length=40)
    parameters: fields.JSONField[Any] = fields.JSONField()
    jkt = fields.CharField(max_length=64, default="")  # of the DPoP key that the code is to be bound to
    expires_at = fields.DatetimeField(db_index=True)
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "pushed_request"


class AuthorizationRequest(Model):
    """A checked request that waits for its resource owner, keyed by the hash of its id (`ar_…`), decided once."""

    hash = fields.CharField(max_length=80, primary_key=True)
    app_id = fields.CharField(max_length=40)
    client_id = fields.CharField(max_length=40)
    browser = fields.CharField(max_length=80)  # hash of the cookie of the browser that came with it
    parameters: fields.JSONField[Any] = fields.JSONField()  # oauth.authorization.Asked
    expires_at = fields.DatetimeField(db_index=True)
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "authorization_request"


class TokenFamily(Model):
    """What one authorization journey gave, revoked as a whole."""

    id = fields.CharField(max_length=40, primary_key=True)  # f_…
    app_id = fields.CharField(max_length=40, db_index=True)
    client_id = fields.CharField(max_length=40)
    subject_id = fields.CharField(max_length=64)
    grant_id = fields.CharField(
        max_length=40, default="", db_index=True
    )  # the consent (identity.Grant), "" without
    scope = fields.TextField(default="")
    audience = fields.CharField(max_length=500)
    details: fields.JSONField[Any] = fields.JSONField(default=list)  # authorization_details (RFC 9396)
    consent = fields.CharField(max_length=100, default="")  # hash of the text that was agreed to
    mandate = fields.CharField(max_length=40, default="")
    acr = fields.CharField(max_length=100, default="")
    nonce = fields.CharField(max_length=500, default="")  # of OpenID Connect
    auth_time = fields.BigIntField(default=0)  # seconds since the epoch
    jkt = fields.CharField(max_length=64, default="")  # the DPoP key that its refresh tokens are bound to
    x5t = fields.CharField(max_length=64, default="")  # the certificate that they are bound to
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(db_index=True)
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "token_family"


class AuthorizationCode(Model):
    """A code (RFC 6749 §4.1.2), used once."""

    hash = fields.CharField(max_length=80, primary_key=True)
    family_id = fields.CharField(max_length=40, db_index=True)
    client_id = fields.CharField(max_length=40)
    redirect_uri = fields.CharField(max_length=2048)
    challenge = fields.CharField(max_length=64)  # PKCE, S256
    jkt = fields.CharField(max_length=64, default="")  # the DPoP key that it is bound to (RFC 9449 §10)
    expires_at = fields.DatetimeField(db_index=True)
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "authorization_code"


class RefreshToken(Model):
    """A refresh token, that of a rotating client is used once."""

    hash = fields.CharField(max_length=80, primary_key=True)
    family_id = fields.CharField(max_length=40, db_index=True)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(db_index=True)
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "refresh_token"


class IssuedToken(Model):
    """The id of an access token of a family, kept while it lives, so that the family's tokens can be revoked."""

    jti = fields.CharField(max_length=64, primary_key=True)
    family_id = fields.CharField(max_length=40, db_index=True)
    expires_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "issued_token"


class UsedProof(Model):
    """The hash of a DPoP proof's key and `jti`, the primary key decides who was first (RFC 9449 §11.1)."""

    key = fields.CharField(max_length=64, primary_key=True)
    expires_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "used_proof"


class DeviceAuthorization(Model):
    """A device that waits for its person (RFC 8628), decided once and spent once. Both codes are hashes."""

    hash = fields.CharField(max_length=80, primary_key=True)  # of the device code
    user_code = fields.CharField(max_length=80, unique=True)  # HMAC of the user code
    app_id = fields.CharField(max_length=40)
    client_id = fields.CharField(max_length=40)
    parameters: fields.JSONField[Any] = fields.JSONField()  # oauth.authorization.Asked
    state = fields.CharField(max_length=8, default="waiting")  # waiting, granted, refused or spent
    family_id = fields.CharField(max_length=40, default="")  # of a granted one
    interval = fields.IntField()  # seconds to leave between two polls
    polled_at = fields.DatetimeField(null=True)
    expires_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "device_authorization"
