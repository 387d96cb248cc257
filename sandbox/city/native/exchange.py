"""The departments that open no server: a view in an exchange database (`tables`), tables in a drop folder.

The department keeps them current: at seed time it writes what the mapping's `fill` names, and before a call of an
app whose state or clock differs it writes what that app would see, beside the state's id and the clock. What the
connector then reads is the database or the file, and nothing else.
"""

import time
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from api.contract.mapping import CompiledMapping, MappedOperation, write_request
from api.contract.mapping_shapes import ROWS, ShapeError
from api.contract.mapping_table import table_of, write_table
from api.contract.model import JsonObject, Operation
from api.core.upstream_headers import Told
from api.gateway.connector import Connector, Context, Request, Result
from sandbox.city.base import City, CityFile, CityMissing
from sandbox.city.native.behind import Native, context_of, native_of, request_of
from sandbox.city.native.tables import DAY_SECONDS, Answered, Tables, TablesFactory
from sandbox.city.state import States

DATABASES = "city/exchange"  # below KAIMEN_HOME
DROPS = "city/drop"
_MOST_KNOWN = 20_000
_AT_ONCE = 200  # answers in a transaction at seed time


class Kept(Struct, frozen=True):
    """What keeping current came to: an answer that no table can hold, or marks for the answer that is read."""

    whole: Result | None = None
    marks: list[tuple[bytes, bytes]] = []


_NOTHING = Kept()


class KeptCurrent:
    """A connector to a view or a file of the city, before which the department brings it up to date."""

    keeps_deadline = True

    def __init__(self, inner: Any, keeper: "Keeper") -> None:
        self._inner = inner
        self._keeper = keeper
        self.guard = inner.guard

    async def call(self, operation: Operation, request: Request, context: Context) -> Result:
        """See Connector.call."""
        kept = await self._keeper.keep(operation, request, context)
        if kept.whole is not None:
            return kept.whole
        result: Result = await self._inner.call(operation, request, context)
        result.headers += kept.marks
        return result

    async def health(self) -> bool:
        """Whether the view or the folder is there."""
        return bool(await self._inner.health())

    async def close(self) -> None:
        await self._inner.close()
        self._keeper.close()


