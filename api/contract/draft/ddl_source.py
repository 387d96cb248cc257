"""SQL DDL (`CREATE TABLE`, comments) -> records. Reads the common part of MySQL, PostgreSQL, Oracle, Dameng, SQLite.

It reads statements, it runs none. What stands in a live database comes as the same `Table` (see `tables_to_source`).
"""

import re

from msgspec import Struct, field

from api.contract.draft import notices
from api.contract.draft.csv_source import decoded
from api.contract.draft.guessing import distinct_names, field_of
from api.contract.draft.parts import Field, Record, Refusal, Source
from api.contract.draft.tabular import key_of, resource_of
from api.contract.draft.vocabulary import has_chinese, resource_word
from api.contract.model import JsonObject
from api.contract.report import Report

MAX_BYTES = 4 * 1024 * 1024
MOST_TABLES = 50
MOST_COLUMNS = 500
_TOKEN = re.compile(
    r"""\s+|(?P<text>[nN]?'(?:[^']|'')*')|(?P<name>"(?:[^"]|""){1,200}"|`[^`]{1,200}`|\[[^\]\s]{1,200}\])"""
    r"""|(?P<word>[^\s,();'"`\[\]=<>]+)|(?P<mark>[,();=<>\[\]'"`])"""
)
_COMMENT_OR_TEXT = re.compile(r"--|/\*|'")
_INTEGER = frozenset(
    {
        "int",
        "integer",
        "bigint",
        "smallint",
        "tinyint",
        "mediumint",
        "int2",
        "int4",
        "int8",
        "serial",
        "bigserial",
    }
)
_NUMBER = frozenset(
    {"decimal", "numeric", "number", "float", "double", "real", "float4", "float8", "money", "dec"}
)
_TEXT = frozenset({"varchar", "char", "nvarchar", "nchar", "varchar2", "nvarchar2", "character", "bpchar", "text", "clob", "longtext",
                   "mediumtext", "tinytext", "string", "uuid", "name", "nclob"})  # fmt: skip
_INSTANT = frozenset({"datetime", "timestamp", "timestamptz", "datetime2", "smalldatetime"})
_BINARY = frozenset(
    {
        "blob",
        "bytea",
        "binary",
        "varbinary",
        "longblob",
        "image",
        "raw",
        "geometry",
        "geography",
        "point",
        "mediumblob",
    }
)
_CONSTRAINTS = frozenset(
    {"primary", "unique", "foreign", "constraint", "key", "index", "check", "fulltext", "exclude", "like"}
)
Token = tuple[str, str]  # kind, text


class Column(Struct):
    name: str
    type: str = "text"  # folded base name
    arguments: list[str] = field(default_factory=list)
    comment: str = ""
    is_required: bool = False
    values: list[str] = field(default_factory=list)  # what a CHECK or ENUM allows
    references: tuple[str, str] | None = None  # table, column
    samples: list[str] = field(default_factory=list)


class Table(Struct):
    name: str
    comment: str = ""
    columns: list[Column] = field(default_factory=list)
    key: list[str] = field(default_factory=list)

    def column(self, name: str) -> Column | None:
        return next((one for one in self.columns if one.name.lower() == name.lower()), None)


def read_ddl(data: bytes, file: str, report: Report) -> Source:
    """The records of a DDL file's tables. Raises Refusal."""
    if len(data) > MAX_BYTES:
        report.find(notices.TOO_LARGE, "", file=file, what=file, limit=f"{MAX_BYTES // 1024 // 1024} MB")
        raise Refusal(file)
    text, _ = decoded(data, file, report)
    return tables_to_source(read_tables(text, report), file, report)


def read_tables(text: str, report: Report | None = None) -> list[Table]:
    """The tables that the statements of a text create, with their comments."""
    tables: dict[str, Table] = {}
    for statement in _statements(text):
        _read_statement(statement, tables, report or Report())
    return list(tables.values())


def tables_to_source(tables: list[Table], file: str, report: Report) -> Source:
    """The records of tables, wherever their columns were read. Raises Refusal where there is none."""
    tables = [one for one in tables if one.columns]
    if not tables:
        report.find(notices.EMPTY, "", file=file, what=file)
        raise Refusal(file)
    if len(tables) > MOST_TABLES or sum(len(one.columns) for one in tables) > MOST_COLUMNS * 4:
        report.find(notices.TOO_LARGE, "", file=file, what=f"{len(tables)} tables", limit=MOST_TABLES)
        raise Refusal(file)
    records = [_record(one, report) for one in tables]
    _number_names(records)
    by_table = {record.native.lower(): record for record in records}
    for table, record in zip(tables, records, strict=True):
        _relate(table, record, by_table)
    title = tables[0].comment or records[0].zh
    return Source("table", title, report, records=records, upstream={"file": file})


# --- reading ---------------------------------------------------------------------------------------
def _statements(text: str) -> list[list[Token]]:
    made: list[list[Token]] = [[]]
    for found in _TOKEN.finditer(_without_comments(text)):
        kind = found.lastgroup
        if kind is None:
            continue
        written = found.group(kind)
        if written == ";":
            made.append([])
        elif kind == "text":
            made[-1].append(("text", written[written.index("'") + 1 : -1].replace("''", "'")))
        elif kind == "name":
            made[-1].append(("name", written[1:-1].replace('""', '"')))
        else:
            made[-1].append((kind, written))
    return [one for one in made if one]


