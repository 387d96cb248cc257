"""The security headers of every page. Source: W3C Content Security Policy 3, OWASP Secure Headers."""

STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# The documentation site brings inline scripts and styles of its generator; it shows no forms and no secrets.
_DOCS = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; form-action 'self'; frame-ancestors 'none'; base-uri 'self'"
)
_ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
]


def page_headers(path: str) -> list[tuple[bytes, bytes]]:
    """The security headers of a path; what an answer says itself comes first."""
    policy = _DOCS if path.startswith("/docs") else STRICT
    return [*_ALWAYS, (b"content-security-policy", policy.encode())]
