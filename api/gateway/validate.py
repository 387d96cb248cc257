"""Step `validate`: does the call fit the contract. Parameters, media types, body, sandbox switches.

Parameters that the contract does not name pass through unread. In the sandbox `check_answer` holds the
department's answer against the contract too, so that drift is found before it goes live.
"""

import re

import msgspec

from api.core.problem_types import (
    BODY_INVALID,
    MEDIA_TYPE_UNSUPPORTED,
    NOT_ACCEPTABLE,
    PARAMETER_INVALID,
    RESPONSE_INVALID,
    SCENARIO_ON_LIVE,
    SCENARIO_UNKNOWN,
)
from api.core.problems import Failure, ProblemType, Refusal
from api.gateway.compiled import Checks, CompiledOperation, MediaChecks, is_json
from api.gateway.exchange import Exchange
from api.gateway.listing import MAX_ERRORS, is_deeper
from api.gateway.parameters import MISSING, split_cookies, split_query
from api.gateway.plane import Gateway
from api.gateway.schemas import Check, FieldError

PASSED = ("validate", "pass", "")
_KEY = re.compile(rb"[\x21-\x7e]{1,255}")
# Answers up to here are checked whole; above, one of SAMPLED up to the second bound: parsing costs more than
# all other steps together. Larger ones are for the contract's own tests.
CHECKED_BYTES = 16 * 1024
SAMPLED_BYTES = 1024 * 1024
SAMPLED = 16

MAX_LEVELS = 64  # containers within containers: no interface needs more, and each level costs stack somewhere
_TOO_DEEP = f"is nested deeper than {MAX_LEVELS} levels"

_decode = msgspec.json.Decoder().decode


def apply(exchange: Exchange, gateway: Gateway) -> None:
    """Type path, query and header values; fill json, scenario and content type.

    Raises Refusal: parameter-invalid, body-invalid, media-type-unsupported, not-acceptable,
    scenario-unknown, scenario-on-live.
    """
    compiled: CompiledOperation = exchange.compiled
    checks = compiled.checks
    headers = exchange.header_map
    if b"kaimen-scenario" in headers:
        _set_scenario(exchange, gateway)
    errors: list[FieldError] = []
    if checks.path:
        values = exchange.path_values
        for reader in checks.path:
            value = reader.read_text(str(values.get(reader.name, "")), errors)
            if value is not MISSING:
                values[reader.name] = value
    if checks.query:
        _read_query(exchange, checks, errors)
    if checks.headers or checks.cookies:
        _read_headers(exchange, checks, errors)
    if b"idempotency-key" in headers and not _KEY.fullmatch(headers[b"idempotency-key"]):
        message = "has to be 1 to 255 visible ASCII characters"
        errors.append({"pointer": "/header/Idempotency-Key", "message": message})
    if errors:
        raise _invalid(PARAMETER_INVALID, errors, gateway, compiled)
    _check_body(exchange, gateway, checks.body)
    accept = headers.get(b"accept")
    if accept is not None and accept != b"*/*" and not checks.is_acceptable(accept):
        offered = ", ".join(checks.offered.offered) if checks.offered else "…"
        raise Refusal(NOT_ACCEPTABLE, operation=compiled.operation.id, offered=offered)
    exchange.verdicts.append(PASSED)


def _read_query(exchange: Exchange, checks: Checks, errors: list[FieldError]) -> None:
    pairs = split_query(exchange.query_string) if exchange.query_string else []
    values = exchange.query_values
    for reader in checks.query:
        known = len(errors)
        value = reader.read_pairs(pairs, errors) if pairs or reader.required else MISSING
        if value is not MISSING:
            values[reader.name] = value
        elif reader.required and len(errors) == known:
            errors.append({"pointer": reader.pointer, "message": "is required"})


def _read_headers(exchange: Exchange, checks: Checks, errors: list[FieldError]) -> None:
    headers = exchange.header_map
    values = exchange.header_values
    for reader in checks.headers:
        sent = headers.get(reader.key)
        if sent is not None:
            value = reader.read_text(_text_of(sent), errors)
            if value is not MISSING:
                values[reader.name] = value
        elif reader.required:
            errors.append({"pointer": reader.pointer, "message": "is required"})
    if checks.cookies:
        cookies = dict(split_cookies(_text_of(headers.get(b"cookie", b""))))
        for reader in checks.cookies:
            if reader.name in cookies:
                value = reader.read_text(cookies[reader.name], errors)
                if value is not MISSING:
                    values[reader.name] = value
            elif reader.required:
                errors.append({"pointer": reader.pointer, "message": "is required"})


