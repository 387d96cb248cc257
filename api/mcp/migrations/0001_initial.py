from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name='McpSetting',
            fields=[
                ('app_id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('writes', fields.CharField(default='off', max_length=8)),
            ],
            options={'table': 'mcp_setting', 'app': 'mcp', 'pk_attr': 'app_id', 'table_description': 'An app without a row lets agents read only.'},
            bases=['Model'],
        ),
    ]
