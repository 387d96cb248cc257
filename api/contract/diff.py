"""Does version B of a service break version A? Per operation and field, with the reason, in two languages.

A change is breaking when a client that was right under A can fail under B: requests may only become wider,
answers only narrower. Source: Semantic Versioning 2.0.0; RFC 9205 §4; design §3.
"""

from collections.abc import Iterable, Iterator

from api.contract.diff_change import BREAKING, COMPATIBLE, DOCS, Change, Teller
from api.contract.diff_operation import WireDiff
from api.contract.diff_policy import tell_policy
from api.contract.model import Operation, Service, Texts
from api.contract.pointers import join

__all__ = ["BREAKING", "COMPATIBLE", "DOCS", "Change", "compare", "semver_of"]


def compare(old: Service, new: Service) -> list[Change]:
    """Every difference that a client, a subscriber or a reader can notice, breaking ones first."""
    found = list(_service_changes(old, new))
    before = {operation.id: operation for operation in old.operations}
    by_route = {(one.method, one.path): one for one in new.operations}
    matched: set[str] = set()
    for operation in before.values():
        twin = new.operation(operation.id) or by_route.get((operation.method, operation.path))
        if twin is None:
            found.append(_removed(operation))
            continue
        matched.add(twin.id)
        teller = Teller(operation, twin)
        WireDiff(teller, (old.schemas, new.schemas)).run()
        tell_policy(teller)
        found.extend(teller.found)
    found.extend(_added(one) for one in new.operations if one.id not in matched)
    order = [BREAKING, COMPATIBLE, DOCS]
    return sorted(found, key=lambda change: order.index(change.severity))


def semver_of(changes: Iterable[Change]) -> str:
    """The part of the version number that has to be raised: major, minor, patch, or none."""
    severities = {change.severity for change in changes}
    if BREAKING in severities:
        return "major"
    if COMPATIBLE in severities:
        return "minor"
    return "patch" if DOCS in severities else "none"


def _texts(zh: str, en: str) -> Texts:
    return {"zh": zh, "en": en}


def _removed(operation: Operation) -> Change:
    name = f"{operation.method} {operation.path}"
    texts = _texts(
        f"操作 {operation.id}({name})被移除。", f"The operation {operation.id} ({name}) was removed."
    )
    return Change("removed", BREAKING, operation.id, operation.pointer, "", texts, "operation-removed")


def _added(operation: Operation) -> Change:
    name = f"{operation.method} {operation.path}"
    texts = _texts(f"新增操作 {operation.id}({name})。", f"The operation {operation.id} ({name}) is new.")
    return Change("added", COMPATIBLE, operation.id, operation.pointer, "", texts, "operation-added")


def _service_changes(old: Service, new: Service) -> Iterator[Change]:
    if old.name != new.name:
        texts = _texts(
            f"服务改名:{old.name} → {new.name}。", f"The service was renamed: {old.name} → {new.name}."
        )
        yield Change("removed", BREAKING, "", "/info/x-name", "", texts, "service-renamed")
    if (old.title, old.description, old.texts) != (new.title, new.description, new.texts):
        texts = _texts("服务的标题或说明有改动。", "Title or description of the service changed.")
        yield Change("docs", DOCS, "", "/info", "", texts, "service-text")
    if old.status != new.status:
        texts = _texts(
            f"状态 {old.status} → {new.status}。", f"The status is {new.status}, it was {old.status}."
        )
        severity = BREAKING if new.status == "retired" else COMPATIBLE
        yield Change("policy", severity, "", "/info/x-status", "", texts, "service-status")
    for name in old.webhooks.keys() - new.webhooks.keys():
        texts = _texts(f"事件 {name} 被移除。", f"The webhook {name} was removed.")
        yield Change("removed", BREAKING, "", join("/webhooks", name), "", texts, "webhook-removed")
    for name in new.webhooks.keys() - old.webhooks.keys():
        texts = _texts(f"新增事件 {name}。", f"The webhook {name} is new.")
        yield Change("added", COMPATIBLE, "", join("/webhooks", name), "", texts, "webhook-added")
