"""One build in a process of its own: an order on standard input, lines of JSON on standard output, files in a folder.

→ order                      documents, choice, language, package, release before
← {"step": "reading"} …
← {"plan": {digest, part, changes}}
→ {"version": "1.2.0", "changelog": "…"}   or {"version": ""}: nothing more is wanted
← {"done": {name, facts, files}}
"""

import hashlib
import sys
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from api.contract.build import service_of
from api.contract.model import Service
from sdk import building
from sdk.building import Choice


class Order(Struct, frozen=True):
    """What to build, and into which folder, which is there and empty. `documents` are by service key."""

    documents: dict[str, str]
    choice: Choice
    language: str
    package: str
    folder: str
    documents_before: dict[str, str] = {}
    choice_before: Choice | None = None


class Decision(Struct, frozen=True):
    version: str
    changelog: str = ""


def main() -> None:
    """Run one build."""
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    _say(step="reading")
    services = _read(order.documents)
    _say(step="modelling")
    model = building.model_for(services, order.choice)
    part = "first"
    changes: tuple[building.Told, ...] = ()
    if order.choice_before is not None:
        part, changes = building.changes_between(
            _read(order.documents_before), services, order.choice_before, order.choice
        )
    _say(plan={"digest": building.digest_of(model), "part": part, "changes": msgspec.to_builtins(changes)})
    decision = msgspec.json.decode(sys.stdin.buffer.readline(), type=Decision)
    if not decision.version:
        return
    _say(step="writing")
    made = building.make(model, order.language, order.package, decision.version)
    files = dict(made.files)
    if decision.changelog:
        files["CHANGELOG.md"] = decision.changelog.encode()
    folder = Path(order.folder)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    told = {name: _facts_of(data) for name, data in sorted(files.items())}
    _say(done={"name": made.name, "facts": made.facts, "files": told})


def _read(documents: dict[str, str]) -> list[Service]:
    return [service_of(msgspec.json.decode(documents[key])) for key in sorted(documents)]


def _facts_of(data: bytes) -> dict[str, Any]:
    return {
        "size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "sha512": hashlib.sha512(data).hexdigest(),
        "sha1": hashlib.sha1(data, usedforsecurity=False).hexdigest(),
        "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
    }  # fmt: skip


def _say(**line: Any) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
