"""E-mail addresses: read, checked and brought to the one form in which they are stored and compared.

Internationalised addresses count (RFC 6531, RFC 6532): 用户@例子.中国 is one, and is the same person as
用户@xn--fsqu00a.xn--fiqs8s. Quoted local parts, comments, address literals and names without a dot are refused:
they are legal, nobody has them, and they are how headers get injected. Whether mail arrives only a mail tells.
"""

import re
import unicodedata

import idna

from api.identity.inputs import Inputs, is_clean

MAX_OCTETS = 254  # RFC 5321 §4.5.3.1.3, less the angle brackets
MAX_LOCAL_OCTETS = 64  # §4.5.3.1.1
_ASCII_ATEXT = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]")  # RFC 5322 §3.2.3, and the dot


def normalise_address(text: str) -> str:
    """The stored form: NFC, lower case, the domain in Unicode. Raises ValueError for what is no address."""
    if len(text) > MAX_OCTETS or not is_clean(text):
        raise ValueError("too long, or control characters")
    local, at, domain = unicodedata.normalize("NFC", text.strip()).rpartition("@")
    if not at or not _is_local(local):
        raise ValueError("no local part")
    ascii_domain, domain = _domain(domain)
    address = unicodedata.normalize("NFC", local.lower()) + "@" + domain
    if max(len(address.encode()), len(f"{local}@{ascii_domain}".encode())) > MAX_OCTETS:
        raise ValueError("too long")
    return address


def _is_local(local: str) -> bool:
    if not local or len(local.encode()) > MAX_LOCAL_OCTETS:
        return False
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return False
    return all(
        _ASCII_ATEXT.fullmatch(character)
        if character.isascii()
        else unicodedata.category(character)[0] in "LMN"  # letters, marks, digits: no invisible characters
        for character in local
    )


def _domain(text: str) -> tuple[str, str]:
    try:
        ascii_form = idna.encode(text, uts46=True, std3_rules=True).decode().lower()
        unicode_form = idna.decode(ascii_form)
    except (idna.IDNAError, UnicodeError) as error:
        raise ValueError("no domain") from error
    labels = ascii_form.split(".")
    if len(labels) < 2 or not all(labels) or labels[-1].isdigit() or len(ascii_form) > 253:
        raise ValueError("no domain")
    return ascii_form, unicode_form


def read_address(inputs: Inputs, pointer: str, text: str) -> str:
    """The stored form of what was typed, "" with a fault noted when it is no e-mail address."""
    try:
        return normalise_address(text)
    except ValueError:
        inputs.fault(pointer, "不是有效的电子邮箱地址。", "It is not a valid e-mail address.")
        return ""
