from tortoise import migrations
from tortoise.migrations import operations as ops
from orjson import loads
from tortoise.fields.data import JSON_DUMPS
from tortoise import fields


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="Approval",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ("kind", fields.CharField(max_length=24)),
                ("subject", fields.CharField(max_length=160)),
                ("organisation_id", fields.CharField(db_index=True, max_length=40)),
                ("requested_by", fields.CharField(max_length=64)),
                (
                    "requester_organisations",
                    fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads),
                ),
                ("payload", fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
                ("status", fields.CharField(default="pending", max_length=12)),
                ("decided_by", fields.CharField(default="", max_length=64)),
                ("reason", fields.CharField(default="", max_length=500)),
                ("requested_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "approval",
                "app": "catalogue",
                "pk_attr": "id",
                "table_description": "A decision that a second person makes. Kinds: publish-live, subscription, app-live.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Plan",
            fields=[
                ("name", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ("title_zh", fields.CharField(max_length=100)),
                ("title_en", fields.CharField(max_length=100)),
                ("limits", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ],
            options={
                "table": "plan",
                "app": "catalogue",
                "pk_attr": "name",
                "table_description": 'Quotas: {"light": {"units": 600, "window_seconds": 60}, …} for each quota class.',
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Publication",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=96)),
                ("version_id", fields.CharField(db_index=True, max_length=80)),
                ("service", fields.CharField(max_length=64)),
                ("version", fields.CharField(max_length=16)),
                ("environment", fields.CharField(max_length=8)),
                ("upstream", fields.CharField(default="", max_length=500)),
                ("digest", fields.CharField(max_length=80)),
                ("document", fields.TextField(unique=False)),
                ("state", fields.CharField(max_length=12)),
                ("published_by", fields.CharField(max_length=64)),
                ("published_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("retired_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "publication",
                "app": "catalogue",
                "pk_attr": "id",
                "table_description": "A version offered in one environment. `document` is frozen at publish, a later import changes nothing here.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ServiceRecord",
            fields=[
                ("name", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("organisation_id", fields.CharField(db_index=True, max_length=40)),
                ("title_zh", fields.CharField(max_length=200)),
                ("title_en", fields.CharField(max_length=200)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "service",
                "app": "catalogue",
                "pk_attr": "name",
                "table_description": "A service name and the organisation that owns it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Subscription",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ("app_id", fields.CharField(db_index=True, max_length=40)),
                ("organisation_id", fields.CharField(max_length=40)),
                ("version_id", fields.CharField(db_index=True, max_length=80)),
                ("environment", fields.CharField(max_length=8)),
                ("purpose", fields.CharField(default="", max_length=64)),
                ("status", fields.CharField(max_length=12)),
                ("requested_by", fields.CharField(max_length=64)),
                ("requested_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("decided_by", fields.CharField(default="", max_length=64)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("reason", fields.CharField(default="", max_length=500)),
            ],
            options={
                "table": "subscription",
                "app": "catalogue",
                "unique_together": (("app_id", "version_id", "purpose"),),
                "pk_attr": "id",
                "table_description": 'An app\'s right to a service version for a purpose ("" where none is asked).',
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="VersionRecord",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=80)),
                ("service", fields.CharField(db_index=True, max_length=64)),
                ("version", fields.CharField(max_length=16)),
                ("release", fields.CharField(max_length=64)),
                ("status", fields.CharField(max_length=12)),
                ("digest", fields.CharField(max_length=80)),
                ("original", fields.TextField(unique=False)),
                ("overlay", fields.TextField(unique=False)),
                ("document", fields.TextField(unique=False)),
                ("findings", fields.TextField(unique=False)),
                ("losses", fields.TextField(unique=False)),
                ("verdicts", fields.TextField(unique=False)),
                ("imported_by", fields.CharField(max_length=64)),
                ("imported_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "service_version",
                "app": "catalogue",
                "pk_attr": "id",
                "table_description": "One imported contract. The original stays untouched, the overlay is what the importer proposed or an owner edited.",
            },
            bases=["Model"],
        ),
    ]
