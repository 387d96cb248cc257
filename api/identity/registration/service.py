"""Clients that register themselves (RFC 7591), and look after their registration (RFC 7592). Sandbox only.

    initial access token ──register──▶ app + registration access token ──read, update, delete──▶ the same app

What registers is an app like any other: its organisation sees it in the portal, may suspend and delete it, and takes
it live with a checklist and an approval. That is why the live plane has no such endpoint.
"""

import hmac
import re
from typing import Any

from api.catalogue.permissions import SUBSCRIPTIONS_SCOPE
from api.core import audit, clock, crypto, ids
from api.core.caller import Caller, CallerKind
from api.core.problems import Refusal
from api.identity.apps.registration import make_app
from api.identity.apps.rows import changing, turn
from api.identity.apps.secrets import make_secret
from api.identity.models import App, AppSecret, Organisation
from api.identity.oauth.clients import Secret
from api.identity.permissions import APPS_WRITE
from api.identity.policies import ACTIVE, DELETED, SUSPENDED, check_can_add_app
from api.identity.registration import tokens
from api.identity.registration.errors import RegistrationRefused, TokenRefused
from api.identity.registration.metadata import METHOD_NAMES, check_echo, read_metadata

ACCESS_PREFIX = "kra"
SECRET_METHOD = "client_secret"  # noqa: S105 - a method's name
_MAX_TOKEN = 64  # characters
_is_client_id = re.compile(r"kt_[0-9a-z]{1,37}").fullmatch  # nothing else reaches the database


_NO_INITIAL = (
    "The initial access token is wrong, used up, expired or revoked. An owner of the organisation makes one: "
    "kaimen registration-token create"
)
_NO_CLIENT = (
    "This registration access token opens no such client. It was given at the registration, "
    "and ends with the client."
)


async def register(token: str, document: dict[str, Any]) -> tuple[App, dict[str, Any]]:
    """A new sandbox app for the client, and what it is told: its metadata, credentials and registration token.

    One use of the initial access token and the app are committed together. Raises TokenRefused, MetadataRefused,
    RegistrationRefused.
    """
    row = await tokens.find_usable(token)
    if row is None:
        raise TokenRefused(_NO_INITIAL)
    metadata = read_metadata(document, least_profile=row.profile)
    access_token = ids.random_secret(ACCESS_PREFIX)
    caller = _caller(row.id, row.label, row.organisation_id)
    app_id = ids.random_id("a")
    try:
        async with audit.write(
            f"registration:{row.id}", "app:register", f"app/{app_id}", environment="sandbox", profile=metadata["profile"],
            auth_method=metadata["auth_method"],
        ) as entry:  # fmt: skip
            if not await tokens.spend(row):
                raise TokenRefused(_NO_INITIAL)
            check_can_add_app(
                await App.filter(organisation_id=row.organisation_id).exclude(status=DELETED).count()
            )
            made = await make_app(
                caller, entry, await Organisation.get(id=row.organisation_id), app_id=app_id, description="",
                environment="sandbox", subscriptions=list(row.subscribe), registration_hash=crypto.hash_secret(access_token),
                with_secret=metadata["auth_method"] == SECRET_METHOD, **metadata,
            )  # fmt: skip
    except Refusal as refusal:
        raise RegistrationRefused(refusal) from None
    answer = describe(made.app)
    answer["registration_access_token"] = access_token
    if made.secret:
        answer |= {"client_secret": made.secret, "client_secret_expires_at": 0}
    return made.app, answer


async def read(token: str, client_id: str) -> dict[str, Any]:
    """What is registered now; never the secret again. Raises TokenRefused."""
    return describe(await _find(token, client_id))


