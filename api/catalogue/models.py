"""Tables of the catalogue, in the control store: services, versions, publications, subscriptions, plans, approvals.

People, organisations and apps are known by id only.
"""

from typing import Any

from tortoise import fields
from tortoise.models import Model

from api.catalogue.agents.models import Agent, AgentCredential  # noqa: F401 - its tables too


class ServiceRecord(Model):
    """A service name and the organisation that owns it."""

    name = fields.CharField(max_length=64, primary_key=True)
    organisation_id = fields.CharField(max_length=40, db_index=True)
    title_zh = fields.CharField(max_length=200)
    title_en = fields.CharField(max_length=200)
    created_at = fields.DatetimeField()

    class Meta:
        table = "service"


class VersionRecord(Model):
    """One imported contract. The original stays untouched, the overlay is what the importer proposed or an owner edited."""

    id = fields.CharField(max_length=80, primary_key=True)  # company@v1
    service = fields.CharField(max_length=64, db_index=True)
    version = fields.CharField(max_length=16)
    release = fields.CharField(max_length=64)
    title = fields.CharField(max_length=200, default="")
    status = fields.CharField(max_length=12)  # alpha … retired
    wanted_status = fields.CharField(max_length=12, default="")  # what the document says, taken at publish
    status_before = fields.CharField(max_length=12, default="")  # what undoing a deprecation restores
    deprecation: fields.JSONField[Any] = fields.JSONField(
        default=dict
    )  # at, sunset, successor, guide, reason
    digest = fields.CharField(max_length=80)
    operations = fields.IntField(default=0)
    original = fields.TextField()  # JSON: {"entry": name, "files": {name: text}}
    overlay = fields.TextField()  # JSON: OpenAPI Overlay 1.0
    overlay_edited = fields.BooleanField(default=False)  # by an owner, so that a new edition keeps it
    document = fields.TextField()  # JSON: the normalised OpenAPI 3.1 document
    findings = fields.TextField()  # JSON list
    losses = fields.TextField()  # JSON list
    verdicts = fields.TextField()  # JSON {face: {"verdict", "reasons"}}
    imported_by = fields.CharField(max_length=64)
    imported_at = fields.DatetimeField()

    class Meta:
        table = "service_version"


class Publication(Model):
    """A version offered in one environment. `document` is frozen at publish, a later import changes nothing here."""

    id = fields.CharField(max_length=96, primary_key=True)  # company@v1/sandbox
    version_id = fields.CharField(max_length=80, db_index=True)
    service = fields.CharField(max_length=64)
    version = fields.CharField(max_length=16)
    environment = fields.CharField(max_length=8)
    upstream = fields.CharField(max_length=500, default="")  # http(s)://…, city:DEPARTMENT, or "" = synthetic
    mapping = fields.TextField(default="")  # YAML: how the upstream is spoken to, "" = by the contract
    recording = fields.TextField(default="")  # JSON: recording.Recording, "" = answers are not recorded
    digest = fields.CharField(max_length=80)  # of `document`
    contract_digest = fields.CharField(max_length=80, default="")  # of the version as imported, no stamps
    release = fields.CharField(max_length=64, default="")  # info.version
    document = fields.TextField()  # with the platform's stamps x-status and x-deprecation
    card = fields.TextField(default="{}")  # JSON: what lists show, see browsing.Card
    offer = fields.TextField(default="{}")  # JSON: offers.Offer, what rights are decided by
    words = fields.TextField(default="")  # lower-case text that the search looks into
    state = fields.CharField(max_length=12)  # pending, published or retired
    approval_id = fields.CharField(max_length=40, default="")  # of the release that waits, "" = none
    published_by = fields.CharField(max_length=64)
    published_at = fields.DatetimeField(null=True)
    retired_at = fields.DatetimeField(null=True)

    class Meta:
        table = "publication"


class PublicationRelease(Model):
    """A document that was published, or waits for its approval, never changed: the history of a service."""

    id = fields.CharField(max_length=40, primary_key=True)  # rel_…
    publication_id = fields.CharField(max_length=96, db_index=True)
    release = fields.CharField(max_length=64)
    digest = fields.CharField(max_length=80)  # the contract's, without stamps
    document = fields.TextField()
    upstream = fields.CharField(max_length=500, default="")
    mapping = fields.TextField(default="")
    changes = fields.TextField(default="[]")  # JSON list of diff.Change against the release before
    force_reason = fields.CharField(max_length=500, default="")
    published_by = fields.CharField(max_length=64)
    requested_at = fields.DatetimeField()
    published_at = fields.DatetimeField(null=True)  # null while it waits, or when it was rejected

    class Meta:
        table = "publication_release"


class Subscription(Model):
    """An app's right to a service version for a purpose ("" where none is asked)."""

    id = fields.CharField(max_length=40, primary_key=True)  # s_…
    app_id = fields.CharField(max_length=40, db_index=True)
    organisation_id = fields.CharField(max_length=40)  # the app's owner
    version_id = fields.CharField(max_length=80, db_index=True)
    environment = fields.CharField(max_length=8)
    purpose = fields.CharField(max_length=64, default="")
    level = fields.CharField(max_length=4, default="")  # highest level granted, "" = nothing yet
    status = fields.CharField(max_length=12)  # active, pending, rejected, cancelled or suspended
    requested_by = fields.CharField(max_length=64)
    requested_at = fields.DatetimeField()
    decided_by = fields.CharField(max_length=64, default="")
    decided_at = fields.DatetimeField(null=True)
    reason = fields.CharField(max_length=500, default="")

    class Meta:
        table = "subscription"
        unique_together = (("app_id", "version_id", "purpose"),)


class Plan(Model):
    """Quotas: {"light": {"units": 600, "window_seconds": 60}, …} for each quota class."""

    name = fields.CharField(max_length=32, primary_key=True)
    title_zh = fields.CharField(max_length=100)
    title_en = fields.CharField(max_length=100)
    limits: fields.JSONField[Any] = fields.JSONField()

    class Meta:
        table = "plan"


class Approval(Model):
    """A decision that a second person makes. Kinds: publish-live, subscription, app-live."""

    id = fields.CharField(max_length=40, primary_key=True)  # ap_…
    kind = fields.CharField(max_length=24)
    subject = fields.CharField(max_length=160)  # publication, subscription or app id
    organisation_id = fields.CharField(max_length=40, db_index=True)  # who decides
    requested_by = fields.CharField(max_length=64)  # person id, or "operator:local"
    requester_organisations: fields.JSONField[Any] = fields.JSONField(default=list)  # barred from deciding
    payload: fields.JSONField[Any] = fields.JSONField(default=dict)
    status = fields.CharField(max_length=12, default="pending")  # pending, approved, rejected, cancelled
    decided_by = fields.CharField(max_length=64, default="")
    reason = fields.CharField(max_length=500, default="")
    requested_at = fields.DatetimeField()
    decided_at = fields.DatetimeField(null=True)

    class Meta:
        table = "approval"


class ApprovalComment(Model):
    """What deciders and requesters say to each other about an approval."""

    id = fields.CharField(max_length=40, primary_key=True)  # apc_…
    approval_id = fields.CharField(max_length=40, db_index=True)
    author = fields.CharField(max_length=64)
    text = fields.CharField(max_length=2000)
    at = fields.DatetimeField()

    class Meta:
        table = "approval_comment"
