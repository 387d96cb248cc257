"""The console: GraphiQL as a page of ours, with the schema that a token opens. No CDN, no token stored.

`console/vendor` holds GraphiQL and React as scripts/vendor-graphiql.mjs brought them, with their licences.
"""

import gzip
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "console"
_SCRIPT, _STYLE = b"text/javascript; charset=utf-8", b"text/css; charset=utf-8"
FILES = {
    "/graphql": ("console.html", b"text/html; charset=utf-8"),
    "/graphql/console/console.js": ("console.js", _SCRIPT),
    "/graphql/console/console.css": ("console.css", _STYLE),
    "/graphql/console/graphiql.js": ("vendor/graphiql.js", _SCRIPT),
    "/graphql/console/graphiql.css": ("vendor/graphiql.css", _STYLE),
    "/graphql/console/react.js": ("vendor/react.js", _SCRIPT),
    "/graphql/console/react-dom.js": ("vendor/react-dom.js", _SCRIPT),
    "/graphql/console/licenses.txt": ("vendor/LICENSES.txt", b"text/plain; charset=utf-8"),
}
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@cache
def page(path: str, *, is_packed: bool = False) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Body and headers of a file of the console, gzip where the reader takes it. Raises KeyError for any other path."""
    name, content_type = FILES[path]
    body = (FOLDER / name).read_bytes()
    headers = [
        (b"content-type", content_type),
        (b"content-security-policy", _POLICY),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cache-control", b"public, max-age=3600" if name.startswith("vendor/") else b"no-cache"),
        (b"vary", b"accept-encoding, accept"),
    ]
    if is_packed:
        body = gzip.compress(body, 6, mtime=0)
        headers.append((b"content-encoding", b"gzip"))
    return body, [*headers, (b"content-length", b"%d" % len(body))]


def is_asked(path: str, method: str, accept: bytes) -> bool:
    """Whether a person's browser asks for the console."""
    return method in {"GET", "HEAD"} and path in FILES and (path != "/graphql" or b"text/html" in accept)
