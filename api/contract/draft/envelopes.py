"""Answers wrapped in a code and a message: taken apart, so that the contract has the data and the mapping the code."""

from api.contract.draft.parts import Field
from api.contract.model import JsonObject

CODES = frozenset(
    {"code", "fhm", "fhdm", "retcode", "resultcode", "returncode", "rtncode", "status", "errcode", "respcode"}
)
MESSAGES = frozenset(
    {"msg", "message", "fhxx", "retmsg", "resultmsg", "returnmsg", "errmsg", "respmsg", "desc"}
)
DATA = frozenset(
    {"data", "result", "body", "response", "content", "records", "rows", "list", "items", "datas"}
)
_COMMON = frozenset({"code", "status"})  # also names of data: they count with a message beside them only
_OK = ("0000", "000000", "0", "200")


def unwrapped(fields: list[Field]) -> tuple[list[Field], str, JsonObject]:
    """The data's fields, where they lie natively, and the outcome; the fields as they are where nothing wraps them."""
    by_word = {folded(one.native): one for one in fields if not one.is_object and not one.is_list}
    code = next((by_word[word] for word in by_word if word in CODES), None)
    message = next((by_word[word] for word in by_word if word in MESSAGES), None)
    if code is None or (folded(code.native) in _COMMON and message is None):
        return fields, "", {}
    rest = [one for one in fields if one is not code and one is not message]
    if not rest:
        return fields, "", {}
    outcome: JsonObject = {
        "at": code.native,
        "ok": [next((value for value in _OK if _fits(code, value)), _OK[0])],
    }
    if message is not None:
        outcome["message"] = message.native
    if len(rest) == 1 and rest[0].is_object and not rest[0].is_list and rest[0].fields:
        return rest[0].fields, rest[0].native, outcome
    return rest, "", outcome


def folded(native: str) -> str:
    """A native name for comparing: small letters, no underscores."""
    return native.lower().replace("_", "")


def _fits(field: Field, value: str) -> bool:
    listed = field.schema.get("enum")
    if listed:
        return value in [str(one) for one in listed]
    return int(field.schema.get("minLength", 0)) <= len(value) <= int(field.schema.get("maxLength", 4000))
