"""How the platform's own contract tells the three forms of an upload (files, a zip, JSON)."""

from dataclasses import dataclass

from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

_TEXT = OpenAPIType.STRING
_OPTIONS = {
    "entry": Schema(type=_TEXT, description="The entry document among the files; empty where it is clear."),
    "organisation": Schema(type=_TEXT, description="Slug or id of the owning department; empty: one's own."),
    "name": Schema(type=_TEXT, max_length=40, description="Service name instead of the proposed one."),
    "validate_only": Schema(type=OpenAPIType.BOOLEAN, description="Report everything, store nothing."),
}
_FORM = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "files": Schema(
            type=OpenAPIType.ARRAY,
            items=Schema(type=_TEXT, format=OpenAPIFormat.BINARY),
            description="The document and the files it refers to, or one ZIP archive. Field names do not matter.",
        ),
        "overlay": Schema(type=_TEXT, description="An OpenAPI Overlay 1.0 document, as JSON."),
        **_OPTIONS,
    },
)
_JSON = Schema(
    type=OpenAPIType.OBJECT,
    required=["files"],
    additional_properties=False,
    properties={
        "files": Schema(
            type=OpenAPIType.OBJECT,
            additional_properties=Schema(type=_TEXT),
            description="The text of each file by its relative path.",
        ),
        "overlay": Schema(type=OpenAPIType.OBJECT, description="An OpenAPI Overlay 1.0 document."),
        **_OPTIONS,
    },
)


@dataclass
class UploadOperation(Operation):
    """An operation whose body is read by `routes_contracts.read_upload`."""

    def __post_init__(self) -> None:
        self.request_body = RequestBody(
            description="At most 20 MB, unpacked too.",
            content={
                "application/json": OpenAPIMediaType(schema=_JSON),
                "multipart/form-data": OpenAPIMediaType(schema=_FORM),
                "application/zip": OpenAPIMediaType(schema=Schema(type=_TEXT, format=OpenAPIFormat.BINARY)),
            },
        )
