"""Settings: read once from the environment by api.main, frozen, passed in. Each has unit, default and range.

docs/reference/settings is generated from this file. There is no default secret anywhere.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import msgspec
from msgspec import Meta, Struct


def _setting(description: str, unit: str = "", **bounds: Any) -> Meta:
    return Meta(description=description, extra={"unit": unit}, **bounds)


class Settings(Struct, frozen=True, kw_only=True):
    """Everything that can be set. The variable of a field is `KAIMEN_` and its name in upper case."""

    home: Annotated[str, _setting("Where all state lives.", "path")] = "./var"
    environment: Annotated[str, _setting("The data plane of this process.", pattern="^(sandbox|live)$")] = (
        "sandbox"
    )
    host: Annotated[str, _setting("Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, _setting("Port to listen on; 0 takes a free one.", ge=0, le=65535)] = 8000
    sandbox_url: Annotated[
        str, _setting("Public origin of control plane and sandbox; issuer of sandbox tokens.", "URL")
    ] = "http://127.0.0.1:8000"
    live_url: Annotated[str, _setting("Public origin of the live plane; issuer of live tokens.", "URL")] = (
        "http://127.0.0.1:8001"
    )
    database_url: Annotated[
        str, _setting("postgresql://… for PostgreSQL; empty for SQLite files in KAIMEN_HOME.", "URL")
    ] = ""
    redis_url: Annotated[
        str, _setting("redis://… shares limits between processes; empty for one process.", "URL")
    ] = ""
    workers: Annotated[int, _setting("Server processes.", "processes", ge=1, le=64)] = 1
    limit_share: Annotated[
        str,
        _setting("`1/N`: this process spends the N-th part of every quota; for N processes without Redis.",
                 pattern=r"^(1/[1-9][0-9]{0,2})?$"),
    ] = ""  # fmt: skip
    egress_allow: Annotated[
        str, _setting("Networks that upstream calls may reach, comma-separated.", "CIDR list")
    ] = ""
    webhook_allow: Annotated[
        str,
        _setting("Networks that webhooks may be sent to, comma-separated; `public` stands for every public address. "
                 "Empty: those of KAIMEN_EGRESS_ALLOW.", "CIDR list"),
    ] = ""  # fmt: skip
    webhook_timeout_ms: Annotated[
        int, _setting("Longest wait for a webhook receiver's answer.", "ms", ge=100, le=60000)
    ] = 10000
    webhook_retry_hours: Annotated[
        int, _setting("How long a failed live event is tried again.", "h", ge=1, le=168)
    ] = 72
    webhook_sandbox_retry_minutes: Annotated[
        int, _setting("How long a failed sandbox event is tried again.", "min", ge=1, le=1440)
    ] = 15
    event_days: Annotated[
        int, _setting("How long events and their delivery log are kept.", "days", ge=4, le=366)
    ] = 30
    drop_path: Annotated[
        str, _setting("Folder below which departments drop files (upstreams files:///…, sql+sqlite:///…); empty: KAIMEN_HOME/drop.", "path")
    ] = ""  # fmt: skip
    embedded: Annotated[
        bool,
        _setting("One-machine mode: shows the mail outbox at /outbox, allows loopback upstreams. Never on a public host."),
    ] = False  # fmt: skip
    trusted_proxies: Annotated[
        str, _setting("Networks whose X-Forwarded-For is believed, comma-separated.", "CIDR list")
    ] = ""
    client_certificate_header: Annotated[
        str,
        _setting("Header in which a trusted proxy puts the client's TLS certificate (URL-encoded PEM, or RFC 9440); empty: none.",
                 pattern=r"^([A-Za-z0-9-]{1,64})?$"),
    ] = ""  # fmt: skip
    external_issuers: Annotated[
        str, _setting("Other issuers whose RFC 9068 access tokens the gateway takes; see how-to/external-issuer.", "JSON list")
    ] = ""  # fmt: skip
    access_token_seconds: Annotated[int, _setting("Life of an access token.", "s", ge=60, le=3600)] = 600
    authorization_days: Annotated[
        int,
        _setting(
            "Longest life of what a person allowed an app; the consent may end sooner.", "days", ge=1, le=366
        ),
    ] = 366
    require_mfa: Annotated[
        bool, _setting("Approving, publishing live and administering need a session with a second factor.")
    ] = True
    session_hours: Annotated[int, _setting("Life of a browser session.", "h", ge=1, le=720)] = 12
    body_limit_bytes: Annotated[
        int, _setting("Largest JSON body that is buffered and validated.", "bytes", ge=1024, le=16777216)
    ] = 1048576
    flood_per_second: Annotated[
        int, _setting("Requests a second from one address or credential, before any look-up.", "1/s", ge=1)
    ] = 500
    call_deadline_ms: Annotated[
        int, _setting("Longest wait for an upstream's answer.", "ms", ge=10, le=600000)
    ] = 15000
    sdk_days: Annotated[
        int,
        _setting(
            "How long a version of an SDK package is kept that nobody asks for; the newest stays.",
            "days",
            ge=1,
            le=3660,
        ),
    ] = 180
    sdk_megabytes: Annotated[
        int,
        _setting(
            "SDK packages together; above it go those that were asked for longest ago.",
            "MB",
            ge=50,
            le=1_000_000,
        ),
    ] = 2000
    request_log_days: Annotated[int, _setting("How long the request log is kept.", "days", ge=1, le=366)] = 30
    record_interval_ms: Annotated[
        int, _setting("Longest wait of usage and request log before they are written.", "ms", ge=10, le=1000)
    ] = 800
    poll_interval_ms: Annotated[
        int, _setting("How often a process looks for control-plane changes.", "ms", ge=20, le=5000)
    ] = 250
    token_cache_entries: Annotated[
        int, _setting("Verified access tokens kept in memory.", "entries", ge=0, le=1000000)
    ] = 65536
    answer_cache_bytes: Annotated[
        int,
        _setting("Public answers (x-cache, L1, live) kept in memory; 0 keeps none.", "bytes", ge=0, le=2**30),
    ] = 8 * 2**20
    graphql_face: Annotated[bool, _setting("Whether /graphql is served.")] = True
    mcp_face: Annotated[bool, _setting("Whether /mcp is served.")] = True
    mcp_writes: Annotated[
        str,
        _setting("What agents may change through MCP, whatever their app allows: `confirm` what a call confirms, "
                 "`free` everything their token opens, `off` nothing.", pattern="^(confirm|free|off)$"),
    ] = "confirm"  # fmt: skip
    log_level: Annotated[str, _setting("Log level.", pattern="^(debug|info|warning|error)$")] = "info"

    @property
    def drop_folder(self) -> Path:
        """The folder below which upstreams of files lie, made absolute."""
        return Path(self.drop_path).resolve() if self.drop_path else self.home_path.resolve() / "drop"

    @property
    def home_path(self) -> Path:
        return Path(self.home)

    @property
    def issuer(self) -> str:
        """Issuer and public origin of this process's plane, without a trailing slash."""
        return self.issuer_of(self.environment)

    def issuer_of(self, environment: str) -> str:
        return (self.sandbox_url if environment == "sandbox" else self.live_url).rstrip("/")

    @property
    def docs_url(self) -> str:
        return self.sandbox_url.rstrip("/") + "/docs"


