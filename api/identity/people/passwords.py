"""Passwords: what one must be, and argon2id off the event loop.

Rules after NIST SP 800-63B-4 §3.1.1: length counts, composition rules do not help, known ones are refused.
Hashing takes about 50 ms and 64 MiB, so it runs in a small pool of threads of its own: argon2 releases
the interpreter lock, and a flood of sign-ins waits there without holding up the loop or eating the memory.
"""

import asyncio
import re
import unicodedata
from concurrent.futures import ThreadPoolExecutor

from api.core import crypto
from api.identity.inputs import Inputs, is_clean
from api.identity.people.common_passwords import COMMON

MIN_LENGTH = 10
MAX_LENGTH = 200
HASHING_THREADS = 2  # 64 MiB each

_DECORATION = frozenset("0123456789!@#$.*?-_")
_SHORTEST_STEM = 5
_pool = ThreadPoolExecutor(HASHING_THREADS, thread_name_prefix="argon2")
_dummy: list[str] = []
_SEQUENCES = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
)


def normalise_password(password: str) -> str:
    """NFC, so that the same characters typed on another keyboard are the same password (RFC 8265 §4.2)."""
    return unicodedata.normalize("NFC", password)


def check_password(inputs: Inputs, pointer: str, password: str, *, email: str = "", name: str = "") -> None:
    """Notes why a new password is refused: too short or long, control characters, the person's own data, common."""
    if len(password) > MAX_LENGTH:
        inputs.fault(
            pointer, f"密码最多 {MAX_LENGTH} 个字符。", f"A password has at most {MAX_LENGTH} characters."
        )
        return
    password = normalise_password(password)
    if not is_clean(password):
        inputs.fault(pointer, "密码含有控制字符。", "The password holds control characters.")
    elif len(password) < MIN_LENGTH:
        inputs.fault(
            pointer, f"密码至少 {MIN_LENGTH} 个字符。", f"A password has at least {MIN_LENGTH} characters."
        )
    elif _is_own(password, email, name):
        inputs.fault(
            pointer, "密码不能是邮箱或姓名。", "The password must not be the e-mail address or the name."
        )
    elif is_common(password):
        inputs.fault(
            pointer,
            "这个密码太常见,容易被猜中;换一个,例如三四个不相干的词。",
            "This password is too common and easily guessed; take another, such as three or four unrelated words.",
        )


def _is_own(password: str, email: str, name: str) -> bool:
    plain = _plain(password)
    local, _, domain = email.partition("@")
    own = {_plain(text) for text in (email, local, domain, local + domain, name, *name.split()) if text}
    rest = re.sub(r"[0-9]+$", "", plain)  # "li.mei@example.org1", "limei2024"
    return plain in own or rest in own


def _plain(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def is_common(password: str) -> bool:
    """Whether it stands in the list (also with digits or `!` added), repeats itself, or runs along a row of keys."""
    folded = "".join(password.casefold().split())
    for end in range(len(folded), _SHORTEST_STEM - 1, -1):  # "password", "password1", "password2024!"
        if folded[:end] in COMMON:
            return True
        if folded[end - 1] not in _DECORATION:
            break
    if re.fullmatch(r"(.{1,4}?)\1+.?", folded):  # aaaaaaaaaa, 12341234123, 我我我我…
        return True
    return any(folded in row * 2 or folded in row[::-1] * 2 for row in _SEQUENCES)


async def hash_password(password: str) -> str:
    """The argon2id hash to store, computed in a thread."""
    return await asyncio.get_running_loop().run_in_executor(
        _pool, crypto.hash_password, normalise_password(password)
    )


async def is_password(password: str, stored: str) -> bool:
    """Whether it is the stored password, computed in a thread.

    With nothing stored (no such person) it takes the same time and is False, so that the time tells nothing.
    """
    password = normalise_password(password)[:MAX_LENGTH]
    if not _dummy:
        _dummy.append(await hash_password("nobody has this password"))
    matches = await asyncio.get_running_loop().run_in_executor(
        _pool, crypto.is_password, password, stored or _dummy[0]
    )
    return matches and bool(stored)
