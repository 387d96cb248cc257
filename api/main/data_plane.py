"""DataPlane: one plane's authorization server and gateway in this process, started and stopped together.

Start: keys, revocations, snapshot, writers; then it is ready. Stop: no new calls, what is under way ends, what
is buffered is written, connections are given back. It is the ASGI application of /api from the beginning on.
"""

import importlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

from litestar import Litestar, Router
from litestar.handlers import HTTPRouteHandler

from api.catalogue.agents.service import SCHEME as AGENT
from api.contract.build import service_of
from api.core import jobs, problem_types, problems, store
from api.core.crypto import Vault
from api.core.jobs import Job
from api.core.problems import Failure
from api.events import routes as event_routes
from api.events.courier import Courier
from api.events.release import AppClocks
from api.gateway import callbacks
from api.gateway.agents import routes as agent_routes
from api.gateway.agents.calls import AgentCalls
from api.gateway.agents.connector import AgentFactory
from api.gateway.agents.hub import Hub
from api.gateway.callbacks import Callbacks
from api.gateway.cases import Cases
from api.gateway.connectors import compose
from api.gateway.connectors.from_mapping import SCHEMES, Maker
from api.gateway.connectors.http import egress_of, http_factory
from api.gateway.connectors.registry import ConnectorRegistry
from api.gateway.evidence import EvidenceWriter
from api.gateway.forwarding import withhold
from api.gateway.kept_answers import KeptAnswers
from api.gateway.metrics import Metrics
from api.gateway.plane import Gateway
from api.gateway.quota import LocalMeter, Meter
from api.gateway.recorder import Recorder
from api.gateway.requests import live_router
from api.gateway.rest import RestFace
from api.gateway.snapshot_feed import SnapshotFeed
from api.gateway.used_proofs import UsedProofs, used_proofs_for
from api.gateway.withdrawals import EVERY_SECONDS, Withdrawals
from api.identity.access import IdentityPlugin
from api.identity.installation import Installation
from api.identity.oauth import tokens
from api.identity.oauth.rights import CatalogueRights
from api.identity.oauth.service import AuthorizationService
from api.settings import Settings

METER_SECONDS = 0.25  # how often units that a lapsed lease still holds are brought back


