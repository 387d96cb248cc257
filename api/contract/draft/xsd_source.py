"""XML Schema -> fields: elements, attributes, extension and groups; what JSON has no word for is told as lost."""

from api.contract.draft import notices, xsd_types
from api.contract.draft.guessing import distinct_names, field_of
from api.contract.draft.parts import Field, Record, Refusal, Source
from api.contract.draft.tabular import key_of, resource_of
from api.contract.draft.vocabulary import has_chinese
from api.contract.draft.xml_tree import Element
from api.contract.draft.xsd_files import XS, XmlFiles
from api.contract.files import Source as FileSource
from api.contract.model import JsonObject
from api.contract.report import Report

MOST_FIELDS = 3_000
MAX_DEPTH = 12
MOST_RECORDS = 30
_KINDS = ("element", "complexType", "simpleType", "group", "attributeGroup", "attribute")


class Types:
    """The declarations of a set of schemas, and what they come to."""

    def __init__(self, files: XmlFiles, report: Report) -> None:
        self._report = report
        self._count = 0
        self._named: dict[tuple[str, str], Element] = {}
        self._heads: set[str] = set()  # of substitution groups
        self.elements: list[tuple[str, Element]] = []
        self.choices: list[list[str]] = []  # native names of the last request's choices
        for schema, namespace in files.schemas:
            for one in schema.children:
                for declared in one.children if one.local == "redefine" else (one,):
                    self._declare(declared, namespace)

    def _declare(self, one: Element, namespace: str) -> None:
        if one.local in _KINDS and one.get("name"):
            name = f"{{{namespace}}}{one.get('name')}" if namespace else one.get("name")
            self._named.setdefault((one.local, name), one)
            if one.local == "element":
                self.elements.append((name, one))
                if one.get("substitutionGroup"):
                    self._heads.add(one.qualified(one.get("substitutionGroup")))

    def find(self, kind: str, name: str) -> Element | None:
        """The declaration of a qualified name; where the namespace is wrong, one of the same local name."""
        found = self._named.get((kind, name))
        local = name.rpartition("}")[2]
        return found or next(
            (
                one
                for (sort, full), one in self._named.items()
                if sort == kind and full.rpartition("}")[2] == local
            ),
            None,
        )

    # --- elements ----------------------------------------------------------------------------------
    def fields_of_element(self, element: Element, pointer: str) -> list[Field]:
        """The members of an element of complex type; [] for one of simple type."""
        self.choices = []
        return self._content(element, pointer, ())

    def field_of_element(self, element: Element, pointer: str, trail: tuple[str, ...] = ()) -> Field | None:
        """The field of one element, None where it cannot be kept."""
        if element.get("ref"):
            name = element.qualified(element.get("ref"))
            target = self.find("element", name)
            if target is None:
                self._report.lose(notices.TYPE_UNKNOWN, pointer, name=element.get("ref"))
                return None
            if name in self._heads:
                self._report.lose(notices.SUBSTITUTION, pointer, name=target.get("name"))
            merged: dict[str, str] = {
                **target.attributes,
                **{key: element.get(key) for key in ("minOccurs", "maxOccurs") if key in element.attributes},
            }
            element = Element(target.name, merged, target.prefixes, target.children, target.text, target.line)
        name = element.get("name")
        place = f"{pointer}/{name}"
        if not self._counted(place):
            return None
        members = self._content(element, place, trail)
        schema = {} if members else self._simple_of(element, place)
        if not members and schema is None:
            return None
        made = self._named_field(name, documentation(element), schema or {}, place, is_object=bool(members))
        made.fields = members
        made.is_required = element.get("minOccurs", "1") != "0"
        made.is_list = element.get("maxOccurs", "1") not in {"0", "1"}
        if element.get("nillable") in {"true", "1"}:
            self._report.lose(notices.NILLABLE, place, name=name)
            made.is_required = False
        for one in element.all("key", "keyref", "unique"):
            self._report.lose(notices.UNIQUE, place, what=one.local, name=one.get("name"))
        return _collapsed(made)

    def _counted(self, pointer: str) -> bool:
        self._count += 1
        if self._count > MOST_FIELDS:
            self._report.find(notices.TOO_LARGE, pointer, what="XSD", limit=f"{MOST_FIELDS} fields")
            raise Refusal(pointer)
        return True

    def _named_field(
        self, native: str, text: str, schema: JsonObject, place: str, *, is_object: bool = False
    ) -> Field:
        made = field_of(
            native,
            text,
            (),
            self._count,
            self._report,
            place,
            {"type": "object"} if is_object else xsd_types.bounded(schema),
        )
        if is_object:
            made.schema, made.level, made.kind, made.mask, made.element, made.ref = {}, "", "", "", "", None
        return made

    def roots(self) -> list[tuple[str, str, list[Field]]]:
        """Name, text and fields of the complex types that no other extends, for a schema without elements."""
        types = [(name, one) for (kind, name), one in self._named.items() if kind == "complexType"]
        bases = {
            part.qualified(part.get("base"))
            for _, one in types
            for part in one.walk()
            if part.local == "extension"
        }
        made = [
            (one.get("name"), documentation(one), self._complex(one, f"/{one.get('name')}", (name,)))
            for name, one in types[:MOST_RECORDS]
            if name not in bases
        ]
        return [(name, text, fields) for name, text, fields in made if fields]

    # --- content of a type -------------------------------------------------------------------------
    def _content(self, element: Element, pointer: str, trail: tuple[str, ...]) -> list[Field]:
        written = element.get("type")
        inner = element.first("complexType")
        name = element.qualified(written) if written else ""
        if inner is None and name and not xsd_types.is_builtin(name):
            inner = self.find("complexType", name)
        if inner is None:
            return []
        if name and (name in trail or len(trail) >= MAX_DEPTH):
            self._report.lose(notices.RECURSIVE, pointer, name=written, depth=len(trail))
            return []
        return self._complex(inner, pointer, (*trail, name) if name else (*trail, f"anonymous:{pointer}"))

    def _complex(self, type_: Element, pointer: str, trail: tuple[str, ...]) -> list[Field]:
        if len(trail) > MAX_DEPTH:
            self._report.lose(notices.RECURSIVE, pointer, name=type_.get("name") or pointer, depth=len(trail))
            return []
        if type_.get("mixed") in {"true", "1"}:
            self._report.lose(notices.MIXED, pointer)
        if type_.get("abstract") in {"true", "1"}:
            self._report.lose(notices.ABSTRACT, pointer, name=type_.get("name"))
        made: list[Field] = []
        for one in type_.children:
            if one.local == "complexContent":
                made += self._derived(one, pointer, trail)
            elif one.local == "simpleContent":
                made += self._simple_content(one, pointer)
            else:
                made += self._part(one, pointer, trail)
        distinct_names(made, self._report, pointer)
        return made

    def _derived(self, content: Element, pointer: str, trail: tuple[str, ...]) -> list[Field]:
        made: list[Field] = []
        for derivation in content.all("extension", "restriction"):
            name = derivation.qualified(derivation.get("base"))
            base = self.find("complexType", name)
            if derivation.local == "extension" and base is not None:
                if name in trail:
                    self._report.lose(
                        notices.RECURSIVE, pointer, name=name.rpartition("}")[2], depth=len(trail)
                    )
                else:
                    made += self._complex(base, pointer, (*trail, name))
            for one in derivation.children:
                made += self._part(one, pointer, trail)
        return made

    def _simple_content(self, content: Element, pointer: str) -> list[Field]:
        made: list[Field] = []
        for derivation in content.all("extension", "restriction"):
            schema = self._simple(derivation.qualified(derivation.get("base")), pointer)
            value = self._named_field("#text", "", schema, pointer)
            value.name, value.en, value.zh, value.is_required = "value", "Value", "值", True
            made.append(value)
            for one in derivation.children:
                made += self._part(one, pointer, ())
        return made

    def _part(self, one: Element, pointer: str, trail: tuple[str, ...]) -> list[Field]:
        """The fields of a particle or attribute of a type."""
        if one.local == "element":
            found = self.field_of_element(one, pointer, trail)
            return [found] if found is not None else []
        if one.local in {"sequence", "all", "choice"}:
            return (
                self._choice(one, pointer, trail)
                if one.local == "choice"
                else self._group(one, pointer, trail)
            )
        if one.local in {"group", "attributeGroup"} and one.get("ref"):
            return self._named_group(one, pointer, trail)
        if one.local == "attribute":
            return self._attribute(one, pointer)
        if one.local == "any":
            self._report.lose(notices.ANY, pointer)
        elif one.local == "anyAttribute":
            self._report.lose(notices.ANY_ATTRIBUTE, pointer)
        return []

    def _named_group(self, one: Element, pointer: str, trail: tuple[str, ...]) -> list[Field]:
        name = f"{one.local}:{one.get('ref')}"
        target = self.find(one.local, one.qualified(one.get("ref")))
        if target is None or name in trail:
            self._report.lose(notices.TYPE_UNKNOWN, pointer, name=one.get("ref"))
            return []
        return [found for part in target.children for found in self._part(part, pointer, (*trail, name))]

    def _group(self, one: Element, pointer: str, trail: tuple[str, ...]) -> list[Field]:
        made = [found for part in one.children for found in self._part(part, pointer, trail)]
        if one.get("maxOccurs", "1") not in {"0", "1"}:
            self._report.lose(notices.OCCURS, pointer)
            for found in made:
                found.is_list = True
        if one.get("minOccurs") == "0":
            for found in made:
                found.is_required = False
        return made

    def _choice(self, one: Element, pointer: str, trail: tuple[str, ...]) -> list[Field]:
        made = self._group(one, pointer, trail)
        for found in made:
            found.is_required = False
        if len(made) > 1:
            self._report.lose(notices.CHOICE, pointer, names=", ".join(found.native for found in made))
            self.choices.append([found.native for found in made])
        return made

    def _attribute(self, one: Element, pointer: str) -> list[Field]:
        if one.get("use") == "prohibited":
            return []
        if one.get("ref"):
            target = self.find("attribute", one.qualified(one.get("ref")))
            if target is None:
                self._report.lose(notices.TYPE_UNKNOWN, pointer, name=one.get("ref"))
                return []
            one = Element(
                target.name, {**target.attributes, "use": one.get("use")}, target.prefixes, target.children
            )
        self._counted(pointer)
        made = self._named_field(
            one.get("name"), documentation(one), self._simple_of(one, pointer) or {"type": "string"}, pointer
        )
        made.native = f"@{one.get('name')}"
        made.is_attribute, made.is_required = True, one.get("use") == "required"
        return [made]

    # --- simple types ------------------------------------------------------------------------------
    def _simple_of(self, element: Element, pointer: str) -> JsonObject | None:
        """The schema of an element's or attribute's simple type; None for one that has no content at all."""
        inner = element.first("simpleType")
        if inner is not None:
            return self._restriction(inner, pointer, 0)
        if element.get("type"):
            name = element.qualified(element.get("type"))
            return (
                None
                if self.find("complexType", name) is not None and not xsd_types.is_builtin(name)
                else self._simple(name, pointer)
            )
        return None if element.first("complexType") is not None else {"type": "string"}

    def _simple(self, name: str, pointer: str, depth: int = 0) -> JsonObject:
        if xsd_types.is_builtin(name) or not name:
            return xsd_types.builtin(name.removeprefix(XS))
        found = self.find("simpleType", name)
        if found is not None and depth < MAX_DEPTH:
            return self._restriction(found, pointer, depth + 1)
        complex_ = self.find("complexType", name)
        content = complex_.first("simpleContent") if complex_ is not None else None
        if content is not None and depth < MAX_DEPTH:
            base = next((one for one in content.children if one.get("base")), None)
            return (
                self._simple(base.qualified(base.get("base")), pointer, depth + 1)
                if base is not None
                else {"type": "string"}
            )
        self._report.lose(notices.TYPE_UNKNOWN, pointer, name=name.rpartition("}")[2])
        return {"type": "string"}

    def _restriction(self, type_: Element, pointer: str, depth: int) -> JsonObject:
        for one in type_.children:
            if one.local == "restriction":
                inner = one.first("simpleType")
                is_deep = depth > MAX_DEPTH
                base = (
                    self._restriction(inner, pointer, depth + 1)
                    if inner is not None and not is_deep
                    else self._simple(one.qualified(one.get("base")), pointer, depth)
                )
                return xsd_types.restrict(base, one.children, pointer, self._report)
            if one.local == "union":
                self._report.lose(notices.UNION, pointer)
                return {"type": "string"}
        return {"type": "string"}


