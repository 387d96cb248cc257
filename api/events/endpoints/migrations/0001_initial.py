from tortoise import migrations
from tortoise.migrations import operations as ops
from orjson import loads
from tortoise.fields.data import JSON_DUMPS
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name='Endpoint',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('app_id', fields.CharField(db_index=True, max_length=40)),
                ('environment', fields.CharField(max_length=8)),
                ('url', fields.CharField(max_length=500)),
                ('description', fields.CharField(default='', max_length=200)),
                ('types', fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                ('concurrency', fields.IntField(default=5)),
                ('state', fields.CharField(default='unverified', max_length=12)),
                ('reason', fields.CharField(default='', max_length=24)),
                ('created_by', fields.CharField(max_length=64)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('verified_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('disabled_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'webhook_endpoint', 'app': 'endpoints', 'pk_attr': 'id', 'table_description': 'Where an app receives events. States: unverified (no event yet), active, disabled (see `reason`).'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SigningKey',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('endpoint_id', fields.CharField(db_index=True, max_length=40)),
                ('secret', fields.CharField(max_length=200)),
                ('private_key', fields.CharField(max_length=200)),
                ('public_key', fields.CharField(max_length=64)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'webhook_signing_key', 'app': 'endpoints', 'pk_attr': 'id', 'table_description': 'A pair of signing keys of an endpoint, sealed by the vault. One without an end, and an older one until it ends.'},
            bases=['Model'],
        ),
    ]
