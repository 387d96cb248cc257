"""Go names: exported PascalCase, parameters camelCase, with keywords, builtins and the runtime's own names left alone."""

import json
from collections.abc import Iterable

from sdk.escaping import comment_lines
from sdk.model import Words

# Source: the Go specification, "Keywords" and "Predeclared identifiers".
_RESERVED = """
    address any append base64 big body bool break byte bytes c call cap case chan clear client close comparable
    complex complex128 complex64 const contentType context continue copy ctx cursor data default defer delete
    ecdsa ed25519 elliptic else err error errors every fallthrough false float32 float64 fmt for func given go
    goto header hex hmac http if imag import init int int16 int32 int64 int8 interface io iota json len main make
    map math mathrand max min multipart net new nil options os out package page panic params path print println r
    rand range read real recover reflect return rune runtime select sha256 sizes sort start strconv string strings
    struct switch sync t time transport true type uint uint16 uint32 uint64 uint8 uintptr url var
"""
RESERVED = frozenset(_RESERVED.split())
_TAKEN_TYPES = """
    APIError CallOption Client ConnectionError Date Decimal DecodingError FieldError IsAuthentication IsConflict
    IsInvalidRequest IsNotFound IsPermissionDenied IsRateLimited IsServerError New Null Nullable Options Page
    Pages Part PrivateKeyFromJWK Ptr Raw Sandbox Scenarios Some TimeoutError VerifyWebhook WebhookError
    WebhookEvent WithHeader WithIdempotencyKey WithMaxRetries WithRaw WithScenario WithTimeout
"""
TAKEN_TYPES = frozenset(_TAKEN_TYPES.split())
# Methods that every generated object has, so no field may.
TAKEN_FIELDS = frozenset(
    {"MarshalJSON", "UnmarshalJSON", "Unknown", "Others", "Raw", "String", "Error", "Format", "GoString"}
)
# Initialisms that Go writes in capitals. Source: Go code review comments, "Initialisms".
_INITIALISMS = """
    api ascii cpu css dns eof guid html http https id ip json jwk jwt rpc sla smtp sql ssh tcp tls ttl udp ui uid
    uri url utf8 uuid vm xml
"""
INITIALISMS = frozenset(_INITIALISMS.split())


def exported(name: Words) -> str:
    """`AnnualReportID`; a name whose first letter has no capital gets an X before it."""
    made = "".join(_capital(word) for word in name)
    return made if made[0].isupper() else "X" + made


def type_name(name: Words) -> str:
    made = exported(name)
    return made + "_" if made in TAKEN_TYPES else made


def field_name(name: Words) -> str:
    made = exported(name)
    return made + "_" if made in TAKEN_FIELDS else made


def variable(name: Words) -> str:
    made = name[0] + "".join(_capital(word) for word in name[1:])
    return made + "_" if made in RESERVED else made


def package_name(text: str) -> str:
    """A package's name: small letters and digits, `app1a2b3c4d`."""
    made = "".join(char for char in text.lower() if char.isascii() and char.isalnum()) or "sdk"
    made = made if made[0].isalpha() else "p" + made
    return made + "sdk" if made in RESERVED else made


def _capital(word: str) -> str:
    return word.upper() if word in INITIALISMS else word[:1].upper() + word[1:]


def text(value: str) -> str:
    """An interpreted string literal. JSON's escapes are Go's, but for surrogates, which are written as what they mean."""
    out = []
    for char in value:
        code = ord(char)
        if char in '"\\':
            out.append("\\" + char)
        elif 0x20 <= code < 0x7F:
            out.append(char)
        elif 0xD800 <= code <= 0xDFFF:
            out.append("\\ufffd")
        else:
            out.append(f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")
    return '"' + "".join(out) + '"'


def tag(wire: str, *, omits: bool) -> str | None:
    """The struct tag of a member; None where encoding/json knows no tag for such a name."""
    plain = all(char.isalnum() or char in "!#$%&()*+-./:;<=>?@[]^_{|}~ " for char in wire)
    if not plain or not wire or wire == "-":
        return None
    return f"`json:{json.dumps(wire + (',omitempty' if omits else ''), ensure_ascii=False)}`"


def doc(name: str, lines: Iterable[str], indent: str = "") -> str:
    """A comment that begins with the name, as Go wants; line comments, which nothing in them ends."""
    found = [line for one in lines for line in comment_lines(one)]
    if not found:
        return ""
    found[0] = f"{name}: {found[0]}" if name else found[0]
    # a directive is a comment without a blank after the slashes: ours always has one
    return "".join(f"{indent}// {line}".rstrip() + "\n" for line in found)
