from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
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
            options={'table': 'city_state', 'app': 'city', 'unique_together': (('state_id', 'snapshot', 'department', 'key'),), 'pk_attr': 'id', 'table_description': 'One record as an app left it. `value` is JSON, "" marks a deleted one.'},
            bases=['Model'],
        ),
    ]
