"""Python names, docstrings and literals. Identifiers are NFKC, as the compiler makes them. Source: PEP 8, PEP 3131."""

import keyword
import unicodedata
from collections.abc import Iterable

from sdk.escaping import comment_lines
from sdk.model import Words

# Members that every model, resource or client has already.
TAKEN = frozenset(
    {"self", "cls", "additional_properties", "to_dict", "from_dict", "close", "with_raw", "sandbox"}
)
# Builtins that annotations name: in a class with a member of that name they are written `_b.list`.
BUILTINS = frozenset({"str", "int", "float", "bool", "bytes", "list", "dict"})


def member(name: Words) -> str:
    """`annual_report`; a keyword or a name that is taken gets an underscore behind it."""
    made = _identifier("_".join(name))
    return made + "_" if keyword.iskeyword(made) or made in TAKEN else made


def type_name(name: Words) -> str:
    """`AnnualReport`; `X企业` where the first letter has no capital."""
    made = _identifier("".join(word[:1].upper() + word[1:] for word in name))
    made = made if made[0].isupper() else "X" + made
    return made + "_" if keyword.iskeyword(made) else made


def constant(name: Words) -> str:
    """`ANNUAL_REPORT`."""
    made = _identifier("_".join(name).upper())
    return made + "_" if keyword.iskeyword(made) else made


def distinct(names: Iterable[str]) -> list[str]:
    """The same names, apart where only the compiler's view of their letters is one (ﬀ and ff)."""
    taken: set[str] = set()
    made = []
    for name in names:
        one = name
        while one in taken:
            one += "_"
        taken.add(one)
        made.append(one)
    return made


def _identifier(text: str) -> str:
    normal = unicodedata.normalize("NFKC", text)
    if not normal.isidentifier():
        normal = "".join(char for char in normal if ("a" + char).isidentifier())
    return normal if normal.isidentifier() else "n" + normal


def text(value: object) -> str:
    """A literal; whatever does not print is an escape."""
    return repr(value)


def doc(lines: Iterable[str], indent: str = "    ") -> str:
    """A docstring of these lines with a line end, "" for none. Nothing in them ends it."""
    found = [line.replace("\\", "\\\\").replace('"', '\\"') for one in lines for line in comment_lines(one)]
    if not found:
        return ""
    if len(found) == 1:
        return f'{indent}"""{found[0]}"""\n'
    inner = "".join(f"{indent}{line}".rstrip() + "\n" for line in found[1:])
    return f'{indent}"""{found[0]}\n{inner}{indent}"""\n'
