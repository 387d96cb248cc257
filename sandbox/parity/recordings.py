"""Recorded upstream traffic as it is read: one JSON object a line, masked (docs/reference/recording)."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from api.contract.model import Json

FORMAT = "kaimen-recording/1"
MOST = 20_000  # lines of one file


class Given(Struct, frozen=True):
    """One parameter of a call; `masked`: it was there, and its value was not written."""

    name: str
    location: str = msgspec.field(name="in")
    value: Json = None
    masked: bool = False


class Sample(Struct, frozen=True):
    """One call of an upstream."""

    format: str
    at: str
    service: str
    operation: str
    status: int
    parameters: list[Given] = []
    digest: str = ""
    environment: str = ""
    content_type: str = ""
    problem: str = ""
    answer: Json = None
    body: Json = None


class RecordingError(Exception):
    """The file is no recording; the message says where."""


def read_samples(path: Path, service: str) -> Iterator[Sample]:
    """The samples of a service. Raises RecordingError, OSError."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if number > MOST:
                return
            try:
                sample = msgspec.json.decode(line, type=Sample)
            except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
                raise RecordingError(f"{path.name}, line {number}: {fault}") from None
            if sample.format != FORMAT:
                raise RecordingError(
                    f"{path.name}, line {number}: the format is {sample.format[:40]}, not {FORMAT}"
                )
            if sample.service == service:
                yield sample
