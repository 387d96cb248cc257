"""Tables of identity, in the control store: people, organisations, apps and their credentials."""

from typing import Any

from tortoise import fields
from tortoise.models import Model

from api.identity.outside.models import OutsideAccount, OutsideProvider  # noqa: F401 - its tables too
from api.identity.security.models import Passkey, RecoveryCode, Totp  # noqa: F401 - its tables too


def acting_for_itself() -> list[str]:
    """The grant types of a new app."""
    return ["client_credentials"]


class Person(Model):
    id = fields.CharField(max_length=40, primary_key=True)  # p_…
    email = fields.CharField(max_length=254, unique=True)  # lower case
    name = fields.CharField(max_length=100)
    locale = fields.CharField(max_length=8, default="zh")  # zh or en
    password_hash = fields.CharField(max_length=200, default="")
    email_verified_at = fields.DatetimeField(null=True)
    is_administrator = fields.BooleanField(default=False)
    disabled_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    # wrong second factors in a row, and until when none is looked at
    factor_failures = fields.IntField(default=0)
    factors_blocked_until = fields.DatetimeField(null=True)

    class Meta:
        table = "person"


class Session(Model):
    """A browser session, the cookie's value is stored as its hash only."""

    hash = fields.CharField(max_length=80, primary_key=True)
    person_id = fields.CharField(max_length=40, db_index=True)
    csrf = fields.CharField(max_length=64)
    user_agent = fields.CharField(max_length=200, default="")
    created_at = fields.DatetimeField()
    last_seen_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    proven_at = fields.DatetimeField(null=True)  # when a password or factor was last shown in it
    mfa_at = fields.DatetimeField(null=True)  # when a second factor was last shown in it
    account_id = fields.CharField(max_length=40, default="", db_index=True)  # of an outside sign-in

    class Meta:
        table = "session"


class ActionLink(Model):
    """A single-use link: verify, reset, invite-administrator or invite-member."""

    hash = fields.CharField(max_length=80, primary_key=True)
    kind = fields.CharField(max_length=24)
    email = fields.CharField(max_length=254, default="")
    person_id = fields.CharField(max_length=40, default="")
    organisation_id = fields.CharField(max_length=40, default="")
    roles = fields.CharField(max_length=200, default="")  # comma-separated
    payload: fields.JSONField[Any] = fields.JSONField(
        default=dict
    )  # of verify: the sign-up that waits, emptied at use
    created_by = fields.CharField(max_length=64, default="")
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "action_link"


class PersonalToken(Model):
    """A person's token for the command line (`kp_…`), stored as its hash."""

    id = fields.CharField(max_length=40, primary_key=True)
    person_id = fields.CharField(max_length=40, db_index=True)
    label = fields.CharField(max_length=100)
    hash = fields.CharField(max_length=80, unique=True)
    hint = fields.CharField(max_length=8)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(null=True)
    last_used_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)
    mfa_at = fields.DatetimeField(null=True)  # of the session that made it
    account_id = fields.CharField(max_length=40, default="", db_index=True)  # of the session that made it

    class Meta:
        table = "personal_token"


class Organisation(Model):
    """A department that owns services, or a company or person that owns apps."""

    id = fields.CharField(max_length=40, primary_key=True)  # o_…
    slug = fields.CharField(max_length=64, unique=True)
    kind = fields.CharField(max_length=16)  # department, company or individual
    name_zh = fields.CharField(max_length=100)
    name_en = fields.CharField(max_length=100)
    created_at = fields.DatetimeField()

    class Meta:
        table = "organisation"


class Membership(Model):
    """Roles: owner (all), developer (apps), publisher (contracts), approver (decides), viewer."""

    id = fields.BigIntField(primary_key=True, generated=True)
    organisation_id = fields.CharField(max_length=40, db_index=True)
    person_id = fields.CharField(max_length=40, db_index=True)
    role = fields.CharField(max_length=16)
    source = fields.CharField(max_length=40, default="")  # the outside provider whose claims gave it

    class Meta:
        table = "membership"
        unique_together = (("organisation_id", "person_id", "role"),)


