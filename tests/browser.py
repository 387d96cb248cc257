"""The browser that pages are looked at with: Debian's chromium, driven by playwright."""

from pathlib import Path

from tests.databases import missing

_CHROMIUM = Path("/usr/bin/chromium")


def chromium() -> str:
    """The program's path. Without it the test is skipped, saying so; under CI that is a failure."""
    if not _CHROMIUM.exists():
        missing("a browser (Debian: apt-get install chromium)")
    return str(_CHROMIUM)
