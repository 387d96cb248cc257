"""XML -> elements with namespaces, hardened: no DOCTYPE, no entities, no network, bounded in size and depth.

Qualified names are `{namespace}local`; every element knows the prefixes in force, for XSD writes names into values.
Source: CWE-611 (external entities), CWE-776 (entity expansion).
"""

from collections.abc import Callable, Iterator
from xml.parsers import expat

from msgspec import Struct, field

MAX_BYTES = 20 * 1024 * 1024
MAX_ELEMENTS = 300_000
MAX_DEPTH = 100


class XmlRefused(Exception):  # noqa: N818 - a refusal is an answer, no error
    """The XML cannot be read; args[0] is `doctype`, `syntax` or `bound`, args[1] says what."""


class Element(Struct):
    """One element. `prefixes` maps those in force here to namespaces, "" being the default one."""

    name: str
    attributes: dict[str, str]
    prefixes: dict[str, str]
    children: list["Element"] = field(default_factory=list)
    text: str = ""
    line: int = 0

    @property
    def local(self) -> str:
        return self.name.rpartition("}")[2]

    @property
    def namespace(self) -> str:
        return self.name[1:].partition("}")[0] if self.name.startswith("{") else ""

    def get(self, name: str, otherwise: str = "") -> str:
        return self.attributes.get(name, otherwise)

    def all(self, *locals_: str) -> list["Element"]:
        """The children of these local names."""
        return [one for one in self.children if one.local in locals_]

    def first(self, local: str) -> "Element | None":
        return next((one for one in self.children if one.local == local), None)

    def walk(self) -> Iterator["Element"]:
        """This element and all below it, in document order."""
        stack = [self]
        while stack:
            one = stack.pop()
            yield one
            stack.extend(reversed(one.children))

    def qualified(self, written: str) -> str:
        """A name as written in a value (`tns:Person`) as `{namespace}Person`."""
        prefix, colon, local = written.strip().rpartition(":")
        namespace = self.prefixes.get(prefix if colon else "", "")
        return f"{{{namespace}}}{local}" if namespace else local


def hardened(start: Callable[[str, list[str]], None], end: Callable[[str], None], text: Callable[[str], None]) -> expat.XMLParserType:  # fmt: skip
    """A streaming parser that refuses document types and entities. Names come as `namespace local`."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.ordered_attributes = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    return parser


def _refuse(*_arguments: object) -> int:
    raise XmlRefused("doctype", "")


def parse_xml(data: bytes) -> Element:
    """The root element. Raises XmlRefused."""
    if len(data) > MAX_BYTES:
        raise XmlRefused("bound", f"{MAX_BYTES // 1024 // 1024} MB")
    builder = _Builder()
    try:
        builder.parser.Parse(_readable(data), True)
    except expat.ExpatError as error:
        raise XmlRefused("syntax", str(error)) from error
    if builder.root is None:
        raise XmlRefused("syntax", "no element")
    return builder.root


def _readable(data: bytes) -> bytes:
    """Expat knows no Chinese encodings: such a document is given to it as UTF-8."""
    head = data[:200].lower()
    if b"encoding" in head and any(name in head for name in (b"gbk", b"gb2312", b"gb18030")):
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError as error:
            raise XmlRefused("syntax", f"not GB18030 at byte {error.start}") from error
        declaration, _, rest = text.partition("?>")
        return rest.encode() if declaration.lstrip().startswith("<?xml") else text.encode()
    return data


class _Builder:
    def __init__(self) -> None:
        self.parser = hardened(self._start, self._end, self._text)
        self.parser.StartNamespaceDeclHandler = self._declare
        self.root: Element | None = None
        self._open: list[Element] = []
        self._declared: dict[str, str] = {}
        self._count = 0

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        self._declared[prefix or ""] = uri or ""

    def _start(self, name: str, attributes: list[str]) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise XmlRefused("bound", f"{MAX_ELEMENTS} elements")
        if len(self._open) >= MAX_DEPTH:
            raise XmlRefused("bound", f"{MAX_DEPTH} levels")
        above = self._open[-1].prefixes if self._open else {}
        pairs = dict(zip(attributes[::2], attributes[1::2], strict=True))
        made = Element(
            name=_clark(name),
            attributes={_clark(key): value for key, value in pairs.items()},
            prefixes={**above, **self._declared} if self._declared else above,
            line=self.parser.CurrentLineNumber,
        )
        self._declared = {}
        if self._open:
            self._open[-1].children.append(made)
        else:
            self.root = made
        self._open.append(made)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _text(self, data: str) -> None:
        self._open[-1].text += data


def _clark(name: str) -> str:
    namespace, space, local = name.rpartition(" ")
    return f"{{{namespace}}}{local}" if space else name
