"""Connector `soap`: SOAP 1.1 and 1.2, document/literal, behind a mapping. A Fault is read whatever the HTTP status.

Source: SOAP 1.1 (W3C Note 2000-05-08), SOAP 1.2 Part 1 (W3C Recommendation 2007-04-27), WS-I Basic Profile 1.1.
"""

from api.contract.gb18030 import encode
from api.contract.mapping import MappedOperation, MappingFile
from api.contract.mapping_soap import SoapBinding, binding_of, envelope, open_envelope
from api.contract.mapping_xml import XmlError, read_xml
from api.contract.model import JsonObject
from api.core import problem_types_upstream
from api.core.problems import Failure
from api.gateway.connector import Context, Request
from api.gateway.connectors.http_line import HttpLine, Letter, out_of_order, passed_on, read_text
from api.gateway.connectors.mapped import Native


class SoapTransport:
    """One SOAP endpoint."""

    def __init__(self, line: HttpLine, file: MappingFile) -> None:
        self._line = line
        self._file = file

    async def exchange(
        self, mapped: MappedOperation, tree: JsonObject, request: Request, context: Context
    ) -> Native:
        """Send the request element, read the response element or the Fault."""
        binding = binding_of(self._file, mapped)
        letter = self._letter(binding, tree)
        reply = await self._line.send(
            letter, is_safe=mapped.operation.is_safe, request=request, context=context
        )
        told = passed_on(reply, mapped)
        if told is not None:
            return told
        text, notes = read_text(reply.body, self._encoding, self._file.undecodable, self._line.service)
        try:
            answer = open_envelope(read_xml(text))
        except XmlError as error:
            if reply.status >= 400:
                raise out_of_order(reply, self._line.service, mapped.operation.id) from error
            raise self._shape(mapped, str(error)) from error
        if answer.fault is None and answer.name != binding.response:
            raise self._shape(mapped, f"the element {binding.response} is meant")
        return Native(answer.tree, reply.status, reply.headers, answer.fault, notes=notes)

    @property
    def _encoding(self) -> str:
        return self._file.encoding

    def _letter(self, binding: SoapBinding, tree: JsonObject) -> Letter:
        try:
            text = envelope(binding, binding.request, tree, self._encoding)
            body = encode(text, self._encoding)
        except (XmlError, UnicodeEncodeError) as error:
            raise Failure(
                problem_types_upstream.UPSTREAM_NOT_MAPPED, service=self._line.service, operation=binding.request, at="",
                reason=str(error) if isinstance(error, XmlError) else "a character that the encoding lacks",
            ) from error  # fmt: skip
        headers = () if binding.is_12 else (("soapaction", f'"{binding.action}"'),)
        return Letter("POST", binding.path, body, binding.content_type(self._encoding), headers)

    def _shape(self, mapped: MappedOperation, reason: str) -> Failure:
        return Failure(
            problem_types_upstream.UPSTREAM_SHAPE, service=self._line.service, operation=mapped.operation.id, at="Body",
            reason=reason,
        )  # fmt: skip

    async def health(self) -> bool:
        return await self._line.health()

    async def close(self) -> None:
        await self._line.close()
