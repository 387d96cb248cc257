"""Upstream addresses and mappings as they are typed in: which forms there are, where each may be used, what fits.

    https://host/base                  the department's HTTP interface, by the contract's own paths or by a mapping
    soap+https://host/base             SOAP 1.1 or 1.2                              needs a mapping
    sql+postgresql://user@host/base    a view; sql+sqlite:///path in small ones     needs a mapping
    files:///folder                    tables in a drop folder                      needs a mapping
    agent:NAME                         the department's own agent on a closed network, which knows the address
    city:DEPARTMENT  city+soap:…       the simulated city, sandbox only

A mapping that speaks two protocols has two addresses with a blank between. It opens no connection.
"""

from urllib.parse import urlsplit

from api.catalogue.agents.service import agent_of
from api.catalogue.agents.service import check_upstream as check_agent
from api.catalogue.outside import ask
from api.contract.mapping import compile_mapping, read_mapping
from api.contract.mapping_http import ticket_of
from api.contract.mapping_shapes import MappingError
from api.contract.model import Service
from api.core import egress
from api.core.problem_types_platform import INPUT_INVALID
from api.core.problems import Refusal

CITY = ("city", "city+soap", "city+http", "city+sql", "city+files")
_NEED_MAPPING = ("soap+http", "soap+https", "sql+postgresql", "sql+sqlite", "files", *CITY[1:])
LARGEST_ADDRESS = 500


def scheme_of(address: str) -> str:
    """The scheme of an upstream; "" for none."""
    return address.partition(":")[0].lower()


def is_city(address: str) -> bool:
    """Whether the simulated city is meant."""
    return scheme_of(address) in CITY


def is_agent(address: str) -> bool:
    """Whether the department's own agent is meant (`agent:NAME`): our servers call nothing."""
    return bool(agent_of(address))


async def check_address(upstream: str, environment: str, owner: str) -> None:
    """Refuse an upstream that is none, or not for this environment and owner. Raises Refusal input-invalid."""
    if is_agent(upstream):
        await check_agent(upstream, environment, owner)
        return
    for address in upstream.split():
        if is_city(address):
            if environment == "live" or not address.partition(":")[2].replace("-", "").isalnum():
                raise invalid("/upstream", "city:DEPARTMENT is for the sandbox only")
        else:
            try:
                _check_outside(address)
            except (egress.EgressError, ValueError) as fault:
                raise invalid("/upstream", str(fault)) from fault
        if reason := ask().in_reach(address):
            raise invalid("/upstream", reason)


def _check_outside(address: str) -> None:
    scheme = scheme_of(address)
    if scheme.startswith("soap+"):
        egress.parse_target(address.removeprefix("soap+"))
    elif scheme in {"sql+sqlite", "files"}:
        parts = urlsplit(address)
        if parts.netloc or not parts.path.startswith("/") or ".." in parts.path.split("/"):
            raise ValueError(f"{scheme} takes an absolute path: {scheme}:///path")
    elif scheme == "sql+postgresql":
        parts = urlsplit(address.removeprefix("sql+"))
        if not parts.hostname or not parts.path.strip("/"):
            raise ValueError("sql+postgresql://user@host:5432/database names host and database")
        if parts.password:
            raise ValueError("the address holds a password; PostgreSQL's pass file (PGPASSFILE) has it")
    else:
        egress.parse_target(address)


def check_mapping(mapping: str, upstream: str, service: Service) -> None:
    """Refuse a mapping that does not fit contract or upstream. Raises Refusal input-invalid, with the place in it."""
    needs = any(scheme_of(one) in _NEED_MAPPING for one in upstream.split())
    if not mapping:
        if needs:
            raise invalid("/mapping", f"{upstream} needs a mapping: --mapping FILE")
        return
    if not upstream:
        raise invalid(
            "/upstream", "a mapping needs the address of the department's system: --upstream ADDRESS"
        )
    try:
        compiled = compile_mapping(read_mapping(mapping), service)
        for one in compiled.operations.values():
            ticket_of(compiled.file, one)  # else the first call would find what is wrong with `async`
    except MappingError as error:
        raise invalid("/mapping" + error.pointer, error.message) from error
    if is_city(upstream):
        return  # what its mapping leaves out is served in process
    if compiled.unmapped:
        raise invalid("/mapping/operations", f"these operations are missing: {', '.join(compiled.unmapped)}")
    if is_agent(upstream):
        return  # which addresses there are is known there
    spoken = {_PROTOCOLS.get(scheme_of(one), "") for one in upstream.split()}
    missing = {one.protocol for one in compiled.operations.values()} - spoken
    if missing:
        raise invalid(
            "/upstream", f"the mapping speaks {', '.join(sorted(missing))}: no address is given for it"
        )


_PROTOCOLS = {
    "soap+http": "soap", "soap+https": "soap", "sql+postgresql": "sql", "sql+sqlite": "sql", "files": "files",
    "http": "http", "https": "http",
}  # fmt: skip


def invalid(pointer: str, message: str) -> Refusal:
    """The refusal for a wrong upstream or mapping."""
    return Refusal(
        INPUT_INVALID, rule=pointer.split("/")[1], errors=({"pointer": pointer, "message": message},), count=1
    )
