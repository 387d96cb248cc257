"""The departments that speak HTTP in their own words: JSON or XML, business codes in a 200, tickets for what takes long."""

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from api.contract.gb18030 import decode, encode
from api.contract.mapping import MappedOperation
from api.contract.mapping_http import HttpBinding, Parts, Ticket, binding_of, ticket_of, whole_of
from api.contract.mapping_outcome import text_at
from api.contract.mapping_shapes import Each, ShapeError, put_at
from api.contract.mapping_soap import declared
from api.contract.mapping_xml import XmlError, read_xml, write_xml
from api.core.upstream_headers import Told
from sandbox.city.native.behind import Behind, Native
from sandbox.city.native.listener import Asked, Said
from sandbox.city.native.soap import _passed, whole_said

TAKES_SECONDS = 0.15  # how long an asynchronous department works on an application
KEEP_SECONDS = 600.0
MOST_TICKETS = 5_000


class _Work(Struct):
    app_id: str
    task: "asyncio.Task[Said]"
    until: float


class _Route(Struct):
    mapped: MappedOperation
    binding: HttpBinding
    expression: "re.Pattern[str]"
    ticket: Ticket | None


Bring = Callable[[str, Said], Awaitable[None]]  # to the address that the gateway gave


class WebServer:
    """The HTTP interface of one department. `bring` posts a result to a callback; without it results are polled."""

    def __init__(
        self, behind: Behind, bring: Bring | None = None, takes_seconds: float = TAKES_SECONDS
    ) -> None:
        self._behind = behind
        self._bring = bring
        self._takes_seconds = takes_seconds
        self._bringing: set[asyncio.Future[None]] = set()
        self._file = behind.compiled.file
        self._works: dict[str, _Work] = {}
        self._routes: list[_Route] = []
        for mapped in behind.compiled.operations.values():
            if mapped.protocol == "http":
                binding = binding_of(self._file, mapped)
                self._routes.append(
                    _Route(mapped, binding, binding.expression, ticket_of(self._file, mapped))
                )
        # fixed segments before templates, so that /a/list is not taken for /a/{id}
        self._routes.sort(key=lambda route: (route.binding.path.count("{"), -len(route.binding.path)))

    async def answer(self, asked: Asked, told: Told) -> Said | None:
        """Serve a request; None where the department has nothing at this address."""
        for route in self._routes:
            if route.ticket is not None and asked.method == route.ticket.method:
                polled = _ticket_in(route.ticket, asked.path)
                if polled in self._works:
                    return self._polled(route, polled, told)
        for route in self._routes:
            found = route.expression.fullmatch(asked.path)
            if found is not None and asked.method == route.binding.method:
                return await self._serve(route, found.groupdict(), asked, told)
        return None

    async def _serve(self, route: _Route, parts: dict[str, str], asked: Asked, told: Told) -> Said:
        try:
            tree = self._tree(route, parts, asked)
        except (XmlError, msgspec.MsgspecError, ValueError) as error:
            return _bad(str(error))
        if route.ticket is None:
            return await self._done(route, tree, asked.headers, told)
        return self._started(route, tree, asked.headers, told)

    async def _done(self, route: _Route, tree: Any, headers: dict[str, str], told: Told) -> Said:
        try:
            native = await self._behind.answer(route.mapped, tree, headers, told)
        except ShapeError as error:
            return _bad(f"{error.at}: {error.reason}")
        if native.whole is not None:
            return whole_said(native)
        return self._said(route, native)

    # -- asynchronous ---------------------------------------------------------------------------------
    def _started(self, route: _Route, tree: Any, headers: dict[str, str], told: Told) -> Said:
        assert route.ticket is not None
        now = time.monotonic()
        for number, work in list(self._works.items()):
            if work.until < now or len(self._works) >= MOST_TICKETS:
                work.task.cancel()
                del self._works[number]

        address = text_at(tree, route.ticket.callback) if route.ticket.callback else ""

        async def work_on_it() -> Said:
            await asyncio.sleep(self._takes_seconds)
            said = await self._done(route, tree, headers, told)
            if self._bring is not None and address and said.status == 200:
                bringing = asyncio.ensure_future(self._bring(address, said))
                self._bringing.add(bringing)
                bringing.add_done_callback(self._bringing.discard)
            return said

        number = secrets.token_hex(8)
        task = asyncio.get_running_loop().create_task(work_on_it())
        self._works[number] = _Work(told.app_id, task, now + KEEP_SECONDS)
        return self._pending(route, number, 202)

    def _polled(self, route: _Route, number: str, told: Told) -> Said:
        work = self._works[number]
        if work.app_id != told.app_id:
            return Said(404, b"{}")
        if not work.task.done():
            return self._pending(route, number, 200 if self._pending_code(route) else 202)
        return work.task.result()

    def _pending(self, route: _Route, number: str, status: int) -> Said:
        assert route.ticket is not None
        tree: dict[str, Any] = {}
        code = self._pending_code(route)
        if code:
            put_at(tree, route.mapped.outcome.at, code)
        put_at(tree, route.ticket.at, number)
        return self._written(route, tree, status, [])

    def _pending_code(self, route: _Route) -> str:
        assert route.ticket is not None
        return min(route.ticket.pending, default="") if route.mapped.outcome.at else ""

    async def close(self) -> None:
        for work in self._works.values():
            work.task.cancel()
        for bringing in self._bringing:
            bringing.cancel()
        self._works.clear()

    # -- wire -----------------------------------------------------------------------------------------
    def _tree(self, route: _Route, parts: dict[str, str], asked: Asked) -> Any:
        query: dict[str, Any] = {}
        for name, value in parse_qsl(asked.query, keep_blank_values=True):
            if name in query:
                present = query[name]
                query[name] = [*(present if isinstance(present, list) else [present]), value]
            else:
                query[name] = value
        body = self._body(route, asked)
        if route.binding.method in {"GET", "DELETE"}:  # the mapping may name them without the prefix
            body = {**query, **body}
        for node in route.mapped.parameters.values():
            if isinstance(node, Each):  # one value in a query is a list of one
                for place, key in ((query, node.last.removeprefix("query:")), (body, node.last)):
                    if key in place and not isinstance(place[key], list):
                        place[key] = [place[key]]
        wanted = {name.removeprefix("header:").lower() for name in _header_names(route.mapped)}
        headers = {name: value for name, value in asked.headers.items() if name in wanted}
        return whole_of(Parts(path=dict(parts), query=query, headers=headers, body=body))

    def _body(self, route: _Route, asked: Asked) -> dict[str, Any]:
        if not asked.body:
            return {}
        text = decode(asked.body, self._file.encoding if route.binding.is_xml else "utf-8").text
        if route.binding.is_form:
            return dict(parse_qsl(text, keep_blank_values=True))
        body = read_xml(text).tree if route.binding.is_xml else msgspec.json.decode(text)
        return body if isinstance(body, dict) else {}

    def _said(self, route: _Route, native: Native) -> Said:
        outcome = route.mapped.outcome
        status = 200 if outcome.at else native.status
        if outcome.by_status and native.verdict is not None and native.verdict.code.isdigit():
            status = int(native.verdict.code)
        return self._written(route, native.tree, status, _passed(native.headers))

    def _written(self, route: _Route, tree: Any, status: int, headers: list[tuple[str, str]]) -> Said:
        if status == 204:
            return Said(204, b"", headers=headers)
        if not route.binding.is_xml:
            return Said(status, msgspec.json.encode(tree), "application/json", headers)
        text = declared(self._file.encoding) + write_xml(route.binding.answer_root, tree)
        charset = "gb18030" if self._file.encoding.startswith("gb18030") else self._file.encoding
        return Said(status, encode(text, self._file.encoding), f"application/xml; charset={charset}", headers)


def _header_names(mapped: MappedOperation) -> list[str]:
    steps = [node.last for node in mapped.parameters.values()]
    return [one for one in steps if one.startswith("header:")]


def _ticket_in(ticket: Ticket, path: str) -> str:
    before, _, after = ticket.path.partition("{ticket}")
    if path.startswith(before) and path.endswith(after):
        return path[len(before) : len(path) - len(after)]
    return ""


def _bad(reason: str) -> Said:
    return Said(400, msgspec.json.encode({"error": reason}))
