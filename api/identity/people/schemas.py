"""What the routes of people take and give."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from api.core.problems import Text
from api.identity.models import Person, PersonalToken, Session
from api.identity.people.invitations import Invitation
from api.identity.people.sessions import session_id
from api.identity.schemas import Email, LinkToken, Locale, Name, NewPassword, PresentPassword


class SignUp(Struct, frozen=True, forbid_unknown_fields=True):
    email: Email
    password: NewPassword
    name: Name
    locale: Locale = "zh"


class Verification(Struct, frozen=True, forbid_unknown_fields=True):
    token: LinkToken


class Credentials(Struct, frozen=True, forbid_unknown_fields=True):
    """`code` where the account has a second factor: of the authenticator app, or a recovery code."""

    email: Email
    password: PresentPassword
    code: Annotated[str, Meta(max_length=40, examples=["492039"])] = ""


class ResetRequest(Struct, frozen=True, forbid_unknown_fields=True):
    email: Email


class Reset(Struct, frozen=True, forbid_unknown_fields=True):
    token: LinkToken
    password: NewPassword


class PasswordChange(Struct, frozen=True, forbid_unknown_fields=True):
    current_password: PresentPassword
    password: NewPassword


class PersonChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What stays away or is null is left as it is."""

    name: Name | None = None
    locale: Locale | None = None


class AdministratorInvitation(Struct, frozen=True, forbid_unknown_fields=True):
    email: Email


class Acceptance(Struct, frozen=True, forbid_unknown_fields=True):
    """With a session the token is enough. With an account: the password. New: name and password as well.

    `email` is taken only where the invitation is bound to no address.
    """

    token: LinkToken
    name: Annotated[str, Meta(max_length=100)] = ""
    password: Annotated[str, Meta(max_length=200, extra_json_schema={"format": "password"})] = ""
    email: Annotated[str, Meta(max_length=254)] = ""
    locale: Locale = "zh"


class NewTokenRequest(Struct, frozen=True, forbid_unknown_fields=True):
    label: Annotated[str, Meta(min_length=1, max_length=100, examples=["laptop"])]
    days: Annotated[int, Meta(ge=1, le=730)] | None = 90


class PersonItem(Struct, frozen=True):
    person_id: str
    email: str
    name: str
    locale: str
    is_administrator: bool
    is_disabled: bool
    created_at: datetime


class MyOrganisation(Struct, frozen=True):
    """An organisation of mine, and what I may do there."""

    organisation_id: str
    slug: str
    kind: str
    name_zh: str
    name_en: str
    roles: list[str]


class Me(Struct, frozen=True):
    """Who is calling. `grant` is session, personal_token, client_credentials or operator."""

    kind: str
    grant: str
    person: PersonItem | None
    organisations: list[MyOrganisation]
    csrf_token: Annotated[
        str,
        Meta(
            description="With a session: what `X-CSRF-Token` must hold on every request that changes something."
        ),
    ] = ""


class SignedIn(Struct, frozen=True):
    """The session is in the cookie. Send `csrf_token` as `X-CSRF-Token` with every request that changes something."""

    person: PersonItem
    csrf_token: str
    expires_at: datetime


class SessionItem(Struct, frozen=True):
    session_id: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    is_current: bool


class SessionList(Struct, frozen=True):
    items: list[SessionItem]


class EndedSessions(Struct, frozen=True):
    ended: int


class TokenItem(Struct, frozen=True):
    """`hint` is the token's last four characters."""

    token_id: str
    label: str
    hint: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class NewToken(Struct, frozen=True):
    """`token` is shown this once. Send it as `Authorization: Bearer`."""

    token_id: str
    label: str
    hint: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    token: Annotated[str, Meta(examples=["kp_…"])]


class TokenList(Struct, frozen=True):
    items: list[TokenItem]


class PersonList(Struct, frozen=True):
    items: list[PersonItem]
    next: str | None


class InvitationItem(Struct, frozen=True):
    """An invitation. `has_account` says whether its address has an account to accept it with."""

    invitation_id: str
    kind: str
    email: str
    organisation_id: str
    organisation: Text
    roles: list[str]
    created_at: datetime
    expires_at: datetime
    has_account: bool


def person_item(person: Person) -> PersonItem:
    return PersonItem(
        person_id=person.id,
        email=person.email,
        name=person.name,
        locale=person.locale,
        is_administrator=person.is_administrator,
        is_disabled=person.disabled_at is not None,
        created_at=person.created_at,
    )


def session_item(session: Session, current: str) -> SessionItem:
    return SessionItem(
        session_id=session_id(session),
        user_agent=session.user_agent,
        created_at=session.created_at,
        last_seen_at=session.last_seen_at,
        expires_at=session.expires_at,
        is_current=session_id(session) == current,
    )


def token_item(row: PersonalToken) -> TokenItem:
    return TokenItem(row.id, row.label, row.hint, row.created_at, row.expires_at, row.last_used_at)


def new_token(row: PersonalToken, token: str) -> NewToken:
    return NewToken(row.id, row.label, row.hint, row.created_at, row.expires_at, row.last_used_at, token)


def invitation_item(one: Invitation) -> InvitationItem:
    return InvitationItem(
        invitation_id=one.id,
        kind=one.kind,
        email=one.email,
        organisation_id=one.organisation_id,
        organisation=Text(one.organisation_zh, one.organisation_en),
        roles=list(one.roles),
        created_at=one.created_at,
        expires_at=one.expires_at,
        has_account=one.has_account,
    )
