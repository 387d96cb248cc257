from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name='DisabledAccount',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('disabled_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'city_identity_disabled', 'app': 'city', 'pk_attr': 'id', 'table_description': "An account of the city's identity provider that is shut out there."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='IdentityGrant',
            fields=[
                ('hash', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=80)),
                ('kind', fields.CharField(max_length=8)),
                ('client_id', fields.CharField(max_length=64)),
                ('data', fields.TextField(unique=False)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'city_identity_grant', 'app': 'city', 'pk_attr': 'hash', 'table_description': "What the city's identity provider gave out: a code (used once) or a refresh token. Hashes only."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='StateHead',
            fields=[
                ('state_id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('version', fields.BigIntField(default=0)),
                ('base', fields.BigIntField(default=0)),
                ('clock_us', fields.BigIntField(null=True)),
                ('city', fields.CharField(default='', max_length=80)),
            ],
            options={'table': 'city_state_head', 'app': 'city', 'pk_attr': 'state_id', 'table_description': 'How far a state has come. Every change raises `version`, a reset or a restore also raises `base` to it.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='StateRow',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('state_id', fields.CharField(max_length=40)),
                ('snapshot', fields.CharField(default='', max_length=64)),
                ('department', fields.CharField(max_length=64)),
                ('key', fields.CharField(max_length=160)),
                ('value', fields.TextField(unique=False)),
                ('version', fields.BigIntField()),
            ],
            options={'table': 'city_state', 'app': 'city', 'unique_together': (('state_id', 'snapshot', 'department', 'key'),), 'pk_attr': 'id', 'table_description': 'One record as an app left it. `value` is JSON, "" marks a deleted one, `version` that of the head when it was written.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='StateSnapshot',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('state_id', fields.CharField(max_length=40)),
                ('name', fields.CharField(max_length=40)),
                ('records', fields.IntField()),
                ('created_at', fields.BigIntField()),
                ('clock_at', fields.BigIntField(default=0)),
                ('city', fields.CharField(default='', max_length=80)),
                ('pending', fields.TextField(unique=False)),
            ],
            options={'table': 'city_snapshot', 'app': 'city', 'unique_together': (('state_id', 'name'),), 'pk_attr': 'id', 'table_description': 'A state kept under a name. Its records are the rows of city_state with this name.'},
            bases=['Model'],
        ),
    ]