def documentation(element: Element) -> str:
    """The first documentation of a declaration, in one line."""
    annotation = element.first("annotation")
    found = annotation.first("documentation") if annotation is not None else None
    return " ".join(found.text.split())[:300] if found is not None else ""


def _collapsed(made: Field) -> Field:
    """An object that only wraps one list is that list: `CYLB/CY`."""
    if (
        len(made.fields) == 1
        and made.fields[0].is_list
        and not made.is_list
        and not made.fields[0].is_attribute
    ):
        inner = made.fields[0]
        inner.native = f"{made.native}/{inner.native}"
        inner.name, inner.is_required = made.name, made.is_required
        inner.zh, inner.en = made.zh or inner.zh, made.en or inner.en
        return inner
    return made


def read_xsd(source: FileSource, entry: str, report: Report) -> Source:
    """A record for each root element of a schema: one that no other element refers to. Raises Refusal."""
    files = XmlFiles(source, report)
    root = files.root(entry)
    if root.name != f"{XS}schema":
        report.find(notices.UNREADABLE, "", file=entry, reason=f"<{root.local}> is no XML Schema")
        raise Refusal(entry)
    files.follow(root, entry)
    types = Types(files, report)
    referred = {
        one.qualified(one.get("ref"))
        for schema, _ in files.schemas
        for one in schema.walk()
        if one.local == "element" and one.get("ref")
    }
    records: list[Record] = []
    for name, element in types.elements:
        if name in referred or len(records) >= MOST_RECORDS:
            continue
        fields = types.fields_of_element(element, f"/{element.get('name')}")
        if fields:
            text = documentation(element)
            records.append(_record(element.get("name"), text, fields))
    if not records:
        records = [_record(native, text, fields) for native, text, fields in types.roots()]
    if not records:
        report.find(notices.EMPTY, "", file=entry, what=entry)
        raise Refusal(entry)
    title = documentation(root) or records[0].zh
    upstream = {"file": entry, "format": "xml", "namespace": root.get("targetNamespace")}
    return Source("xsd", title, report, records=records, upstream=upstream)


def _record(native: str, text: str, fields: list[Field]) -> Record:
    """A root element; where it only wraps one list of objects, a row is what the list holds."""
    inner = fields[0]
    if len(fields) == 1 and inner.is_list and inner.fields:
        native, fields = f"{native}/{inner.native}", inner.fields
        text = text or inner.zh
    return Record(
        native=native,
        name=resource_of(native.rpartition("/")[2]),
        zh=text if has_chinese(text) else "",
        fields=fields,
        key=key_of([one for one in fields if not one.is_object and not one.is_list and one.is_required], 0),
    )
