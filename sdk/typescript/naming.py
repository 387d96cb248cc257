"""TypeScript names: camelCase members, PascalCase types, with reserved words and the runtime's own names left alone."""

import json
from collections.abc import Iterable

from sdk.escaping import comment_lines
from sdk.model import Words

# ECMAScript reserved words in strict mode and modules, and TypeScript's own. Source: ECMA-262 §12.7.2.
_RESERVED = """
    arguments async await break case catch class const continue debugger default delete do else enum eval export
    extends false finally for function if implements import in instanceof interface let new null package private
    protected public return static super switch this throw true try typeof undefined var void while with yield
"""
RESERVED = frozenset(_RESERVED.split())
# Types that the package exports itself, or that the generated code refers to.
_TAKEN_TYPES = """
    ApiError Array AuthenticationError Blob Boolean CallOptions Client ClientOptions ConflictError ConnectionError
    Date DecodingError Error Event Events File FormData Headers InvalidRequestError Item JsonValue Kaimen
    KaimenError KnownEvent Map NotFoundError Number Object Page Pages Partial PermissionDeniedError Promise RateLimitedError
    Raw ReadableStream Record Response Sandbox Scenarios ServerError Set String Symbol TimeoutError Transport URL
    Uint8Array UnknownVariant WebhookError WebhookEvent WebhookHeaders
"""
TAKEN_TYPES = frozenset(_TAKEN_TYPES.split())
# Members that every object has, or that would make it a promise.
TAKEN_MEMBERS = frozenset({"constructor", "then", "toJSON", "toString", "valueOf", "hasOwnProperty"})


def member(name: Words) -> str:
    """`annualReport`; a reserved word may be a member, but not one that every object has."""
    made = name[0] + "".join(_capital(word) for word in name[1:])
    return made + "_" if made in TAKEN_MEMBERS else made


def variable(name: Words) -> str:
    """The same for a parameter, where reserved words may not stand."""
    made = member(name)
    return made + "_" if made in RESERVED else made


def type_name(name: Words) -> str:
    made = "".join(_capital(word) for word in name)
    return made + "_" if made in TAKEN_TYPES or made in RESERVED else made


def constant(name: Words) -> str:
    return "_".join(word.upper() for word in name)


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


def text(value: object) -> str:
    """A literal; JSON, with what ends a line or hides in one as escapes."""
    return json.dumps(value, ensure_ascii=True, sort_keys=False)


def doc(lines: Iterable[str], indent: str = "") -> str:
    """A TSDoc comment of these lines, "" for none. Nothing in them ends it."""
    found = [line.replace("*/", "*\\/") for one in lines for line in comment_lines(one)]
    if not found:
        return ""
    if len(found) == 1:
        return f"{indent}/** {found[0]} */\n"
    return (
        f"{indent}/**\n" + "".join(f"{indent} * {line}".rstrip() + "\n" for line in found) + f"{indent} */\n"
    )
