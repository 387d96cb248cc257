"""The departments that speak SOAP: envelopes in, envelopes or Faults out, and the WSDL they are described by."""

import importlib
from collections.abc import Mapping
from typing import Any

from api.contract.gb18030 import decode, encode
from api.contract.mapping import MappedOperation
from api.contract.mapping_outcome import FAULT
from api.contract.mapping_shapes import ShapeError, put_at
from api.contract.mapping_soap import SoapBinding, binding_of, envelope, fault_envelope, open_envelope
from api.contract.mapping_wsdl import schema_of, wsdl_of
from api.contract.mapping_xml import XmlError, read_xml, write_xml
from api.core.upstream_headers import Told
from sandbox.city.native.behind import Behind, Native, put_facts
from sandbox.city.native.listener import Asked, Said


class SoapServer:
    """The SOAP service of one department."""

    def __init__(self, behind: Behind) -> None:
        self._behind = behind
        self._file = behind.compiled.file
        self._by_request: dict[str, tuple[MappedOperation, SoapBinding]] = {}
        for mapped in behind.compiled.operations.values():
            if mapped.protocol == "soap":
                binding = binding_of(self._file, mapped)
                self._by_request[binding.request] = (mapped, binding)
        self._schema: Any = None

    @property
    def paths(self) -> frozenset[str]:
        return frozenset(binding.path for _, binding in self._by_request.values())

    def wsdl(self, location: str) -> Said:
        """The WSDL, for whoever asks with ?wsdl."""
        return Said(
            body=wsdl_of(self._behind.compiled, location).encode(), content_type="text/xml; charset=utf-8"
        )

    async def answer(self, asked: Asked, told: Told) -> Said:
        """Serve one message."""
        try:
            text = decode(asked.body, self._file.encoding).text
            opened = open_envelope(read_xml(text))
        except XmlError as error:
            return self._client_fault(None, str(error))
        found = self._by_request.get(opened.name)
        if found is None:
            return self._client_fault(None, f"no operation {opened.name[:40]}")
        mapped, binding = found
        wrong = self._invalid(opened.name, opened.tree, binding)
        return (
            self._client_fault(binding, wrong)
            if wrong
            else await self._ask(mapped, binding, opened.tree, asked, told)
        )

    async def _ask(
        self, mapped: MappedOperation, binding: SoapBinding, tree: Any, asked: Asked, told: Told
    ) -> Said:
        try:
            native = await self._behind.answer(mapped, tree, asked.headers, told)
        except ShapeError as error:
            return self._client_fault(binding, f"{error.at}: {error.reason}")
        if native.whole is not None:
            return whole_said(native)
        outcome = mapped.outcome
        if native.verdict is not None and (
            outcome.via == "fault" or (native.verdict.kind == FAULT and not outcome.at)
        ):
            return self._fault(mapped, binding, native)
        answer = envelope(binding, binding.response, native.tree, self._file.encoding)
        return self._said(binding, answer, 200, _passed(native.headers))

    def _invalid(self, name: str, tree: Any, binding: SoapBinding) -> str:
        """Where the request breaks the XSD of the WSDL, "" where it does not."""
        etree: Any = importlib.import_module("lxml.etree")  # brings memory: only where SOAP is served
        sound = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        if self._schema is None:
            self._schema = etree.XMLSchema(etree.fromstring(schema_of(self._behind.compiled).encode(), sound))
        text = write_xml(name, tree, namespace=binding.namespace)
        if self._schema.validate(etree.fromstring(text.encode(), sound)):
            return ""
        return "the message does not fit the XSD of the WSDL"

    def _fault(self, mapped: MappedOperation, binding: SoapBinding, native: Native) -> Said:
        outcome, verdict = mapped.outcome, native.verdict
        assert verdict is not None
        fault: dict[str, Any] = {}
        put_at(fault, outcome.fault_at, verdict.code)
        put_facts(fault, mapped, native.facts)
        code = str(fault.get("faultcode", "soap:Server"))
        text = fault_envelope(binding, code, native.message, fault.get("detail"), self._file.encoding)
        return self._said(binding, text, outcome.fault_status, _passed(native.headers))

    def _client_fault(self, binding: SoapBinding | None, reason: str) -> Said:
        if binding is None:
            binding = next(iter(self._by_request.values()))[1]
        text = fault_envelope(binding, "soap:Client", reason, None, self._file.encoding)
        return self._said(binding, text, 500, [])

    def _said(self, binding: SoapBinding, text: str, status: int, headers: list[tuple[str, str]]) -> Said:
        return Said(
            status, encode(text, self._file.encoding), binding.content_type(self._file.encoding), headers
        )


def _passed(headers: list[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """The department's own headers, as HTTP headers."""
    return [(name.decode(), value.decode("latin-1")) for name, value in headers]


def whole_said(native: Native) -> Said:
    """An answer for which the department has no code, as it is."""
    assert native.whole is not None
    headers: Mapping[bytes, bytes] = dict(native.whole.headers)
    body = native.whole.body if isinstance(native.whole.body, bytes) else b""
    media = headers.get(b"content-type", b"application/json").decode()
    others = [pair for pair in native.whole.headers if pair[0] != b"content-type"]
    return Said(native.whole.status, body, media, _passed(others))