def _without_comments(text: str) -> str:
    """The text with a blank for each comment, in one pass; one that nobody closes goes to the end."""
    pieces, at, place = [], 0, 0
    while (found := _COMMENT_OR_TEXT.search(text, place)) is not None:
        mark = found.group()
        closing = {"--": "\n", "/*": "*/", "'": "'"}[mark]
        end = text.find(closing, found.end())
        end = len(text) if end < 0 else end + len(closing)
        if mark != "'":
            pieces += [text[at : found.start()], " "]
            at = end
        place = end
    return "".join([*pieces, text[at:]])


def _read_statement(tokens: list[Token], tables: dict[str, Table], report: Report) -> None:
    heads = [text.lower() for _, text in tokens[:8]]
    if heads[:1] == ["create"] and "table" in heads[:5]:
        start = heads.index("table") + 1
        while start < len(tokens) and tokens[start][1].lower() in {"if", "not", "exists"}:
            start += 1
        _read_table(tokens[start:], tables, report)
    elif heads[:2] == ["comment", "on"] and len(tokens) > 4:
        _read_comment(tokens, tables)
    elif heads and heads[0] not in {"set", "use", "insert", "commit", "begin", "grant", "drop"}:
        report.lose(notices.TABLES, "", what=" ".join(heads[:3]))


def _last_name(tokens: list[Token]) -> str:
    """The last part of `schema.table`, quoted or not."""
    return tokens[-1][1].rpartition(".")[2] or tokens[-1][1] if tokens else ""


def _read_table(tokens: list[Token], tables: dict[str, Table], report: Report) -> None:
    opening = next(
        (place for place, (kind, text) in enumerate(tokens) if kind == "mark" and text == "("), None
    )
    if not opening:
        return
    table = Table(_last_name(tokens[:opening]))
    items, end = _items(tokens, opening)
    for item in items:
        first = item[0][1].lower() if item and item[0][0] == "word" else ""
        if first in _CONSTRAINTS and len(item) > 1:
            _read_constraint(item, table, report)
        elif item:
            _read_column(item, table)
    for place in range(end, len(tokens)):
        if tokens[place][1].lower() == "comment":
            table.comment = next((text for kind, text in tokens[place + 1 : place + 3] if kind == "text"), "")
    tables[table.name.lower()] = table


def _items(tokens: list[Token], opening: int) -> tuple[list[list[Token]], int]:
    """What stands between the outer parentheses, split at its commas, and where they close."""
    items: list[list[Token]] = [[]]
    depth = 0
    for place in range(opening, len(tokens)):
        kind, text = tokens[place]
        if kind == "mark" and text in "()":
            depth += 1 if text == "(" else -1
            if depth == 0:
                return items, place + 1
            if depth == 1 and text == "(" and place == opening:
                continue
        if depth == 1 and kind == "mark" and text == ",":
            items.append([])
        else:
            items[-1].append((kind, text))
    return items, len(tokens)


def _read_column(item: list[Token], table: Table) -> None:
    words_ = [text.lower() for _, text in item]
    column = Column(item[0][1], words_[1] if len(words_) > 1 and item[1][0] == "word" else "text")
    if len(words_) > 2 and words_[2] == "(":
        column.arguments = [
            text
            for kind, text in item[3 : words_.index(")", 3) if ")" in words_[3:] else 4]
            if kind != "mark"
        ]
    if column.type == "enum":
        column.values = list(column.arguments)
    for place, word in enumerate(words_):
        following = words_[place + 1] if place + 1 < len(words_) else ""
        if word == "comment" and place + 1 < len(item) and item[place + 1][0] == "text":
            column.comment = item[place + 1][1]
        elif word == "not" and following == "null":
            column.is_required = True
        elif word == "primary" and following == "key":
            table.key.append(column.name)
        elif word == "references" and place + 1 < len(item):
            target = _last_name([item[place + 1]])
            inner = item[place + 3][1] if place + 3 < len(item) and words_[place + 2] == "(" else ""
            column.references = (target, inner)
        elif word == "check":
            _, column.values = _allowed(item[place:])
    if column.name.lower() in {one.lower() for one in table.key}:
        column.is_required = True
    table.columns.append(column)


def _allowed(item: list[Token]) -> tuple[str, list[str]]:
    """The column and values of `CHECK (x IN ('a', 'b'))`; ("", []) for any other check."""
    texts = [text for kind, text in item if kind == "text"]
    words_ = [text.lower() for kind, text in item if kind in {"word", "name"}]
    is_list = "in" in words_ and texts and not {"and", "or", "between", "like"} & set(words_)
    name = next((text for kind, text in item[1:] if kind in {"word", "name"}), "") if is_list else ""
    return name, texts if is_list else []


