from tortoise import migrations
from tortoise.migrations import operations as ops
from orjson import loads
from tortoise.fields.data import JSON_DUMPS
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name='ActionLink',
            fields=[
                ('hash', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=80)),
                ('kind', fields.CharField(max_length=24)),
                ('email', fields.CharField(default='', max_length=254)),
                ('person_id', fields.CharField(default='', max_length=40)),
                ('organisation_id', fields.CharField(default='', max_length=40)),
                ('roles', fields.CharField(default='', max_length=200)),
                ('payload', fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
                ('created_by', fields.CharField(default='', max_length=64)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'action_link', 'app': 'identity', 'pk_attr': 'hash', 'table_description': 'A single-use link: verify, reset, invite-administrator or invite-member.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='App',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('organisation_id', fields.CharField(db_index=True, max_length=40)),
                ('name', fields.CharField(max_length=100)),
                ('description', fields.CharField(default='', max_length=500)),
                ('environment', fields.CharField(max_length=8)),
                ('client_id', fields.CharField(unique=True, max_length=40)),
                ('status', fields.CharField(default='active', max_length=12)),
                ('status_before', fields.CharField(default='', max_length=12)),
                ('deleted_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('plan', fields.CharField(default='standard', max_length=32)),
                ('auth_method', fields.CharField(default='client_secret', max_length=24)),
                ('jwks', fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
                ('sandbox_app_id', fields.CharField(default='', max_length=40)),
                ('checklist', fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
                ('created_by', fields.CharField(max_length=64)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'app', 'app': 'identity', 'pk_attr': 'id', 'table_description': 'An OAuth2 client with one environment for life, going live makes a linked live app.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='AppSecret',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('app_id', fields.CharField(db_index=True, max_length=40)),
                ('label', fields.CharField(max_length=100)),
                ('hash', fields.CharField(max_length=80)),
                ('hint', fields.CharField(max_length=8)),
                ('created_by', fields.CharField(default='', max_length=64)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('last_used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('revoked_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'app_secret', 'app': 'identity', 'pk_attr': 'id', 'table_description': 'One of up to five secrets, shown once, stored as its hash.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Membership',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('organisation_id', fields.CharField(db_index=True, max_length=40)),
                ('person_id', fields.CharField(db_index=True, max_length=40)),
                ('role', fields.CharField(max_length=16)),
            ],
            options={'table': 'membership', 'app': 'identity', 'unique_together': (('organisation_id', 'person_id', 'role'),), 'pk_attr': 'id', 'table_description': 'Roles: owner (all), developer (apps), publisher (contracts), approver (decides), viewer.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Organisation',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('slug', fields.CharField(unique=True, max_length=64)),
                ('kind', fields.CharField(max_length=16)),
                ('name_zh', fields.CharField(max_length=100)),
                ('name_en', fields.CharField(max_length=100)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'organisation', 'app': 'identity', 'pk_attr': 'id', 'table_description': 'A department that owns services, or a company or person that owns apps.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Person',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('email', fields.CharField(unique=True, max_length=254)),
                ('name', fields.CharField(max_length=100)),
                ('locale', fields.CharField(default='zh', max_length=8)),
                ('password_hash', fields.CharField(default='', max_length=200)),
                ('email_verified_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('is_administrator', fields.BooleanField(default=False)),
                ('disabled_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'person', 'app': 'identity', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='PersonalToken',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('person_id', fields.CharField(db_index=True, max_length=40)),
                ('label', fields.CharField(max_length=100)),
                ('hash', fields.CharField(unique=True, max_length=80)),
                ('hint', fields.CharField(max_length=8)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('last_used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('revoked_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'personal_token', 'app': 'identity', 'pk_attr': 'id', 'table_description': "A person's token for the command line (`kp_…`), stored as its hash."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Session',
            fields=[
                ('hash', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=80)),
                ('person_id', fields.CharField(db_index=True, max_length=40)),
                ('csrf', fields.CharField(max_length=64)),
                ('user_agent', fields.CharField(default='', max_length=200)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('last_seen_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'session', 'app': 'identity', 'pk_attr': 'hash', 'table_description': "A browser session, the cookie's value is stored as its hash only."},
            bases=['Model'],
        ),
    ]
