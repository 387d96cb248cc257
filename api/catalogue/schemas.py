"""What the platform API says and takes about services, contracts, subscriptions, approvals and plans."""

from datetime import date, datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from api.catalogue.plans import PlanView, Quota
from api.contract.model import Finding, Loss, Status

Key = Annotated[str, Meta(description="Service version, `company@v1`.", max_length=80)]
EnvironmentName = Annotated[str, Meta(pattern="^(sandbox|live)$", description="sandbox or live")]


class Bilingual(Struct, frozen=True):
    """A text in Chinese and English."""

    zh: str
    en: str


# --- services -----------------------------------------------------------------------------------
class PublicationItem(Struct, frozen=True):
    """A version in one environment. `upstream` is shown to its department and to operators, else null."""

    environment: str
    state: str
    base_url: str
    openapi_url: str
    release: str
    published_at: datetime | None
    approval_id: str = ""
    upstream: str | None = None


class ServiceItem(Struct, frozen=True):
    """A published service version in the catalogue. `title` is in the reader's language."""

    service_id: str
    name: str
    version: str
    release: str
    title: str
    titles: Bilingual
    description: str
    department: str
    organisation: str
    level: str
    open: str
    status: str
    sunset: str
    operations: int
    environments: list[str]
    tags: list[str]
    openapi_url: str


class OperationItem(Struct, frozen=True):
    """What rights of one operation are decided by."""

    operation_id: str
    level: str
    purposes: list[str]
    scopes: list[str]
    audience: str
    share: str
    open: str


class ServiceDetail(Struct, frozen=True):
    """A service version with where it is published and what subscribing takes."""

    service_id: str
    name: str
    version: str
    release: str
    title: str
    titles: Bilingual
    descriptions: Bilingual
    department: str
    organisation: str
    level: str
    open: str
    status: str
    deprecation: dict[str, Any]
    tags: list[str]
    purposes: list[str]
    operations: list[OperationItem]
    publications: list[PublicationItem]
    may_publish: bool


class VersionItem(Struct, frozen=True):
    service_id: str
    version: str
    release: str
    title: str
    status: str
    operations: int
    imported_at: datetime | None
    environments: list[str]
    sunset: str = ""


class ChangeItem(Struct, frozen=True, kw_only=True):
    """One difference between two contracts. `apps` used it lately, where that is known and may be told."""

    rule: str
    severity: str
    operation: str
    pointer: str
    message: Bilingual
    field: str = ""
    apps: list[dict[str, Any]] = []


class ReleaseItem(Struct, frozen=True):
    """One release of a publication, with what changed against the one before."""

    release_id: str
    environment: str
    release: str
    digest: str
    published_at: datetime | None
    changes: list[Any]
    force_reason: str = ""


class Changes(Struct, frozen=True):
    """Differences between two contracts; `breaking` counts those that break an app."""

    service: str
    against: str
    breaking: int
    changes: list[ChangeItem]


# --- contracts ----------------------------------------------------------------------------------
class ContractUpload(Struct, frozen=True, forbid_unknown_fields=True):
    """A document as JSON: its files by relative path, and which of them is the entry ("" where it is clear)."""

    files: dict[str, str]
    entry: str = ""
    organisation: Annotated[
        str, Meta(description="Slug or id of the owning department; empty: your own.")
    ] = ""
    name: Annotated[str, Meta(max_length=40, description="Service name instead of the proposed one.")] = ""
    overlay: dict[str, Any] | None = None
    validate_only: Annotated[bool, Meta(description="Report everything, store nothing.")] = False


class ContractReport(Struct, frozen=True):
    """What an import or a lint found: findings, losses and one verdict for each face (ok, degraded, refused)."""

    service: str | None
    version: str | None
    service_id: str | None
    title: str
    release: str
    operations: int
    losses: list[Loss]
    findings: list[Finding]
    verdicts: dict[str, str]
    reasons: dict[str, list[str]]
    is_new: bool
    is_unchanged: bool
    is_stored: bool
    notes: list[Bilingual]


class ContractItem(Struct, frozen=True):
    """A stored draft in a list."""

    service_id: str
    title: str
    release: str
    status: str
    operations: int
    imported_at: datetime
    imported_by: str


