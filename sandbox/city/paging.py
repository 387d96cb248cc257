"""Cursors of lists: opaque to the caller, bound to the filter that they were given for."""

import base64
import binascii
import re
import zlib

from sandbox.city.department import Refused


def make_cursor(place: str, *filters: str) -> str:
    """The cursor that goes on after `place` in a list with these filters."""
    mark = zlib.crc32(chr(0).join(filters).encode())
    return base64.urlsafe_b64encode(f"{mark:08x}{place}".encode()).decode().rstrip("=")


def read_cursor(cursor: str, slug: str, *filters: str, form: str = "[0-9]{1,9}") -> str:
    """The place in a cursor, "" for none. `form` is the pattern of places.

    Raises Refused(slug) for one that is broken, forged or of another list.
    """
    if not cursor:
        return ""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise Refused(slug) from error
    mark = f"{zlib.crc32(chr(0).join(filters).encode()):08x}"
    if text[:8] != mark or not re.fullmatch(form, text[8:]):
        raise Refused(slug)
    return text[8:]
