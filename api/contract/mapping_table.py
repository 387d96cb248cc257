"""Tables in files, CSV and fixed width: read into rows of text, found by columns, and written."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field

from api.contract.gb18030 import Undecodable, decode, encode
from api.contract.model import JsonObject

MOST_ROWS = 1_000_000


class TableError(ValueError):
    """A file that is none of the kind that the mapping says. The text names line and reason."""


class Table(Struct):
    """A file as read."""

    rows: list[dict[str, str]]
    stamp: tuple[int, int, int]
    undecodable: tuple[Undecodable, ...] = ()
    count: int = 0  # undecodable places
    indexes: dict[tuple[str, ...], dict[tuple[str, ...], list[dict[str, str]]]] = field(default_factory=dict)

    def find(self, wanted: dict[str, str]) -> list[dict[str, str]]:
        """The rows whose columns hold these values, in the order of the file."""
        columns = tuple(sorted(wanted))
        if not columns:
            return self.rows
        index = self.indexes.get(columns)
        if index is None:
            index = {}
            for row in self.rows:
                index.setdefault(tuple(row.get(name, "") for name in columns), []).append(row)
            self.indexes[columns] = index
        return index.get(tuple(wanted[name] for name in columns), [])


def table_of(data: bytes, settings: JsonObject, encoding: str, stamp: tuple[int, int, int]) -> Table:
    """Read the bytes of a file. Raises TableError, LookupError (encoding)."""
    decoded = decode(data, encoding)
    form = str(settings.get("format", "csv"))
    if form == "csv":
        rows = list(_csv_rows(decoded.text, settings))
    elif form == "fixed":
        rows = list(_fixed_rows(data, settings, encoding))
    else:
        raise TableError(f"the format is csv or fixed, not {form}")
    return Table(rows, stamp, decoded.undecodable, decoded.count)


def _csv_rows(text: str, settings: JsonObject) -> Iterator[dict[str, str]]:
    delimiter = str(settings.get("delimiter", ","))
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter="\t" if delimiter == "tab" else delimiter, strict=True
    )
    columns = settings.get("columns")
    names = [str(name) for name in columns] if columns and not settings.get("header", not columns) else None
    try:
        for row in reader:
            if names is None:
                names = [name.strip() for name in row]
                continue
            if not row:
                continue
            if len(row) != len(names):
                raise TableError(f"line {reader.line_num} has {len(row)} columns, not {len(names)}")
            if reader.line_num > MOST_ROWS:
                raise TableError(f"more than {MOST_ROWS} lines")
            yield dict(zip(names, row, strict=True))
    except csv.Error as error:
        raise TableError(f"line {reader.line_num}: {error}") from error


def _fixed_rows(data: bytes, settings: JsonObject, encoding: str) -> Iterator[dict[str, str]]:
    """Lines of columns by width; widths count bytes, as such files do, or characters (`unit: chars`)."""
    columns = settings.get("columns")
    if not isinstance(columns, dict) or not columns:
        raise TableError("a fixed format needs columns: {NAME: width}")
    widths = {str(name): int(width) for name, width in columns.items()}
    in_bytes = settings.get("unit", "bytes") == "bytes"
    lines: list[Any] = data.split(b"\n") if in_bytes else decode(data, encoding).text.split("\n")
    skip = int(settings.get("skip", 0))
    for number, raw in enumerate(lines[skip:], start=skip + 1):
        line = raw.rstrip(b"\r") if isinstance(raw, bytes) else raw.rstrip("\r")
        if not line:
            continue
        if number > MOST_ROWS:
            raise TableError(f"more than {MOST_ROWS} lines")
        row: dict[str, str] = {}
        at = 0
        for name, width in widths.items():
            piece = line[at : at + width]
            row[name] = (decode(piece, encoding).text if isinstance(piece, bytes) else piece).rstrip(" ")
            at += width
        if len(line) > at:
            raise TableError(f"line {number} is longer than its columns")
        yield row


def write_table(rows: list[dict[str, Any]], settings: JsonObject, encoding: str, columns: list[str]) -> bytes:
    """The bytes of a table, what `table_of` reads. Raises TableError for a value wider than its column."""
    if str(settings.get("format", "csv")) == "csv":
        out = io.StringIO(newline="")
        delimiter = str(settings.get("delimiter", ","))
        writer = csv.writer(out, delimiter="\t" if delimiter == "tab" else delimiter, lineterminator="\r\n")
        writer.writerow(columns)
        writer.writerows([["" if row.get(name) is None else row[name] for name in columns] for row in rows])
        return encode(out.getvalue(), encoding)
    widths = {str(name): int(width) for name, width in settings["columns"].items()}
    lines = []
    for row in rows:
        pieces = []
        for name, width in widths.items():
            piece = encode("" if row.get(name) is None else str(row[name]), encoding)
            if len(piece) > width:
                raise TableError(f"{name} takes {len(piece)} bytes, its column has {width}")
            pieces.append(piece.ljust(width))
        lines.append(b"".join(pieces))
    return b"\r\n".join(lines) + b"\r\n"
