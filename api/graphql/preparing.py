"""From what was sent to what may run: the document read, held against the limits, validated, its cost against the plan.

All of it happens before Strawberry sees anything of a request, over HTTP and over a socket alike.
"""

from typing import Any

from graphql import OperationDefinitionNode, OperationType
from graphql.execution import get_variable_values
from msgspec import UNSET, Struct, UnsetType

from api.contract.model import QuotaClass
from api.core.problem_types import COST_ABOVE_PLAN, QUOTA_EXCEEDED
from api.core.problem_types_graphql import GRAPHQL_INVALID, GRAPHQL_REQUEST_INVALID
from api.core.problems import Refusal, Text
from api.gateway.exchange import Exchange
from api.gateway.plane import Gateway
from api.gateway.quota import CLASS_NUMBER, SECOND_US
from api.graphql.costs import cost_of
from api.graphql.documents import Documents
from api.graphql.holding import Face, Known, SchemaHolder

SCHEMA_PATH = "/graphql/schema"
_FORM = Text(
    "请求须为含 query 或 id 的 JSON 对象。", "The request has to be a JSON object with `query` or `id`."
)
_OPERATION = Text("operationName 不是文档中的操作。", "operationName is no operation of the document.")
_BY_SOCKET = Text(
    "订阅经 WebSocket(graphql-transport-ws)进行。",
    "Subscriptions go over a WebSocket (graphql-transport-ws).",
)
_BY_POST = Text("查询与变更用 POST 发送。", "Queries and mutations are sent by POST.")


class Asked(Struct):
    """A request as GraphQL over HTTP words it."""

    query: str = ""
    id: str = ""  # sha256 of a registered document
    operationName: str | None = None  # noqa: N815 - the protocol's name
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | UnsetType | None = UNSET


class Ready(Struct, frozen=True):
    """A document that may run now, and what it will cost."""

    face: Face
    known: Known
    text: str
    name: str | None  # of the operation
    variables: dict[str, Any]
    cost: dict[QuotaClass, int]


class Preparing:
    """What requests of one plane are prepared with."""

    def __init__(self, documents: Documents) -> None:
        self.holder = SchemaHolder()
        self._documents = documents

    async def prepare(
        self, gateway: Gateway, outer: Exchange, asked: Asked, *, is_socket: bool = False
    ) -> Ready:
        """What may run. Raises Refusal: one of the GraphQL problems, quota-exceeded, cost-above-plan."""
        if not asked.query and not asked.id:
            raise bad_request(_FORM)
        text = await self._documents.text_of(outer.app.id, asked.query, asked.id)
        face, known = await self._known(gateway, outer, text)
        name, operation = _chosen(known, asked.operationName)
        is_subscription = operation.operation == OperationType.SUBSCRIPTION
        if is_subscription != is_socket:
            raise bad_request(_BY_SOCKET if is_subscription else _BY_POST)
        variables = asked.variables or {}
        cost = known.costs.get(name)
        if cost is None:
            given = variables
            if operation.variable_definitions:
                given = _variables(face, operation, variables, schema_url(gateway))
            cost, is_fixed = cost_of(face.schema.core, operation, known.fragments, given, face.by_key)
            if is_fixed:
                known.costs[name] = cost
        await _check_cost(gateway, outer, cost)
        return Ready(face, known, text, name or None, variables, cost)

    def check_variables(self, gateway: Gateway, ready: Ready) -> None:
        """Whether the variables fit, told as the words of a refusal. Raises Refusal: graphql-variables."""
        operation = ready.known.operations[ready.name or ""]
        _variables(ready.face, operation, ready.variables, schema_url(gateway))

    async def _known(self, gateway: Gateway, outer: Exchange, text: str) -> tuple[Face, Known]:
        """The document read against the schema; against the newest one where an older one does not have it."""
        snapshot = outer.snapshot
        face = await self.holder.current(snapshot)
        url = schema_url(gateway)
        try:
            return face, face.read(text, url)
        except Refusal as refusal:
            if refusal.kind is not GRAPHQL_INVALID:
                raise
            await gateway.snapshots.refresh()
            snapshot = outer.snapshot = gateway.snapshots.current
            if face.services is snapshot.services:
                raise
        face = await self.holder.newest(snapshot)
        return face, face.read(text, url)


def _chosen(known: Known, name: str | None) -> tuple[str, OperationDefinitionNode]:
    if name is None and len(known.operations) == 1:
        return next(iter(known.operations.items()))
    operation = known.operations.get(name or "")
    if operation is None:
        raise bad_request(_OPERATION)
    return name or "", operation


def _variables(face: Face, operation: Any, variables: dict[str, Any], url: str) -> dict[str, Any]:
    found: Any = get_variable_values(
        face.schema.core, operation.variable_definitions, variables, max_errors=5, hide_suggestions=True
    )
    if isinstance(found, list):
        # the message of a variable's error holds its value: what is wrong is told by name alone
        raise Refusal(
            GRAPHQL_INVALID, rule="graphql-variables", count=len(found), schema=url,
            errors=tuple({"message": _without_value(one.message)} for one in found),
        )  # fmt: skip
    values: dict[str, Any] = getattr(found, "coerced", found)
    return values


async def _check_cost(gateway: Gateway, outer: Exchange, cost: dict[QuotaClass, int]) -> None:
    """Whether the plan gives all of it now. Charged are the operations, as they run."""
    app = outer.app
    outer.plan = app.plan.name
    if sum(cost.values()) == max(cost.values(), default=0) == 1:
        return  # one unit: the operation's own charge says the same
    for quota_class, units in cost.items():
        quota = app.plan.quotas[CLASS_NUMBER[quota_class]]
        if quota is None or units > quota.burst:
            raise Refusal(
                COST_ABOVE_PLAN, rule="graphql-cost", cost=units, plan=app.plan.name, quota_class=quota_class.value,
                limit=0 if quota is None else quota.burst,
            )  # fmt: skip
        key = app.limit_key | quota.number
        spent = gateway.meter.spend(key, quota, units, app.id)
        if spent is None:
            spent = await gateway.meter.acquire(key, quota, units, app.id)
        if not spent[0]:
            raise Refusal(
                QUOTA_EXCEEDED, headers={"Retry-After": str(max(1, spent[3]))}, plan=quota.plan, cost=units,
                quota_class=quota.name, limit=quota.units, window_seconds=quota.window_us // SECOND_US,
            )  # fmt: skip
        gateway.meter.give_back(key, quota, units)


def schema_url(gateway: Gateway) -> str:
    """Where the schema of a plane's caller is."""
    return gateway.settings.issuer + SCHEMA_PATH


def bad_request(reason: Text) -> Refusal:
    """The refusal of what is no GraphQL request."""
    return Refusal(GRAPHQL_REQUEST_INVALID, reason=reason)


def _without_value(message: str) -> str:
    return (
        message.partition(" got invalid value")[0]
        if " got invalid value" in message
        else message.partition(":")[0]
    )
