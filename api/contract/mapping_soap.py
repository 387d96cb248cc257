"""SOAP envelopes of a mapping, for both sides: what is sent is written here, and what is received is opened here."""

from typing import Any

from msgspec import Struct

from api.contract.mapping import MappedOperation, MappingFile
from api.contract.mapping_xml import Element, XmlError, write_xml

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"


class SoapBinding(Struct, frozen=True):
    """How one operation is spoken: names of its elements, action, version, path below the upstream's address."""

    request: str
    response: str
    action: str
    namespace: str
    path: str
    is_12: bool

    def content_type(self, encoding: str) -> str:
        """The Content-Type of a message; the charset is the name that the Internet registry knows."""
        charset = "gb18030" if encoding.startswith("gb18030") else encoding
        if self.is_12:
            return f'application/soap+xml; charset={charset}; action="{self.action}"'
        return f"text/xml; charset={charset}"


def binding_of(file: MappingFile, mapped: MappedOperation) -> SoapBinding:
    """The binding of an operation; what its section does not say comes from the root's section or from the name."""
    root, own = file.settings["soap"], mapped.settings
    request = str(own.get("operation") or mapped.operation.id)
    namespace = str(root.get("namespace", "urn:kaimen:department"))
    return SoapBinding(
        request=request,
        response=str(own.get("response") or f"{request}Response"),
        action=str(own.get("action") or f"{namespace}:{request}"),
        namespace=namespace,
        path=str(own.get("path") or root.get("path") or "/"),
        is_12=str(root.get("version", "1.1")) == "1.2",
    )


class Opened(Struct):
    """What stood in the Body: an element's name and tree, or the tree of a Fault in the words of SOAP 1.1."""

    name: str
    tree: Any
    fault: dict[str, Any] | None = None
    namespace: str = ""


def declared(encoding: str) -> str:
    """The XML declaration of a text in this encoding."""
    return f'<?xml version="1.0" encoding="{"GB18030" if encoding.startswith("gb") else "UTF-8"}"?>'


def envelope(binding: SoapBinding, name: str, tree: Any, encoding: str) -> str:
    """A whole message as text. Raises XmlError."""
    around = SOAP_12 if binding.is_12 else SOAP_11
    inner = write_xml(name, tree, namespace=binding.namespace)
    return (
        f'{declared(encoding)}<soap:Envelope xmlns:soap="{around}"><soap:Body>{inner}'
        "</soap:Body></soap:Envelope>"
    )


def fault_envelope(binding: SoapBinding, code: str, reason: str, detail: Any, encoding: str) -> str:
    """A Fault as a whole message. In SOAP 1.1 `code` is the faultcode, in 1.2 the Subcode of soap:Receiver."""
    inside = write_xml("x", detail)[3:-4] if detail else ""
    words = write_xml("x", reason)[3:-4] if reason else ""
    if binding.is_12:
        body = (
            f"<soap:Fault><soap:Code><soap:Value>soap:Receiver</soap:Value><soap:Subcode><soap:Value>{code}"
            f'</soap:Value></soap:Subcode></soap:Code><soap:Reason><soap:Text xml:lang="zh-CN">{words}'
            f"</soap:Text></soap:Reason>{f'<soap:Detail>{inside}</soap:Detail>' if inside else ''}</soap:Fault>"
        )
    else:
        body = (
            f"<soap:Fault><faultcode>{code}</faultcode><faultstring>{words}</faultstring>"
            f"{f'<detail>{inside}</detail>' if inside else ''}</soap:Fault>"
        )
    around = SOAP_12 if binding.is_12 else SOAP_11
    return f'{declared(encoding)}<soap:Envelope xmlns:soap="{around}"><soap:Body>{body}</soap:Body></soap:Envelope>'


def open_envelope(element: Element) -> Opened:
    """What stands in the Body. Raises XmlError where this is no envelope, or its Body holds not one element."""
    if element.name != "Envelope" or element.namespace not in {SOAP_11, SOAP_12}:
        raise XmlError("no SOAP envelope")
    body = element.tree.get("Body") if isinstance(element.tree, dict) else None
    children = {} if not isinstance(body, dict) else {k: v for k, v in body.items() if k[:1] not in "@#"}
    if len(children) != 1:
        raise XmlError("the Body of the envelope holds not one element")
    name, tree = next(iter(children.items()))
    if name != "Fault":
        return Opened(name, tree if isinstance(tree, dict) else {"#text": tree} if tree else {})
    return Opened(name, None, _fault(tree if isinstance(tree, dict) else {}))


def _fault(tree: dict[str, Any]) -> dict[str, Any]:
    if "faultcode" in tree or "faultstring" in tree:
        return tree
    code = tree.get("Code")
    code = code if isinstance(code, dict) else {}
    subcode = code.get("Subcode")
    said = subcode.get("Value") if isinstance(subcode, dict) else code.get("Value")
    reason = tree.get("Reason")
    text = reason.get("Text") if isinstance(reason, dict) else ""
    if isinstance(text, list):
        text = text[0] if text else ""
    return {"faultcode": said or "", "faultstring": text, "detail": tree.get("Detail") or {}}
