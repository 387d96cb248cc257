"""WSDL 1.1 and XSD of a SOAP mapping: what a department's service looks like to those who call it natively.

Made from the mapping and the contract, so that it cannot lag behind them: enumerations from codes, minOccurs from
what is required, choices from `choice`, attributes from `@name`.
"""

from xml.sax.saxutils import escape, quoteattr

from msgspec import Struct, field

from api.contract.mapping import CompiledMapping, MappedOperation
from api.contract.mapping_shapes import Constant, Dropped, Each, Leaf, Node, Shape
from api.contract.mapping_soap import SoapBinding, binding_of
from api.contract.mapping_values import CodesRule

_TYPES = {"integer": "xs:integer", "number": "xs:decimal", "boolean": "xs:boolean"}


class Element(Struct):
    """An element or attribute of the schema."""

    name: str
    kind: str = "xs:string"
    codes: tuple[str, ...] = ()
    is_required: bool = False
    is_repeated: bool = False
    is_nullable: bool = False
    is_open: bool = False  # any elements may stand in it
    children: dict[str, "Element"] = field(default_factory=dict)
    choices: list[list[str]] = field(default_factory=list)

    def child(self, name: str) -> "Element":
        return self.children.setdefault(name, Element(name))


def request_element(mapped: MappedOperation, binding: SoapBinding) -> Element:
    """The element of a request."""
    root = Element(binding.request)
    for path in mapped.constants:
        _leaf(root, tuple(path.split("/")))
    required = {one.name for one in mapped.operation.parameters if one.required}
    for name, node in mapped.parameters.items():
        _add(root, node, is_required=name in required)
    if mapped.body is not None:
        _add(
            root,
            mapped.body,
            is_required=mapped.operation.body is not None and mapped.operation.body.required,
        )
    choices = mapped.settings.get("choice", [])
    root.choices = [[str(one) for one in group] for group in choices if isinstance(group, list)]
    return root


def response_element(mapped: MappedOperation, binding: SoapBinding) -> Element:
    """The element of a response."""
    root = Element(binding.response)
    outcome = mapped.outcome
    if outcome.at:
        code = _leaf(root, outcome.at)
        code.codes = tuple(outcome.verdicts)
    if outcome.message:
        _leaf(root, outcome.message)
    for fact in outcome.facts.values():
        if outcome.via != "fault":
            _leaf(root, fact.at)
    if outcome.facts_at and outcome.via != "fault":
        _leaf(root, outcome.facts_at).is_open = True
    place = root
    for step in mapped.answer_at:
        place = place.child(step)
    _add(place, mapped.answer, is_required=False)
    for node in [mapped.status_node, *mapped.header_nodes.values()]:
        if node is not None:
            _add(root, node, is_required=False)
    return root


def _leaf(root: Element, steps: tuple[str, ...]) -> Element:
    place = root
    for step in steps:
        if step != "#text":
            place = place.child(step)
    return place


def _add(place: Element, node: Node, *, is_required: bool) -> None:
    """Enter what a rule reads and writes below `place`. A node that several rules write is there if one is."""
    if isinstance(node, Constant | Dropped):
        return
    element = _leaf(place, node.steps)
    element.is_nullable = element.is_nullable or node.meant.nullable
    if is_required and len(node.steps) == 1:
        element.is_required = True
    if isinstance(node, Shape):
        for name, inner in node.fields.items():
            stated = name in node.meant.required and (bool(node.steps) or is_required)
            _add(element, inner, is_required=stated)
    elif isinstance(node, Each):
        element.is_repeated = True
        _add(element, node.item, is_required=False)
    elif isinstance(node, Leaf):
        rules = node.chain.rules
        gives = rules[-1].gives if rules else node.meant.kind
        element.kind = _TYPES.get(gives, "xs:string")
        if rules and isinstance(rules[-1], CodesRule) and not rules[-1].keeps_others:
            element.codes = tuple(rules[-1].codes)


# -- writing --------------------------------------------------------------------------------------------
def _declaration(element: Element, *, is_root: bool = False) -> str:
    occurs = ""
    if not is_root:
        occurs += "" if element.is_required else ' minOccurs="0"'
        occurs += ' maxOccurs="unbounded"' if element.is_repeated else ""
        occurs += ' nillable="true"' if element.is_nullable else ""
    name = quoteattr(element.name)
    if element.is_open:
        inner = '<xs:any minOccurs="0" maxOccurs="unbounded" processContents="skip"/>'
        return (
            f"<xs:element name={name}{occurs}><xs:complexType><xs:sequence>{inner}</xs:sequence>"
            "</xs:complexType></xs:element>"
        )
    if element.children:
        return f"<xs:element name={name}{occurs}>{_complex(element)}</xs:element>"
    if element.codes:
        return f"<xs:element name={name}{occurs}>{_enumeration(element)}</xs:element>"
    if is_root:
        return f"<xs:element name={name}><xs:complexType><xs:sequence/></xs:complexType></xs:element>"
    return f'<xs:element name={name} type="{element.kind}"{occurs}/>'


