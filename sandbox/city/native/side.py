"""NativeSide: the departments' own servers in this process, on one loopback port, opened with the sandbox.

`/household/services/…` is the SOAP service of the household department, `?wsdl` beside it its WSDL. Only the
gateway of this process is served: what it tells of the call is signed with a key that never leaves the process.
"""

import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from api.contract.mapping import CompiledMapping, compile_mapping, read_mapping
from api.contract.mapping_shapes import MappingError
from api.contract.model import Service
from api.core.logging import log_failure, log_warning
from api.core.problems import Problem
from api.core.upstream_headers import Told, read_signed
from api.gateway.connector import Connector
from sandbox.city.department import BrokenOff, Department
from sandbox.city.native.behind import Behind
from sandbox.city.native.listener import Asked, Listener, Said
from sandbox.city.native.soap import SoapServer
from sandbox.city.native.web import TAKES_SECONDS, Bring, WebServer

MAPPING = "mapping.yaml"
_MOST_EDITIONS = 4  # of one department: connectors that are being replaced still speak to theirs
_UNSIGNED = b'{"error": "unsigned: only the gateway of this process is served here"}'


class _Served:
    """The servers of one department, made at its first request."""

    def __init__(self, behind: Behind, bring: Bring | None, takes_seconds: float) -> None:
        protocols = {one.protocol for one in behind.compiled.operations.values()}
        self.soap = SoapServer(behind) if "soap" in protocols else None
        self.web = WebServer(behind, bring, takes_seconds) if "http" in protocols else None

    async def answer(self, asked: Asked, told: Told) -> Said | None:
        if self.soap is not None and asked.path in self.soap.paths:
            return await self.soap.answer(asked, told)
        return await self.web.answer(asked, told) if self.web is not None else None


class NativeSide:
    """The native servers of the city in one process."""

    def __init__(
        self,
        departments: tuple[Department, ...],
        services: Callable[[], Mapping[str, Service]],
        department_of: Callable[[str], Connector],
        docs_url: str,
        bring: Bring | None = None,
        *,
        takes_seconds: float = TAKES_SECONDS,
    ) -> None:
        """`services` gives the contracts by department, `department_of` the behaviour behind a slug, `bring` posts
        the results of asynchronous departments to their callbacks, who take so many seconds for each.
        """
        self._key = secrets.token_bytes(32)
        self._departments = {one.slug: one for one in departments}
        self._services = services
        self._department_of = department_of
        self._docs_url = docs_url
        self._bring = bring
        self._takes_seconds = takes_seconds
        self._used: dict[str, list[tuple[str, CompiledMapping]]] = {}  # the newest last, each under its name
        self._editions = count(1)
        self._served: dict[str, _Served] = {}
        self._listener = Listener(self._handle)

    @property
    def port(self) -> int:
        return self._listener.port

    def key_of(self, service: str) -> bytes:
        """The key that signs what a service's department is told: one for the city, of this process alone."""
        return self._key

    def address(self, name: str) -> str:
        """Where a department's server answers: its newest by slug, an edition by the name that `use` gave. Raises
        LookupError before the listener is open.
        """
        if not self.port:
            raise LookupError("the native servers of the city are not open in this process")
        return f"http://127.0.0.1:{self.port}/{name}"

    @asynccontextmanager
    async def running(self, app: Any = None) -> AsyncIterator[None]:
        """Serve for the life of the application."""
        await self._listener.open()
        try:
            yield
        finally:
            await self._listener.close()
            for served in self._served.values():
                if served.web is not None:
                    await served.web.close()

    def use(self, slug: str, compiled: CompiledMapping) -> str:
        """Serve a department by this mapping from now on, the one that it is published with; the edition's name.

        Calls of the connector that it replaces are answered by the edition before.
        """
        name = f"{slug}@{next(self._editions)}"
        editions = self._used.setdefault(slug, [])
        editions.append((name, compiled))
        for old, _ in editions[:-_MOST_EDITIONS]:
            self._served.pop(old, None)
        del editions[:-_MOST_EDITIONS]
        self._served.pop(slug, None)
        return name

    def compiled(self, slug: str) -> CompiledMapping | None:
        """The mapping of a department (or of one edition of it), fitted to its contract; None where it has none, or
        none that fits.
        """
        plain, _, edition = slug.partition("@")
        for name, compiled in reversed(self._used.get(plain, [])):
            if not edition or name == slug:
                return compiled
        if edition:
            return None
        department = self._departments.get(slug)
        if department is None:
            return None
        return compiled_mapping(department, self._services()[slug])

    async def _handle(self, asked: Asked) -> Said:
        slug, _, rest = asked.path.lstrip("/").partition("/")
        served = self._serving(slug)
        if served is None:
            return Said(404, b'{"error": "no such department"}')
        target = asked.target
        inner = Asked(asked.method, "/" + rest, asked.query, asked.headers, asked.body)
        if asked.method == "GET" and served.soap is not None and asked.query.lower() == "wsdl":
            return served.soap.wsdl(self.address(slug))
        told = read_signed(asked.headers, self._key, asked.method, target, asked.body)
        if told is None:
            return Said(401, _UNSIGNED)
        try:
            said = await served.answer(inner, told)
        except Exception as error:
            if isinstance(error, Problem) and error.rule == BrokenOff.RULE:
                return Said(200, b'{"head": {"code": "0000"}, "data": {}}', breaks_off=True)
            log_failure("city.native_failed", error)
            return Said(500, b'{"error": "the department failed"}')
        return said if said is not None else Said(404, b'{"error": "nothing is at this address"}')

    def _serving(self, name: str) -> _Served | None:
        found = self._served.get(name)
        if found is None:
            compiled = self.compiled(name)
            if compiled is None:
                return None
            department = self._department_of(name.partition("@")[0])
            behind = Behind(compiled, department, self._docs_url)
            found = self._served[name] = _Served(behind, self._bring, self._takes_seconds)
        return found


def mapping_text(department: Department) -> str:
    """The mapping that a department publishes with, "" where it has none."""
    path = department.folder / MAPPING
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def compiled_mapping(department: Department, service: Service) -> CompiledMapping | None:
    """A department's mapping, fitted to its contract; None where there is none, or it does not fit (logged)."""
    text = mapping_text(department)
    if not text:
        return None
    try:
        return compile_mapping(read_mapping(text), service)
    except MappingError as error:
        log_warning("city.mapping_unusable", department=department.slug, error=str(error)[:300])
        return None
