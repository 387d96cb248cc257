"""The checklist of a version that is to go live: each item is evidence that the platform has, none is a promise.

contract     lint finds no errors, and the REST face takes it
sandbox      the very same contract (by digest) is published in the sandbox
exercised    every operation that a face offers answered there with success, or ran one of its scenarios
upstream     the department's system is named, may be called, and answers
contact      x-owner names an e-mail address
support      x-service says where users find help
promise      x-service states availability and p95
"""

import msgspec
from msgspec import Struct

from api.catalogue import outside, upstreams
from api.catalogue.models import Publication, VersionRecord
from api.contract.model import Finding, Service, Severity
from api.contract.verdicts import barrier_of
from api.core.problems import Text

_SHOWN = 10


class ChecklistItem(Struct, frozen=True):
    """One item. `following` says what to do where it is not done."""

    id: str
    is_done: bool
    title: Text
    following: Text


async def items_for_live(version: VersionRecord, service: Service, upstream: str) -> list[ChecklistItem]:
    """All items, in the order above. It asks the request log and calls the upstream once."""
    return [
        _contract(version),
        await _sandbox(version),
        await _exercised(version, service),
        await _upstream(upstream),
        _contact(service),
        _support(service),
        _promise(service),
    ]


def _contract(version: VersionRecord) -> ChecklistItem:
    findings = msgspec.json.decode(version.findings, type=list[Finding])
    errors = sum(1 for finding in findings if finding.severity == Severity.ERROR)
    rest = msgspec.json.decode(version.verdicts).get("rest", {}).get("verdict", "refused")
    return ChecklistItem(
        "contract",
        is_done=errors == 0 and rest != "refused",
        title=Text("契约检查无错误", "Lint finds no errors"),
        following=Text(
            f"改正 {errors} 个错误后重新导入并发布。", f"Mend {errors} error(s), import and publish again."
        ),
    )


async def _sandbox(version: VersionRecord) -> ChecklistItem:
    is_there = await Publication.exists(
        id=f"{version.id}/sandbox", state="published", contract_digest=version.digest
    )
    return ChecklistItem(
        "sandbox",
        is_done=is_there,
        title=Text("同一份契约已在沙箱发布", "The same contract is published in the sandbox"),
        following=Text(
            f"运行 kaimen contract publish {version.id} --environment sandbox。",
            f"Run kaimen contract publish {version.id} --environment sandbox.",
        ),
    )


async def _exercised(version: VersionRecord, service: Service) -> ChecklistItem:
    seen = await outside.ask().exercised(version.id)
    missing = [one.id for one in service.operations if barrier_of(one) is None and one.id not in seen]
    named = ", ".join(missing[:_SHOWN]) + (f" (+{len(missing) - _SHOWN})" if len(missing) > _SHOWN else "")
    return ChecklistItem(
        "exercised",
        is_done=not missing,
        title=Text("每个接口都在沙箱成功调用过或执行过场景", "Every operation was called with success, or ran a scenario, in the sandbox"),
        following=Text(f"在沙箱调用:{named}。", f"Call these in the sandbox: {named}."),
    )  # fmt: skip


async def _upstream(upstream: str) -> ChecklistItem:
    title = Text("上游系统已配置且可达", "The upstream is named and answers")
    if upstreams.is_agent(upstream):
        return await _agent(upstream, title)
    if not upstream or upstreams.is_city(upstream) or "://" not in upstream:
        following = Text(
            "请平台运维以 --upstream https://… 指明部门系统。",
            "Ask an operator to name the department's system: --upstream https://…",
        )
        return ChecklistItem("upstream", is_done=False, title=title, following=following)
    faults = [await outside.ask().probe(address) for address in upstream.split()]
    fault = "; ".join(one for one in faults if one)
    following = Text(f"上游不可用:{fault}。", f"The upstream cannot be used: {fault}.")
    return ChecklistItem("upstream", is_done=not fault, title=title, following=following)


def _contact(service: Service) -> ChecklistItem:
    return ChecklistItem(
        "contact",
        is_done="@" in str(service.owner.get("email", "")),
        title=Text("已写明负责人邮箱", "The owner's e-mail is stated"),
        following=Text(
            "在契约或叠加文件中填写 info.x-owner {name, email}。",
            "State info.x-owner {name, email} in the contract or its overlay.",
        ),
    )


def _support(service: Service) -> ChecklistItem:
    return ChecklistItem(
        "support",
        is_done=bool(service.promise.support.strip()),
        title=Text("已写明支持渠道", "Support is stated"),
        following=Text(
            "填写 info.x-service.support(电话、邮箱或网址)。",
            "State info.x-service.support (telephone, e-mail or address).",
        ),
    )


def _promise(service: Service) -> ChecklistItem:
    promise = service.promise
    return ChecklistItem(
        "promise",
        is_done=promise.availability > 0 and promise.p95_ms > 0,
        title=Text("已写明可用性与 p95 承诺", "Availability and p95 are promised"),
        following=Text(
            "填写 info.x-service {availability: 0.999, p95_ms: 300};平台会实测它。",
            "State info.x-service {availability: 0.999, p95_ms: 300}; the platform measures it.",
        ),
    )


async def _agent(upstream: str, title: Text) -> ChecklistItem:
    """A department's own agent: a process of it was heard of a moment ago."""
    fault = await outside.ask().probe(upstream)
    following = Text(
        f"代理未连接：在部门的机器上运行 kaimen agent run（{fault}）。",
        f"The agent is not connected: kaimen agent run on the department's machine ({fault}).",
    )
    return ChecklistItem("upstream", is_done=not fault, title=title, following=following)