async def update(token: str, client_id: str, document: dict[str, Any]) -> dict[str, Any]:
    """Replace the registration (RFC 7592 §2.2): what stays away goes back to its default. The profile never weakens.

    A client that changes over to a secret gets one, shown this once; one that leaves it loses all secrets. Raises
    TokenRefused, MetadataRefused, RegistrationRefused.
    """
    app = await _find(token, client_id)
    secrets = await AppSecret.filter(app_id=app.id, revoked_at=None)
    known = [Secret(row.id, row.hash, row.hint, row.expires_at, False) for row in secrets]
    check_echo(document, app.client_id, is_secret=lambda text: _is_one_of(text, known))
    metadata = read_metadata(document, least_profile=app.profile if app.profile == "fapi2" else "")
    answer_secret = ""
    caller = _caller(app.id, app.name, app.organisation_id)
    try:
        async with changing(caller, "app:registration:update", app, auth_method=metadata["auth_method"]):
            await App.filter(id=app.id).update(**metadata)
            if metadata["auth_method"] != SECRET_METHOD:
                await AppSecret.filter(app_id=app.id, revoked_at=None).update(revoked_at=clock.now())
            elif app.auth_method != SECRET_METHOD:
                _, answer_secret = await make_secret(caller, app, "registered", expires_at=None)
    except Refusal as refusal:
        raise RegistrationRefused(refusal) from None
    answer = describe(await App.get(id=app.id))
    answer["registration_access_token"] = token
    if answer_secret:
        answer |= {"client_secret": answer_secret, "client_secret_expires_at": 0}
    return answer


async def delete(token: str, client_id: str) -> None:
    """End the client; its registration token with it. Its organisation may restore the app. Raises TokenRefused."""
    app = await _find(token, client_id)
    caller = _caller(app.id, app.name, app.organisation_id)
    async with changing(caller, "app:registration:delete", app) as entry:
        await App.filter(id=app.id).update(registration_hash="")
        await turn(app, "delete", status_before=app.status, deleted_at=clock.now())
        entry.emit("gov.kaimen.app.deleted", f"app/{app.id}", {"app": app.id, "environment": app.environment})


def describe(app: App) -> dict[str, Any]:
    """The registered metadata under the names of RFC 7591, without credentials."""
    bound_by = app.token_binding
    answer: dict[str, Any] = {
        "client_id": app.client_id,
        "client_id_issued_at": int(app.created_at.timestamp()),
        "client_name": app.name,
        "grant_types": list(app.grant_types),
        "response_types": ["code"] if "authorization_code" in app.grant_types else [],
        "redirect_uris": list(app.redirect_uris),
        "token_endpoint_auth_method": METHOD_NAMES.get(app.auth_method, app.auth_method),
        "dpop_bound_access_tokens": bound_by == "dpop",
        "tls_client_certificate_bound_access_tokens": bound_by == "mtls",
        "require_pushed_authorization_requests": app.profile == "fapi2",
        "id_token_signed_response_alg": "ES256",
        "subject_type": "public",
        "kaimen_profile": app.profile,
        "kaimen_app_id": app.id,
    }
    optional = {
        "post_logout_redirect_uris": list(app.post_logout_redirect_uris),
        "jwks": app.jwks if (app.jwks or {}).get("keys") else None,
        "tls_client_auth_subject_dn": app.certificate_subject,
        "contacts": [app.contact] if app.contact else [],
        "kaimen_retention": app.retention,
    }
    return answer | {name: value for name, value in optional.items() if value}


async def _find(token: str, client_id: str) -> App:
    """The client that this registration access token belongs to. Alike for every reason why there is none."""
    if len(token) > _MAX_TOKEN or not _is_client_id(client_id):
        raise TokenRefused(_NO_CLIENT)
    app = await App.get_or_none(client_id=client_id, status__in=[ACTIVE, SUSPENDED])
    stored = app.registration_hash if app is not None else ""
    if not hmac.compare_digest(crypto.hash_secret(token).encode(), stored.encode()) or app is None:
        raise TokenRefused(_NO_CLIENT)
    return app


def _is_one_of(text: str, known: list[Secret]) -> bool:
    fingerprint = crypto.hash_secret(text).encode()
    return any(hmac.compare_digest(fingerprint, one.hash.encode()) and not one.refusal() for one in known)


def _caller(identifier: str, name: str, organisation_id: str) -> Caller:
    """Who acts, for the rules of apps and subscriptions: something of this organisation that may do just these."""
    return Caller(
        kind=CallerKind.APP,
        id=identifier,
        name=name,
        organisations={organisation_id: frozenset()},
        environment="sandbox",
        scopes=frozenset({APPS_WRITE, SUBSCRIPTIONS_SCOPE}),
    )
