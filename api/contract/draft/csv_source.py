"""A CSV file -> one record: separator and encoding found out, the first rows looked at, the rest left alone."""

import csv
import io

from api.contract import gb18030
from api.contract.draft import notices
from api.contract.draft.parts import Refusal, Source
from api.contract.draft.tabular import record_of
from api.contract.report import Report

MOST_ROWS = 5_000
MAX_BYTES = 8 * 1024 * 1024  # that much of a file is looked at, however large it is
_SEPARATORS = ",;\t|"


def read_csv(data: bytes, file: str, report: Report) -> Source:
    """The record of a CSV file's first rows. `data` may be its beginning only. Raises Refusal."""
    is_cut = len(data) >= MAX_BYTES
    text, encoding = decoded(data[:MAX_BYTES], file, report, is_cut=is_cut)
    if "\x00" in text:
        report.find(notices.UNREADABLE, "", file=file, reason="NUL")
        raise Refusal(file)
    lines = text.splitlines(keepends=True)
    if is_cut and lines:
        lines.pop()
    separator = _separator_of(lines[0]) if lines else ","
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO("".join(lines), newline=""), delimiter=separator):
            if any(cell.strip() for cell in row):
                rows.append(row)
            if len(rows) > MOST_ROWS:
                break
    except csv.Error as error:
        report.find(notices.UNREADABLE, "", file=file, reason=str(error))
        raise Refusal(file) from error
    is_sampled = is_cut or len(rows) > MOST_ROWS
    record = record_of(rows[: MOST_ROWS + 1], file, report, is_sampled=is_sampled)
    upstream = {"encoding": encoding, "file": file, "separator": separator}
    return Source("csv", record.zh, report, records=[record], upstream=upstream)


def decoded(data: bytes, file: str, report: Report, *, is_cut: bool = False) -> tuple[str, str]:
    """The text and `utf-8` or `gb18030-2022`. A character cut off at the very end does not count. Raises Refusal."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _of_utf16(data, file, report), "utf-8"
    offset = 0
    for codec, name in (("utf-8-sig", "utf-8"), ("gb18030", "gb18030-2022")):
        for end in (len(data), *(len(data) - cut for cut in range(1, 4) if is_cut)):
            try:
                text = data[:end].decode(codec)
            except UnicodeDecodeError as error:
                offset = error.start
                continue
            if name != "utf-8":
                report.find(notices.ENCODING_READ, "", file=file, encoding="GB18030")
                text = gb18030.decode(data[:end], name).text
            return text, name
    report.find(notices.ENCODING, "", file=file, offset=offset)
    raise Refusal(file)


def _of_utf16(data: bytes, file: str, report: Report) -> str:
    report.find(notices.ENCODING_READ, "", file=file, encoding="UTF-16")
    return data[: len(data) // 2 * 2].decode("utf-16", "replace")


def _separator_of(header: str) -> str:
    counts = {one: header.count(one) for one in _SEPARATORS}
    best = max(counts, key=lambda one: counts[one])
    return best if counts[best] else ","
