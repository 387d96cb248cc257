"""Words and names: slugs, Pascal case, singulars, and the parts of an operation's triple (design §3).

Resource and verb are lower-case ASCII words joined by hyphens ("annual-report", "list-by-code").
"""

import hashlib
import re
import unicodedata

_WORD = re.compile(
    r"[A-Z]{1,2}[0-9]+[A-Z]{1,2}(?![a-z0-9])|[a-z]{1,2}[0-9]+[a-z]{1,2}(?![a-z0-9])"  # B2B
    r"|[A-Z]+(?=[A-Z][a-z])"  # the XML of XMLFile
    r"|[A-Z]?[a-z]+[0-9]*|[A-Z]+[0-9]*|[0-9]+"
)
_NOISE = frozenset(
    [
        "api",
        "apis",
        "openapi",
        "swagger",
        "rest",
        "restful",
        "specification",
        "spec",
        "documentation",
        "definition",
        "for",
        "the",
        "of",
    ]
)
_VERSION_WORD = re.compile(r"v[0-9]+\Z")
_KEEP_S = ("ss", "us", "is", "news", "series", "vehicles-s")
MAX_SLUG = 40


def words(text: str) -> list[str]:
    """The lower-case ASCII words of any identifier or title; accents are folded, other scripts left out."""
    folded = unicodedata.normalize("NFKD", text)
    plain = "".join(char for char in folded if not unicodedata.combining(char))
    return [word.lower() for word in _WORD.findall(plain) if word.isascii()]


def pascal(text: str) -> str:
    """`annual-report` -> `AnnualReport`; "" where there is no ASCII word."""
    return "".join(word[:1].upper() + word[1:] for word in words(text))


def slug(text: str, *, most: int = MAX_SLUG) -> str:
    """The hyphenated words of a text, cut at a word's end; "" where there is no ASCII word."""
    return _joined(words(text), most)


def _joined(every: list[str], most: int) -> str:
    made = ""
    for word in every:
        longer = f"{made}-{word}" if made else word[:most]
        if len(longer) > most:
            break
        made = longer
    return made


def service_slug(title: str) -> str:
    """A service name from a foreign title: at most 40 characters, words like "API" and "v1" left out.

    A title without Latin letters gives `service-` and six hexadecimal digits of its SHA-256, stable and unique enough to be edited.
    """
    every = words(title)
    telling = [word for word in every if word not in _NOISE and not _VERSION_WORD.match(word)]
    made = _joined(telling or every, MAX_SLUG)
    if not made:
        return "service-" + hashlib.sha256(title.encode()).hexdigest()[:6]
    return made if made[0].isalpha() else f"s-{made}"[:MAX_SLUG]


def major_version(release: str) -> str:
    """`v` and the first number of info.version, `v1` where there is none."""
    found = re.search(r"[0-9]{1,9}", release)
    return f"v{int(found.group())}" if found else "v1"


def singular(word: str) -> str:
    """The English singular of one word, by the plain rules; what they do not cover stays."""
    if len(word) < 4 or word.endswith(_KEEP_S) or not word.endswith("s"):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1]


def singular_slug(text: str) -> str:
    """A slug whose last word is singular: `annual_reports` -> `annual-report`."""
    made = slug(text)
    head, _, last = made.rpartition("-")
    last = singular(last)
    return f"{head}-{last}" if head else last
