"""What the routes of apps take and give."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from api.catalogue.models import Subscription
from api.catalogue.subscribing import SubscriptionEntry
from api.core import clock
from api.core.problems import Text
from api.identity.apps.going_live import Checklist
from api.identity.apps.oauth_settings import OAuthChange
from api.identity.apps.registration import NewApp
from api.identity.models import App, AppSecret
from api.identity.policies import is_secret_active
from api.identity.schemas import Name

Service = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=160,
        description="`service@version`, or `service@version:purpose`.",
        examples=["company@v1"],
    ),
]
Description = Annotated[str, Meta(max_length=500)]


class NewAppRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A sandbox app. A live one comes from going live."""

    name: Annotated[Name, Meta(examples=["demo"])]
    environment: Annotated[str, Meta(pattern="^(sandbox|live)$")] = "sandbox"
    description: Description = ""
    subscribe: Annotated[list[Service], Meta(max_length=50)] = []
    organisation: Annotated[str, Meta(max_length=64, description='Id or slug; "" for the caller\'s own.')] = (
        ""
    )


class AppChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What stays away or is null is left as it is. Only administrators set the plan."""

    name: Name | None = None
    description: Description | None = None
    plan: Annotated[str, Meta(max_length=32)] | None = None
    oauth: OAuthChange | None = None


class NewSecretRequest(Struct, frozen=True, forbid_unknown_fields=True):
    label: Annotated[str, Meta(min_length=1, max_length=100, examples=["server 1"])]
    expires_in_days: Annotated[int, Meta(ge=1, le=730)] | None = None


class RotationRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """How long the old secret works on beside its successor."""

    overlap_hours: Annotated[int, Meta(ge=0, le=720)] = 24


class KeysRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Public keys only: ES256, PS256, RS256 (2048 bits or more) or EdDSA; at most 10.

    Without `auth_method` the app authenticates by `private_key_jwt` when there are keys, else by its secrets, and
    by that alone. To change over without a gap lay the keys in with `client_secret` first, then switch.
    """

    keys: Annotated[list[dict[str, Any]], Meta(max_length=10)]
    auth_method: Annotated[str, Meta(pattern="^(client_secret|private_key_jwt)$")] | None = None


class PlatformScopes(Struct, frozen=True, forbid_unknown_fields=True):
    """`platform:` scopes that the app may ask a token for."""

    scopes: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=20)]


class SubscriptionRequest(Struct, frozen=True, forbid_unknown_fields=True):
    service: Service


class GoLiveRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The answers of the checklist; what is wrong with one is told with the others, as an open item."""

    privacy_notice_url: Annotated[str, Meta(max_length=500, examples=["https://company.example/privacy"])] = (
        ""
    )
    purpose: Annotated[str, Meta(max_length=2000)] = ""
    security_contact: Annotated[str, Meta(max_length=254, examples=["security@company.example"])] = ""
    retention: Annotated[str, Meta(max_length=2000)] = ""
    terms_accepted: bool = False


class OAuthSettings(Struct, frozen=True):
    """What the app is as an OAuth client; a PATCH of the app changes it."""

    profile: str
    auth_method: str
    is_public: bool
    grant_types: list[str]
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    token_binding: str
    certificate_thumbprint: str
    certificate_subject: str
    contact: str
    retention: str


class AppItem(Struct, frozen=True):
    """An app. `live_app_id` and `sandbox_app_id` name its twin."""

    app_id: str
    name: str
    description: str
    environment: str
    client_id: str
    status: str
    plan: str
    auth_method: str
    organisation_id: str
    sandbox_app_id: str
    platform_scopes: list[str]
    oauth: OAuthSettings
    created_at: datetime
    deleted_at: datetime | None


class AppList(Struct, frozen=True):
    items: list[AppItem]
    next: str | None


class SecretItem(Struct, frozen=True):
    """`hint` is the secret's last four characters. `last_used_at` is up to a minute behind."""

    secret_id: str
    label: str
    hint: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    is_active: bool


class SecretList(Struct, frozen=True):
    items: list[SecretItem]


class NewSecret(Struct, frozen=True):
    """`client_secret` is shown this once."""

    secret_id: str
    client_secret: str
    label: str
    expires_at: datetime | None


