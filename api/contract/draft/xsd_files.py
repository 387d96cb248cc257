"""XSD and WSDL files of one folder, followed through include and import; nothing outside the folder is read."""

from urllib.parse import unquote

from api.contract.draft import notices
from api.contract.draft.parts import Refusal
from api.contract.draft.xml_tree import Element, XmlRefused, parse_xml
from api.contract.files import OutsideError, Source, TooLargeError, UnreadableError, normal_path
from api.contract.report import Report

XS = "{http://www.w3.org/2001/XMLSchema}"
WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
MOST_FILES = 60


class XmlFiles:
    """The schemas and WSDL parts reached from one file."""

    def __init__(self, source: Source, report: Report) -> None:
        self._source = source
        self._report = report
        self._seen: set[tuple[str, str]] = set()
        self.schemas: list[
            tuple[Element, str]
        ] = []  # the schema and its namespace (chameleon includes resolved)
        self.parts: list[Element] = []  # wsdl:definitions

    def root(self, entry: str) -> Element:
        """The root of the entry file. Raises Refusal."""
        found = self._read(entry)
        if found is None:
            raise Refusal(entry)
        return found

    def follow(self, element: Element, file: str) -> None:
        """Take in a schema or WSDL and all that it includes and imports."""
        if element.name == f"{XS}schema":
            self._schema(element, file, element.get("targetNamespace"))
            return
        self.parts.append(element)
        for one in element.children:
            if one.name == f"{WSDL}types":
                for schema in one.children:
                    if schema.name == f"{XS}schema":
                        self._schema(schema, file, schema.get("targetNamespace"))
            elif one.name == f"{WSDL}import":
                self._other(one.get("location"), file, "")

    def _schema(self, schema: Element, file: str, namespace: str) -> None:
        self.schemas.append((schema, namespace))
        for one in schema.children:
            if one.local in {"include", "redefine", "import"} and one.get("schemaLocation"):
                self._other(one.get("schemaLocation"), file, "" if one.local == "import" else namespace)

    def _other(self, location: str, file: str, namespace: str) -> None:
        if "://" in location or location.startswith(("/", "\\")):
            self._report.find(notices.REFERENCE_OUTSIDE, "", file=file, ref=location)
            return
        path = normal_path(unquote(location), file)
        if path is None:
            self._report.find(notices.REFERENCE_OUTSIDE, "", file=file, ref=location)
            return
        if (path, namespace) in self._seen or len(self._seen) > MOST_FILES:
            return
        self._seen.add((path, namespace))
        root = self._read(path)
        if root is not None and root.name == f"{XS}schema":
            self._schema(root, path, root.get("targetNamespace") or namespace)
        elif root is not None:
            self.follow(root, path)

    def _read(self, path: str) -> Element | None:
        try:
            return parse_xml(self._source.read(path))
        except XmlRefused as refused:
            if refused.args[0] == "doctype":
                self._report.find(notices.XML_DOCTYPE, "", file=path)
            else:
                self._report.find(notices.UNREADABLE, "", file=path, reason=refused.args[1])
        except OutsideError:
            self._report.find(notices.REFERENCE_OUTSIDE, "", file=path, ref=path)
        except TooLargeError as error:
            self._report.find(notices.TOO_LARGE, "", file=path, what=path, limit=str(error.args[0]))
        except UnreadableError as error:
            self._report.find(notices.UNREADABLE, "", file=path, reason=f"{path}: {error}")
        return None
