from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="ControlChange",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("kind", fields.CharField(max_length=32)),
                ("key", fields.CharField(max_length=128)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "control_change",
                "app": "core",
                "pk_attr": "id",
                "table_description": "The feed that processes poll: what changed, in commit order.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ControlVersion",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("version", fields.BigIntField(default=0)),
                ("journal_count", fields.BigIntField(default=0)),
                ("journal_hash", fields.CharField(default="", max_length=64)),
            ],
            options={
                "table": "control_version",
                "app": "core",
                "pk_attr": "id",
                "table_description": "One row (id 1): raised by every control-plane commit, and the head of the journal's chain.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="JournalEntry",
            fields=[
                (
                    "sequence",
                    fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True),
                ),
                ("at", fields.CharField(max_length=32)),
                ("actor", fields.CharField(db_index=True, max_length=128)),
                ("action", fields.CharField(max_length=64)),
                ("subject", fields.CharField(db_index=True, max_length=160)),
                ("organisation", fields.CharField(default="", db_index=True, max_length=64)),
                ("detail", fields.TextField(unique=False)),
                ("suite", fields.CharField(max_length=16)),
                ("previous", fields.CharField(max_length=64)),
                ("hash", fields.CharField(max_length=64)),
            ],
            options={
                "table": "journal_entry",
                "app": "core",
                "pk_attr": "sequence",
                "table_description": "One audited state change. No foreign keys: nothing blocks a deletion, nothing is dragged along.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OutboxEvent",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("source", fields.CharField(max_length=128)),
                ("type", fields.CharField(db_index=True, max_length=128)),
                ("subject", fields.CharField(max_length=160)),
                ("data", fields.TextField(unique=False)),
            ],
            options={
                "table": "outbox_event",
                "app": "core",
                "pk_attr": "id",
                "table_description": "A CloudEvent waiting for delivery, written in the transaction of its change.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OutboxMail",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("recipient", fields.CharField(db_index=True, max_length=254)),
                ("subject", fields.CharField(max_length=200)),
                ("body", fields.TextField(unique=False)),
                ("link", fields.CharField(default="", max_length=500)),
                ("sent_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "outbox_mail",
                "app": "core",
                "pk_attr": "id",
                "table_description": "A mail to a person. The embedded mode shows it at /outbox instead of sending it.",
            },
            bases=["Model"],
        ),
    ]
