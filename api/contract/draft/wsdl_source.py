"""WSDL 1.1 -> calls: SOAP 1.1 and 1.2 bindings, document/literal and rpc, with imports inside the folder.

Source: W3C Note WSDL 1.1 §2-3; WSDL 1.1 Binding Extension for SOAP 1.2.
"""

from urllib.parse import urlsplit

from api.contract.draft import notices
from api.contract.draft.envelopes import unwrapped
from api.contract.draft.parts import Call, Field, Refusal, Source
from api.contract.draft.vocabulary import has_chinese
from api.contract.draft.xml_tree import Element
from api.contract.draft.xsd_files import WSDL, XmlFiles
from api.contract.draft.xsd_source import Types
from api.contract.files import Source as FileSource
from api.contract.naming import slug
from api.contract.report import Report

_SOAP = {
    "http://schemas.xmlsoap.org/wsdl/soap/": "1.1",
    "http://schemas.xmlsoap.org/wsdl/soap12/": "1.2",
}
MOST_OPERATIONS = 100


def read_wsdl(source: FileSource, entry: str, report: Report) -> Source:
    """The calls of a WSDL's first SOAP binding. Raises Refusal."""
    files = XmlFiles(source, report)
    root = files.root(entry)
    if root.name != f"{WSDL}definitions":
        report.find(notices.UNREADABLE, "", file=entry, reason=f"<{root.local}> is no WSDL 1.1")
        raise Refusal(entry)
    files.follow(root, entry)
    reader = _Reader(files, root, report)
    binding = reader.binding()
    if binding is None:
        report.find(notices.EMPTY, "", file=entry, what=entry)
        raise Refusal(entry)
    calls = reader.calls(binding)
    if not calls:
        report.find(notices.EMPTY, "", file=entry, what=entry)
        raise Refusal(entry)
    service, address = reader.address(binding)
    text = _documentation(root)
    upstream = {
        "version": _SOAP[_soap_part(binding).namespace],
        "namespace": calls[0].namespace,
        "path": urlsplit(address).path or "/",
        "service": service or root.get("name"),
        "choices": reader.choices,
    }
    return Source("wsdl", text or service or root.get("name"), report, calls=calls, upstream=upstream)


def _soap_part(element: Element) -> Element:
    return next(one for one in element.children if one.namespace in _SOAP)


def _has_soap(element: Element) -> bool:
    return any(one.namespace in _SOAP for one in element.children)


def _documentation(element: Element) -> str:
    found = next((one for one in element.children if one.local == "documentation"), None)
    text = "".join(one.text for one in found.walk()) if found is not None else ""
    return " ".join(text.split())[:300]


