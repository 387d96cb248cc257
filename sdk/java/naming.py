"""Java names and literals: PascalCase types, camelCase methods; nothing of a contract ends a comment or a string.

javac reads a backslash and `u` as a character everywhere, comments too, before anything else (JLS §3.3): no backslash
of a contract reaches the source but as one of a pair in a literal.
"""

import hashlib
import unicodedata
from collections.abc import Iterable

from sdk.escaping import comment_lines
from sdk.model import Words

# Keywords, literals and contextual keywords. Source: JLS 17 §3.9. `gov` would hide the package.
_RESERVED = """
    _ abstract assert boolean break byte case catch char class const continue default do double else enum exports
    extends false final finally float for goto if implements import instanceof int interface long module native new
    non null open opens package permits private protected provides public record requires return sealed short static
    strictfp super switch synchronized this throw throws to transient transitive true try uses var void volatile
    when while with yield
    body call gov java json options params transport
"""
RESERVED = frozenset(_RESERVED.split())
# Types of the runtime, of what is imported, and of java.lang: one of the same package would hide those.
_TAKEN_TYPES = """
    ApiException ApiProblem AuthenticationException BodyPublisher Builder Call CallInterruptedException CallOptions
    Codec ConflictException ConnectionException DecodingException EventType Events Fault InputStream
    InvalidRequestException Json JsonValue Kaimen KaimenException List LocalDate Map Members Model NotFoundException
    OffsetDateTime OpenEnum Optional Page Pages Paging Part PermissionDeniedException RateLimitedException
    RawResponse RequestTimeoutException Sandbox Scenarios ServerException Set Settings SigningKey Tokens Transport
    Unknown WebhookEvent WebhookException Webhooks BigDecimal

    AbstractMethodError Appendable ArithmeticException ArrayIndexOutOfBoundsException ArrayStoreException
    AssertionError AutoCloseable Boolean BootstrapMethodError Byte CharSequence Character Class ClassCastException
    ClassCircularityError ClassFormatError ClassLoader ClassNotFoundException ClassValue CloneNotSupportedException
    Cloneable Comparable Compiler Deprecated Double Enum EnumConstantNotPresentException Error Exception
    ExceptionInInitializerError Float FunctionalInterface IO IllegalAccessError IllegalAccessException
    IllegalArgumentException IllegalCallerException IllegalMonitorStateException IllegalStateException
    IllegalThreadStateException IncompatibleClassChangeError IndexOutOfBoundsException InheritableThreadLocal
    InstantiationError InstantiationException Integer InternalError InterruptedException Iterable
    LayerInstantiationException LinkageError Long MatchException Math Module ModuleLayer NegativeArraySizeException
    NoClassDefFoundError NoSuchFieldError NoSuchFieldException NoSuchMethodError NoSuchMethodException
    NullPointerException Number NumberFormatException Object OutOfMemoryError Override Package Process
    ProcessBuilder ProcessHandle Readable Record ReflectiveOperationException Runnable Runtime RuntimeException
    RuntimePermission SafeVarargs ScopedValue SecurityException SecurityManager Short StableValue StackOverflowError
    StackTraceElement StackWalker StrictMath String StringBuffer StringBuilder StringIndexOutOfBoundsException
    StringTemplate SuppressWarnings System Thread ThreadDeath ThreadGroup ThreadLocal Throwable
    TypeNotPresentException UnknownError UnsatisfiedLinkError UnsupportedClassVersionError
    UnsupportedOperationException VerifyError VirtualMachineError Void WrongThreadException
    Con Prn Aux Nul
"""
TAKEN_TYPES = frozenset(one.casefold() for one in _TAKEN_TYPES.split())  # file names: case must not matter
# Methods without parameters, or with one, that every object has; and those of models and builders, and of the client.
_OF_OBJECTS = frozenset(
    {"clone", "equals", "finalize", "getClass", "hashCode", "notify", "notifyAll", "toString", "wait"}
)
_OF_MODELS = _OF_OBJECTS | {"build", "builder", "has", "toBuilder", "toJson", "unknown"}
_OF_CLIENTS = _OF_OBJECTS | {"async", "builder", "create", "sandbox"}
_MOST_NAME_BYTES = 140  # a class is a file, with a suffix: 255 bytes on most systems
_MOST_DOC_LINES = 80
_MOST_LITERAL = 16_000  # 65535 bytes in the constant pool; at most three or four for a character


