"""Texts of a contract in the reader's language, where they stand deeper than the model goes: parameters, responses."""

from typing import Any

from api.contract.model import Operation, Parameter, Response, Service
from portal.shelf import described


class OperationTexts:
    """Looks a description up in the published document; what has no text of its own keeps the contract's."""

    def __init__(self, service: Service, operation: Operation, language: str) -> None:
        self._document = service.document
        self._language = language
        found = self._at(operation.pointer)
        raw = found if isinstance(found, dict) else {}
        self._responses = raw.get("responses", {})
        self._parameters = {}
        for one in raw.get("parameters", ()):
            resolved = self._resolved(one)
            if isinstance(resolved, dict):
                self._parameters[(str(resolved.get("in")), str(resolved.get("name")))] = resolved

    def parameter(self, one: Parameter) -> str:
        """The description of a parameter, else of its schema."""
        raw = self._parameters.get((one.location, one.name), {})
        return described(raw, self._language) or one.description or described(one.schema, self._language)

    def response(self, one: Response) -> str:
        """The description of a response."""
        raw = self._resolved(self._responses.get(one.status))
        return (described(raw, self._language) if isinstance(raw, dict) else "") or one.description

    def _resolved(self, value: Any) -> Any:
        for _ in range(10):
            if not isinstance(value, dict) or not isinstance(value.get("$ref"), str):
                return value
            value = self._at(value["$ref"].partition("#")[2])
        return None

    def _at(self, pointer: str) -> Any:
        """The value at a JSON pointer of the document, None where there is nothing. Source: RFC 6901."""
        value: Any = self._document
        for part in pointer.split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if isinstance(value, dict):
                value = value.get(key)
            elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
                value = value[int(key)]
            else:
                return None
        return value