class SubscriptionItem(Struct, frozen=True):
    """`status` is active, pending, rejected, cancelled or suspended."""

    subscription_id: str
    service: str
    purpose: str
    status: str
    requested_at: datetime
    reason: str


class SubscriptionList(Struct, frozen=True):
    items: list[SubscriptionItem]


class AppDetail(Struct, frozen=True):
    """An app with its secrets and subscriptions."""

    app_id: str
    name: str
    description: str
    environment: str
    client_id: str
    status: str
    plan: str
    auth_method: str
    organisation_id: str
    sandbox_app_id: str
    platform_scopes: list[str]
    oauth: OAuthSettings
    created_at: datetime
    deleted_at: datetime | None
    secrets: list[SecretItem]
    subscriptions: list[SubscriptionItem]


class CreatedApp(Struct, frozen=True):
    """A new app. `client_secret` is shown this once. `pending` are subscriptions that await their department."""

    app_id: str
    client_id: str
    client_secret: Annotated[str, Meta(examples=["kts_…"])]
    environment: str
    subscriptions: list[str]
    pending: list[str]
    name: str
    organisation_id: str
    secret_id: str


class Keys(Struct, frozen=True):
    """A JWK set, and how the app authenticates."""

    keys: list[dict[str, Any]]
    auth_method: str


class ChecklistRow(Struct, frozen=True):
    """`kind` is automatic (the platform looks itself) or answer (given at going live)."""

    id: str
    kind: str
    title: Text
    note: Text
    is_done: bool


class ChecklistView(Struct, frozen=True):
    app_id: str
    is_complete: bool
    live_app_id: str
    items: list[ChecklistRow]


def app_item(app: App) -> AppItem:
    return AppItem(
        app_id=app.id,
        name=app.name,
        description=app.description,
        environment=app.environment,
        client_id=app.client_id,
        status=app.status,
        plan=app.plan,
        auth_method=app.auth_method,
        organisation_id=app.organisation_id,
        sandbox_app_id=app.sandbox_app_id,
        platform_scopes=app.platform_scopes.split(),
        oauth=OAuthSettings(**{name: getattr(app, name) for name in OAuthSettings.__struct_fields__}),
        created_at=app.created_at,
        deleted_at=app.deleted_at,
    )


def secret_item(row: AppSecret) -> SecretItem:
    return SecretItem(
        secret_id=row.id,
        label=row.label,
        hint=row.hint,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        is_active=is_secret_active(row.expires_at, row.revoked_at, clock.now()),
    )


def subscription_item(row: Subscription) -> SubscriptionItem:
    return SubscriptionItem(row.id, row.version_id, row.purpose, row.status, row.requested_at, row.reason)


def app_detail(app: App, secrets: list[AppSecret], subscriptions: list[Subscription]) -> AppDetail:
    item = app_item(app)
    return AppDetail(
        **{name: getattr(item, name) for name in AppItem.__struct_fields__},
        secrets=[secret_item(row) for row in secrets],
        subscriptions=[subscription_item(row) for row in subscriptions],
    )


def created_app(made: NewApp) -> CreatedApp:
    entries = {row.id: SubscriptionEntry(row.version_id, row.purpose).text for row in made.subscriptions}
    return CreatedApp(
        app_id=made.app.id,
        client_id=made.app.client_id,
        client_secret=made.secret,
        environment=made.app.environment,
        subscriptions=[entries[row.id] for row in made.subscriptions if row.status == "active"],
        pending=[entries[row.id] for row in made.subscriptions if row.status != "active"],
        name=made.app.name,
        organisation_id=made.app.organisation_id,
        secret_id=made.secret_id,
    )


def new_secret(row: AppSecret, secret: str) -> NewSecret:
    return NewSecret(secret_id=row.id, client_secret=secret, label=row.label, expires_at=row.expires_at)


def checklist_view(checklist: Checklist) -> ChecklistView:
    rows = [ChecklistRow(one.id, one.kind, one.title, one.note, one.is_done) for one in checklist.items]
    return ChecklistView(checklist.app_id, checklist.is_complete, checklist.live_app_id, rows)
