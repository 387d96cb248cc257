"""The cases: the main comparison, the price of evidence, flatness, memory by app, streaming."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from bench import measure, seed, servers
from bench.measure import Slice, WrongAnswerError
from bench.servers import Target

OPERATIONS = 300
APPS = 1000
BIG_BYTES = 64 << 20
STREAMS = 4
MANY_TOKENS = 50_000
WARM_SECONDS = 40.0
TARGETS = ("gateway", "nginx", "node_proxy", "fastapi_stack", "fastapi_no_jwt")


class Bench:
    """The folder of a run and the upstream that all targets share."""

    def __init__(self, folder: Path, upstream: Target, rounds: int, seconds: float) -> None:
        self.folder, self.upstream, self.rounds, self.seconds = folder, upstream, rounds, seconds
        self.body = seed.answer_body()

    @property
    def upstream_url(self) -> str:
        return f"http://127.0.0.1:{self.upstream.port}"

    def slice(self, target: Target, requests: Path, connections: int, seconds: float = 0.0) -> Slice:
        """One slice, after one answer of the target was read and compared."""
        path, _, token = requests.read_text().partition("\n")[0].partition(" ")
        status, body = measure.fetch(target.port, path, token)
        if (status, body) != (200, self.body):
            raise WrongAnswerError(f"{target.name} answered {status}: {body[:500]!r}")
        return measure.load(
            target.port, requests, target.pid, connections=connections, seconds=seconds or self.seconds
        )

    def interleaved(
        self, pairs: list[tuple[Target, Path]], connections: int, rounds: int = 0
    ) -> dict[str, list[Slice]]:
        """Round after round, each target once in a round, so that what else the machine does meets all alike."""
        found: dict[str, list[Slice]] = {target.name: [] for target, _ in pairs}
        for target, requests in pairs:
            self._warm(target, requests, connections)
        for _ in range(rounds or self.rounds):
            for target, requests in pairs:
                found[target.name].append(self.slice(target, requests, connections))
        return found

    def _warm(self, target: Target, requests: Path, connections: int) -> None:
        """Until every token and operation came twice: a first use verifies and compiles, which no slice shall hold."""
        wanted = 2 * len(requests.read_text().splitlines())
        end = time.monotonic() + WARM_SECONDS
        done = 0
        while done < wanted and time.monotonic() < end:
            done += self.slice(target, requests, connections, max(2.0, 4.0 * (done > 0))).requests

    @contextlib.contextmanager
    def gateway(
        self,
        name: str,
        services: list[tuple[dict[str, Any], str]],
        apps: int,
        environment: str = "sandbox",
        tokens: int = seed.TOKENS,
    ) -> Iterator[tuple[Target, list[str]]]:
        settings = servers.gateway_settings(self.folder / name, environment)
        made = seed.seed(settings, services, apps, tokens)
        with servers.gateway(settings, self.folder, name) as target:
            yield target, made


@contextlib.contextmanager
def opened(folder: Path, rounds: int, seconds: float) -> Iterator[Bench]:
    folder.mkdir(parents=True, exist_ok=True)
    with servers.upstream(folder, seed.answer_body(), BIG_BYTES) as upstream:
        yield Bench(folder, upstream, rounds, seconds)


def figures(slices: list[Slice]) -> dict[str, float]:
    """The median of each figure over the rounds."""
    return {
        name: round(median(getattr(one, name) for one in slices), 3)
        for name in ("cpu_us", "req_s", "p50_ms", "p99_ms")
    }


def comparison(bench: Bench) -> dict[str, Any]:
    """All targets, at 32 connections and at 4."""
    document = seed.contract("bench", OPERATIONS)
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    key = ECKey.import_key(private)
    with contextlib.ExitStack() as stack:
        gateway, tokens = stack.enter_context(
            bench.gateway("gateway", [(document, bench.upstream_url)], APPS)
        )
        foreign = [_plain_token(key, number) for number in range(APPS)]
        requests, plain = bench.folder / "gateway.txt", bench.folder / "plain.txt"
        seed.requests_of("bench", OPERATIONS, tokens, requests)
        seed.requests_of("bench", OPERATIONS, foreign, plain)
        pairs = [
            (gateway, requests),
            (stack.enter_context(servers.bare_proxy(bench.folder, bench.upstream.port)), plain),
            (stack.enter_context(servers.node_proxy(bench.folder, bench.upstream.port)), plain),
            (
                stack.enter_context(
                    servers.fastapi("fastapi_stack", bench.folder, bench.upstream.port, public)
                ),
                plain,
            ),
            (
                stack.enter_context(servers.fastapi("fastapi_no_jwt", bench.folder, bench.upstream.port, "")),
                plain,
            ),
        ]
        many = {name: figures(slices) for name, slices in bench.interleaved(pairs, 32).items()}
        few = {name: figures(slices) for name, slices in bench.interleaved(pairs, 4).items()}
        return {**{name: many[name] for name in TARGETS}, "connections": 32, "at_4_connections": few}


def _plain_token(key: ECKey, number: int) -> str:
    claims = {
        "iss": "https://issuer.example",
        "client_id": f"client{number}",
        "scope": "bench:thing:read",
        "exp": int(time.time()) + 86400,
    }
    return jwt.encode({"alg": "ES256", "typ": "at+jwt"}, claims, key)


def evidence(bench: Bench) -> dict[str, Any]:
    """The same operations at L1 and at L3: what committing an access record before each answer costs."""
    off, on = seed.contract("open", OPERATIONS), seed.contract("closed", OPERATIONS, "L3")
    services = [(off, bench.upstream_url), (on, bench.upstream_url)]
    with bench.gateway("gateway_evidence", services, APPS) as (target, tokens):
        pairs = []
        for name, service in (("off", "open"), ("on", "closed")):
            file = bench.folder / f"evidence_{name}.txt"
            seed.requests_of(service, OPERATIONS, tokens, file)
            pairs.append((Target(name, target.pid, target.port), file))
        return {name: figures(slices) for name, slices in bench.interleaved(pairs, 32, 3).items()}


def flatness(bench: Bench, apps: int) -> dict[str, Any]:
    """50 operations and 10 apps beside 5,000 operations and many apps; tokens, apps and operations rotate in all.

    `large` turns through as many tokens as `small`, `large_many_tokens` through 50,000: what is then dearer is the
    token cache and the memory behind it, not the tables. A process with 5,000 operations and 10 apps tells what
    an app takes.
    """
    small = [(seed.contract("bench", 50), bench.upstream_url)]
    large = [(seed.contract("bench", 5000), bench.upstream_url)]
    with bench.gateway("gateway_base", large, 10, "live") as (target, _):
        base_mb = measure.memory_mb(target.pid)
    with contextlib.ExitStack() as stack:
        few, few_tokens = stack.enter_context(bench.gateway("gateway_small", small, 10, "live"))
        many, many_tokens = stack.enter_context(
            bench.gateway("gateway_large", large, apps, "live", MANY_TOKENS)
        )
        sizes = {
            "small": measure.memory_mb(few.pid),
            "operations_5000": base_mb,
            "large": measure.memory_mb(many.pid),
        }
        pairs = []
        for name, target, operations, tokens, lines in (
            ("small", few, 50, few_tokens, 5000),
            ("large", many, 5000, many_tokens[: seed.TOKENS], 5000),
            ("large_many_tokens", many, 5000, many_tokens, MANY_TOKENS),
        ):
            file = bench.folder / f"flat_{name}.txt"
            seed.requests_of("bench", operations, tokens, file, lines)
            pairs.append((Target(name, target.pid, target.port), file))
        found = {name: figures(slices) for name, slices in bench.interleaved(pairs, 32, 3).items()}
        sizes["large_after"] = measure.memory_mb(many.pid)
        return {
            **found,
            "apps": apps,
            "many_tokens": MANY_TOKENS,
            "ratio": round(found["large"]["cpu_us"] / found["small"]["cpu_us"], 3),
            "ratio_many_tokens": round(found["large_many_tokens"]["cpu_us"] / found["small"]["cpu_us"], 3),
            "process_mb": {name: round(size, 1) for name, size in sizes.items()},
            "bytes_per_app": round((sizes["large"] - base_mb) * 1048576 / (apps - 10)),
        }


def streaming(bench: Bench) -> dict[str, Any]:
    """64 MB to slow clients: the peak of the gateway's memory above what it had."""
    with bench.gateway(
        "gateway_streaming", [(seed.streaming_contract(), bench.upstream_url)], 10, "live"
    ) as (target, tokens):
        url = f"http://127.0.0.1:{target.port}/api/files/v1/big"
        _check_size(url, tokens[0])
        base = measure.memory_mb(target.pid)
        clients = [
            subprocess.Popen(
                ["curl", "-sf", "--limit-rate", "8M", "-o", "/dev/null", "-w", "%{size_download}", "-H", f"Authorization: Bearer {tokens[0]}", url],
                stdout=subprocess.PIPE, text=True,
            )
            for _ in range(STREAMS)
        ]  # fmt: skip
        peak = base
        while any(client.poll() is None for client in clients):
            peak = max(peak, measure.memory_mb(target.pid))
            time.sleep(0.2)
        sizes = [int(client.communicate()[0] or 0) for client in clients]
        if sizes != [BIG_BYTES] * STREAMS:
            raise WrongAnswerError(f"streams brought {sizes} bytes")
        return {"streams": STREAMS, "bytes_each": BIG_BYTES, "base_mb": round(base, 1), "peak_mb": round(peak, 1),
                "mb_per_stream": round((peak - base) / STREAMS, 2)}  # fmt: skip


def _check_size(url: str, token: str) -> None:
    command = [
        "curl",
        "-sf",
        "-o",
        "/dev/null",
        "-w",
        "%{size_download}",
        "-H",
        f"Authorization: Bearer {token}",
        url,
    ]
    size = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    if size != BIG_BYTES:
        raise WrongAnswerError(f"the large body came with {size} bytes")
