"""Which addresses an app may have a browser sent back to. They are compared character by character later on.

Taken: `https` with a full host name or address, and `http` on this very computer (127.0.0.1, [::1], localhost)
for native apps and development (RFC 8252 §7.3). Refused: wildcards, fragments, user names, dot segments, other
schemes, and the addresses at which clouds keep the credentials of their machines.
Source: RFC 6749 §3.1.2, RFC 9700 §2.1, §4.1.
"""

import ipaddress
import re
from urllib.parse import unquote, urlsplit

from api.core.egress import Egress
from api.core.problems import Text

MAX_LENGTH = 500
MAX_URIS = 20
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_METADATA_NAMES = frozenset(
    {"metadata.google.internal", "metadata.goog", "instance-data.ec2.internal", "metadata.azure.internal"}
)
_EVERYWHERE = Egress(["0.0.0.0/0", "::/0"])  # what it still refuses is never anybody's application
_is_plain = re.compile(r"[A-Za-z0-9._~:/?&=%+@!$'(),;\[\]-]+").fullmatch
_is_host = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}").fullmatch
_broken_percent = re.compile(r"%(?![0-9A-Fa-f]{2})").search


def fault_of_redirect_uri(uri: str, *, loopback: bool = True) -> Text | None:
    """What is wrong with an address to return to; None when nothing is.

    `loopback` says whether http on the person's own computer is taken.
    """
    return _fault_of_text(uri) or _fault_of_parts(uri, loopback=loopback)


def _fault_of_text(uri: str) -> Text | None:
    faults = (
        (
            not 0 < len(uri) <= MAX_LENGTH,
            Text(f"地址须为 1 至 {MAX_LENGTH} 个字符。", f"It has 1 to {MAX_LENGTH} characters."),
        ),
        (
            "*" in uri,
            Text("不能用通配符;逐个登记完整地址。", "No wildcards: register each whole address."),
        ),
        ("#" in uri, Text("不能有片段(#)。", "It has no fragment (#).")),
        (
            not _is_plain(uri) or bool(_broken_percent(uri)),
            Text(
                "含有地址中不允许的字符;非 ASCII 字符须百分号编码。",
                "It holds characters that no address has; encode others with percent signs.",
            ),
        ),
    )
    return next((text for is_there, text in faults if is_there), None)


def _fault_of_parts(uri: str, *, loopback: bool) -> Text | None:
    try:
        parts = urlsplit(uri)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        return Text("这不是地址。", "This is no address.")
    if "@" in parts.netloc:
        return Text("地址中不能有用户名或口令。", "It holds no user name and no password.")
    if not host or port == 0:
        return Text("缺少主机名,或端口无效。", "It names no host, or no possible port.")
    if any(segment in {".", ".."} for segment in unquote(parts.path).split("/")):
        return Text("路径中不能有 . 或 .. 段。", "Its path has no dot segments.")
    return _fault_of_origin(parts.scheme, host, loopback=loopback)


def _fault_of_origin(scheme: str, host: str, *, loopback: bool) -> Text | None:
    if scheme == "http" and host in _LOOPBACK:
        if loopback:
            return None
        return Text("此处只接受 https 地址。", "Only https is taken here.")
    if scheme != "https":
        return Text(
            "须为 https;本机开发可用 http://127.0.0.1。",
            "It is https, or http://127.0.0.1 for apps on the person's own computer.",
        )
    return _fault_of_host(host)


def _fault_of_host(host: str) -> Text | None:
    refused = Text(
        "不能是元数据服务、链路本地、内网或非单播地址。",
        "No metadata service, no link-local, private or multicast address.",
    )
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if host in _METADATA_NAMES:
            return refused
        if (
            not _is_host(host)
            or host.rpartition(".")[2].isdecimal()
            or host.rpartition(".")[2].startswith("0x")
        ):
            return Text("须为完整的域名。", "The host is a full domain name.")
        return None
    return refused if not address.is_global or _EVERYWHERE.refusal_of(str(address)) else None


def is_loopback(uri: str) -> bool:
    """Whether an address that was taken lies on the person's own computer, where any port may answer."""
    parts = urlsplit(uri)
    return parts.scheme == "http" and parts.hostname in _LOOPBACK
