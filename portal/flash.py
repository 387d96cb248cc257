"""One-time messages that outlive a redirect: "saved", "revoked", with a way back where there is one.

The cookie holds keys of our own texts, never sentences, so nobody can make the portal say something else.
"""

import base64
import binascii
from typing import Any

import msgspec
from litestar import Request
from litestar.datastructures import Cookie
from msgspec import Struct

from portal.cookies import cookie
from portal.texts import TEXTS

COOKIE = "kaimen_flash"
_UNDO = {"app.undelete": "/apps/{id}/restore", "app.unsuspend": "/apps/{id}/resume"}


class Message(Struct, frozen=True, array_like=True):
    """`kind` ok, info or bad; `undo` names a way back for the object `id`."""

    kind: str
    key: str
    facts: dict[str, str] = {}
    undo: str = ""
    id: str = ""

    @property
    def undo_address(self) -> str:
        return _UNDO[self.undo].format(id=self.id) if self.undo else ""


def put(key: str, *, kind: str = "ok", undo: str = "", id: str = "", **facts: str) -> Cookie:  # noqa: A002 - the object's id
    """The cookie that carries a message to the next page."""
    body = msgspec.json.encode([Message(kind, key, facts, undo, id)])
    return _cookie(base64.urlsafe_b64encode(body).decode(), 120)


def take(request: Request[Any, Any, Any]) -> tuple[list[Message], Cookie | None]:
    """The messages that wait, and the cookie that removes them; what is unreadable is dropped."""
    sent = request.cookies.get(COOKIE)
    if not sent:
        return [], None
    try:
        messages = msgspec.json.decode(base64.urlsafe_b64decode(sent), type=list[Message])
    except (msgspec.DecodeError, binascii.Error, ValueError):
        messages = []
    return [one for one in messages[:3] if _is_ours(one)], _cookie("", 0)


def _is_ours(message: Message) -> bool:
    if message.key not in TEXTS or (message.undo and message.undo not in _UNDO):
        return False
    if not message.id.replace("_", "").isalnum() and message.id:
        return False
    try:
        TEXTS[message.key][0].format_map(message.facts)
    except (KeyError, IndexError, ValueError):
        return False
    return message.kind in {"ok", "info", "bad"}


def _cookie(value: str, seconds: int) -> Cookie:
    return cookie(COOKIE, value, seconds=seconds)