def _read_constraint(item: list[Token], table: Table, report: Report) -> None:
    words_ = [text.lower() for _, text in item]
    inner = (
        [text for kind, text in item[words_.index("(") + 1 : words_.index(")")] if kind != "mark"]
        if {"(", ")"} <= set(words_)
        else []
    )
    if "primary" in words_:
        table.key = inner
    elif "foreign" in words_ and "references" in words_:
        place = words_.index("references")
        after = item[place + 1 :]
        target = [text for kind, text in after[2:] if kind != "mark"]
        held = table.column(inner[0]) if len(inner) == 1 else None
        if held is not None and after:
            held.references = (_last_name([after[0]]), target[0] if target else "")
    elif "check" in words_:
        name, values = _allowed(item[words_.index("check") :])
        held = table.column(name)
        if held is not None and values:
            held.values = values
        else:
            report.lose(notices.CONSTRAINT, f"/{table.name}", what=" ".join(text for _, text in item)[:100])


def _read_comment(tokens: list[Token], tables: dict[str, Table]) -> None:
    text = next((one for kind, one in reversed(tokens) if kind == "text"), "")
    what = tokens[2][1].lower()
    path = ".".join(one for _, one in tokens[3:-2]).replace("..", ".").split(".") if len(tokens) > 5 else []
    if what == "table" and path:
        held = tables.get(path[-1].lower())
        if held is not None:
            held.comment = text
    elif what == "column" and len(path) > 1:
        held = tables.get(path[-2].lower())
        column = held.column(path[-1]) if held is not None else None
        if column is not None:
            column.comment = text


# --- records ---------------------------------------------------------------------------------------
def _record(table: Table, report: Report) -> Record:
    fields = []
    for number, column in enumerate(table.columns[:MOST_COLUMNS], start=1):
        place = f"/{table.name}/{column.name}"
        if column.type in _BINARY:
            report.lose(notices.BINARY, place, type=column.type, name=column.name)
            continue
        made = field_of(
            column.name,
            column.comment,
            column.samples,
            number,
            report,
            place,
            _schema_of(column, place, report),
        )
        made.is_required = column.is_required or column.name.lower() in {one.lower() for one in table.key}
        if column.values and not made.kind:
            made.schema = {"type": "string", "enum": column.values}
        fields.append(made)
    distinct_names(fields, report, f"/{table.name}")
    key = ""
    if len(table.key) == 1:
        key = next((one.name for one in fields if one.native.lower() == table.key[0].lower()), "")
    if key and _is_surrogate(next(one for one in fields if one.name == key)):
        key = key_of([one for one in fields if one.name != key and one.is_required], 0) or key
    return Record(
        native=table.name,
        name=_resource_of(table),
        zh=table.comment if has_chinese(table.comment) else "",
        fields=fields,
        key=key or key_of(fields, max((len(one.samples) for one in table.columns), default=0)),
    )


def _resource_of(table: Table) -> str:
    """By the table's name where that is words, else by its comment."""
    plain = resource_of(table.name)
    is_telling = len(plain) > 4 and bool(re.search("[aeiou]", plain)) and plain != "entry"
    return plain if is_telling else resource_word(table.comment) or plain


def _is_surrogate(one: Field) -> bool:
    return one.native.lower() in {"id", "rowid", "pk"} and one.schema.get("type") == "integer"


def _schema_of(column: Column, place: str, report: Report) -> JsonObject:
    base, arguments = column.type, [one for one in column.arguments if one.isdigit()]
    if base in _INTEGER and not (base == "tinyint" and arguments == ["1"]):
        return {"type": "integer"}
    if base in {"boolean", "bool", "tinyint"} or (base == "bit" and arguments in ([], ["1"])):
        return {"type": "boolean"}
    if base in _NUMBER:
        is_whole = (base in {"decimal", "numeric", "number", "dec"} and len(arguments) == 1) or arguments[
            1:
        ] == ["0"]
        return {"type": "integer" if is_whole else "number"}
    if base == "date":
        return {"type": "string", "format": "date"}
    if base in _INSTANT:
        return {"type": "string", "format": "date-time"}
    if base not in _TEXT and base not in {"enum", "time", "year"}:
        report.lose(notices.TYPE, place, type=base, name=column.name)
    bound = (
        int(arguments[0])
        if arguments and base in _TEXT and len(arguments[0]) < 7 and int(arguments[0])
        else 4000
    )
    return {"type": "string", "maxLength": bound}


def _number_names(records: list[Record]) -> None:
    seen: dict[str, int] = {}
    for record in records:
        seen[record.name] = seen.get(record.name, 0) + 1
        if seen[record.name] > 1:
            record.name = f"{record.name}-{seen[record.name]}"


def _relate(table: Table, record: Record, by_table: dict[str, Record]) -> None:
    """Foreign keys to the key of another drafted table become relations."""
    for column in table.columns:
        if column.references is None:
            continue
        target = by_table.get(column.references[0].lower())
        held = next((one for one in record.fields if one.native == column.name), None)
        key = (
            next((one for one in target.fields if one.name == target.key), None)
            if target is not None
            else None
        )
        if target is None or held is None or key is None or key.kind:
            continue
        if column.references[1].lower() in {"", key.native.lower()}:
            held.ref = (f"record:{target.name}", key.name)
