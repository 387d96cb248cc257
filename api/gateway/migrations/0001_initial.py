from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="AccessEvidence",
            fields=[
                (
                    "sequence",
                    fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True),
                ),
                ("at", fields.BigIntField()),
                ("request_id", fields.CharField(db_index=True, max_length=40)),
                ("app_id", fields.CharField(db_index=True, max_length=40)),
                ("service", fields.CharField(max_length=80)),
                ("operation", fields.CharField(max_length=128)),
                ("level", fields.CharField(max_length=4)),
                ("basis", fields.CharField(max_length=24)),
                ("purpose", fields.CharField(default="", max_length=64)),
                ("grant", fields.CharField(default="", max_length=64)),
                ("subject_hash", fields.CharField(default="", max_length=64)),
                ("suite", fields.CharField(max_length=16)),
                ("previous", fields.CharField(max_length=64)),
                ("hash", fields.CharField(max_length=64)),
            ],
            options={
                "table": "access_evidence",
                "app": "gateway",
                "pk_attr": "sequence",
                "table_description": "Who read whose sensitive data, why and when: committed before the answer, chained by hash.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="FieldUse",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("app_id", fields.CharField(max_length=40)),
                ("service", fields.CharField(max_length=80)),
                ("operation", fields.CharField(max_length=128)),
                ("field", fields.CharField(max_length=200)),
                ("last_at", fields.BigIntField()),
                ("calls", fields.BigIntField()),
            ],
            options={
                "table": "field_use",
                "app": "gateway",
                "unique_together": (("app_id", "service", "operation", "field"),),
                "pk_attr": "id",
                "table_description": "When an app last sent a parameter or body field of an operation, or received an answer from it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RequestRecord",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ("at", fields.BigIntField(db_index=True)),
                ("parent_id", fields.CharField(default="", max_length=40)),
                ("app_id", fields.CharField(db_index=True, max_length=40)),
                ("service", fields.CharField(max_length=80)),
                ("operation", fields.CharField(max_length=128)),
                ("face", fields.CharField(max_length=8)),
                ("method", fields.CharField(max_length=8)),
                ("path", fields.CharField(max_length=512)),
                ("status", fields.IntField()),
                ("duration_us", fields.IntField()),
                ("upstream_us", fields.IntField(default=0)),
                ("request_bytes", fields.BigIntField(default=0)),
                ("response_bytes", fields.BigIntField(default=0)),
                ("step", fields.CharField(max_length=16)),
                ("problem", fields.CharField(max_length=48)),
                ("facts", fields.TextField(unique=False)),
                ("verdicts", fields.TextField(unique=False)),
                ("purpose", fields.CharField(default="", max_length=64)),
                ("scenario", fields.CharField(default="", max_length=64)),
                ("quota_left", fields.IntField(default=-1)),
                ("trace_id", fields.CharField(default="", max_length=32)),
            ],
            options={
                "table": "request_record",
                "app": "gateway",
                "pk_attr": "id",
                "table_description": "One operation call. Holds no body, no token and no classified value.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="UsageBucket",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("hour", fields.BigIntField(db_index=True)),
                ("app_id", fields.CharField(max_length=40)),
                ("service", fields.CharField(max_length=80)),
                ("operation", fields.CharField(max_length=128)),
                ("status", fields.IntField()),
                ("calls", fields.BigIntField()),
                ("cost", fields.BigIntField()),
                ("duration_us", fields.BigIntField()),
                ("upstream_us", fields.BigIntField()),
                ("request_bytes", fields.BigIntField()),
                ("response_bytes", fields.BigIntField()),
                ("histogram", fields.TextField(default="", unique=False)),
            ],
            options={
                "table": "usage_bucket",
                "app": "gateway",
                "unique_together": (("hour", "app_id", "service", "operation", "status"),),
                "pk_attr": "id",
                "table_description": "Calls of one app to one operation in one hour, by status.",
            },
            bases=["Model"],
        ),
    ]
