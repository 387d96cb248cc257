"""Registering an app: the app, its first secret and its subscriptions, all together or nothing of it."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from api.catalogue import subscribing
from api.catalogue.models import Subscription
from api.core import audit, clock, ids
from api.core.caller import Caller, CallerKind
from api.core.problem_types_platform import CONFLICT
from api.core.problems import Refusal, Text
from api.identity.apps.rows import ENVIRONMENTS
from api.identity.apps.secrets import make_secret
from api.identity.inputs import Inputs
from api.identity.models import App, Organisation
from api.identity.organisations.service import home_of, operator_organisation
from api.identity.permissions import check_can_edit_app
from api.identity.policies import DELETED, check_can_add_app

MAX_SUBSCRIBE = 50  # services named at creation
_CLIENT_PREFIX = {"sandbox": "kt", "live": "kl"}


class NewApp(Struct, frozen=True):
    """An app just made, its first secret, which is shown this once, and what it is subscribed to."""

    app: App
    secret: str
    secret_id: str
    subscriptions: list[Subscription]


async def create_app(
    caller: Caller, *, name: str, environment: str = "sandbox", organisation_id: str | None = None, description: str = "",
    subscribe: Sequence[str] = (),
) -> NewApp:  # fmt: skip
    """Register a sandbox app with a first secret and its subscriptions, all together or nothing of it.

    `organisation_id` is an id or slug (None: the caller's own). An entry of `subscribe` is `company@v1` or
    `company@v1:purpose`. Raises permission-denied, input-invalid, not-found, conflict (too many apps; live), and
    what a subscription is refused for.
    """
    organisation = await home_of(caller, organisation_id)
    if organisation is not None:
        check_can_edit_app(caller, organisation.id)
    inputs = Inputs()
    name = inputs.name("/name", name)
    description = inputs.text("/description", description, maximum=500)
    inputs.choice("/environment", environment, ENVIRONMENTS)
    entries = list(
        dict.fromkeys(read_entry(inputs, "/subscribe", text) for text in subscribe[: MAX_SUBSCRIBE + 1])
    )
    if len(entries) > MAX_SUBSCRIBE:
        inputs.fault(
            "/subscribe",
            f"一次最多订阅 {MAX_SUBSCRIBE} 个服务。",
            f"At most {MAX_SUBSCRIBE} services at once.",
        )
    inputs.check()
    if environment == "live":
        raise Refusal(
            CONFLICT,
            rule="app-live",
            reason=Text(
                "正式应用由沙箱应用上线产生。", "A live app comes from a sandbox app that goes live."
            ),
            following=Text(
                "先创建沙箱应用,再上线(go-live)。", "Make a sandbox app first, then take it live (go-live)."
            ),
        )
    app_id = ids.random_id("a")
    async with audit.write(caller.actor, "app:create", f"app/{app_id}", environment=environment) as entry:
        owner = organisation or await operator_organisation(entry)
        if caller.kind != CallerKind.OPERATOR:
            check_can_add_app(await App.filter(organisation_id=owner.id).exclude(status=DELETED).count())
        return await make_app(
            caller, entry, owner, app_id=app_id, name=name, description=description, environment=environment,
            subscriptions=entries,
        )  # fmt: skip


def read_entry(inputs: Inputs, pointer: str, text: str) -> str:
    """`service@version` or `service@version:purpose`, in a form that may be looked up."""
    text = inputs.line(pointer, text, maximum=160)
    if text and "@" not in text:
        inputs.fault(
            pointer,
            f"“{text}”须写作 服务@版本,例如 company@v1。",
            f"“{text}” is written service@version, for example company@v1.",
        )
    return text


async def make_app(
    caller: Caller, entry: audit.Entry, owner: Organisation, *, app_id: str, name: str, description: str,
    environment: str, subscriptions: Sequence[str], with_secret: bool = True, **columns: Any,
) -> NewApp:  # fmt: skip
    """Inside an open `audit.write`: the app, its first secret (unless it proves itself otherwise), its subscriptions."""
    entry.organisation = owner.id
    app = await App.create(
        id=app_id,
        organisation_id=owner.id,
        name=name,
        description=description,
        environment=environment,
        client_id=ids.random_id(_CLIENT_PREFIX[environment]),
        created_by=caller.actor,
        created_at=clock.now(),
        **columns,
    )
    secret_id = secret = ""
    if with_secret:
        row, secret = await make_secret(caller, app, "first secret", expires_at=None)
        secret_id = row.id
    entry.changed("app", app_id)
    entry.emit("gov.kaimen.app.created", f"app/{app_id}", {"app": app_id, "environment": environment})
    made = []
    for text in subscriptions:
        wanted = subscribing.parse_entry(text)
        made.append(
            await subscribing.subscribe(
                caller, app_id=app_id, organisation_id=owner.id, environment=environment,
                version_id=wanted.version_id, purpose=wanted.purpose, entry=entry,
            )
        )  # fmt: skip
    entry.detail |= {"client_id": app.client_id, "subscriptions": list(subscriptions)}
    return NewApp(app=app, secret=secret, secret_id=secret_id, subscriptions=made)
