"""Values that have broken servers before, and ways to bend good ones. Everything is drawn from a seeded Random."""

import base64
import json
from random import Random
from typing import Any
from urllib.parse import quote

NASTY = [
    "", " ", "\x00", "a\x00b", "\n", "\r\n", "\t", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u202e", "\ufeff", "码", "公司",
    "😀", "é", "e\u0301", "'", '"', "`", "\\", "/", "//", ".", "..", "../..", "..%2f..%2f", "%", "%%", "%zz", "%00", "%2e%2e",
    "'; DROP TABLE app; --", "' OR '1'='1", "${jndi:ldap://x/y}", "{{7*7}}", "<script>alert(1)</script>", "$(id)", "|id",
    "-1", "0", "1", "1.5", "1e308", "1e400", "-0", "9" * 30, "9" * 400, "0x1f", "NaN", "Infinity", "true", "null", "None",
    "[]", "{}", "[" * 200, '{"a":' * 100, "a,b,c", "a|b", "a b", "a+b", "a;b", "a=b&c=d", "*", "?", "#", ":", "@",
    "2026-02-30", "0000-00-00", "2026-01-01T00:00:00Z", "9999-12-31", "A" * 64, "A" * 65, "A" * 255, "A" * 1025,
    "A" * 5000, "码" * 500, "91310000MA1K35UX8J", "91110000000000000X", "kt_", "kl_0", "kp_x", "undefined", "\ud7ff",
]  # fmt: skip
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND"]
NO_METHODS = ["get", "FOO", "CONNECT", "GET /"]
MEDIA_TYPES = [
    "application/json", "application/json; charset=utf-8", "application/json;charset=gbk", "application/xml", "text/plain",
    "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=", "*/*", "", "json", "a/b/c",
    "application/octet-stream", "application/json, text/plain", "码/码", "application/vnd.api+json", "text/html;q=0",
]  # fmt: skip
HEADERS = [
    "accept", "accept-language", "accept-encoding", "cookie", "content-type", "content-encoding", "kaimen-scenario",
    "idempotency-key", "if-none-match", "if-modified-since", "range", "traceparent", "tracestate", "x-forwarded-for",
    "x-forwarded-proto", "x-forwarded-host", "forwarded", "x-http-method-override", "x-fapi-interaction-id", "prefer",
    "expect", "upgrade", "te", "via", "origin", "referer", "user-agent", "request-id", "x-request-id", "link", "authorization",
]  # fmt: skip


def bend(random: Random, text: str) -> str:
    """The text with something cut, doubled, swapped or put in; sometimes another text altogether."""
    kind = random.randrange(8)
    at = random.randrange(len(text) + 1)
    if kind == 0:
        return random.choice(NASTY)
    if kind == 1:
        return text[:at]
    if kind == 2:
        return text[:at] + random.choice(NASTY) + text[at:]
    if kind == 3:
        return text + text
    if kind == 4:
        return text.swapcase()
    if kind == 5:
        return (
            text[:at]
            + chr(random.choice([0, 1, 9, 10, 13, 31, 127, 128, 255, 0x4E00, 0x1F600]))
            + text[at + 1 :]
        )
    if kind == 6:
        return "".join(random.sample(text, len(text)))
    return text


def encode(random: Random, text: str) -> bytes:
    """The text as it may stand in an address or a form: mostly rightly, else twice, oddly, brokenly or not encoded."""
    kind = random.randrange(40)
    if kind == 0:
        return quote(quote(text, safe=""), safe="").encode()
    if kind == 1:
        return "".join(f"%{byte:02x}" for byte in text.encode()).encode()
    if kind == 2:
        return (
            random.choice([b"%", b"%f", b"%ff", b"%c3%28", b"%ed%a0%80", b"%u4e00", b"%0g"])
            + quote(text).encode()
        )
    if kind == 3:
        return bytes(byte for byte in text.encode() if byte not in b"\x00\r\n #")
    return quote(text, safe="").encode()


def header_value(random: Random, text: str) -> bytes:
    """The text as a header's value, as bad as HTTP lets through; now and then worse, which its parser refuses."""
    data = text.encode() if random.random() < 0.8 else random.randbytes(random.randrange(1, 40))
    forbidden = b"\r\n\x00" if random.random() < 0.01 else bytes([*range(32), 127])
    return bytes(byte for byte in data if byte not in forbidden)[:4000]


def json_value(random: Random, depth: int = 0) -> Any:
    """Any JSON value, now and then a large one."""
    kind = random.randrange(9 if depth < 3 else 6)
    if kind < 2:
        return random.choice(NASTY)
    if kind == 2:
        return random.choice([0, -1, 1, 2**31, 2**63, 2**64, 10**40, 1.5, -0.0, 1e308])
    if kind in {3, 4}:
        return random.choice([True, False, None])
    if kind == 5:
        return "x" * random.choice([1, 10, 1000])
    if kind == 6:
        return [json_value(random, depth + 1) for _ in range(random.randrange(4))]
    return {random.choice(NASTY)[:40]: json_value(random, depth + 1) for _ in range(random.randrange(4))}


def bent_json(random: Random, good: Any) -> bytes:
    """JSON text near a good value: members left out, replaced or added; or text that is no JSON."""
    kind = random.randrange(10)
    if kind == 0:
        return random.randbytes(random.randrange(200))
    if kind == 1:
        return json.dumps(good).encode()[: random.randrange(1, 60)]
    if kind == 2:
        return b"[" * 5000
    if kind == 3:
        return json.dumps(json_value(random)).encode()
    if kind == 4:
        return b'{"a":1,"a":2,"\\ud800":"\\u0000"}'
    if isinstance(good, dict) and good:
        changed = dict(good)
        name = random.choice(list(changed))
        if kind < 7:
            changed[name] = json_value(random)
        elif kind == 7:
            del changed[name]
        else:
            changed[bend(random, name)] = json_value(random)
        return json.dumps(changed, ensure_ascii=random.random() < 0.5).encode()
    return json.dumps(good).encode()


def basic(random: Random, client_id: str, secret: str) -> bytes:
    """A Basic header, good or bent."""
    credentials = f"{client_id}:{secret}"
    if random.random() < 0.3:
        credentials = bend(random, credentials)
    encoded = base64.b64encode(credentials.encode())
    if random.random() < 0.1:
        encoded = encoded[: random.randrange(len(encoded) + 1)]
    return random.choice([b"Basic ", b"basic ", b"BASIC  ", b"Basic", b""]) + encoded
