"""What the GraphQL face makes of a contract, for its verdict: what of it is JSON, and what is not offered."""

from collections import Counter

from graphql import GraphQLObjectType, GraphQLSchema, validate_schema

from api.contract.model import Service
from api.graphql.building import roots_of

_SHOWN = 3
_ZH = {"several types in one": "一处有几种类型", "alternatives of different kinds": "候选项的种类不同"}


def reasons_of(service: Service) -> list[tuple[str, str]]:
    """Why the face is degraded, in Chinese and English; [] where it says all that the contract says."""
    roots = roots_of([service])
    reasons = []
    streams = [one.id for one in service.operations if one.stream]
    if streams:
        shown = _listed(streams)
        reasons.append((f"流式操作不在此接入面:{shown}", f"operations that stream are not offered: {shown}"))
    losses = roots.losses.get(service.key, [])
    for why, count in Counter(why for _, why in losses).items():
        places = _listed([pointer for pointer, one in losses if one == why])
        reasons.append(
            (
                f"{count} 处以 JSON 表示({_ZH.get(why, why)}):{places}",
                f"JSON in {count} place(s), {why}: {places}",
            )
        )
    if roots.queries or roots.mutations:
        schema = GraphQLSchema(
            query=GraphQLObjectType("Query", roots.queries or roots.mutations),
            mutation=GraphQLObjectType("Mutation", roots.mutations)
            if roots.queries and roots.mutations
            else None,
        )
        reasons += [(error.message, error.message) for error in validate_schema(schema)[:_SHOWN]]
    return reasons


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" … ({len(names)})" if len(names) > _SHOWN else "")
