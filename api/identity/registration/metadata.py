"""What a client says of itself when it registers (RFC 7591 §2): read strictly, before anything is stored.

Refused by name, because other servers have taken them: wildcards and metadata addresses in redirect URIs,
symmetric (`oct`) and private keys, `jwks_uri` of any kind (nothing here fetches an address that someone typed
in), unknown authentication methods, a public client that would act for itself, software statements of strangers.
Members that are unknown are ignored, as RFC 7591 wants it.
"""

from typing import Any

import msgspec

from api.core.problems import Refusal
from api.identity.apps.keys import read_jwks
from api.identity.apps.oauth_settings import PROFILES, OAuthChange, read_oauth
from api.identity.inputs import Inputs, is_clean
from api.identity.models import App
from api.identity.oauth.jose import ALGORITHMS
from api.identity.registration.errors import MetadataRefused

MAX_BODY_BYTES = 65536
# the method's name in metadata -> the app's column
AUTH_METHODS = {
    "client_secret_basic": "client_secret",
    "client_secret_post": "client_secret",
    "private_key_jwt": "private_key_jwt",
    "tls_client_auth": "tls_client_auth",
    "none": "none",
}
METHOD_NAMES = {"client_secret": "client_secret_basic"}  # the others are called what they are
_SERVER_MEMBERS = ("registration_access_token", "registration_client_uri", "client_secret_expires_at",
                   "client_id_issued_at")  # fmt: skip


def read_document(body: bytes) -> dict[str, Any]:
    """The JSON object of a registration. Raises MetadataRefused."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise MetadataRefused("body", "it is no JSON in UTF-8.") from None
    if not isinstance(document, dict):
        raise MetadataRefused("body", "it has to be a JSON object.")
    return document


def read_metadata(document: dict[str, Any], *, least_profile: str = "") -> dict[str, Any]:
    """The checked metadata, as columns of an app. `least_profile` is what the initial access token demands, "" for nothing.

    The rules of the profiles are those of every app (apps.oauth_settings). Raises MetadataRefused naming the first
    member that cannot stand and what to send instead.
    """
    _refuse_members(document)
    method = _choice(document, "token_endpoint_auth_method", tuple(AUTH_METHODS), "client_secret_basic")
    profile = _choice(document, "kaimen_profile", PROFILES, least_profile or "baseline")
    if least_profile == "fapi2" and profile != "fapi2":
        raise MetadataRefused("kaimen_profile", "only a fapi2 client may be registered here.")
    if profile == "fapi2" and document.get("require_pushed_authorization_requests") is False:
        raise MetadataRefused(
            "require_pushed_authorization_requests", "the profile fapi2 pushes its requests; it is true."
        )
    name, keys = _name(document), _keys(document)
    change = OAuthChange(
        profile=profile,
        auth_method=AUTH_METHODS[method],
        grant_types=_texts(document, "grant_types", ["authorization_code"]),
        redirect_uris=_texts(document, "redirect_uris", []),
        post_logout_redirect_uris=_texts(document, "post_logout_redirect_uris", []),
        token_binding=_binding(document, profile, method),
        certificate_subject=_text(document, "tls_client_auth_subject_dn", 500),
        contact=next(iter(_texts(document, "contacts", [])), ""),
        retention=_text(document, "kaimen_retention", 1000),
    )
    try:
        columns = read_oauth(change, App(environment="sandbox", jwks=keys))
    except Refusal as refusal:
        raise _translated(refusal) from None
    return {"name": name, "jwks": keys, **columns}


# a column, as its faults name it -> the member that set it
_MEMBERS = {
    "profile": "kaimen_profile", "auth_method": "token_endpoint_auth_method", "contact": "contacts",
    "token_binding": "dpop_bound_access_tokens", "certificate_subject": "tls_client_auth_subject_dn",
    "certificate_thumbprint": "tls_client_auth_subject_dn", "retention": "kaimen_retention", "keys": "jwks",
}  # fmt: skip


def _translated(refusal: Refusal) -> MetadataRefused:
    """The first fault of an app's settings, under the names of RFC 7591."""
    fault = refusal.errors[0]
    column = str(fault["pointer"]).split("/")[1]
    member = _MEMBERS.get(column, column)
    error = "invalid_redirect_uri" if member == "redirect_uris" else ""
    return MetadataRefused(member, fault["message"].en, error=error)