class _Reader:
    def __init__(self, files: XmlFiles, root: Element, report: Report) -> None:
        self._report = report
        self._root = root
        self._types = Types(files, report)
        self._parts = files.parts
        self.choices: dict[str, list[list[str]]] = {}

    def _all(self, local: str) -> list[Element]:
        return [one for part in self._parts for one in part.children if one.local == local]

    def _named(self, local: str, reference: str) -> Element | None:
        wanted = reference.rpartition(":")[2]
        return next((one for one in self._all(local) if one.get("name") == wanted), None)

    def binding(self) -> Element | None:
        """The first SOAP binding, 1.1 or 1.2 as the WSDL orders them."""
        chosen = None
        for one in self._all("binding"):
            if not _has_soap(one):
                self._report.lose(notices.BINDING, f"/binding/{one.get('name')}", name=one.get("name"))
            elif chosen is None:
                chosen = one
        return chosen

    def address(self, binding: Element) -> tuple[str, str]:
        for service in self._all("service"):
            for port in service.all("port"):
                if port.get("binding").rpartition(":")[2] == binding.get("name"):
                    return service.get("name"), next(
                        (one.get("location") for one in port.children if one.local == "address"), ""
                    )
        return "", ""

    def calls(self, binding: Element) -> list[Call]:
        port_type = self._named("portType", binding.get("type"))
        style = _soap_part(binding).get("style", "document")
        made = []
        for bound in binding.all("operation")[:MOST_OPERATIONS]:
            declared = next(
                (
                    one
                    for one in (port_type.all("operation") if port_type else ())
                    if one.get("name") == bound.get("name")
                ),
                None,
            )
            if declared is not None:
                found = self._call(bound, declared, style)
                if found is not None:
                    made.append(found)
        return made

    def _call(self, bound: Element, declared: Element, style: str) -> Call | None:
        name = bound.get("name")
        place = f"/operation/{name}"
        soap = next((one for one in bound.children if one.namespace in _SOAP), None)
        style = soap.get("style", style) if soap is not None else style
        output = declared.first("output")
        if output is None or declared.first("input") is None:
            self._report.lose(notices.ONE_WAY, place, name=name)
            return None
        self._tell_losses(bound, declared, name, place)
        request, request_element, namespace = self._message(
            declared.first("input"), f"{place}/input", style, name
        )
        self.choices[name] = [
            one
            for one in self._types.choices
            if all(any(field.native == it for field in request) for it in one)
        ]
        answer, answer_element, _ = self._message(output, f"{place}/output", style, f"{name}Response")
        answer, at, outcome = unwrapped(answer)
        text = _documentation(declared)
        return Call(
            native=name,
            name=slug(name) or "call",
            zh=text if has_chinese(text) else "",
            en="" if has_chinese(text) else text,
            request=request,
            answer=answer,
            action=soap.get("soapAction") if soap is not None else "",
            request_element=request_element,
            answer_element=answer_element,
            namespace=namespace,
            at=at,
            outcome=outcome,
        )

    def _tell_losses(self, bound: Element, declared: Element, name: str, place: str) -> None:
        for side in bound.all("input", "output"):
            for one in side.walk():
                if one.local == "multipartRelated":
                    self._report.lose(notices.ATTACHMENT, place, name=name)
                elif one.local == "header" and one.namespace in _SOAP:
                    self._report.lose(notices.HEADER, place, name=name)
                elif one.local == "body" and one.get("use") == "encoded":
                    self._report.lose(notices.ENCODED, place, name=name)
        for fault in declared.all("fault"):
            self._report.lose(notices.FAULT, place, name=name, fault=fault.get("name"))

    def _message(
        self, side: Element | None, place: str, style: str, wrapper: str
    ) -> tuple[list[Field], str, str]:
        """The fields of a message, its element and namespace."""
        message = self._named("message", side.get("message")) if side is not None else None
        parts = message.all("part") if message is not None else []
        if style == "rpc":
            return self._rpc_fields(parts, place), wrapper, self._root.get("targetNamespace")
        part = next((one for one in parts if one.get("element")), None)
        if part is None:
            return self._rpc_fields(parts, place), wrapper, self._root.get("targetNamespace")
        name = part.qualified(part.get("element"))
        element = self._types.find("element", name)
        if element is None:
            self._report.lose(notices.TYPE_UNKNOWN, place, name=part.get("element"))
            return [], name.rpartition("}")[2], name[1:].partition("}")[0]
        fields = self._types.fields_of_element(element, place)
        if not fields:
            single = self._types.field_of_element(element, place)
            fields = [single] if single is not None and not single.is_object else []
            for one in fields:
                one.native, one.name = "#text", "value"
        return fields, name.rpartition("}")[2], name[1:].partition("}")[0] if name.startswith("{") else ""

    def _rpc_fields(self, parts: list[Element], place: str) -> list[Field]:
        made = []
        for part in parts:
            as_element = Element("element", dict(part.attributes), part.prefixes, [])
            if part.get("element"):
                as_element.attributes["ref"] = part.get("element")
            found = self._types.field_of_element(as_element, place)
            if found is not None:
                made.append(found)
        return made
