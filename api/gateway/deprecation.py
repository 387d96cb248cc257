"""The headers by which a call learns that its service version will go: `Deprecation`, `Sunset`, `Link`.

Source: RFC 9745 (structured date), RFC 8594 (HTTP date, never before the deprecation), RFC 8288 and RFC 5829.
"""

from datetime import UTC, date, datetime
from email.utils import format_datetime

from api.contract.model import Deprecation

Header = tuple[bytes, bytes]


def deprecation_headers(deprecation: Deprecation | None) -> tuple[Header, ...]:
    """The headers for a deprecation, made once per operation; none where there is none."""
    if deprecation is None:
        return ()
    headers: list[Header] = []
    at = _moment(deprecation.at)
    if at is not None:
        headers.append((b"deprecation", b"@%d" % int(at.timestamp())))
    sunset = _moment(deprecation.sunset)
    if sunset is not None:
        headers.append((b"sunset", format_datetime(max(sunset, at or sunset), usegmt=True).encode()))
    links = []
    if deprecation.guide:
        links.append(f'<{_uri(deprecation.guide)}>; rel="deprecation"')
    if deprecation.successor:
        name, _, version = deprecation.successor.partition("@")
        links.append(f'</api/{_uri(name)}/{_uri(version)}/>; rel="successor-version"')
    if links:
        headers.append((b"link", ", ".join(links).encode()))
    return tuple(headers)


def _moment(text: str) -> datetime | None:
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _uri(text: str) -> str:
    """Text from a department, fit to stand in a Link header."""
    return "".join(char for char in text if char.isascii() and char.isprintable() and char not in '<>" ')
