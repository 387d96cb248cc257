"""What the platform API says of registered GraphQL documents."""

from typing import Annotated

from msgspec import Meta, Struct


class NewDocument(Struct):
    """A document to register."""

    document: Annotated[str, Meta(min_length=1, max_length=32768, description="The text of the document.")]
    label: Annotated[str, Meta(max_length=100, description="What it is for.")] = ""


class DocumentItem(Struct):
    """A registered document."""

    digest: str
    label: str
    document: str
    created_at: str


class DocumentList(Struct):
    """The documents of an app, and whether it runs nothing else."""

    items: list[DocumentItem]
    is_exclusive: bool


class ListSetting(Struct):
    """Whether the app runs registered documents alone."""

    is_exclusive: bool
