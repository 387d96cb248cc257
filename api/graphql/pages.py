"""The console: a page of ours in which a query is tried, with the schema beside it. No CDN, nothing stored."""

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "console"
FILES = {
    "/graphql": ("console.html", b"text/html; charset=utf-8"),
    "/graphql/console.js": ("console.js", b"text/javascript; charset=utf-8"),
    "/graphql/console.css": ("console.css", b"text/css; charset=utf-8"),
}
_POLICY = b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@cache
def page(path: str) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Body and headers of a file of the console. Raises KeyError for any other path."""
    name, content_type = FILES[path]
    return (FOLDER / name).read_bytes(), [
        (b"content-type", content_type),
        (b"content-security-policy", _POLICY),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cache-control", b"no-cache"),
    ]


def is_asked(path: str, method: str, accept: bytes) -> bool:
    """Whether a person's browser asks for the console."""
    return method in {"GET", "HEAD"} and path in FILES and (path != "/graphql" or b"text/html" in accept)
