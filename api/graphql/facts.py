"""What `kaimen { … }` tells an app of itself: its token, its quotas, its services, and the limits of a document."""

from datetime import UTC, datetime

from api.contract.model import Service
from api.core import clock
from api.gateway.exchange import Exchange
from api.gateway.plane import Gateway
from api.gateway.quota import SECOND_US
from api.gateway.rights import Standing
from api.graphql import limits
from api.graphql.building import root_field_of
from api.graphql.holding import cut_for
from api.graphql.root import App, Kaimen, Limits, Long, Quota, SubscribedService
from api.graphql.running import granted_level


async def facts_of(outer: Exchange, gateway: Gateway) -> Kaimen:
    """The facts of the app that asks, as they are now."""
    app, caller = outer.app, outer.caller
    quotas = []
    for quota in app.plan.quotas:
        if quota is not None:
            key = app.limit_key | quota.number
            spent = gateway.meter.spend(key, quota, 0, app.id) or await gateway.meter.acquire(
                key, quota, 0, app.id
            )
            window = quota.window_us // SECOND_US
            quotas.append(
                Quota(
                    quota_class=quota.name, units=Long(quota.units), window_seconds=window, left=Long(max(spent[1], 0))
                )
            )  # fmt: skip
    expiry = clock.to_text(datetime.fromtimestamp(caller.expires_at, UTC))
    return Kaimen(
        request_id=outer.request_id,
        environment=gateway.environment,
        app=App(
            id=app.id, plan=app.plan.name, scopes=sorted(caller.scopes), token_expires_at=expiry, quotas=quotas
        ),
        services=[_service(outer, key, standing) for key, standing in sorted(app.rights.items())],
        limits=Limits(
            body_bytes=limits.MAX_BODY_BYTES, document_bytes=limits.MAX_DOCUMENT_BYTES, tokens=limits.MAX_TOKENS,
            depth=limits.MAX_DEPTH, aliases=limits.MAX_ALIASES, fields=limits.MAX_FIELDS,
            selections=limits.MAX_SELECTIONS, directives=limits.MAX_DIRECTIVES,
            subscriptions=limits.MAX_SUBSCRIPTIONS, connections=limits.MAX_CONNECTIONS_OF_APP,
        ),
    )  # fmt: skip


def _service(outer: Exchange, key: str, standing: Standing) -> SubscribedService:
    name, _, version = key.partition("@")
    entry = outer.snapshot.entry(name, version)
    service = entry.service if entry is not None else None
    is_retired = entry is None or entry.state == "retired"  # or not published in this environment
    may = cut_for(outer.snapshot, outer.app, outer.caller.scopes).has_operation
    open_ones = (
        [] if service is None or is_retired else [one.id for one in service.operations if may(service, one)]
    )
    return SubscribedService(
        id=key,
        field=root_field_of(service) if service is not None else "",
        title=_title(service, outer.locale) if service is not None else name,
        level=granted_level(outer.app.rights, key),
        purposes=sorted(one for one in standing.purposes if one),
        is_pending=standing.is_pending,
        is_retired=is_retired,
        operations=open_ones,
        events=sorted(service.webhooks) if service is not None else [],
    )


def _title(service: Service, locale: str) -> str:
    texts = service.texts.get("zh-CN" if locale.startswith("zh") else "en", {})
    return str(texts.get("title") or service.title)
