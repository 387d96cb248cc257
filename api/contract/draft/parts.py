"""What every source of a draft is read into: fields, records, calls, and what was found and lost on the way.

A source (WSDL, XSD, table, CSV, spreadsheet, samples) knows its own format only; `composing` and `mapping_out`
know the contract and the mapping only; between them stand these parts.
"""

from typing import Any

from msgspec import Struct, field

from api.contract.model import JsonObject
from api.contract.report import Report


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, no error
    """The source cannot be drafted from; the report holds the finding that says why."""


class Field(Struct):
    """One property of the contract and what it is called in the department's system.

    `schema` is the JSON Schema of the value without texts; for an object it is empty and `fields` holds the
    members. `rule` is the value rule of the mapping ("date yyyyMMdd"), `codes` contract value -> native code.
    """

    native: str
    name: str
    schema: JsonObject = field(default_factory=dict)
    zh: str = ""
    en: str = ""
    is_required: bool = False
    is_list: bool = False
    is_attribute: bool = False
    level: str = ""  # "" = no classification
    kind: str = ""
    mask: str = ""
    element: str = ""
    ref: tuple[str, str] | None = None  # operation, parameter
    rule: str = ""
    codes: dict[str, str] = field(default_factory=dict)
    fields: list["Field"] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)  # never written anywhere: they may be people's data

    @property
    def is_object(self) -> bool:
        return bool(self.fields) or self.schema.get("type") == "object"


class Record(Struct):
    """Rows of one kind: a table, a sheet, a file."""

    native: str
    name: str  # the resource, singular, hyphenated
    zh: str
    fields: list[Field]
    key: str = ""  # name of the field by which one row is found, "" where there is none
    rows_read: int = 0


class Call(Struct):
    """One operation that the department's system has."""

    native: str
    name: str  # the verb and resource as words: "get-person"
    zh: str
    en: str
    request: list[Field]
    answer: list[Field]
    action: str = ""  # SOAPAction
    request_element: str = ""
    answer_element: str = ""
    namespace: str = ""
    at: str = ""  # where the answer's data lie in the native answer
    outcome: JsonObject = field(default_factory=dict)  # what the answer says of how it went


class Source(Struct):
    """What one source came to. `upstream` is what its mapping says of the system (protocol, names)."""

    kind: str
    title: str  # of the service, in the source's own language
    report: Report
    records: list[Record] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    upstream: dict[str, Any] = field(default_factory=dict)
