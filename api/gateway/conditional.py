"""Entity tags of operations with `x-cache`: every whole 200 carries an `ETag`, and who has it already gets 304.

Source: RFC 9110 §8.8.3, §13.1.2, §15.4.5.
"""

import hashlib

from api.gateway.exchange import Exchange

_OWN_OF_A_BODY = frozenset({b"content-length", b"content-type"})
_VARY = (b"vary", b"authorization, accept, accept-language")


def condition(exchange: Exchange) -> None:
    """Give a whole 200 its entity tag; 304 for a caller who has it already."""
    body = exchange.response_body
    if exchange.status != 200 or not isinstance(body, bytes):
        return
    tag = next((value for name, value in exchange.response_headers if name == b"etag"), b"")
    if not tag:
        tag = b'"' + hashlib.sha256(body).hexdigest()[:32].encode() + b'"'
        exchange.response_headers += [(b"etag", tag), _VARY]
    wanted = exchange.header_map.get(b"if-none-match")
    if wanted is not None and exchange.method in {"GET", "HEAD"} and _matches(wanted, tag):
        exchange.status = 304
        exchange.response_headers = [
            pair for pair in exchange.response_headers if pair[0] not in _OWN_OF_A_BODY
        ]
        exchange.response_body = b""


def _matches(wanted: bytes, tag: bytes) -> bool:
    """Weak comparison, as If-None-Match asks for."""
    if wanted.strip() == b"*":
        return True
    opaque = tag.removeprefix(b"W/")
    return any(one.strip().removeprefix(b"W/") == opaque for one in wanted.split(b","))