class App(Model):
    """An OAuth2 client with one environment for life, going live makes a linked live app."""

    id = fields.CharField(max_length=40, primary_key=True)  # a_…
    organisation_id = fields.CharField(max_length=40, db_index=True)
    name = fields.CharField(max_length=100)
    description = fields.CharField(max_length=500, default="")
    environment = fields.CharField(max_length=8)  # sandbox or live
    client_id = fields.CharField(max_length=40, unique=True)  # kt_… or kl_…
    status = fields.CharField(max_length=12, default="active")  # active, suspended or deleted
    status_before = fields.CharField(max_length=12, default="")  # of a deleted app: what restoring gives back
    deleted_at = fields.DatetimeField(null=True)
    suspended_by = fields.CharField(max_length=64, default="")  # an administrator, who alone resumes it then
    plan = fields.CharField(max_length=32, default="standard")
    # client_secret, private_key_jwt, tls_client_auth or none (a public client)
    auth_method = fields.CharField(max_length=24, default="client_secret")
    jwks: fields.JSONField[Any] = fields.JSONField(default=dict)
    profile = fields.CharField(max_length=12, default="baseline")  # or fapi2
    is_public = fields.BooleanField(default=False)  # it can keep no secret: browser and native apps
    grant_types: fields.JSONField[Any] = fields.JSONField(default=acting_for_itself)
    redirect_uris: fields.JSONField[Any] = fields.JSONField(default=list)
    post_logout_redirect_uris: fields.JSONField[Any] = fields.JSONField(default=list)
    token_binding = fields.CharField(
        max_length=8, default=""
    )  # "", dpop or mtls: what its tokens must be bound to
    certificate_thumbprint = fields.CharField(max_length=64, default="")  # x5t#S256 of its client certificate
    certificate_subject = fields.CharField(
        max_length=500, default=""
    )  # RFC 4514 name of its client certificate
    contact = fields.CharField(max_length=254, default="")  # shown on the consent page
    retention = fields.CharField(
        max_length=2000, default=""
    )  # how long it keeps data, shown on the consent page
    registration_hash = fields.CharField(
        max_length=80, default=""
    )  # of the registration access token (RFC 7592)
    # `platform:…` scopes, space-separated, that its tokens may have: what it may do here for its organisation
    platform_scopes = fields.CharField(max_length=500, default="")
    sandbox_app_id = fields.CharField(max_length=40, default="")  # of a live app: where it comes from
    checklist: fields.JSONField[Any] = fields.JSONField(
        default=dict
    )  # of a live app: the answers given at going live
    created_by = fields.CharField(max_length=64)
    created_at = fields.DatetimeField()

    class Meta:
        table = "app"


class AppSecret(Model):
    """One of up to five secrets, shown once, stored as its hash."""

    id = fields.CharField(max_length=40, primary_key=True)
    app_id = fields.CharField(max_length=40, db_index=True)
    label = fields.CharField(max_length=100)
    hash = fields.CharField(max_length=80)
    hint = fields.CharField(max_length=8)  # last characters, to tell them apart
    created_by = fields.CharField(max_length=64, default="")
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(null=True)
    last_used_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "app_secret"


class RegistrationToken(Model):
    """An initial access token (RFC 7591), with which an organisation lets clients register themselves as its apps."""

    id = fields.CharField(max_length=40, primary_key=True)  # rt_…
    organisation_id = fields.CharField(max_length=40, db_index=True)
    label = fields.CharField(max_length=100)
    hash = fields.CharField(max_length=80, unique=True)
    hint = fields.CharField(max_length=8)
    profile = fields.CharField(max_length=12, default="")  # fapi2: nothing weaker may register
    subscribe: fields.JSONField[Any] = fields.JSONField(
        default=list
    )  # entries such as company@v1 that a new app gets
    max_uses = fields.IntField()
    uses = fields.IntField(default=0)
    created_by = fields.CharField(max_length=64)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "registration_token"


class Mandate(Model):
    """Who may speak for an organisation: from the company register, or delegated by whom the register names."""

    id = fields.CharField(max_length=40, primary_key=True)  # m_…
    environment = fields.CharField(max_length=8)
    subject_id = fields.CharField(max_length=80, db_index=True)  # c_…, the person who may speak
    organisation = fields.CharField(max_length=40, db_index=True)  # unified social credit code
    organisation_name = fields.CharField(max_length=200, default="")
    role = fields.CharField(max_length=24)  # legal-representative, agent or finance
    scope = fields.CharField(max_length=1000)  # patterns of scopes, space-separated: `*`, `tax:*`
    source = fields.CharField(max_length=12)  # register or delegation
    delegated_under = fields.CharField(max_length=40, default="")  # the delegator's own mandate
    # of one person, organisation, role and source; NULL when it has ended, so that one holds at a time
    slot = fields.CharField(max_length=160, null=True, unique=True)
    created_at = fields.DatetimeField()
    created_by = fields.CharField(max_length=100)
    until = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)
    revoked_by = fields.CharField(max_length=100, default="")
    reason = fields.CharField(max_length=40, default="")  # why it ended: register, revoked or delegator-ended

    class Meta:
        table = "mandate"


class Grant(Model):
    """One consent, with the text as it was shown. Withdrawn ones stay, they are evidence."""

    id = fields.CharField(max_length=40, primary_key=True)  # g_…
    environment = fields.CharField(max_length=8)
    app_id = fields.CharField(max_length=40, db_index=True)
    client_id = fields.CharField(max_length=40)
    subject_id = fields.CharField(max_length=80, db_index=True)  # c_…, whose data, or who speaks
    guardian_id = fields.CharField(max_length=80, default="", db_index=True)  # who decided for a child
    organisation = fields.CharField(max_length=40, default="", db_index=True)  # credit code, "" = own data
    mandate_id = fields.CharField(max_length=40, default="", db_index=True)
    details: fields.JSONField[Any] = fields.JSONField(default=list)
    scope = fields.TextField(default="")  # space-separated
    text: fields.JSONField[Any] = fields.JSONField(default=dict)  # the ConsentText as shown
    text_hash = fields.CharField(max_length=100, default="")  # intl$sha256:…
    locale = fields.CharField(max_length=8, default="zh")
    basis = fields.CharField(max_length=24)  # consent, or the other legal ground of the contract
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(null=True)
    withdrawn_at = fields.DatetimeField(null=True)
    withdrawn_by = fields.CharField(max_length=100, default="")

    class Meta:
        table = "consent_grant"
