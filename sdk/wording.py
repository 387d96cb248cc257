"""Words for the names of SDKs: any identifier or title of a contract, taken apart so that nothing is lost.

Unlike api.contract.naming, which makes the platform's own ASCII slugs, Chinese and other letters stay: a property
named 企业名称 has to be reachable under a name that its reader knows.
"""

import re
import unicodedata
from collections.abc import Iterable

from sdk.model import Words

_PIECE = re.compile(
    r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^\W\d_A-Za-z]+"
)  # the last: letters of other scripts


def words_of(text: str, otherwise: str = "value") -> Words:
    """The lower-case words of an identifier; (`otherwise`,) where it has no letter and no digit."""
    normal = unicodedata.normalize("NFC", text)
    # letters and digits only: other signs that Unicode calls part of a word are no identifiers in every language
    plain = "".join(
        char if unicodedata.category(char)[0] == "L" or char.isdigit() else " " for char in normal
    )
    found = [piece.lower() for piece in _PIECE.findall(plain) if piece.isidentifier() or piece.isdigit()]
    joined: list[str] = []
    for piece in found:  # v1, sha256: a number belongs to the word before it
        if piece.isdigit() and joined and not joined[-1][-1].isdigit():
            joined[-1] += piece
        else:
            joined.append(piece)
    if joined and joined[0][0].isdigit():
        joined[0] = "n" + joined[0]
    return tuple(joined) or (otherwise,)


class Names:
    """Names that are unique where they stand: the second of one name gets a number."""

    def __init__(self, taken: Iterable[Words] = ()) -> None:
        self._taken = {_key(one) for one in taken}

    def take(self, name: Words) -> Words:
        """The name, numbered from 2 where it is taken, also where only case or joints differ."""
        made, number = name, 1
        while _key(made) in self._taken:
            number += 1
            made = (*name, str(number)) if not name[-1][-1].isdigit() else (*name, "no", str(number))
        self._taken.add(_key(made))
        return made


def _key(name: Words) -> str:
    return "".join(name).casefold()
