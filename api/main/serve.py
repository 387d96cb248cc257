"""Server processes: what must hold before one starts, and the start itself (uvicorn, uvloop, httptools)."""

import ipaddress

import uvicorn
from msgspec import Struct

from api.core.egress import EgressError, parse_target
from api.gateway.server import PlainFirstProtocol
from api.identity.oauth.external import SettingError, read_setting
from api.main.web_socket import SOCKET_BYTES, LazyWebSocket
from api.settings import Settings


class StartFault(Struct, frozen=True):
    """Why a process must not start, and what to do about it."""

    message: str
    following: str


def faults_of(settings: Settings) -> list[StartFault]:
    """Everything about these settings that would be wrong in service."""
    faults = []
    if settings.workers > 1 and not settings.redis_url and not settings.limit_share:
        faults.append(StartFault(
            f"{settings.workers} workers with in-process limits would admit {settings.workers} times the quota",
            f"set KAIMEN_REDIS_URL, or KAIMEN_LIMIT_SHARE=1/{settings.workers}",
        ))  # fmt: skip
    if settings.sandbox_url.rstrip("/") == settings.live_url.rstrip("/"):
        faults.append(StartFault(
            "sandbox and live have the same URL", "give KAIMEN_SANDBOX_URL and KAIMEN_LIVE_URL an origin each",
        ))  # fmt: skip
    if settings.embedded and not _is_loopback(settings.host):
        faults.append(StartFault(
            f"the embedded mode shows mail to everyone who reaches {settings.host}",
            "set KAIMEN_EMBEDDED=false, or listen on 127.0.0.1",
        ))  # fmt: skip
    faults += _faults_of_external_issuers(settings)
    return faults


def _faults_of_external_issuers(settings: Settings) -> list[StartFault]:
    following = "see docs/how-to/external-issuer"
    try:
        entries = read_setting(settings.external_issuers)
    except SettingError as error:
        return [StartFault(str(error), following)]
    faults = []
    for one in entries:
        if one.issuer.rstrip("/") in {settings.issuer_of("sandbox"), settings.issuer_of("live")}:
            faults.append(
                StartFault(f"KAIMEN_EXTERNAL_ISSUERS: {one.issuer} is this platform itself", following)
            )
        try:
            target = parse_target(one.jwks_uri)
        except EgressError as error:
            faults.append(StartFault(f"KAIMEN_EXTERNAL_ISSUERS: {one.jwks_uri}: {error}", following))
            continue
        if target.scheme != "https" and not _is_loopback(target.host):
            faults.append(StartFault(f"KAIMEN_EXTERNAL_ISSUERS: {one.jwks_uri} is not https", following))
    return faults


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; then finish what is under way and write what is buffered."""
    uvicorn.run(
        "api.main.lean:application",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers if settings.workers > 1 else None,
        loop="uvloop",
        http=PlainFirstProtocol,
        ws=LazyWebSocket,
        ws_max_size=SOCKET_BYTES,
        ws_per_message_deflate=False,
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=20,
        backlog=2048,
    )
