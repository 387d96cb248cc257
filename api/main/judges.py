"""The faces that judge a contract beside REST and the sandbox; each is imported when the first contract is judged."""

import importlib

from api.contract import verdicts
from api.contract.model import Service


def register_judges() -> None:
    """Let them join in: of a process or a command that reads contracts."""
    verdicts.register("graphql", _graphql)


def _graphql(service: Service) -> list[tuple[str, str]]:
    reasons: list[tuple[str, str]] = importlib.import_module("api.graphql.judging").reasons_of(service)
    return reasons
