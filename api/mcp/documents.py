"""Resources and prompts: the contracts that a caller's app is subscribed to, and the things that services do as one."""

from typing import Any

import msgspec
from msgspec import Struct

from api.gateway.compiled import ServiceEntry
from api.gateway.exchange import Exchange
from api.mcp.tools import Toolbox, description_of, is_open, service_title, title_of
from api.mcp.wording import CONTRACT, GUIDE, PROMPT

CONTRACTS, GUIDES = "kaimen://contracts/", "kaimen://guides/"
OPENAPI, MARKDOWN = "application/vnd.oai.openapi+json;version=3.1", "text/markdown"
_ONE_THING = "one-thing"


class Document(Struct, frozen=True):
    """A resource that can be read."""

    uri: str
    name: str
    title: str
    mime_type: str


def documents_of(box: Toolbox, outer: Exchange, language: str) -> list[Document]:
    """The contract and the guide of each service that the caller's app is subscribed to."""
    made = []
    for entry in _subscribed(box, outer):
        facts = {"title": service_title(entry.service, language)}
        made.append(
            Document(CONTRACTS + entry.key, entry.key, CONTRACT.in_language(language, facts), OPENAPI)
        )
        made.append(
            Document(GUIDES + entry.key, f"{entry.key} guide", GUIDE.in_language(language, facts), MARKDOWN)
        )
    return made


def read_document(box: Toolbox, outer: Exchange, uri: str, language: str) -> tuple[str, str] | None:
    """(media type, text) of a resource; None where the caller has no such one."""
    for entry in _subscribed(box, outer):
        if uri == CONTRACTS + entry.key:
            return OPENAPI, msgspec.json.encode(entry.service.document).decode()
        if uri == GUIDES + entry.key:
            return MARKDOWN, _guide(box, outer, entry, language)
    return None


class Prompt(Struct, frozen=True):
    """A one-thing service as a prompt."""

    name: str
    title: str
    description: str
    text: str


def prompts_of(box: Toolbox, outer: Exchange, language: str) -> list[Prompt]:
    """One prompt for each one-thing service that the caller may use."""
    made = []
    for entry in _subscribed(box, outer):
        service = entry.service
        if not (service.department.startswith(_ONE_THING) or entry.upstream.startswith("compose:")):
            continue
        tools = [one for one in box.by_name.values() if one.entry is entry and is_open(one, outer)]
        if not tools:
            continue
        title = service_title(service, language)
        texts = service.texts.get("zh-CN" if language == "zh" else "en", {})
        facts: dict[str, Any] = {
            "title": title,
            "description": texts.get("description") or service.description,
            "tools": "\n".join(f"- {one.name}: {title_of(one, language)}" for one in tools),
        }
        name = f"{service.name}_{service.version}".replace("-", "_")
        made.append(Prompt(name, title, facts["description"][:500], PROMPT.in_language(language, facts)))
    return made


def _subscribed(box: Toolbox, outer: Exchange) -> list[ServiceEntry]:
    rights = outer.app.rights
    entries = [entry for entry in box.snapshot.entries() if entry.state != "retired"]
    return sorted(
        (one for one in entries if one.key in rights and rights[one.key].purposes), key=lambda one: one.key
    )


def _guide(box: Toolbox, outer: Exchange, entry: ServiceEntry, language: str) -> str:
    lines = [f"# {service_title(entry.service, language)}", "", entry.service.description, ""]
    for tool in box.by_name.values():
        if tool.entry is entry:
            lines += [f"## `{tool.name}`", "", description_of(tool, language), ""]
    return "\n".join(lines)