def type_name(name: Words) -> str:
    made = "".join(_capital(word) for word in _plain(name))
    if len(made.encode()) > _MOST_NAME_BYTES:
        made = made.encode()[: _MOST_NAME_BYTES - 8].decode("utf-8", "ignore") + _digest(made)
    return made + "_" if made.casefold() in TAKEN_TYPES or made in RESERVED else made


def member(name: Words) -> str:
    """A getter of an object, a setter of a builder."""
    return _escaped(_camel(name), _OF_MODELS)


def operation(name: Words) -> str:
    """A method of a service or resource."""
    return _escaped(_camel(name), _OF_OBJECTS)


def service(name: Words) -> str:
    """A method of the client."""
    return _escaped(_camel(name), _OF_CLIENTS)


def _escaped(made: str, taken: frozenset[str]) -> str:
    return made + "_" if made in RESERVED or made in taken else made


def variable(name: Words) -> str:
    """A parameter. One that does not begin with a small letter could hide a type: it ends with an underscore."""
    made = _camel(name)
    return made + "_" if made in RESERVED or not made[0].islower() else made


def constant(name: Words) -> str:
    made = "_".join(word.upper() for word in _plain(name))
    return made + "_" if made in RESERVED else made


def package_name(artifact: str) -> str:
    """The package of an artifact `gov.kaimen.sdk:app-1a2b3c4d`: `gov.kaimen.sdk.app1a2b3c4d`."""
    group, _, last = artifact.partition(":")
    made = "".join(char for char in last.lower() if char.isascii() and char.isalnum()) or "sdk"
    made = made if made[0].isalpha() else "p" + made
    return f"{group}.{made}{'_' if made in RESERVED else ''}"


def _camel(name: Words) -> str:
    words = _plain(name)
    made = words[0] + "".join(_capital(word) for word in words[1:])
    if len(made.encode()) > _MOST_NAME_BYTES:
        made = made.encode()[: _MOST_NAME_BYTES - 8].decode("utf-8", "ignore") + _digest(made)
    return made


def _plain(name: Words) -> list[str]:
    """The words with letters and decimal digits only; another sign is its code point."""
    made = ["".join(char if _is_part(char) else f"u{ord(char):x}" for char in word) for word in name]
    return made if made[0][:1].isalpha() else ["n" + made[0], *made[1:]]


def _is_part(char: str) -> bool:
    return unicodedata.category(char) in {"Lu", "Ll", "Lt", "Lm", "Lo", "Nl", "Nd"}


def _digest(made: str) -> str:
    return hashlib.sha256(made.encode()).hexdigest()[:8]


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


def text(value: str) -> str:
    """A string literal; a very long one is put together when the class is loaded."""
    if len(value) <= _MOST_LITERAL:
        return _literal(value)
    parts = [value[at : at + _MOST_LITERAL] for at in range(0, len(value), _MOST_LITERAL)]
    return 'String.join("", ' + ", ".join(_literal(one) for one in parts) + ")"


def _literal(value: str) -> str:
    out = []
    for char in value:
        code = ord(char)
        if char in '"\\':
            out.append("\\" + char)
        elif 0x20 <= code < 0x7F:
            out.append(char)
        elif code < 0xA0:
            out.append(f"\\{code:03o}")  # \u000a would be a new line in the source
        elif code > 0xFFFF:
            pair = char.encode("utf-16-be")
            out.append(f"\\u{pair[:2].hex()}\\u{pair[2:].hex()}")
        else:
            out.append(char if unicodedata.category(char)[0] in "LN" else f"\\u{code:04x}")
    return '"' + "".join(out) + '"'


_IN_DOC = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", "\\": "&#92;", "{": "&#123;", "}": "&#125;"}
)


def doc(lines: Iterable[str], indent: str = "", tags: Iterable[str] = ()) -> str:
    """A Javadoc comment, "" for none; each line of a text is a paragraph. Nothing in the lines is HTML or a tag, and
    nothing ends the comment; `tags` are ours.
    """
    found: list[str] = []
    for paragraph in "\n".join(lines).split("\n"):
        made = [line.translate(_IN_DOC).replace("*/", "*&#47;") for line in comment_lines(paragraph)]
        if made and found:
            made = ["", "<p>" + made[0], *made[1:]]
        found += made
    found = found[:_MOST_DOC_LINES]
    given = list(tags)
    found += [""] * bool(given and found) + given
    if not found:
        return ""
    if len(found) == 1:
        return f"{indent}/** {found[0]} */\n"
    return (
        f"{indent}/**\n" + "".join(f"{indent} * {line}".rstrip() + "\n" for line in found) + f"{indent} */\n"
    )
