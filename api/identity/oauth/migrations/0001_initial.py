from tortoise import migrations
from tortoise.migrations import operations as ops
from orjson import loads
from tortoise.fields.data import JSON_DUMPS
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name='AuthorizationCode',
            fields=[
                ('hash', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=80)),
                ('family_id', fields.CharField(db_index=True, max_length=40)),
                ('client_id', fields.CharField(max_length=40)),
                ('redirect_uri', fields.CharField(max_length=2048)),
                ('challenge', fields.CharField(max_length=64)),
                ('jkt', fields.CharField(default='', max_length=64)),
                ('expires_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
                ('used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'authorization_code', 'app': 'oauth', 'pk_attr': 'hash', 'table_description': 'A code (RFC 6749 §4.1.2), used once.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='AuthorizationRequest',
            fields=[
                ('hash', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=80)),
                ('app_id', fields.CharField(max_length=40)),
                ('client_id', fields.CharField(max_length=40)),
                ('browser', fields.CharField(max_length=80)),
                ('parameters', fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ('expires_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
                ('used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'authorization_request', 'app': 'oauth', 'pk_attr': 'hash', 'table_description': 'A checked request that waits for its resource owner, keyed by the hash of its id (`ar_…`), decided once.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='DeviceAuthorization',
            fields=[
                ('hash', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=80)),
                ('user_code', fields.CharField(unique=True, max_length=80)),
                ('app_id', fields.CharField(max_length=40)),
                ('client_id', fields.CharField(max_length=40)),
                ('parameters', fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ('state', fields.CharField(default='waiting', max_length=8)),
                ('family_id', fields.CharField(default='', max_length=40)),
                ('interval', fields.IntField()),
                ('polled_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'device_authorization', 'app': 'oauth', 'pk_attr': 'hash', 'table_description': 'A device that waits for its person (RFC 8628), decided once and spent once. Both codes are hashes.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='IssuedToken',
            fields=[
                ('jti', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('family_id', fields.CharField(db_index=True, max_length=40)),
                ('expires_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'issued_token', 'app': 'oauth', 'pk_attr': 'jti', 'table_description': "The id of an access token of a family, kept while it lives, so that the family's tokens can be revoked."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='PushedRequest',
            fields=[
                ('hash', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=80)),
                ('client_id', fields.CharField(max_length=40)),
                ('parameters', fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ('jkt', fields.CharField(default='', max_length=64)),
                ('expires_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
                ('used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'pushed_request', 'app': 'oauth', 'pk_attr': 'hash', 'table_description': 'A pushed authorization request (RFC 9126), keyed by the hash of its request_uri, used once.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='RefreshToken',
            fields=[
                ('hash', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=80)),
                ('family_id', fields.CharField(db_index=True, max_length=40)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
                ('used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'refresh_token', 'app': 'oauth', 'pk_attr': 'hash', 'table_description': 'A refresh token, that of a rotating client is used once.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='RevokedToken',
            fields=[
                ('sequence', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('jti', fields.CharField(unique=True, max_length=64)),
                ('expires_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'revoked_token', 'app': 'oauth', 'pk_attr': 'sequence', 'table_description': 'Sequence lets every process poll for what is new.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SigningKey',
            fields=[
                ('kid', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('algorithm', fields.CharField(max_length=16)),
                ('state', fields.CharField(max_length=8)),
                ('slot', fields.CharField(null=True, unique=True, max_length=8)),
                ('public_jwk', fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ('sealed', fields.TextField(unique=False)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('activated_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('retired_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'signing_key', 'app': 'oauth', 'pk_attr': 'kid'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='TokenFamily',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('app_id', fields.CharField(db_index=True, max_length=40)),
                ('client_id', fields.CharField(max_length=40)),
                ('subject_id', fields.CharField(max_length=64)),
                ('grant_id', fields.CharField(default='', db_index=True, max_length=40)),
                ('scope', fields.TextField(default='', unique=False)),
                ('audience', fields.CharField(max_length=500)),
                ('details', fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                ('consent', fields.CharField(default='', max_length=100)),
                ('mandate', fields.CharField(default='', max_length=40)),
                ('acr', fields.CharField(default='', max_length=100)),
                ('nonce', fields.CharField(default='', max_length=500)),
                ('auth_time', fields.BigIntField(default=0)),
                ('jkt', fields.CharField(default='', max_length=64)),
                ('x5t', fields.CharField(default='', max_length=64)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
                ('revoked_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'token_family', 'app': 'oauth', 'pk_attr': 'id', 'table_description': 'What one authorization journey gave, revoked as a whole.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='UsedAssertion',
            fields=[
                ('key', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=160)),
                ('expires_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'used_assertion', 'app': 'oauth', 'pk_attr': 'key', 'table_description': 'The `jti` of a client assertion, the primary key decides who was first (RFC 7523 §3).'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='UsedProof',
            fields=[
                ('key', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('expires_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'used_proof', 'app': 'oauth', 'pk_attr': 'key', 'table_description': "The hash of a DPoP proof's key and `jti`, the primary key decides who was first (RFC 9449 §11.1)."},
            bases=['Model'],
        ),
    ]