def _complex(element: Element) -> str:
    attributes = [one for one in element.children.values() if one.name[:1] == "@"]
    children = [one for one in element.children.values() if one.name[:1] != "@"]
    said = "".join(_attribute(one) for one in attributes)
    if not children:  # text and attributes
        return (
            f'<xs:complexType><xs:simpleContent><xs:extension base="{element.kind}">{said}'
            "</xs:extension></xs:simpleContent></xs:complexType>"
        )
    return (
        f"<xs:complexType><xs:sequence>{_particles(element, children)}</xs:sequence>{said}</xs:complexType>"
    )


def _particles(element: Element, children: list[Element]) -> str:
    pieces = []
    grouped: set[str] = set()
    for child in children:
        group = next((one for one in element.choices if child.name in one), None)
        if group is None:
            pieces.append(_declaration(child))
        elif child.name not in grouped:
            grouped |= set(group)
            members = [one for one in children if one.name in group]
            for one in members:
                one.is_required = True  # the choice takes one of them
            pieces.append(
                f'<xs:choice minOccurs="0">{"".join(_declaration(one) for one in members)}</xs:choice>'
            )
    return "".join(pieces)


def _attribute(element: Element) -> str:
    use = ' use="required"' if element.is_required else ""
    name = quoteattr(element.name[1:])
    if element.codes:
        return f"<xs:attribute name={name}{use}>{_enumeration(element)}</xs:attribute>"
    return f'<xs:attribute name={name} type="{element.kind}"{use}/>'


def _enumeration(element: Element) -> str:
    values = "".join(f"<xs:enumeration value={quoteattr(code)}/>" for code in element.codes)
    return f'<xs:simpleType><xs:restriction base="xs:string">{values}</xs:restriction></xs:simpleType>'


def _pairs(compiled: CompiledMapping) -> list[tuple[MappedOperation, SoapBinding]]:
    return [
        (one, binding_of(compiled.file, one))
        for one in compiled.operations.values()
        if one.protocol == "soap"
    ]


def schema_of(compiled: CompiledMapping) -> str:
    """The XSD of all messages."""
    namespace = str(compiled.file.settings["soap"].get("namespace", "urn:kaimen:department"))
    elements = []
    for mapped, binding in _pairs(compiled):
        elements.append(_declaration(request_element(mapped, binding), is_root=True))
        elements.append(_declaration(response_element(mapped, binding), is_root=True))
    return (
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace={quoteattr(namespace)} '
        f'elementFormDefault="qualified">{"".join(elements)}</xs:schema>'
    )


def wsdl_of(compiled: CompiledMapping, location: str) -> str:
    """The WSDL 1.1 of the service, its port at `location`."""
    settings = compiled.file.settings["soap"]
    namespace = str(settings.get("namespace", "urn:kaimen:department"))
    name = escape(str(settings.get("service") or "Service"))
    pairs = _pairs(compiled)
    is_12 = any(binding.is_12 for _, binding in pairs)
    soap = "http://schemas.xmlsoap.org/wsdl/soap12/" if is_12 else "http://schemas.xmlsoap.org/wsdl/soap/"
    path = next((binding.path for _, binding in pairs), "/")
    messages, ports, bindings = [], [], []
    for mapped, one in pairs:
        words = quoteattr(mapped.operation.summary)[1:-1]
        messages.append(
            f'<wsdl:message name="{one.request}"><wsdl:part name="parameters" element="tns:{one.request}"/>'
            f'</wsdl:message><wsdl:message name="{one.response}"><wsdl:part name="parameters" '
            f'element="tns:{one.response}"/></wsdl:message>'
        )
        ports.append(
            f'<wsdl:operation name="{one.request}"><wsdl:documentation>{words}</wsdl:documentation>'
            f'<wsdl:input message="tns:{one.request}"/><wsdl:output message="tns:{one.response}"/></wsdl:operation>'
        )
        bindings.append(
            f'<wsdl:operation name="{one.request}"><soap:operation soapAction={quoteattr(one.action)}/>'
            '<wsdl:input><soap:body use="literal"/></wsdl:input><wsdl:output><soap:body use="literal"/>'
            "</wsdl:output></wsdl:operation>"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="{soap}" '
        f'xmlns:tns={quoteattr(namespace)} targetNamespace={quoteattr(namespace)} name="{name}">'
        f"<wsdl:types>{schema_of(compiled)}</wsdl:types>{''.join(messages)}"
        f'<wsdl:portType name="{name}PortType">{"".join(ports)}</wsdl:portType>'
        f'<wsdl:binding name="{name}Binding" type="tns:{name}PortType">'
        f'<soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>{"".join(bindings)}'
        f'</wsdl:binding><wsdl:service name="{name}"><wsdl:port name="{name}Port" binding="tns:{name}Binding">'
        f"<soap:address location={quoteattr(location + path)}/></wsdl:port></wsdl:service></wsdl:definitions>"
    )