class SettingFault(Struct, frozen=True):
    variable: str
    message: str


# Options of the command line that may stand in the environment; no settings of a server.
_OF_THE_COMMAND = frozenset(
    {
        "KAIMEN_CLIENT_SERVER", "KAIMEN_CLIENT_TOKEN", "KAIMEN_CLIENT_ID", "KAIMEN_CLIENT_SECRET",
        "KAIMEN_CLIENT_ACCESS_TOKEN",
    }
)  # fmt: skip


def read_settings(environ: Mapping[str, str]) -> tuple[Settings, list[SettingFault]]:
    """Settings from `KAIMEN_*` variables and every fault in them, unknown names included, not only the first."""
    hints = get_type_hints(Settings, include_extras=True)
    values: dict[str, Any] = {}
    faults: list[SettingFault] = []
    for variable, text in environ.items():
        if not variable.startswith("KAIMEN_") or variable.startswith("KAIMEN_TEST_"):
            continue
        if variable in _OF_THE_COMMAND:
            continue
        name = variable.removeprefix("KAIMEN_").lower()
        if name not in hints:
            faults.append(SettingFault(variable, "is no setting; see docs/reference/settings"))
            continue
        try:
            values[name] = msgspec.convert(text, hints[name], strict=False)
        except msgspec.ValidationError as error:
            faults.append(SettingFault(variable, f"{error}; it is {text!r}"))
    return Settings(**values), faults


class SettingRow(Struct, frozen=True):
    """A row of the settings reference."""

    variable: str
    type: str
    default: Any
    unit: str
    range: str
    description: str


def describe_settings() -> list[SettingRow]:
    """All settings for docs/reference/settings."""
    rows = []
    hints = get_type_hints(Settings, include_extras=True)
    for info in msgspec.structs.fields(Settings):
        kind, meta = get_args(hints[info.name])
        low = "" if meta.ge is None else str(meta.ge)
        high = "" if meta.le is None else str(meta.le)
        bounds = f"{low}–{high}" if low or high else (meta.pattern or "")
        rows.append(
            SettingRow(
                variable="KAIMEN_" + info.name.upper(),
                type=kind.__name__,
                default=info.default,
                unit=(meta.extra or {}).get("unit", ""),
                range=bounds,
                description=meta.description or "",
            )
        )
    return rows
