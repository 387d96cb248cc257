"""What an upstream answered, masked, one line a call: recorded where the department has agreed to it, and nowhere else.

The consent comes with the publication (api.catalogue.recording) and is looked at for each call: when its days are over
or its number is reached, nothing more is written. The lines are for `kaimen parity fidelity` (docs/reference/recording).
"""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from api.contract.model import Json, JsonObject, Operation
from api.core import clock
from api.core.logging import log_failure
from api.gateway.compiled import is_json
from api.gateway.exchange import Exchange
from api.gateway.masking_values import ValueMask

FORMAT = "kaimen-recording/1"
FOLDER = "recordings"
MAX_BODY_BYTES = 256 * 1024


class Consent(Struct):
    """The department's consent as the gateway holds it. `taken` is counted from what lies in the file."""

    until: datetime
    most: int
    taken: int = -1
    mask: ValueMask | None = None


def read_consent(text: str) -> Consent | None:
    """A publication's `recording`; None where there is none, or none that can be read."""
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=Consent)
    except msgspec.MsgspecError:
        return None


def take(exchange: Exchange, gateway: Any) -> None:
    """Record a finished call, if its department agrees and it was the upstream that answered."""
    entry = exchange.compiled.entry
    consent: Consent = entry.recording
    result = exchange.result
    if result is None or result.is_synthetic or not isinstance(result.body, bytes):
        return
    if len(result.body) > MAX_BODY_BYTES or clock.now() >= consent.until:
        return
    path = file_of(gateway.settings.home_path, entry.key, gateway.environment)
    if consent.taken < 0:
        consent.taken = _lines_in(path)
    if consent.taken >= consent.most:
        return
    consent.taken += 1
    if consent.mask is None:
        consent.mask = ValueMask(entry.service.schemas)
    line = msgspec.json.encode(sample_of(exchange, consent.mask, gateway.environment)) + b"\n"
    asyncio.get_running_loop().run_in_executor(None, _write, path, line)


def file_of(home: Path, key: str, environment: str) -> Path:
    """Where the lines of a publication lie."""
    return home / FOLDER / f"{key}.{environment}.ndjson"


def sample_of(exchange: Exchange, mask: ValueMask, environment: str) -> JsonObject:
    """One call as it is written."""
    operation, result = exchange.operation, exchange.result
    assert operation is not None
    assert result is not None
    headers = {name: value.decode("latin-1") for name, value in result.headers}
    content_type = headers.get(b"content-type", "").partition(";")[0].strip().lower()
    answer = _answer(operation, result.status, content_type, result.body)
    sample: JsonObject = {
        "format": FORMAT,
        "at": clock.to_text(clock.now())[:13] + ":00:00Z",  # the hour, no nearer
        "service": exchange.compiled.entry.key,
        "digest": exchange.compiled.entry.service.digest,
        "environment": environment,
        "operation": operation.id,
        "parameters": _parameters(exchange, operation, mask),
        "status": result.status,
        "content_type": content_type,
        "answer": mask.shown(*answer) if answer is not None else None,
    }
    if exchange.json is not None and operation.body is not None:
        sample["body"] = mask.shown(exchange.json, _schema_of(operation.body.media))
    if result.status >= 400 and answer is not None and isinstance(answer[0], dict):
        sample["problem"] = str(answer[0].get("type", "")).rstrip("/").rpartition("/")[2][:64]
    return sample


def _answer(operation: Operation, status: int, content_type: str, body: Any) -> tuple[Json, Json] | None:
    """(value, schema) of a JSON answer."""
    if not is_json(content_type) or not body:
        return None
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    by_status = {one.status.upper(): one for one in operation.responses}
    described = by_status.get(str(status)) or by_status.get(f"{status // 100}XX") or by_status.get("DEFAULT")
    return value, _schema_of(described.media) if described is not None else None


def _schema_of(media: Any) -> Json:
    return next((one.schema for one in media if is_json(one.content_type.partition(";")[0])), None)


def _parameters(exchange: Exchange, operation: Operation, mask: ValueMask) -> list[JsonObject]:
    """The declared ones. Only numbers, switches and choices that are not classified are written; of all others it is
    said that they were there: texts and codes name people and things.
    """
    found = {"path": exchange.path_values, "query": exchange.query_values}
    made: list[JsonObject] = []
    for one in operation.parameters:
        if one.name not in found.get(one.location, {}):
            continue
        value = found[one.location][one.name]
        row: JsonObject = {"in": one.location, "name": one.name}
        is_choice = one.schema.get("type") in {"integer", "number", "boolean"} or "enum" in one.schema
        if not is_choice or one.schema.get("x-element") or mask.is_masked(one.schema):
            row["masked"] = True
        else:
            row["value"] = value
        made.append(row)
    return made


def _lines_in(path: Path) -> int:
    try:
        with path.open("rb") as file:
            return sum(1 for _ in file)
    except OSError:
        return 0


def _write(path: Path, line: bytes) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(line)
    except OSError as error:
        log_failure("sampling.failure", error)
