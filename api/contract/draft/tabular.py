"""Rows with a header -> one record: names made usable, types and classes guessed, the key found."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from api.contract.draft import notices
from api.contract.draft.guessing import distinct_names, field_of
from api.contract.draft.parts import Field, Record, Refusal
from api.contract.draft.vocabulary import has_chinese, resource_word
from api.contract.naming import singular_slug
from api.contract.report import Report

MOST_COLUMNS = 300
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_KEY_NAMES = ("licence_number", "code", "plate_number")
_KEY_ENDINGS = ("_code", "_number", "_no", "_id")


def record_of(
    rows: Sequence[Sequence[str]], file: str, report: Report, *, is_sampled: bool, title: str = ""
) -> Record:
    """The record of a header and its rows. Raises Refusal where there is no header, or it has a name twice."""
    header = [" ".join(cell.split())[:100] for cell in rows[0]] if rows else []
    while (
        header
        and not header[-1]
        and not any(len(row) >= len(header) and row[len(header) - 1] for row in rows[1:])
    ):
        header.pop()
    if not any(header):
        report.find(notices.EMPTY, "", file=file, what=file)
        raise Refusal(file)
    if len(header) > MOST_COLUMNS:
        report.find(notices.TOO_LARGE, "", file=file, what=f"{len(header)} columns", limit=MOST_COLUMNS)
        raise Refusal(file)
    _check_header(header, file, report)
    body = rows[1:]
    uneven = sum(1 for row in body if len(row) != len(rows[0]) and any(row[len(header) :]))
    if uneven:
        report.find(notices.ROWS_UNEVEN, "", file=file, count=uneven)
    if is_sampled:
        report.find(notices.ROWS_SAMPLED, "", file=file, rows=len(body))
    fields = []
    for number, name in enumerate(header, start=1):
        if not name:
            continue  # nobody could say what it holds
        column = [row[number - 1] if len(row) >= number else "" for row in body]
        one = field_of(name, "", column, number, report, f"/columns/{number}")
        one.is_required = bool(body) and all(cell.strip() for cell in column)
        fields.append(one)
    distinct_names(fields, report, "/columns")
    stem = title or PurePosixPath(file).stem
    return Record(
        native=stem,
        name=resource_of(stem),
        zh=stem if has_chinese(stem) else "",
        fields=fields,
        key=key_of(fields, len(body)),
        rows_read=len(body),
    )


def _check_header(header: list[str], file: str, report: Report) -> None:
    for number, name in enumerate(header, start=1):
        if not name:
            report.find(notices.COLUMN_UNNAMED, f"/columns/{number}", file=file, number=number)
        elif name.startswith(_FORMULA) or not name.isprintable():
            report.find(notices.HEADER_FORMULA, f"/columns/{number}", file=file, number=number)
            header[number - 1] = ""
    twice = {name for name in header if name and header.count(name) > 1}
    for name in sorted(twice):
        report.find(notices.COLUMN_TWICE, "/columns", file=file, native=name)
    if twice or not any(header):
        if not twice:
            report.find(notices.EMPTY, "", file=file, what=file)
        raise Refusal(file)


def resource_of(stem: str) -> str:
    """The resource's name from a file's, table's or sheet's name; `entry` where it has no word that tells."""
    if has_chinese(stem):
        return resource_word(stem) or "entry"
    made = singular_slug(stem)
    for prefix in ("t-", "v-", "tb-", "tbl-", "vw-", "dm-", "ods-", "dwd-"):
        made = made.removeprefix(prefix)
    return (
        made
        if made and made[0].isalpha() and len(made) > 2 and made not in {"record", "data", "table"}
        else "entry"
    )


def key_of(fields: Sequence[Field], rows: int) -> str:
    """The field by which one row is found: an identifier that is present and distinct in every row looked at."""

    def is_unique(one: Field) -> bool:
        return (
            one.schema.get("type") in {"string", "integer"}
            and not one.schema.keys() & {"enum", "format"}
            and (
                not rows
                or (len(one.samples) >= min(rows, 2000) and len(set(one.samples)) == len(one.samples))
            )
        )

    candidates = [one for one in fields if is_unique(one)]
    ranked = [
        *(one for one in candidates if one.name in _KEY_NAMES and not one.kind),
        *(one for one in candidates if one.element),  # a person's number or a company's code, whichever stands first
        *(one for one in candidates if one.name.endswith(_KEY_ENDINGS) and not one.kind),
        *(one for one in candidates if one.name == "plate_number"),
        *(one for one in candidates if rows > 1 and one.name != "name" and not one.kind and one.schema.get("type") == "string"
          and max((len(value) for value in one.samples), default=99) <= 40),
    ]  # fmt: skip
    return ranked[0].name if ranked else ""
