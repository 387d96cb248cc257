"""Which connector serves an upstream: factories by scheme, registered once by api.main.

`""` is an empty upstream (answers made from the contract), `city` is `city:tax`, `http` is `http://…`.
"""

from api.contract.model import Service
from api.gateway.connector import Connector, ConnectorFactory


class ConnectorRegistry:
    """The connector factories of a process."""

    def __init__(self) -> None:
        self._factories: dict[str, ConnectorFactory] = {}

    def register(self, scheme: str, factory: ConnectorFactory) -> None:
        """Serve upstreams of this scheme with connectors that `factory` makes."""
        self._factories[scheme] = factory

    def connector_for(self, upstream: str, service: Service) -> Connector:
        """A connector for a service's upstream. Raises LookupError when no factory knows its scheme."""
        scheme = upstream.partition(":")[0].lower() if upstream else ""
        factory = self._factories.get(scheme)
        if factory is None:
            known = ", ".join(sorted(name or "(none)" for name in self._factories))
            raise LookupError(f"no connector serves the scheme {scheme or '(none)'}; there are: {known}")
        return factory(upstream, service)
