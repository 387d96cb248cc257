"""Connector `http` with a mapping: JSON or XML in a department's own words, business codes, 202 and what follows.

An operation of an asynchronous department gets a ticket at first. Its result is asked for until it is there, or the
department brings it to the address that it was told (callbacks.py), whichever is first. Where the deadline of the
call is near the caller is told, with 504, and the department goes on.
"""

import asyncio
import time
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from api.contract.gb18030 import encode
from api.contract.mapping import MappedOperation, MappingFile
from api.contract.mapping_http import HttpBinding, Ticket, binding_of, parts_of, ticket_of
from api.contract.mapping_outcome import text_at
from api.contract.mapping_shapes import put_at
from api.contract.mapping_soap import declared
from api.contract.mapping_xml import XmlError, read_xml, write_xml
from api.contract.model import JsonObject
from api.core import problem_types, problem_types_upstream
from api.core.problems import Failure
from api.gateway.agents.letters import AnswerLetter
from api.gateway.callbacks import Callbacks, Pending
from api.gateway.connector import Context, Request
from api.gateway.connectors.http_line import HttpLine, Letter, Reply, out_of_order, passed_on, read_text
from api.gateway.connectors.mapped import Native

_SELDOM = 8


class HttpTransport:
    """One department's HTTP interface."""

    def __init__(self, line: HttpLine, file: MappingFile, callbacks: Callbacks | None = None) -> None:
        self._line = line
        self._file = file
        self._callbacks = callbacks

    async def exchange(
        self, mapped: MappedOperation, tree: JsonObject, request: Request, context: Context
    ) -> Native:
        """Send the request, and ask for the result until there is one."""
        binding = binding_of(self._file, mapped)
        ticket = ticket_of(self._file, mapped)
        if ticket is None or not ticket.callback or self._callbacks is None:
            return await self._ask(mapped, binding, ticket, tree, request, context, None)
        pending = await self._callbacks.open(self._line.service, context.deadline - time.monotonic())
        try:
            put_at(tree, ticket.callback, pending.address)
            return await self._ask(mapped, binding, ticket, tree, request, context, pending)
        finally:
            await pending.close()

    async def _ask(
        self, mapped: MappedOperation, binding: HttpBinding, ticket: Ticket | None, tree: JsonObject, request: Request,
        context: Context, pending: Pending | None,
    ) -> Native:  # fmt: skip
        letter = self._letter(mapped, binding, tree)
        reply = await self._line.send(
            letter, is_safe=letter.method == "GET", request=request, context=context
        )
        native = self._read(mapped, binding, reply)
        if ticket is None or native.whole is not None or reply.status != 202:
            return native
        return await self._wait(mapped, binding, ticket, native, request, context, pending)

    async def _wait(
        self, mapped: MappedOperation, binding: HttpBinding, ticket: Ticket, native: Native, request: Request,
        context: Context, pending: Pending | None,
    ) -> Native:  # fmt: skip
        number = text_at(native.tree, ticket.at)
        if not number:
            raise self._shape(mapped, "/".join(ticket.at), "no ticket in the answer 202")
        target = ticket.target(quote(number, safe=""))
        # who promised to call is asked seldom: a callback may be lost
        pause = ticket.every_seconds * (_SELDOM if pending is not None else 1)
        while True:
            if time.monotonic() + pause >= context.deadline:
                raise Failure(problem_types.UPSTREAM_TIMEOUT, service=self._line.service, ticket=number)
            brought = await _brought(pending, pause)
            if brought is not None:
                return self._read(mapped, binding, Reply(brought.status, brought.headers, brought.body))
            pause = min(pause * 1.5, ticket.every_seconds * _SELDOM)
            letter = Letter(ticket.method, target)
            reply = await self._line.send(letter, is_safe=True, request=request, context=context)
            native = self._read(mapped, binding, reply)
            if native.whole is not None:
                return native
            is_pending = reply.status == 202 or text_at(native.tree, mapped.outcome.at) in ticket.pending
            if not is_pending:
                return native

    # -- request ------------------------------------------------------------------------------------
    def _letter(self, mapped: MappedOperation, binding: HttpBinding, tree: JsonObject) -> Letter:
        parts = parts_of(tree)
        target = binding.target({name: quote(_text(value), safe="") for name, value in parts.path.items()})
        query = dict(parts.query)
        body, content_type = b"", ""
        try:
            if binding.method in {"GET", "DELETE"}:
                query |= parts.body
            elif binding.is_xml:
                text = declared(self._file.encoding) + write_xml(binding.root, parts.body)
                body = encode(text, self._file.encoding)
                charset = "gb18030" if self._file.encoding.startswith("gb18030") else self._file.encoding
                content_type = f"application/xml; charset={charset}"
            elif binding.is_form:
                text = urlencode({k: _text(v) for k, v in parts.body.items()}, encoding="utf-8")
                body, content_type = text.encode(), "application/x-www-form-urlencoded"
            else:
                body, content_type = msgspec.json.encode(parts.body), "application/json"
        except (XmlError, UnicodeEncodeError) as error:
            raise Failure(
                problem_types_upstream.UPSTREAM_NOT_MAPPED, service=self._line.service, operation=mapped.operation.id,
                at="", reason=str(error) if isinstance(error, XmlError) else "a character that the encoding lacks",
            ) from error  # fmt: skip
        if query:
            pairs = [(name, _text(one)) for name, value in query.items() for one in _values(value)]
            target += ("&" if "?" in target else "?") + urlencode(pairs)
        headers = tuple(
            (name.lower(), quote(_text(value), safe=" -._~:/")) for name, value in parts.headers.items()
        )
        return Letter(binding.method, target, body, content_type, headers)

    # -- answer -------------------------------------------------------------------------------------
    def _read(self, mapped: MappedOperation, binding: HttpBinding, reply: Reply) -> Native:
        told = passed_on(reply, mapped)
        if told is not None:
            return told
        tree: Any = {}
        notes: list[Any] = []
        try:
            if reply.body:
                # beside files or a view the encoding is theirs; JSON is UTF-8 (RFC 8259 section 8.1)
                encoding = self._file.encoding if binding.is_xml or self._file.protocol == "http" else "utf-8"
                text, notes = read_text(reply.body, encoding, self._file.undecodable, self._line.service)
                tree = read_xml(text).tree if binding.is_xml else msgspec.json.decode(text)
        except (XmlError, msgspec.MsgspecError) as error:
            if reply.status >= 400:
                raise out_of_order(reply, self._line.service, mapped.operation.id) from error
            raise self._shape(mapped, "", "no XML" if binding.is_xml else "no JSON") from error
        is_said = mapped.outcome.by_status or (mapped.outcome.at and text_at(tree, mapped.outcome.at))
        if reply.status >= 400 and not is_said:
            raise out_of_order(reply, self._line.service, mapped.operation.id)
        return Native(tree, reply.status, reply.headers, notes=notes)

    def _shape(self, mapped: MappedOperation, at: str, reason: str) -> Failure:
        return Failure(
            problem_types_upstream.UPSTREAM_SHAPE, service=self._line.service, operation=mapped.operation.id, at=at,
            reason=reason,
        )  # fmt: skip

    async def health(self) -> bool:
        return await self._line.health()

    async def close(self) -> None:
        await self._line.close()


async def _brought(pending: Pending | None, seconds: float) -> AnswerLetter | None:
    """What the department brings within so many seconds; None where it brings nothing."""
    if pending is None or pending.arrived.done():
        await asyncio.sleep(seconds)
        return None
    await asyncio.wait({pending.arrived}, timeout=seconds)
    return await pending.fetch() if pending.arrived.done() else None


def _values(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    return "" if value is None else str(value)
