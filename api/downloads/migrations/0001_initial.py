from tortoise import migrations
from tortoise.migrations import operations as ops
from orjson import loads
from tortoise.fields.data import JSON_DUMPS
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name='SdkAppRelease',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=90)),
                ('app_id', fields.CharField(db_index=True, max_length=40)),
                ('release_id', fields.CharField(db_index=True, max_length=40)),
                ('made_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'sdk_app_release', 'app': 'downloads', 'pk_attr': 'id', 'table_description': 'An app for which a release was made: its read tokens open it.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SdkRelease',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('package', fields.CharField(db_index=True, max_length=80)),
                ('language', fields.CharField(max_length=20)),
                ('line', fields.CharField(max_length=80)),
                ('version', fields.CharField(max_length=40)),
                ('digest', fields.CharField(max_length=64)),
                ('documents', fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
                ('choice', fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
                ('changes', fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                ('made_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'sdk_release', 'app': 'downloads', 'unique_together': (('package', 'language', 'version'), ('package', 'digest')), 'pk_attr': 'id', 'table_description': 'A version of a package in a language, never changed: one choice of operations of contracts as published, by one'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SdkToken',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('app_id', fields.CharField(db_index=True, max_length=40)),
                ('label', fields.CharField(max_length=100)),
                ('hash', fields.CharField(unique=True, max_length=80)),
                ('hint', fields.CharField(max_length=8)),
                ('created_by', fields.CharField(max_length=64)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('revoked_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'sdk_token', 'app': 'downloads', 'pk_attr': 'id', 'table_description': "A token with which a package manager reads an app's packages, shown once, stored as its hash."},
            bases=['Model'],
        ),
    ]