def _refuse_members(document: dict[str, Any]) -> None:
    if "jwks_uri" in document:
        raise MetadataRefused("jwks_uri", "keys are not fetched from an address; send them as jwks.")
    if document.get("software_statement"):
        raise MetadataRefused("software_statement", "none is taken here.", error="invalid_software_statement")
    for member, only in (
        ("id_token_signed_response_alg", "ES256"),
        ("subject_type", "public"),
    ):
        _choice(document, member, (only,), only)
    _choice(document, "application_type", ("web", "native"), "web")
    _choice(document, "token_endpoint_auth_signing_alg", ALGORITHMS, ALGORITHMS[0])
    for member in ("id_token_encrypted_response_alg", "userinfo_signed_response_alg", "request_uris",
                   "userinfo_encrypted_response_alg", "sector_identifier_uri"):  # fmt: skip
        if document.get(member):
            raise MetadataRefused(member, "this server does not do that; leave it out.")
    if document.get("response_types") not in (None, [], ["code"]):
        raise MetadataRefused("response_types", "the only response type is code.")


def _keys(document: dict[str, Any]) -> dict[str, Any]:
    jwks = document.get("jwks")
    if jwks is None:
        return {}
    try:
        return read_jwks(jwks)
    except Refusal as refusal:
        fault = refusal.errors[0]
        raise MetadataRefused("jwks", f"{fault['pointer']} {fault['message'].en}") from None


def _binding(document: dict[str, Any], profile: str, method: str) -> str:
    dpop = _flag(document, "dpop_bound_access_tokens")
    mtls = _flag(document, "tls_client_certificate_bound_access_tokens")
    if dpop and mtls:
        raise MetadataRefused(
            "dpop_bound_access_tokens", "tokens are bound to a key or a certificate, not both."
        )
    if profile == "fapi2" and not dpop and not mtls:
        return "mtls" if method == "tls_client_auth" else "dpop"
    return "dpop" if dpop else "mtls" if mtls else ""


def _texts(document: dict[str, Any], member: str, default: list[str]) -> list[str]:
    """A list of texts without control characters, at most 50 of them."""
    value = document.get(member)
    if value is None:
        return default
    if not isinstance(value, list) or len(value) > 50 or any(not _is_text(one) for one in value):
        error = "invalid_redirect_uri" if member == "redirect_uris" else ""
        raise MetadataRefused(member, "a list of texts, without control characters.", error=error)
    return value


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 2000 and is_clean(value)


def _name(document: dict[str, Any]) -> str:
    inputs = Inputs()
    name = inputs.name("/client_name", _text(document, "client_name", 100) or "Registered client")
    try:
        inputs.check()
    except Refusal as refusal:
        raise MetadataRefused("client_name", refusal.errors[0]["message"].en) from None
    return name


def _choice(document: dict[str, Any], member: str, choices: tuple[str, ...], default: str) -> str:
    value = document.get(member, default)
    if not isinstance(value, str) or value not in choices:
        raise MetadataRefused(member, "one of " + ", ".join(choices) + ".")
    return value


def _flag(document: dict[str, Any], member: str) -> bool:
    value = document.get(member, False)
    if not isinstance(value, bool):
        raise MetadataRefused(member, "true or false.")
    return value


def _text(document: dict[str, Any], member: str, maximum: int) -> str:
    value = document.get(member, "")
    if not isinstance(value, str) or len(value) > maximum or not is_clean(value):
        raise MetadataRefused(
            member, f"a line of at most {maximum} characters, none of them a control character."
        )
    return value.strip()


def check_echo(document: dict[str, Any], client_id: str, *, is_secret: Any) -> None:
    """The rules for an update (RFC 7592 §2.2): the client's own id, none of the server's members, its own secret.

    `is_secret` says whether a text is an active secret of the client. Raises MetadataRefused.
    """
    if document.get("client_id") != client_id:
        raise MetadataRefused("client_id", "an update names the client that it is for.")
    for member in _SERVER_MEMBERS:
        if member in document:
            raise MetadataRefused(member, "the server sets it; leave it out of an update.")
    secret = document.get("client_secret")
    if secret is not None and not (isinstance(secret, str) and is_secret(secret)):
        raise MetadataRefused("client_secret", "it is not the client's; a client cannot choose its secret.")
