"""Cursors of lists: opaque to the caller, bound to the filter that they were given for."""

import base64
import binascii
import zlib

from sandbox.city.department import Refused


def make_cursor(place: str, *filters: str) -> str:
    """The cursor that goes on after `place` in a list with these filters."""
    mark = zlib.crc32("\0".join(filters).encode())
    return base64.urlsafe_b64encode(f"{mark:08x}{place}".encode()).decode().rstrip("=")


def read_cursor(cursor: str, slug: str, *filters: str) -> str:
    """The place in a cursor, "" for none. Raises Refused(slug) for one that is broken or of another list."""
    if not cursor:
        return ""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise Refused(slug) from error
    if text[:8] != f"{zlib.crc32(chr(0).join(filters).encode()):08x}":
        raise Refused(slug)
    return text[8:]
