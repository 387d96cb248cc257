"""Tables of a live database -> the columns, comments and some rows that a draft is guessed from. Reads, never writes.

Addresses: `sqlite:///path/to/file.db?table=t_permit` and `postgresql://user@host/db?table=t_permit` (several tables
with commas; none: all of them). The password comes from PGPASSWORD or the address.
"""

import asyncio
import sqlite3
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from api.contract.draft.ddl_source import MOST_TABLES, Column, Table, read_tables

SAMPLE_ROWS = 500
_CONNECT_SECONDS = 10
_QUERY_SECONDS = 30
_COLUMNS = """
SELECT c.table_schema, c.table_name, c.column_name, c.data_type, c.character_maximum_length AS length, c.numeric_scale AS scale,
       c.is_nullable = 'NO' AS required, col_description(format('%I.%I', c.table_schema, c.table_name)::regclass, c.ordinal_position::int) AS comment,
       obj_description(format('%I.%I', c.table_schema, c.table_name)::regclass, 'pg_class') AS about
FROM information_schema.columns c
WHERE c.table_schema NOT IN ('pg_catalog', 'information_schema')
ORDER BY c.table_schema, c.table_name, c.ordinal_position
"""
_KEYS = """
SELECT k.table_schema, k.table_name, k.column_name
FROM information_schema.table_constraints t JOIN information_schema.key_column_usage k USING (constraint_schema, constraint_name)
WHERE t.constraint_type = 'PRIMARY KEY' ORDER BY k.ordinal_position
"""


class LiveTableError(Exception):
    """The database cannot be read; the text says why, without a password."""


def is_address(text: str) -> bool:
    return text.startswith(("sqlite://", "postgresql://", "postgres://"))


def read_live(address: str) -> list[Table]:
    """The tables that the address names. Raises LiveTableError."""
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise LiveTableError(f"no address: {error}") from error
    wanted = [name for one in parse_qs(parts.query).get("table", []) for name in one.split(",") if name]
    tables = (
        _of_sqlite(unquote(parts.path.removeprefix("/") if not parts.netloc else parts.path), wanted)
        if parts.scheme == "sqlite"
        else asyncio.run(_of_postgresql(parts._replace(query="").geturl(), wanted))
    )
    if not tables:
        raise LiveTableError(f"no such table: {', '.join(wanted) or 'there are none'}")
    return tables[:MOST_TABLES]


def _of_sqlite(path: str, wanted: list[str]) -> list[Table]:
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=_CONNECT_SECONDS)
        try:
            rows = connection.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            ).fetchall()
            made = read_tables("".join(f"{sql};\n" for name, sql in rows if not wanted or name in wanted))
            for table in made:
                found = connection.execute(f"SELECT * FROM {_quoted(table.name)} LIMIT {SAMPLE_ROWS}")  # noqa: S608 - quoted, from the catalogue
                names = [one[0] for one in found.description]
                _give_samples(table, [dict(zip(names, row, strict=True)) for row in found.fetchall()])
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise LiveTableError(f"SQLite: {error}") from error
    return made


async def _of_postgresql(address: str, wanted: list[str]) -> list[Table]:
    import asyncpg  # brings memory: for this kind of address only
    from asyncpg.exceptions import InterfaceError, PostgresError

    try:
        connection = await asyncpg.connect(  # type: ignore[no-untyped-call]  # the package has no types
            address, timeout=_CONNECT_SECONDS, command_timeout=_QUERY_SECONDS
        )
        try:
            async with connection.transaction(readonly=True):
                made: dict[tuple[str, str], Table] = {}
                for row in await connection.fetch(_COLUMNS):
                    place = (row["table_schema"], row["table_name"])
                    if not wanted or row["table_name"] in wanted:
                        table = made.setdefault(place, Table(row["table_name"], row["about"] or ""))
                        table.columns.append(_column(row))
                for row in await connection.fetch(_KEYS):
                    if (row["table_schema"], row["table_name"]) in made:
                        made[row["table_schema"], row["table_name"]].key.append(row["column_name"])
                for (schema, name), table in made.items():
                    statement = f"SELECT * FROM {_quoted(schema)}.{_quoted(name)} LIMIT {SAMPLE_ROWS}"  # noqa: S608 - quoted, from the catalogue
                    _give_samples(table, [dict(row) for row in await connection.fetch(statement)])
        finally:
            await connection.close()
    except (OSError, TimeoutError, ValueError, PostgresError, InterfaceError) as error:
        raise LiveTableError(f"PostgreSQL: {str(error)[:200] or type(error).__name__}") from error
    return list(made.values())


def _column(row: Any) -> Column:
    base = str(row["data_type"]).split(" ", maxsplit=1)[0].lower()
    arguments = (
        [str(row["length"])]
        if row["length"]
        else (["38", "0"] if base == "numeric" and row["scale"] == 0 else [])
    )
    return Column(
        row["column_name"], base, arguments, row["comment"] or "", is_required=bool(row["required"])
    )


def _give_samples(table: Table, rows: list[dict[str, Any]]) -> None:
    for column in table.columns:
        values = [row.get(column.name) for row in rows]
        column.samples = [str(one) for one in values if one is not None and not isinstance(one, bytes)]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