def _text_of(value: bytes) -> str:
    """A header's text: UTF-8 where it is that, else byte for byte."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _set_scenario(exchange: Exchange, gateway: Gateway) -> None:
    if not gateway.is_sandbox:
        raise Refusal(SCENARIO_ON_LIVE)
    wanted = _text_of(exchange.header_map[b"kaimen-scenario"])
    known = [scenario.id for scenario in exchange.operation.scenarios]
    if wanted not in known:
        raise Refusal(
            SCENARIO_UNKNOWN,
            operation=exchange.operation.id,
            scenario=wanted[:64],
            known=", ".join(known) or "—",
        )
    exchange.scenario = wanted


def _check_body(exchange: Exchange, gateway: Gateway, media: MediaChecks | None) -> None:
    compiled: CompiledOperation = exchange.compiled
    operation = compiled.operation
    has_body = bool(exchange.body) or (exchange.body_stream is not None and exchange.content_length != 0)
    if not has_body:
        if operation.body is not None and operation.body.required:
            message = {"pointer": "", "message": "a body is required"}
            raise _invalid(BODY_INVALID, [message], gateway, compiled)
        return
    content_type = _text_of(exchange.header_map.get(b"content-type", b""))
    exchange.content_type = content_type
    media_type = content_type.partition(";")[0].strip().lower()
    is_known, check = media.find(media_type) if media is not None else (False, None)
    if not is_known:
        raise Refusal(
            MEDIA_TYPE_UNSUPPORTED,
            operation=operation.id,
            accepted=", ".join(media.offered) if media is not None else "…",
            received=media_type[:100] or "…",
        )
    if exchange.body is None or not is_json(media_type):
        return  # streamed: what it holds is the department's to check
    if exchange.json is None:
        exchange.json = parse_json(exchange, gateway)
    if check is not None and not check.is_valid(exchange.json):
        raise _invalid(BODY_INVALID, check.errors(exchange.json, ""), gateway, compiled)


def parse_json(exchange: Exchange, gateway: Gateway) -> object:
    """The body as JSON. Raises Refusal(BODY_INVALID)."""
    try:
        value = _decode(exchange.body or b"")
    except RecursionError:
        message = _TOO_DEEP
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = "is no JSON: " + str(error).replace("JSON is malformed: ", "")[:200]
    else:
        if not _is_too_deep(exchange.body or b"", value):
            return value
        message = _TOO_DEEP
    raise _invalid(BODY_INVALID, [{"pointer": "", "message": message}], gateway, exchange.compiled)


def _is_too_deep(body: bytes, value: object) -> bool:
    if body.count(b"{") + body.count(b"[") <= MAX_LEVELS:
        return False  # nearly every body, told at the speed of memory
    return is_deeper(value, MAX_LEVELS)


def _invalid(
    kind: ProblemType, errors: list[FieldError], gateway: Gateway, compiled: CompiledOperation
) -> Refusal:
    key = compiled.entry.key.replace("@", "/")
    docs = f"{gateway.settings.sandbox_url.rstrip('/')}/catalogue/{key}/openapi.json"
    shown = tuple(errors[:MAX_ERRORS])
    return Refusal(kind, errors=shown, count=len(errors), operation=compiled.operation.id, docs=docs)


def check_answer(exchange: Exchange, gateway: Gateway) -> None:
    """Hold the department's answer against the contract. Raises Failure(RESPONSE_INVALID).

    An error that the contract does not describe passes: it is the department's to give. So does a success where
    the contract describes none at all, and a stream.
    """
    result = exchange.result
    compiled: CompiledOperation = exchange.compiled
    if result is None:
        return
    body = result.body
    content_type = b""
    for name, value in result.headers:
        if name == b"content-type":
            content_type = value
            break
    is_described, is_known, check = compiled.checks.answer(result.status, content_type)
    if not is_described:
        if 200 <= result.status < 300 and compiled.checks.describes_success:
            message = f"the contract describes no answer with status {result.status}"
            raise _broken(compiled, [{"pointer": "", "message": message}])
        return
    if not isinstance(body, bytes | None) or exchange.method == "HEAD":
        return
    if not body:
        _check_absence(compiled, result.status)
        return
    if not is_known:
        offered = ", ".join(compiled.checks.offered_by(result.status))
        came = _text_of(content_type)[:100] or "nothing"
        message = f"the contract describes {offered}; it came as {came}"
        raise _broken(compiled, [{"pointer": "", "message": message}])
    if check is not None:
        _check_answer_body(exchange, compiled, check, body)


def _check_absence(compiled: CompiledOperation, status: int) -> None:
    """An empty success is none where the contract offers nothing but JSON."""
    offered = compiled.checks.offered_by(status)
    if not 200 <= status < 300 or status in {204, 205} or not offered:
        return
    if all(is_json(one.partition(";")[0].strip().lower()) for one in offered):
        message = f"the contract describes {', '.join(offered)}; it came without a body"
        raise _broken(compiled, [{"pointer": "", "message": message}])


def _check_answer_body(exchange: Exchange, compiled: CompiledOperation, check: Check, body: bytes) -> None:
    if len(body) > SAMPLED_BYTES:
        return
    if len(body) > CHECKED_BYTES and exchange.started_ns // 1000 % SAMPLED:
        return
    try:
        value = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _broken(compiled, [{"pointer": "", "message": "is no JSON"}]) from None
    if not check.is_valid(value):
        raise _broken(compiled, check.errors(value, ""))


def _broken(compiled: CompiledOperation, errors: list[FieldError]) -> Failure:
    return Failure(RESPONSE_INVALID, errors=tuple(errors), service=compiled.entry.key, count=len(errors))
