"""`x-cache`: answers of public data that this process keeps for a moment. `conditional` tells callers that theirs is good.

On the live plane, answers of public data (L1) are kept in this process for the seconds that the contract
names, so that a thousand readers of one bus line are one question to the department. Never in the sandbox, where
an app sees its own changes at once, and never for data of a person or organisation.
Source: RFC 9111 §3, §5.1.
"""

from typing import Any

from api.contract.model import Level
from api.gateway import call
from api.gateway.answer_cache import AnswerCache, Key
from api.gateway.connector import Result
from api.gateway.exchange import Exchange


async def apply(exchange: Exchange, gateway: Any) -> None:
    """As `call.apply`, with an answer that is kept where there is one."""
    cache: AnswerCache | None = gateway.answers
    if cache is None or gateway.is_sandbox or exchange.compiled.level != Level.L1.value:
        await call.apply(exchange, gateway)
        return
    key = _key(exchange)
    while (kept := cache.find(key)) is None:
        if not await cache.wait_for_another(key):
            await _ask(exchange, gateway, cache, key)
            return
        if cache.find(key) is None:  # its answer is not one to keep: everybody asks for himself
            await call.apply(exchange, gateway)
            return
    cache.hits += 1
    exchange.result = kept
    exchange.verdicts.append(("call", "pass", "cached"))


async def _ask(exchange: Exchange, gateway: Any, cache: AnswerCache, key: Key) -> None:
    cache.misses += 1
    try:
        await call.apply(exchange, gateway)
        result = exchange.result
        if result is not None and result.status == 200 and _may_be_kept(result):
            cache.keep(key, result, exchange.operation.cache_seconds)
    finally:
        cache.done(key)


def _key(exchange: Exchange) -> Key:
    operation = exchange.operation
    assert exchange.service is not None
    accept = exchange.header_map.get(b"accept", b"")
    return exchange.service.digest, operation.id, exchange.target, exchange.locale, accept


def _may_be_kept(result: Result) -> bool:
    for name, value in result.headers:
        if name == b"set-cookie" or (
            name == b"cache-control" and (b"no-store" in value or b"private" in value or b"no-cache" in value)
        ):
            return False
    return True