class Keeper:
    """Keeps the view or the files of one department current."""

    def __init__(
        self,
        compiled: CompiledMapping,
        department: Connector,
        states: States,
        city: CityFile,
        home: Path,
        tables: TablesFactory,
    ) -> None:
        slug = compiled.service.department or compiled.service.name
        self._compiled = compiled
        self._department = department
        self._states = states
        self._city = city
        self._known: OrderedDict[tuple[Any, ...], tuple[tuple[Any, ...], Kept]] = OrderedDict()
        self.tables: Tables = tables(slug)
        self.folder = home / DROPS / slug

    async def keep(self, operation: Operation, request: Request, context: Context) -> "Kept":
        """See to it that the answer to this call is there. An answer that no table can hold is given back."""
        mapped = self._compiled.operations.get(operation.id)
        if mapped is None or mapped.protocol not in {"sql", "files"}:
            return _NOTHING
        if mapped.protocol == "files":  # one file for all: no app's own state reaches it
            context = replace(context, state_id="", app_id="")
        words = {"state": context.state_id, "clock": context.clock}
        values = {**request.headers, **request.query, **request.path}
        try:
            tree = write_request(mapped, values, request.json, words)
        except ShapeError:
            return _NOTHING  # the connector tells it
        key = (operation.id, msgspec.json.encode(tree), context.state_id)
        state = await self._states.current(context.state_id or context.app_id)
        moment = context.clock or time.strftime("%Y%m%d%H%M")
        day = int(time.time() // DAY_SECONDS)  # what is not written any more is cleared away
        seen = (
            self._edition(),
            day,
            state.version,
            moment,
            context.scenario,
            context.purpose,
            context.subject,
        )
        known = self._known.get(key)
        if known is not None and known[0] == seen:
            self._known.move_to_end(key)
            return known[1]
        kept = await self._written(mapped, tree, operation, request, context)
        if kept.whole is None:
            self._remember(key, (seen, kept))
        return kept

    async def _written(
        self, mapped: MappedOperation, tree: JsonObject, operation: Operation, request: Request, context: Context
    ) -> "Kept":  # fmt: skip
        result = await self._department.call(operation, request, context)
        marks = [pair for pair in result.headers if pair[0] == b"kaimen-scenario"]
        if marks and mapped.protocol == "files":
            return Kept(result)  # a scenario is one app's: it is not put into the file of all
        try:
            native = native_of(mapped, result)
        except ShapeError:
            return Kept(result)
        if native.whole is not None:
            return Kept(native.whole)
        rows = rows_of(mapped, native.tree)
        if mapped.protocol == "sql":
            await self.tables.put(mapped, [Answered(tree, rows, context.state_id, context.clock)])
        else:
            self._write_file(mapped, tree, rows)
        return Kept(None, marks)

    def _edition(self) -> str:
        try:
            return self._city.open().version
        except CityMissing:  # the department says so itself
            return ""

    def _remember(self, key: tuple[Any, ...], value: tuple[tuple[Any, ...], "Kept"]) -> None:
        self._known[key] = value
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    # -- writing --------------------------------------------------------------------------------------
    def _write_file(
        self, mapped: MappedOperation, asked: Mapping[str, Any], rows: list[dict[str, Any]]
    ) -> None:
        settings = {**self._compiled.file.settings["files"], **mapped.settings}
        encoding = self._compiled.file.encoding
        path = self.folder / str(settings["file"])
        path.parent.mkdir(parents=True, exist_ok=True)
        asks = {name: "" if value is None else str(value) for name, value in asked.items()}
        known = table_of(path.read_bytes(), settings, encoding, (0, 0, 0)).rows if path.is_file() else []
        kept: list[dict[str, Any]] = [
            row for row in known if any(row.get(name) != value for name, value in asks.items())
        ]
        kept += [{**row, **asks} for row in rows]
        columns = list(dict.fromkeys(name for row in [*known, *kept] for name in row)) or list(asks)
        replace_file(path, write_table(kept, settings, encoding, columns))

    def close(self) -> None:
        """Give back the database."""
        self.tables.close()

    # -- at seed time ---------------------------------------------------------------------------------
    async def fill(self, city: City, environment: str = "sandbox") -> int:
        """Write what every `fill` names, as the city stands; how many calls that were."""
        count = 0
        for mapped in self._compiled.operations.values():
            statement = mapped.settings.get("fill")
            if not statement or mapped.protocol not in {"sql", "files"}:
                continue
            tables: list[tuple[dict[str, Any], Native]] = []
            for values in city.named(str(statement)):
                request = request_of(mapped.operation, values, None, {})
                context = context_of(Told(environment=environment), self._compiled.service.key)
                result = await self._department.call(mapped.operation, request, context)
                native = native_of(mapped, result)
                if native.whole is None:
                    tables.append((write_request(mapped, values, None, {}), native))
                count += 1
            await self._write_all(mapped, tables)
        return count

    async def _write_all(self, mapped: MappedOperation, answers: list[tuple[dict[str, Any], Native]]) -> None:
        if mapped.protocol == "sql":
            rows_of_all = [Answered(asked, rows_of(mapped, native.tree)) for asked, native in answers]
            for start in range(0, len(rows_of_all), _AT_ONCE):
                await self.tables.put(mapped, rows_of_all[start : start + _AT_ONCE])
            return
        settings = {**self._compiled.file.settings["files"], **mapped.settings}
        rows = [
            {**row, **{name: "" if value is None else str(value) for name, value in asked.items()}}
            for asked, native in answers
            for row in rows_of(mapped, native.tree)
        ]
        path = self.folder / str(settings["file"])
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = list(dict.fromkeys(name for row in rows for name in row))
        replace_file(path, write_table(rows, settings, self._compiled.file.encoding, columns))


def rows_of(mapped: MappedOperation, tree: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a native tree: its list `rows`, each with the columns beside it; else one row of those columns."""
    beside = {name: value for name, value in tree.items() if name != ROWS}
    if not tree.get(ROWS):
        return [dict(beside)]
    return [{**beside, **row} for row in tree[ROWS]]


def replace_file(path: Path, data: bytes) -> None:
    """Put a file in place of another in one step."""
    beside = path.with_name(path.name + ".part")
    beside.write_bytes(data)
    beside.replace(path)
