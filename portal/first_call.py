"""The first call of an app: two commands to paste, and the form that makes the same call from the page."""

import shlex
from collections.abc import Sequence

from msgspec import Struct

from api.catalogue.models import Publication, Subscription
from api.contract.model import Operation, Service
from api.identity.models import App
from api.settings import Settings
from portal import samples, tryit
from portal.shelf import read_service
from portal.view import Words

EXTRACT = """sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/'"""


class FirstCall(Struct, frozen=True):
    """`address` is the operation's page, which takes the form; `values` are its fields."""

    title: str
    token_command: str
    call_command: str
    address: str
    values: dict[str, str]


async def first_call_of(
    app: App, subscriptions: Sequence[Subscription], secret: str, settings: Settings, words: Words
) -> FirstCall | None:
    """The call to begin with, from the app's first active subscription that has something to read.

    `secret` "" puts a placeholder into the command: an old secret can't be shown. None: nothing to call yet.
    """
    for one in subscriptions:
        if one.status != "active":
            continue
        row = await Publication.get_or_none(id=f"{one.version_id}/{app.environment}", state="published")
        if row is None:
            continue
        service = await read_service(row.digest, row.document)
        fitting = [op for op in service.operations if not op.purposes or one.purpose in op.purposes]
        operation = samples.first_operation(fitting)
        if operation is not None:
            return _commands(
                app, service, operation, secret or str(words("app.secret_placeholder")), settings, words
            )
    return None


def _commands(
    app: App, service: Service, operation: Operation, secret: str, settings: Settings, words: Words
) -> FirstCall:
    base = settings.issuer_of(app.environment)
    values = samples.beginning_of(service, operation)
    path, query = tryit.address_of(service, operation, values)
    url = f"{base}{path}?{query}" if query else f"{base}{path}"
    token = (
        f"export KAIMEN_TOKEN=$(curl -s \\\n  -u {shlex.quote(f'{app.client_id}:{secret}')} \\\n"
        f"  -d grant_type=client_credentials {base}/oauth/token \\\n  | {EXTRACT})"
    )
    headers = "".join(
        f" \\\n  -H {shlex.quote(f'{name}: {value}')}"
        for name, value in tryit.headers_of(operation, values, "", "")
    )
    return FirstCall(
        title=words.texts(operation.texts, "title", operation.summary or operation.id),
        token_command=token,
        call_command=f'curl -i -H "Authorization: Bearer $KAIMEN_TOKEN"{headers} \\\n  {shlex.quote(url)}',
        address=f"/catalogue/{service.name}/{service.version}/operations/{operation.id}",
        values=values,
    )
