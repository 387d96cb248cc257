"""Run the benchmark: one table on standard output and var/bench.json. Some six minutes with everything.

CPU per request of a target's whole process tree is the figure to compare; on a machine whose cores wrk, upstream
and target share, requests a second say less. Each figure is the median over interleaved rounds.
"""

import argparse
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from bench import cases

_TITLES = {
    "gateway": "Kaimen, all policies on",
    "nginx": "nginx, bare proxy",
    "node_proxy": "Node @fastify/http-proxy, bare",
    "fastapi_stack": "FastAPI + slowapi + joserfc + aiohttp",
    "fastapi_no_jwt": "the same without token check",
}


def ratios(found: dict[str, Any]) -> dict[str, float]:
    """CPU per request against the others (design, section 4)."""
    cpu = {name: found[name]["cpu_us"] for name in cases.TARGETS}
    return {
        "gateway_over_nginx": round(cpu["gateway"] / cpu["nginx"], 3),
        "gateway_over_node": round(cpu["gateway"] / cpu["node_proxy"], 3),
        "fastapi_over_gateway": round(cpu["fastapi_stack"] / cpu["gateway"], 3),
        "fastapi_no_jwt_over_gateway": round(cpu["fastapi_no_jwt"] / cpu["gateway"], 3),
    }


def table(found: dict[str, Any]) -> str:
    lines = [
        f"{'target':42}{'CPU us':>9}{'x nginx':>9}{'req/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'p50 c=4':>9}{'p99 c=4':>9}"
    ]
    base = found["nginx"]["cpu_us"]
    for name in cases.TARGETS:
        one, few = found[name], found["at_4_connections"][name]
        lines.append(
            f"{_TITLES[name]:42}{one['cpu_us']:9.1f}{one['cpu_us'] / base:9.2f}{one['req_s']:9.0f}{one['p50_ms']:9.2f}"
            f"{one['p99_ms']:9.2f}{few['p50_ms']:9.2f}{few['p99_ms']:9.2f}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a slice (default 2)")
    parser.add_argument(
        "--apps", type=int, default=1_000_000, help="apps of the flatness case (default 1000000)"
    )
    parser.add_argument(
        "--only",
        choices=["comparison", "evidence", "flatness", "streaming"],
        help="one case alone; writes no file",
    )
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers end too
    folder = Path("var/bench").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    found: dict[str, Any] = {
        "cores": os.cpu_count(),
        "rounds": chosen.rounds,
        "slice_seconds": chosen.seconds,
    }
    with cases.opened(folder, chosen.rounds, chosen.seconds) as bench:
        if chosen.only in (None, "comparison"):
            found |= cases.comparison(bench)
            found["ratios"] = ratios(found)
            print(table(found))
            print("ratios: " + ", ".join(f"{name} {value}" for name, value in found["ratios"].items()))
        for name, run in (("evidence", cases.evidence), ("streaming", cases.streaming)):
            if chosen.only in (None, name):
                found[name] = run(bench)
                print(f"{name}: {json.dumps(found[name])}")
        if chosen.only in (None, "flatness"):
            found["flatness"] = cases.flatness(bench, chosen.apps)
            print(f"flatness: {json.dumps(found['flatness'])}")
    shutil.rmtree(folder, ignore_errors=True)
    if chosen.only is None:
        Path("var/bench.json").write_text(json.dumps(found, indent=2) + "\n")
        print("written: var/bench.json")


if __name__ == "__main__":
    main()
