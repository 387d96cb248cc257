"""Normalising request bodies, responses and headers: legal media types and status keys, JSON or told not to be."""

import re

from api.contract import notices_normal as notices
from api.contract.model import JsonObject
from api.contract.pointers import join
from api.contract.report import Report
from api.contract.shapes import METHODS

JSON = "application/json"
_MEDIA = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+*-]+(\s*;.*)?\Z")
_STATUS = re.compile(r"[1-5][0-9][0-9]\Z|[1-5]XX\Z|default\Z")
_SHORT = {"json": JSON, "xml": "application/xml", "text": "text/plain", "csv": "text/csv", "html": "text/html",
          "pdf": "application/pdf"}  # fmt: skip
_EMPTY = frozenset({"204", "205", "304"})
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def is_json(content_type: str) -> bool:
    """Whether the media type is JSON. Source: RFC 6839 §3.1 (structured suffix +json)."""
    base = content_type.split(";", 1)[0].strip().lower()
    return base == JSON or base.endswith(("+json", "/json"))


def normalise_bodies(document: JsonObject, report: Report) -> None:
    """Mend the bodies and responses of every operation, webhooks included."""
    for section in ("paths", "webhooks"):
        for path, item in document.get(section, {}).items():
            if path.startswith("x-"):
                continue
            for method in METHODS:
                if isinstance(item.get(method), dict):
                    place = join("", section, path, method)
                    _mend_body(item[method], method, place, report)
                    _mend_responses(item[method], place, report)


def _mend_body(operation: JsonObject, method: str, place: str, report: Report) -> None:
    body = operation.get("requestBody")
    if body is None:
        return
    spot = join(place, "requestBody")
    if method in {"get", "head"}:
        del operation["requestBody"]
        report.lose(notices.BODY_DROPPED, spot, method=method.upper())
        return
    body["content"] = _mend_content(body.get("content", {}), spot, report)
    if not body["content"]:
        body["content"] = {JSON: {"schema": {}}}
        report.find(notices.BODY_WITHOUT_CONTENT, spot)
    _mark_other_than_json(body, ("请求体", "request body"), spot, report, also=_FORMS)


def _mend_content(content: JsonObject, spot: str, report: Report) -> JsonObject:
    made: JsonObject = {}
    for written, media in content.items():
        place = join(spot, "content", written)
        if written.startswith("x-"):
            report.find(notices.KEY_UNKNOWN, place, where="content", key=written)
            continue
        kind = _media_type(written, media, place, report)
        if kind in made and made[kind].get("schema"):
            continue
        made[kind] = media
        _one_example(media)
        for encoding in media.get("encoding", {}).values():
            for header in encoding.get("headers", {}).values():
                _mend_header(header)
    return made


def _media_type(written: str, media: JsonObject, place: str, report: Report) -> str:
    kind = written.strip()
    if "*" in kind:
        instead = _instead_of_wildcard(kind, media)
        report.lose(notices.MEDIA_WILDCARD, place, old=written, new=instead)
        return instead
    if not _MEDIA.match(kind):
        instead = _SHORT.get(kind.lower(), JSON if media.get("schema") else "application/octet-stream")
        report.find(notices.MEDIA_TYPE, place, old=written, new=instead)
        return instead
    base, semicolon, parameters = kind.partition(";")
    lowered = base.strip().lower() + semicolon + parameters
    if lowered != written:
        report.find(notices.MEDIA_TYPE, place, old=written, new=lowered)
    return lowered


def _instead_of_wildcard(kind: str, media: JsonObject) -> str:
    if kind.startswith("text/"):
        return "text/plain"
    schema = media.get("schema")
    if isinstance(schema, dict) and schema.get("format") == "binary":
        return "application/octet-stream"
    family = kind.split("/", 1)[0]
    return JSON if family in {"*", "application"} else f"{family}/octet-stream"


def _one_example(media: JsonObject) -> None:
    """`example` and `examples` exclude each other; the named ones say more."""
    if media.get("examples") and "example" in media:
        media["x-example"] = media.pop("example")


def _mark_other_than_json(
    holder: JsonObject, what: tuple[str, str], spot: str, report: Report, *, also: tuple[str, ...] = ()
) -> None:
    """Content that no JSON face can offer is told once: the mark `x-loss` stays in the document."""
    content = holder.get("content", {})
    bases = [kind.split(";", 1)[0].strip() for kind in content]
    has_json = any(is_json(kind) or kind in also for kind in bases)
    if not content or has_json or "body-not-json" in holder.get("x-loss", ()):
        return
    holder["x-loss"] = [*holder.get("x-loss", ()), "body-not-json"]
    report.lose(notices.XML_ONLY, spot, what_zh=what[0], what_en=what[1], types=", ".join(content))


def _mend_responses(operation: JsonObject, place: str, report: Report) -> None:
    made: JsonObject = {}
    for key, response in operation.get("responses", {}).items():
        spot = join(place, "responses", key)
        if key.startswith("x-"):
            made[key] = response
            continue
        status = _status(key)
        if status is None or status in made:
            report.lose(notices.RESPONSE_DROPPED, spot, key=key)
            continue
        if status != key:
            report.find(notices.RESPONSE_KEY, spot, old=key, new=status)
        made[status] = response
        _mend_response(response, status, spot, report)
    if not any(not key.startswith("x-") for key in made):
        made["default"] = {"description": ""}
        report.lose(notices.RESPONSE_ADDED, place)
    operation["responses"] = made


def _status(key: str) -> str | None:
    text = key.strip()
    text = "default" if text.lower() == "default" else text.upper()
    text = text.removesuffix(".0")
    return text if _STATUS.match(text) else None


def _mend_response(response: JsonObject, status: str, spot: str, report: Report) -> None:
    response.setdefault("description", "")
    headers = response.get("headers", {})
    for name in list(headers):
        if name.lower() == "content-type":
            del headers[name]
            report.find(notices.PARAMETER_IGNORED, join(spot, "headers", name), name=name)
        else:
            _mend_header(headers[name])
    content = response.get("content", {})
    if content and (status in _EMPTY or status.startswith("1")):
        report.find(notices.CONTENT_ON_EMPTY, spot, status=status)
        content = {}
    response["content"] = _mend_content(content, spot, report)
    if not response["content"]:
        del response["content"]
    _mark_other_than_json(response, ("响应", "response"), spot, report)


def _mend_header(header: JsonObject) -> None:
    """A header is a parameter without name and place; a bare `type` is what 2.0 wrote."""
    for key in ("name", "in", "collectionFormat"):
        header.pop(key, None)
    kind = header.pop("type", None)
    if "schema" not in header and "content" not in header:
        header["schema"] = {"type": kind} if isinstance(kind, str) else {}
