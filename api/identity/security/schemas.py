"""What the routes of people's security take and give."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from api.identity.schemas import PresentPassword
from api.identity.security.models import Passkey
from api.identity.security.service import NewTotp, Security

Code = Annotated[
    str,
    Meta(
        max_length=40,
        description="Six digits of the authenticator app, or a recovery code. 身份验证器的 6 位数字,或恢复码。",
        examples=["492039"],
    ),
]
Answer = Annotated[
    dict[str, Any],
    Meta(description="The browser's PublicKeyCredential as JSON (`toJSON()`). 浏览器的答复。"),
]


class PasskeyItem(Struct, frozen=True):
    """A passkey. `is_backed_up` says that its maker keeps copies of it, on other devices for example."""

    passkey_id: str
    label: str
    is_backed_up: bool
    created_at: datetime
    last_used_at: datetime | None


class SecurityState(Struct, frozen=True):
    """Second factors of the caller. `is_required`: a role that I hold approves, publishes or administers."""

    has_totp: bool
    passkeys: list[PasskeyItem]
    recovery_codes_left: int
    session_has_mfa: bool
    is_required: bool


class TotpBegun(Struct, frozen=True):
    """`secret` is typed into the app, or `address` shown to it as a QR code. Good once the first code is given."""

    secret: str
    address: str


class CodeGiven(Struct, frozen=True, forbid_unknown_fields=True):
    code: Code


class Confirmation(Struct, frozen=True, forbid_unknown_fields=True):
    """A code; or the password, where the account has no second factor."""

    code: Code = ""
    password: PresentPassword = ""


class RecoveryCodes(Struct, frozen=True):
    """Shown this once; each opens the second step one time. Empty: those made before still hold."""

    recovery_codes: list[str]


class PasskeyOptions(Struct, frozen=True):
    """What goes to `navigator.credentials.create` or `.get`, in JSON form."""

    public_key: dict[str, Any]


class NewPasskey(Struct, frozen=True, forbid_unknown_fields=True):
    label: Annotated[str, Meta(min_length=1, max_length=100, examples=["laptop"])]
    credential: Answer


class PasskeyAdded(Struct, frozen=True):
    passkey: PasskeyItem
    recovery_codes: list[str]


class PasskeyAnswer(Struct, frozen=True, forbid_unknown_fields=True):
    credential: Answer


class FactorReset(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Annotated[
        str, Meta(min_length=5, max_length=500, description="Goes to the journal. 记入日志。", examples=["lost phone, identity checked in person"]),
    ]  # fmt: skip


def passkey_item(row: Passkey) -> PasskeyItem:
    return PasskeyItem(row.id, row.label, row.is_backed_up, row.created_at, row.last_used_at)


def security_state(state: Security) -> SecurityState:
    return SecurityState(
        has_totp=state.factors.has_totp,
        passkeys=[passkey_item(row) for row in state.factors.passkeys],
        recovery_codes_left=state.factors.recovery_codes,
        session_has_mfa=state.has_mfa,
        is_required=state.is_required,
    )


def totp_begun(made: NewTotp) -> TotpBegun:
    return TotpBegun(made.secret, made.address)