class ContractDetail(Struct, frozen=True):
    """A stored draft with its report and its overlay."""

    service_id: str
    title: str
    release: str
    status: str
    digest: str
    operations: int
    imported_at: datetime
    imported_by: str
    entry: str
    files: list[str]
    overlay: dict[str, Any]
    overlay_edited: bool
    losses: list[Loss]
    findings: list[Finding]
    verdicts: dict[str, Any]
    publications: list[PublicationItem]


class PublishRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """`upstream`: empty keeps what is set, `synthetic` takes it away, else http(s)://…, soap+https://…, sql+postgresql://…
    or files:///…, set by operators only; or agent:NAME, an agent of the department's own. `mapping`: the YAML of the mapping; null keeps what is set, "" takes it away.
    """

    environment: EnvironmentName
    upstream: Annotated[str, Meta(max_length=500)] | None = None
    mapping: Annotated[str, Meta(max_length=524288)] | None = None
    force_reason: Annotated[str, Meta(max_length=500)] = ""


class Published(Struct, frozen=True):
    """`state` is published, or pending with the approval that it waits for."""

    service_id: str
    environment: str
    state: str
    base_url: str
    approval_id: str
    upstream: str


class RetireRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Without a reason: six months' notice for the version. With a reason: sooner, or at once."""

    environment: Annotated[str, Meta(pattern="^(sandbox|live)?$")] = ""
    sunset: date | None = None
    reason: Annotated[str, Meta(max_length=500)] = ""
    successor: Annotated[str, Meta(max_length=80, description="`company@v2`")] = ""
    guide: Annotated[str, Meta(max_length=300, description="Where moving is explained, a URL.")] = ""


class Retired(Struct, frozen=True):
    service_id: str
    state: str
    environments: list[str]
    sunset: str
    told: int


class StatusRequest(Struct, frozen=True, forbid_unknown_fields=True):
    status: Status


class VersionStatus(Struct, frozen=True):
    service_id: str
    status: str
    deprecation: dict[str, Any]


class ChecklistEntry(Struct, frozen=True):
    id: str
    is_done: bool
    title: str
    following: str


class ChecklistAnswer(Struct, frozen=True):
    """The checklist for going live; `is_complete` when nothing is open."""

    service_id: str
    is_complete: bool
    items: list[ChecklistEntry]


# --- subscriptions ------------------------------------------------------------------------------
class SubscriptionItem(Struct, frozen=True):
    """`service` is `company@v1`, or `company@v1:purpose` where a purpose was named."""

    subscription_id: str
    app_id: str
    service: str
    service_id: str
    purpose: str
    environment: str
    status: str
    level: str
    requested_at: datetime
    decided_at: datetime | None
    reason: str
    approval_id: str = ""


class SubscribeRequest(Struct, frozen=True, forbid_unknown_fields=True):
    service: Annotated[
        str, Meta(min_length=1, max_length=160, description="`company@v1` or `company@v1:purpose`")
    ]


class AppSubscribeRequest(Struct, frozen=True, forbid_unknown_fields=True):
    app_id: Annotated[str, Meta(min_length=1, max_length=40)]
    service: Annotated[
        str, Meta(min_length=1, max_length=160, description="`company@v1` or `company@v1:purpose`")
    ]


class ReasonRequest(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Annotated[str, Meta(min_length=1, max_length=500)]


# --- approvals ----------------------------------------------------------------------------------
class CommentItem(Struct, frozen=True):
    author: str
    text: str
    at: datetime


class ApprovalItem(Struct, frozen=True):
    """A request that a second person decides. `may_decide` says whether that may be you."""

    approval_id: str
    kind: str
    subject: str
    title: str
    organisation_id: str
    requested_by: str
    requested_at: datetime
    status: str
    decided_by: str
    decided_at: datetime | None
    reason: str
    may_decide: bool
    is_mine: bool
    payload: dict[str, Any]
    comments: list[CommentItem] = []


class DecisionRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Rejecting needs a reason."""

    approve: bool
    reason: Annotated[str, Meta(max_length=500)] = ""


class CommentRequest(Struct, frozen=True, forbid_unknown_fields=True):
    text: Annotated[str, Meta(min_length=1, max_length=2000)]


# --- plans --------------------------------------------------------------------------------------
class PlanRequest(Struct, frozen=True, forbid_unknown_fields=True):
    title_zh: Annotated[str, Meta(min_length=1, max_length=100)]
    title_en: Annotated[str, Meta(min_length=1, max_length=100)]
    limits: dict[str, Quota]


__all__ = ["PlanView", "Quota"]
