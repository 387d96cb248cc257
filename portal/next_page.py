"""Where to go on after signing in: a page of this site, nothing else."""

from urllib.parse import urlsplit


def safe_next(address: str) -> str:
    """A path of this site to go on to, "" for anything else: nobody is sent elsewhere by our sign-in page."""
    parts = urlsplit(address)
    is_path = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if is_path and not parts.scheme and not parts.netloc else ""
