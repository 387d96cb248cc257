from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name='GraphqlDocument',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=110)),
                ('app_id', fields.CharField(db_index=True, max_length=40)),
                ('digest', fields.CharField(max_length=64)),
                ('label', fields.CharField(default='', max_length=100)),
                ('text', fields.TextField(unique=False)),
                ('created_by', fields.CharField(max_length=64)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'graphql_document', 'app': 'graphql', 'pk_attr': 'id', 'table_description': 'A document that an app may run by its digest.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='GraphqlList',
            fields=[
                ('app_id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('is_exclusive', fields.BooleanField(default=False)),
            ],
            options={'table': 'graphql_list', 'app': 'graphql', 'pk_attr': 'app_id', 'table_description': 'Whether an app runs its registered documents alone.'},
            bases=['Model'],
        ),
    ]