class DataPlane:
    """The parts of one plane. `register` connectors before the application starts."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self.settings = settings
        self.vault = vault
        withhold(settings.client_certificate_header)
        self.connectors = ConnectorRegistry()
        self.oauth = AuthorizationService(settings, vault, CatalogueRights(settings.environment))
        self.metrics = Metrics()
        self.recorder = Recorder(settings, self.metrics)
        self.evidence = EvidenceWriter(settings, vault, self.metrics)
        self.kept_answers = KeptAnswers(settings.environment, vault)
        self.cases = Cases(settings.environment, vault)
        self.connectors.register(compose.SCHEME, compose.compose_factory(lambda: self.gateway, self.cases))
        self.agents = Hub(AgentCalls(settings.environment, vault))
        self.callbacks = Callbacks(settings.issuer, settings.environment, vault, self.agents)
        by_agent = AgentFactory(self.agents)
        self.connectors.register(AGENT, by_agent)
        self.connectors.register_mapped(AGENT, by_agent.mapped)
        self.clocks: AppClocks | None = (
            None  # those that apps have set: the sandbox's composition says where they are
        )
        self.courier: Courier | None = None
        self.is_ending = False
        self.clock_of: Callable[[str], str] | None = None  # of apps in the sandbox
        self.gateway: Gateway | None = None
        self._face: RestFace | None = None

    @property
    def is_ready(self) -> bool:
        """Whether calls are served."""
        return self._face is not None

    @property
    def face(self) -> RestFace | None:
        """The REST face while calls are served."""
        return self._face

    def register_http(self) -> None:
        """Serve upstreams at http:// and https:// addresses, and every protocol that a mapping may speak."""
        factory = http_factory(self.settings)
        self.connectors.register("http", factory)
        self.connectors.register("https", factory)
        maker = Maker(
            egress_of(self.settings),
            docs_url=self.settings.docs_url,
            stall_seconds=self.settings.call_deadline_ms / 1000,
            key_of=lambda service: self.vault.derive(f"upstream {self.settings.environment} {service}"),
            callbacks=self.callbacks,
            drop_path=self.settings.drop_folder,
        )
        for scheme in ("http", "https", *SCHEMES):
            self.connectors.register_mapped(scheme, maker.make)

    def handlers(self) -> list[Router | HTTPRouteHandler]:
        """The part of the platform API that a live process serves too: its own request log, and events to fetch."""
        return [live_router, event_routes.live_router, agent_routes.router, callbacks.router]

    def end_waiting(self) -> None:
        """The server is going down: who waits for calls or events is sent away, to come back elsewhere."""
        self.is_ending = True
        self.agents.close()

    def identity(self, **answers: Any) -> IdentityPlugin:
        """Identity in this process; access tokens of this plane are accepted by the platform API."""
        made = Installation(settings=self.settings, platform_caller=self.oauth.platform_caller, **answers)
        return IdentityPlugin(made)

    def metrics_text(self) -> str:
        """This process's metrics in the Prometheus text format."""
        events = "" if self.courier is None else self.courier.metrics.render()
        return self.metrics.render(self.gateway) + events

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The ASGI application of /api."""
        if self._face is not None:
            await self._face(scope, receive, send)
        elif scope["type"] == "http":
            await answer_starting(self.settings, send)

    @asynccontextmanager
    async def lifespan(self, app: Litestar) -> AsyncIterator[None]:
        """Run the plane for the life of the application. The stores are open already."""
        app.state.data_plane = self
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.oauth.lifespan(app))
            await stack.enter_async_context(self.recorder.running())
            await stack.enter_async_context(self.evidence.running())
            withdrawals = Withdrawals(self.settings)
            await withdrawals.load()
            external = self._external()
            feed = self._feed(external)
            stack.push_async_callback(feed.close)
            await feed.load()
            used_proofs = used_proofs_for(self.settings)
            stack.push_async_callback(used_proofs.close)
            self.gateway = self._gateway(feed, withdrawals, used_proofs, external)
            app.state.gateway = self.gateway
            self.oauth.ring.when_revoked = self.gateway.tokens.clear
            if external is not None:
                await stack.enter_async_context(external.running(self.gateway.tokens.clear))
            stack.push_async_callback(self.gateway.meter.close)
            await stack.enter_async_context(
                jobs.running(
                    Job("gateway.snapshot", self.settings.poll_interval_ms / 1000, feed.tick),
                    Job("gateway.withdrawals", EVERY_SECONDS, withdrawals.poll),
                    Job("gateway.meter", METER_SECONDS, self.gateway.meter.tend),
                    self.kept_answers.sweeping(),
                    self.agents.calls.sweeping(),
                )
            )
            self.courier = Courier(self.settings, self.vault, self.clocks)
            await stack.enter_async_context(self.courier.running())
            self._face = RestFace(self.gateway)
            try:
                yield
            finally:
                self._face = None
                self.agents.stop()

    def _external(self) -> Any:
        if not self.settings.external_issuers:
            return None
        made = importlib.import_module("api.main.external_issuers")  # brings an HTTP client: memory
        return made.ExternalTokens(self.settings)

    def _feed(self, external: Any) -> SnapshotFeed:
        ring = self.oauth.ring
        return SnapshotFeed(
            self.settings,
            self.connectors,
            read_service=service_of,
            look_again=ring.look_again if external is None else external.look_again_with(ring),
        )

    def _gateway(
        self, feed: SnapshotFeed, withdrawals: Withdrawals, used_proofs: UsedProofs, external: Any
    ) -> Gateway:
        others = {name: self.settings.issuer_of(name) for name in store.PLANES}
        del others[self.settings.environment]
        issuer = self.settings.issuer
        verify = partial(
            tokens.verify, ring=self.oauth.ring, issuer=issuer, audience=f"{issuer}/api", other_issuers=others
        )
        return Gateway(
            self.settings,
            snapshots=feed,
            verify_token=verify if external is None else external.verify_with(verify),
            revoked=self.oauth.revoked,
            meter=_meter(self.settings),
            connectors=self.connectors,
            recorder=self.recorder,
            evidence=self.evidence,
            metrics=self.metrics,
            withdrawals=withdrawals,
            used_proofs=used_proofs,
            nonces=self.oauth.nonces,
            clock_of=self.clock_of,
            kept_answers=self.kept_answers,
        )


def _meter(settings: Settings) -> Meter:
    if not settings.redis_url:
        return LocalMeter()
    leases = importlib.import_module("api.gateway.leases")  # brings the Redis client: memory
    meter: Meter = leases.meter_for(settings)
    return meter


async def answer_starting(settings: Settings, send: Any) -> None:
    """Say that calls are not served yet, or no longer."""
    problem = Failure(problem_types.SHUTTING_DOWN, headers={"Retry-After": "1"})
    body = problems.render(problem, language="en", docs_url=settings.docs_url, request_id="")
    headers = [(b"content-type", problems.CONTENT_TYPE.encode()), (b"retry-after", b"1")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})
