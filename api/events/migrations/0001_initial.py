from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name='Attempt',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('delivery_id', fields.CharField(db_index=True, max_length=40)),
                ('at', fields.BigIntField()),
                ('status', fields.IntField(default=0)),
                ('latency_ms', fields.IntField(default=0)),
                ('error', fields.CharField(default='', max_length=200)),
                ('snippet', fields.TextField(default='', unique=False)),
            ],
            options={'table': 'webhook_attempt', 'app': 'events', 'pk_attr': 'id', 'table_description': 'One POST to an endpoint and what came of it. Bodies are cut to a bounded snippet.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Delivery',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('app_id', fields.CharField(max_length=40)),
                ('endpoint_id', fields.CharField(max_length=40)),
                ('event_id', fields.CharField(db_index=True, max_length=40)),
                ('type', fields.CharField(max_length=128)),
                ('lane', fields.CharField(max_length=40)),
                ('position', fields.BigIntField()),
                ('state', fields.CharField(max_length=12)),
                ('reason', fields.CharField(default='', max_length=40)),
                ('attempts', fields.IntField(default=0)),
                ('created_at', fields.BigIntField()),
                ('started_at', fields.BigIntField()),
                ('next_at', fields.BigIntField()),
                ('blocks_until', fields.BigIntField(default=0)),
                ('overtaken_at', fields.BigIntField(default=0)),
                ('lease_until', fields.BigIntField(default=0)),
                ('lease_holder', fields.CharField(default='', max_length=40)),
                ('finished_at', fields.BigIntField(default=0)),
                ('last_status', fields.IntField(default=0)),
            ],
            options={'table': 'webhook_delivery', 'app': 'events', 'unique_together': (('endpoint_id', 'event_id'),), 'indexes': [Index(fields=['state', 'next_at']), Index(fields=['endpoint_id', 'state', 'next_at']), Index(fields=['endpoint_id', 'lane', 'state', 'position']), Index(fields=['app_id', 'position'])], 'pk_attr': 'id', 'table_description': 'The bringing of one event to one endpoint. States: waiting, delivered, failed (given up).'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='EndpointHealth',
            fields=[
                ('endpoint_id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('failing_since', fields.BigIntField(default=0)),
                ('failures', fields.IntField(default=0)),
                ('last_success_at', fields.BigIntField(default=0)),
            ],
            options={'table': 'webhook_health', 'app': 'events', 'pk_attr': 'endpoint_id', 'table_description': 'How an endpoint has been answering, kept in the plane store because it changes with every delivery.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='EventRow',
            fields=[
                ('number', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('id', fields.CharField(unique=True, max_length=40)),
                ('app_id', fields.CharField(max_length=40)),
                ('source', fields.CharField(max_length=128)),
                ('type', fields.CharField(max_length=128)),
                ('subject', fields.CharField(max_length=200)),
                ('data', fields.TextField(unique=False)),
                ('request_id', fields.CharField(default='', max_length=40)),
                ('at', fields.BigIntField()),
                ('due_at', fields.BigIntField(default=0)),
                ('released_at', fields.BigIntField(default=0)),
            ],
            options={'table': 'event', 'app': 'events', 'indexes': [Index(fields=['released_at', 'app_id', 'due_at'])], 'pk_attr': 'number', 'table_description': 'An event as `api.core.outbox` wrote it. `released_at` 0: not yet told, its time has not come.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='FeedEntry',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('app_id', fields.CharField(max_length=40)),
                ('position', fields.BigIntField()),
                ('event_id', fields.CharField(db_index=True, max_length=40)),
                ('lane', fields.CharField(max_length=40)),
                ('sequence', fields.BigIntField()),
                ('time', fields.BigIntField()),
                ('released_at', fields.BigIntField()),
            ],
            options={'table': 'event_feed', 'app': 'events', 'unique_together': (('app_id', 'position'),), 'indexes': [Index(fields=['app_id', 'lane', 'sequence'])], 'pk_attr': 'id', 'table_description': "An event in an app's feed. `position` counts the app's events, `sequence` those of the subject."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='FeedHead',
            fields=[
                ('app_id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('position', fields.BigIntField(default=0)),
                ('acknowledged', fields.BigIntField(default=0)),
            ],
            options={'table': 'event_feed_head', 'app': 'events', 'pk_attr': 'app_id', 'table_description': "How far an app's feed has come, and how far the app has acknowledged it. The lock of the feed."},
            bases=['Model'],
        ),
    ]
