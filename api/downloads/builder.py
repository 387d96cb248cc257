"""What downloads asks of whoever can write SDKs; the composition root fills it in."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct


class Choice(Struct, frozen=True):
    """Operations and the highest level of fields, by service key (`company@v1`)."""

    operations: dict[str, tuple[str, ...]]
    levels: dict[str, str]


class Order(Struct, frozen=True):
    """What to build. `documents` are published contracts by service key; the others those of the release before."""

    documents: dict[str, str]
    choice: Choice
    language: str
    package: str
    documents_before: dict[str, str] = {}
    choice_before: Choice | None = None


class Plan(Struct, frozen=True):
    """What will come of an order: digest of its model, the part of the version to raise, and why."""

    digest: str
    part: str  # first, major, minor or patch
    changes: list[dict[str, str]]


class Decision(Struct, frozen=True):
    """The version to write, "" for none: it is there already."""

    version: str
    changelog: str = ""


class FileFacts(Struct, frozen=True):
    size: int
    sha256: str
    sha512: str
    sha1: str
    md5: str


class Made(Struct, frozen=True):
    """What was written: the name in the language's registry, what the registry tells, and the files."""

    name: str
    facts: dict[str, Any]
    files: dict[str, FileFacts]


class BuildError(Exception):
    """The builder gave up; its text is for the log, `reason` for people: timeout or failed."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class SdkBuilder(Protocol):
    """Writes packages outside the serving process, and signs."""

    def languages(self) -> tuple[str, ...]:
        """The languages that can be made here."""
        ...

    def generator_digest(self, language: str) -> str:
        """Of everything that decides what the bytes are, besides the order."""
        ...

    def name_of(self, language: str, package: str, version: str) -> str:
        """The package's name in the language's registry."""
        ...

    async def build(
        self,
        order: Order,
        folder: Path,
        decide: Callable[[Plan], Awaitable[Decision]],
        step: Callable[[str], None],
    ) -> Made | None:
        """Write the files into the folder; None where the decision wants none. Raises BuildError."""
        ...

    def checksums_of(self, folder: Path, names: list[str]) -> bytes:
        """SHA256SUMS of these files."""
        ...

    def sign(self, data: bytes) -> bytes:
        """The detached signature of the installation's key."""
        ...

    def public_key(self) -> bytes:
        """The key that signatures are checked with, PEM."""
        ...
