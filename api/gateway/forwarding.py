"""Which headers of a client reach a department's system, and what the gateway adds. Both ways of one proxy hop.

Never forwarded: credentials and cookies, framing, hop-by-hop headers (RFC 9110 §7.6.1) with those that
Connection names, addresses that a client claims to have, switches that could make an upstream see another
method or path than the one that was authorised, and names with an underscore (some servers read them as `-`).
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from urllib.parse import urlsplit

Header = tuple[bytes, bytes]

_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-authentication-info",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"http2-settings",
    }
)
_FRAMING = frozenset({b"content-length", b"host", b"expect"})
_CREDENTIALS = frozenset({b"authorization", b"cookie", b"cookie2", b"dpop", b"x-csrf-token"})
_CLAIMED_ADDRESS = frozenset(
    {
        b"forwarded",
        b"x-real-ip",
        b"x-client-ip",
        b"client-ip",
        b"true-client-ip",
        b"cf-connecting-ip",
        b"x-cluster-client-ip",
        b"x-originating-ip",
        b"x-remote-ip",
        b"x-remote-addr",
    }
)
_OVERRIDES = frozenset(
    {
        b"x-http-method-override",
        b"x-http-method",
        b"x-method-override",
        b"x-original-url",
        b"x-rewrite-url",
        b"x-original-host",
        b"x-host",
        b"x-forwarded-server",
    }
)
# A client's TLS certificate, as terminators hand it on: the gateway's to read, nobody's behind it. Those that
# begin with x-forwarded- go anyway, and so does the header that KAIMEN_CLIENT_CERTIFICATE_HEADER names.
_CERTIFICATES = frozenset(
    {
        b"client-cert",
        b"client-cert-chain",
        b"x-client-cert",
        b"x-client-certificate",
        b"x-ssl-cert",
        b"x-ssl-client-cert",
        b"x-arr-clientcert",
        b"ssl-client-cert",
    }
)
_withheld: set[bytes] = set()
# Set anew by the gateway: request id, trace, encoding, media type.
_OURS = frozenset({b"request-id", b"x-request-id", b"traceparent", b"accept-encoding", b"content-type"})
_REQUEST_DROPPED = (
    _HOP_BY_HOP | _FRAMING | _CREDENTIALS | _CLAIMED_ADDRESS | _OVERRIDES | _CERTIFICATES | _OURS
)
# One origin serves all departments: none may set cookies or policies for it, none shows its software.
_RESPONSE_DROPPED = (
    _HOP_BY_HOP
    | _OURS - {b"content-type"}
    | {
        b"content-length",
        b"set-cookie",
        b"set-cookie2",
        b"server",
        b"x-powered-by",
        b"date",
        b"alt-svc",
        b"strict-transport-security",
        b"public-key-pins",
        b"clear-site-data",
        b"service-worker-allowed",
        b"proxy-status",
        b"ratelimit",
        b"ratelimit-policy",
    }
)


class _Names(dict[bytes, bool]):
    """What was decided about a header name; a look-up costs half of a cached call, six of them a call."""

    def __init__(self, decide: Callable[[bytes], bool]) -> None:
        self._decide = decide

    def __missing__(self, name: bytes) -> bool:
        if len(self) > 2048:
            self.clear()
        decided = self[name] = self._decide(name)
        return decided


def _goes_up(name: bytes) -> bool:
    return not (
        name in _REQUEST_DROPPED
        or name in _withheld
        or name.startswith((b"x-forwarded-", b"kaimen-", b"proxy-"))
        or b"_" in name
    )


def _comes_down(name: bytes) -> bool:
    return not (
        name in _RESPONSE_DROPPED or name.startswith((b"kaimen-", b"access-control-", b"x-ratelimit-"))
    )


_UP = _Names(_goes_up)
_DOWN = _Names(_comes_down)


def withhold(name: str) -> None:
    """From now on no department gets to see this header of a client; "" changes nothing."""
    if name:
        _withheld.add(name.lower().encode("latin-1"))
        _UP.clear()


def _named_by_connection(headers: Iterable[Header]) -> frozenset[bytes]:
    """Names that a Connection header lists: hop-by-hop for this message. Source: RFC 9110 §7.6.1."""
    named: set[bytes] = set()
    for name, value in headers:
        if name == b"connection" and value not in {b"keep-alive", b"close"}:
            named.update(part.strip().lower() for part in value.split(b","))
    return frozenset(named)


@lru_cache(maxsize=4096)
def _origin_of_call(client_address: str, public_origin: str) -> tuple[Header, ...]:
    """Where the call came from, in both notations. Source: RFC 7239; X-Forwarded-* as everybody reads them."""
    parts = urlsplit(public_origin)
    scheme, host = parts.scheme.encode(), parts.netloc.encode()
    address = client_address.encode("ascii", "ignore") or b"unknown"
    node = b'"[%b]"' % address if b":" in address else address
    return (
        (b"x-forwarded-for", address),
        (b"x-forwarded-proto", scheme),
        (b"x-forwarded-host", host),
        (b"forwarded", b'for=%b;host="%b";proto=%b' % (node, host, scheme)),
    )


def request_headers(
    headers: Sequence[Header], *, client_address: str, public_origin: str, keeps_encoding: bool
) -> list[Header]:
    """What a department's system gets to see of a client's headers, and where the call came from.

    `client_address` is the one that `admit` believes (a trusted proxy's word is already in it), so the
    chain that a client sent is replaced, never added to. `keeps_encoding` False asks for a plain body.
    """
    forwarded: list[Header] = []
    encoding = b"identity"
    has_connection = expects = False
    for pair in headers:
        name = pair[0]
        if _UP[name]:
            forwarded.append(pair)
        elif name == b"accept-encoding":
            encoding = pair[1] if keeps_encoding else b"identity"
        elif name == b"connection":
            has_connection = has_connection or pair[1] != b"keep-alive"
        elif name == b"expect":
            expects = pair[1].lower() == b"100-continue"
    if has_connection:
        named = _named_by_connection(headers)
        if named:
            forwarded = [pair for pair in forwarded if pair[0] not in named]
    forwarded += _origin_of_call(client_address, public_origin)
    forwarded.append((b"accept-encoding", encoding))
    if expects:
        forwarded.append((b"expect", b"100-continue"))
    return forwarded


def response_headers(headers: Sequence[Header]) -> list[Header]:
    """What a client gets to see of an upstream's headers; names in lower case already."""
    kept = []
    has_connection = False
    for pair in headers:
        if _DOWN[pair[0]]:
            kept.append(pair)
        elif pair[0] == b"connection" and pair[1] != b"keep-alive":
            has_connection = True
    if has_connection:
        named = _named_by_connection(headers)
        if named:
            kept = [pair for pair in kept if pair[0] not in named]
    return kept
