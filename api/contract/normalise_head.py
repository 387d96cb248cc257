"""Normalising what stands above the paths: info, servers, tags, security schemes, webhooks, callbacks."""

from api.contract import notices_normal as notices
from api.contract.model import JsonObject
from api.contract.naming import service_slug
from api.contract.pointers import join
from api.contract.report import Report
from api.contract.shapes import KINDS, METHODS

_UNTITLED = "Untitled service"
_LICENSE = "unnamed"
_OLD_ROOT_KEYS = (
    "parameters",
    "responses",
    "definitions",
    "consumes",
    "produces",
    "host",
    "basePath",
    "schemes",
)


def normalise_head(document: JsonObject, report: Report) -> None:
    """Complete `info`, take out what is incomplete, move callbacks aside."""
    _mend_info(document.setdefault("info", {}), report)
    document.setdefault("paths", {})
    document.setdefault("components", {}).setdefault("schemas", {})
    _drop_unknown_keys(document, report)
    _keep_complete(document, "servers", "url", report)
    _keep_complete(document, "tags", "name", report)
    if "externalDocs" in document and not document["externalDocs"].get("url"):
        del document["externalDocs"]
        report.find(notices.HEAD_DROPPED, "/externalDocs", what="externalDocs", field="url")
    _mend_schemes(document["components"], report)
    _move_callbacks(document, report)


def _mend_info(info: JsonObject, report: Report) -> None:
    if not isinstance(info.get("title"), str) or not info["title"].strip():
        info["title"] = _UNTITLED
        report.find(notices.TITLE_MISSING, "/info", title=_UNTITLED)
    if not isinstance(info.get("version"), str) or not info["version"].strip():
        info["version"] = "1.0.0"
        report.find(notices.VERSION_MISSING, "/info", version="1.0.0")
    license_ = info.get("license")
    if license_ is not None and not (isinstance(license_.get("name"), str) and license_["name"]):
        license_["name"] = str(license_.get("identifier") or license_.get("url") or _LICENSE)
        report.find(notices.LICENSE_NAME, "/info/license", name=license_["name"])
    if not isinstance(info.get("x-name"), str) or not info["x-name"].strip():
        info["x-name"] = service_slug(info["title"])
        report.find(notices.NAME_PROPOSED, "/info", name=info["x-name"])


def _drop_unknown_keys(document: JsonObject, report: Report) -> None:
    known = KINDS["document"].keys() - set(_OLD_ROOT_KEYS) - {"swagger"}
    for key in [key for key in document if key not in known and not key.startswith("x-")]:
        document[f"x-unknown-{key.lstrip('$')}"] = document.pop(key)
        report.find(notices.KEY_UNKNOWN, join("", key), where="document", key=key)


def _keep_complete(document: JsonObject, section: str, field: str, report: Report) -> None:
    """Entries of a list without their one required field are taken out; tags also when repeated."""
    if section not in document:
        return
    kept, names = [], set()
    for index, entry in enumerate(document[section]):
        value = entry.get(field)
        if not value or (section == "tags" and value in names):
            report.find(notices.HEAD_DROPPED, f"/{section}/{index}", what=section, field=field)
            continue
        names.add(value)
        kept.append(entry)
    if kept:
        document[section] = kept
    else:
        del document[section]


def _mend_schemes(components: JsonObject, report: Report) -> None:
    for name, scheme in components.get("securitySchemes", {}).items():
        flows = scheme.get("flows")
        if not isinstance(flows, dict):
            continue
        for flow_name, flow in list(flows.items()):
            place = join("/components/securitySchemes", name, "flows", flow_name)
            if not isinstance(flow, dict):
                del flows[flow_name]
                report.find(notices.HEAD_DROPPED, place, what=flow_name, field="scopes")
                continue
            flow["scopes"] = _scopes(flow.get("scopes"), place, report)


def _scopes(scopes: object, place: str, report: Report) -> JsonObject:
    if not isinstance(scopes, dict):
        return {}
    made = {}
    for scope, text in scopes.items():
        if not isinstance(text, str):
            report.find(notices.SCOPE_TEXT, join(place, "scopes", scope), scope=scope)
        made[scope] = text if isinstance(text, str) else ""
    return made


def _move_callbacks(document: JsonObject, report: Report) -> None:
    for section in ("paths", "webhooks"):
        for path, item in document.get(section, {}).items():
            for method in METHODS if not path.startswith("x-") else ():
                operation = item.get(method)
                callbacks = operation.pop("callbacks", None) if operation else None
                if callbacks:
                    place = join("", section, path, method)
                    document.setdefault("x-callbacks", {})[place] = callbacks
                    report.lose(notices.CALLBACKS_MOVED, place, names=", ".join(callbacks))
