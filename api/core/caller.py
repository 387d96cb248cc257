"""Who is calling: the one typed answer that authentication gives and every policy reads."""

from enum import StrEnum

from msgspec import Struct


class CallerKind(StrEnum):
    ANONYMOUS = "anonymous"
    PERSON = "person"  # browser session or personal token
    APP = "app"  # OAuth2 access token
    OPERATOR = "operator"  # the local command line on KAIMEN_HOME


class Caller(Struct, frozen=True, gc=False):
    """A caller; fails closed: what is not granted is empty.

    `organisations` maps an organisation's id to the caller's roles in it. For an app, `id` is the
    app's id and `organisations` holds its owner with no roles.
    """

    kind: CallerKind
    id: str = ""
    name: str = ""
    organisations: dict[str, frozenset[str]] = {}
    is_administrator: bool = False
    client_id: str = ""
    environment: str = ""
    scopes: frozenset[str] = frozenset()
    grant: str = ""
    token_id: str = ""
    expires_at: float = 0.0
    has_mfa: bool = False  # of a person: a second factor was shown for this session or token

    @property
    def actor(self) -> str:
        """How the audit journal names the caller: `person:p_…`, `app:a_…`, `operator:local`."""
        return f"{self.kind.value}:{self.id or 'nobody'}"

    def has_role(self, organisation_id: str, *roles: str) -> bool:
        """Whether the caller holds one of the roles in the organisation."""
        return bool(self.organisations.get(organisation_id, frozenset()) & set(roles))


ANONYMOUS = Caller(kind=CallerKind.ANONYMOUS)
OPERATOR = Caller(kind=CallerKind.OPERATOR, id="local", name="operator", is_administrator=True)
