"""Which connector serves an upstream: factories by scheme, registered once by api.main.

`""` is an empty upstream (answers made from the contract), `city` is `city:tax`, `http` is `http://…`.
"""

from collections.abc import Callable

from api.contract.model import Service
from api.gateway.connector import Connector, ConnectorFactory

MappedFactory = Callable[[str, Service, str], Connector]  # upstream, service, the text of the mapping


class ConnectorRegistry:
    """The connector factories of a process."""

    def __init__(self) -> None:
        self._factories: dict[str, ConnectorFactory] = {}
        self._mapped: dict[str, MappedFactory] = {}

    def register(self, scheme: str, factory: ConnectorFactory) -> None:
        """Serve upstreams of this scheme with connectors that `factory` makes."""
        self._factories[scheme] = factory

    def register_mapped(self, scheme: str, factory: MappedFactory) -> None:
        """Serve upstreams of this scheme that have a mapping with connectors that `factory` makes."""
        self._mapped[scheme] = factory

    def connector_for(self, upstream: str, service: Service, mapping: str = "") -> Connector:
        """A connector for a service's upstream. Raises LookupError when no factory knows its scheme.

        A factory raises ValueError for an address or a mapping that is of no use.
        """
        scheme = upstream.partition(":")[0].lower() if upstream else ""
        if mapping and scheme in self._mapped:
            return self._mapped[scheme](upstream, service, mapping)
        factory = self._factories.get(scheme)
        if factory is None:
            known = ", ".join(sorted({*(name or "(none)" for name in self._factories), *self._mapped}))
            raise LookupError(f"no connector serves the scheme {scheme or '(none)'}; there are: {known}")
        return factory(upstream, service)
