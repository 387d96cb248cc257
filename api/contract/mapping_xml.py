"""XML as a native tree, read without trust and written plainly. Names count, prefixes and comments do not.

No DTD, so no entities but the five of XML; depth, elements and attributes are bounded. An element with neither
attributes nor children is its text, else a dict: `@name` attributes, `#text`, children by local name, a list where
a child stands several times. `xsi:nil="true"` is None.
"""

import re
from typing import Any
from xml.parsers import expat  # the handlers below refuse every DTD before an entity could be declared
from xml.sax.saxutils import escape

DEEPEST = 64
MOST_ELEMENTS = 200_000
MOST_ATTRIBUTES = 64
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_NIL = f"{XSI} nil"
_SCHEMA_LOCATION = {f"{XSI} schemaLocation", f"{XSI} noNamespaceSchemaLocation", f"{XSI} type"}
_NAME = re.compile(r"[^\W\d][\w.\-]*\Z")
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_IN_TEXT = {"\r": "&#13;"}
_IN_ATTRIBUTE = {'"': "&quot;", "\n": "&#10;", "\t": "&#9;", "\r": "&#13;"}


class XmlError(ValueError):
    """No XML, or XML that is not read here. The text says why and where, and quotes nothing."""


class _Frame:
    __slots__ = ("children", "is_nil", "name", "text")

    def __init__(self, name: str) -> None:
        self.name = name
        self.text: list[str] = []
        self.children: dict[str, Any] = {}
        self.is_nil = False


class Element:
    """What was read: local name and namespace of the root, and its tree."""

    __slots__ = ("name", "namespace", "tree")

    def __init__(self, name: str, namespace: str, tree: Any) -> None:
        self.name = name
        self.namespace = namespace
        self.tree = tree


class _Reader:
    def __init__(self) -> None:
        self.stack: list[_Frame] = [_Frame("")]
        self.count = 0
        self.root = ""
        parser = expat.ParserCreate("utf-8", " ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        self.parser = parser

    def _doctype(self, *_: Any) -> None:
        raise XmlError("a DTD stands in it: it is not read")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if self.count > MOST_ELEMENTS:
            raise XmlError(f"more than {MOST_ELEMENTS} elements")
        if len(self.stack) > DEEPEST:
            raise XmlError(f"more than {DEEPEST} levels")
        if len(attributes) > MOST_ATTRIBUTES:
            raise XmlError(f"more than {MOST_ATTRIBUTES} attributes on one element")
        if not self.root:
            self.root = name
        frame = _Frame(name.rpartition(" ")[2])
        for key, value in attributes.items():
            if key == _NIL:
                frame.is_nil = value in {"true", "1"}
            elif key not in _SCHEMA_LOCATION:
                frame.children["@" + key.rpartition(" ")[2]] = value
        self.stack.append(frame)

    def _text(self, text: str) -> None:
        self.stack[-1].text.append(text)

    def _end(self, _: str) -> None:
        frame = self.stack.pop()
        text = "".join(frame.text)
        value: Any = frame.children
        if frame.is_nil:
            value = None
        elif not frame.children:
            value = "" if text and "\n" in text and not text.strip() else text
        elif text.strip():
            frame.children["#text"] = text
        around = self.stack[-1].children
        if frame.name not in around:
            around[frame.name] = value
            return
        present = around[frame.name]
        if isinstance(present, list):
            present.append(value)
        else:
            around[frame.name] = [present, value]


def read_xml(text: str) -> Element:
    """The tree of a document. An encoding that its declaration names is not believed: it was decoded already.

    Raises XmlError.
    """
    reader = _Reader()
    try:
        reader.parser.Parse(text.encode("utf-8", "surrogatepass"), True)
    except expat.ExpatError as error:
        raise XmlError(f"no XML: {expat.ErrorString(error.code)} in line {error.lineno}") from error
    namespace, _, name = reader.root.rpartition(" ")
    return Element(name, namespace, reader.stack[0].children[name])


def write_xml(name: str, tree: Any, *, namespace: str = "") -> str:
    """One element with everything in it. Raises XmlError for a name or a character that XML cannot hold."""
    pieces: list[str] = []
    _write(pieces, name, tree, f' xmlns="{escape(namespace, _IN_ATTRIBUTE)}"' if namespace else "")
    return "".join(pieces)


def _write(pieces: list[str], name: str, value: Any, extra: str = "") -> None:
    if not _NAME.match(name):
        raise XmlError(f"{name[:40]!r} cannot be an element's name")
    if isinstance(value, list):
        for one in value:
            _write(pieces, name, one, extra)
        return
    if value is None:
        pieces.append(f'<{name}{extra} xmlns:xsi="{XSI}" xsi:nil="true"/>')
        return
    if not isinstance(value, dict):
        text = _checked(str(value))
        pieces.append(f"<{name}{extra}>{escape(text, _IN_TEXT)}</{name}>" if text else f"<{name}{extra}/>")
        return
    attributes = {key: one for key, one in value.items() if key[:1] == "@" and one is not None}
    inner = [(key, one) for key, one in value.items() if key[:1] != "@"]
    pieces.append(f"<{name}{extra}")
    pieces += [f' {key[1:]}="{escape(_checked(str(one)), _IN_ATTRIBUTE)}"' for key, one in attributes.items()]
    pieces.append(">" if inner else "/>")
    for key, one in inner:
        if key == "#text":
            pieces.append(escape(_checked(str(one)), _IN_TEXT) if one is not None else "")
        else:
            _write(pieces, key, one)
    if inner:
        pieces.append(f"</{name}>")


def _checked(text: str) -> str:
    found = _UNWRITABLE.search(text)
    if found is not None:
        raise XmlError(f"the character U+{ord(found[0]):04X} cannot stand in XML")
    return text
