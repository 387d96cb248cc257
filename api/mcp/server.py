"""The MCP face on the official SDK: lists, searches and calls tools, over streamable HTTP without sessions.

Imported when the first MCP request comes, never before: SDK and models take tens of megabytes that a process
which only serves REST does not have to spend.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolResult,
    EmbeddedResource,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PromptMessage,
    ReadResourceResult,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)
from mcp_types import BlobResourceContents as Blob
from mcp_types import Prompt as WirePrompt
from mcp_types import Resource as WireResource
from mcp_types import ResourceTemplate as WireTemplate
from mcp_types import Tool as WireTool

from api.core import problems
from api.core.problem_types_mcp import TOOL_UNKNOWN
from api.core.problems import Refusal, Text
from api.gateway.exchange import Exchange
from api.gateway.plane import Gateway
from api.mcp import calls, documents, wording
from api.mcp.schemas import input_schema
from api.mcp.tools import LISTED, Tool, Toolbox, describe, description_of, hints_of, title_of
from api.mcp.writes import OFF, Writes
from api.settings import Settings

SEARCH, DESCRIBE, CALL = "search_operations", "describe_operation", "call_operation"
_MAX_FOUND = 50
STATE = "kaimen_mcp"  # in the ASGI scope: (outer exchange, language)


class McpServer:
    """The SDK's server around one plane's gateway. `start` it, `handle` requests, `stop` it."""

    def __init__(self, gateway: Gateway, settings: Settings, load: Callable[[str], Awaitable[str]]) -> None:
        self._gateway = gateway
        self._writes = Writes(settings.mcp_writes, load)
        self._settings = settings
        self._box: Toolbox | None = None
        server: Server[Any] = Server(
            "kaimen",
            version="1",
            title="开门 Kaimen",
            instructions=wording.INSTRUCTIONS.zh + "\n\n" + wording.INSTRUCTIONS.en,
            website_url=settings.docs_url,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_list_resources=self._list_resources,
            on_list_resource_templates=self._list_templates,
            on_read_resource=self._read_resource,
            on_list_prompts=self._list_prompts,
            on_get_prompt=self._get_prompt,
        )
        self._manager = StreamableHTTPSessionManager(
            server,
            json_response=True,
            stateless=True,
            security_settings=_security(settings),
            max_request_body_size=settings.body_limit_bytes,
        )
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Run the SDK's task group in a task of its own; it has to be left where it was entered."""
        ready = asyncio.Event()

        async def hold() -> None:
            async with self._manager.run():
                ready.set()
                await self._stop.wait()

        self._task = asyncio.create_task(hold())
        waiting = asyncio.create_task(ready.wait())
        done, _ = await asyncio.wait({self._task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if waiting not in done:
            waiting.cancel()
            self._task.result()

    async def stop(self) -> None:
        """End the task group."""
        self._stop.set()
        if self._task is not None:
            await self._task

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request whose caller is known: scope["state"][STATE] = (outer exchange, language)."""
        await self._manager.handle_request(scope, receive, send)

    # -- tools --------------------------------------------------------------------------------------
    def _toolbox(self) -> Toolbox:
        snapshot = self._gateway.snapshots.current
        if self._box is None or self._box.snapshot is not snapshot:
            self._box = Toolbox(snapshot)
        return self._box

    async def _list_tools(self, ctx: Any, params: Any) -> ListToolsResult:
        outer, language = _asked(ctx)
        tools = await self._open_to(outer)
        if len(tools) > LISTED:
            return ListToolsResult(tools=_search_tools(language))
        return ListToolsResult(tools=[self._wire(tool, language) for tool in tools])

    async def _open_to(self, outer: Exchange) -> list[Tool]:
        """What this caller may use; without changes, where its app lets agents change nothing."""
        tools = self._toolbox().open_to(outer)
        if await self._writes.of(outer.app.id) != OFF:
            return tools
        return [one for one in tools if one.operation.is_safe]

    def _wire(self, tool: Tool, language: str) -> WireTool:
        operation = tool.operation
        title = title_of(tool, language)
        return WireTool(
            name=tool.name,
            title=title,
            description=description_of(tool, language),
            input_schema=input_schema(
                tool.entry.service, operation, language, is_sandbox=self._gateway.is_sandbox
            ),
            annotations=ToolAnnotations(**hints_of(operation, language, title)),
        )

    async def _call_tool(self, ctx: Any, params: Any) -> CallToolResult:
        outer, language = _asked(ctx)
        arguments = dict(params.arguments or {})
        name = params.name
        if name == SEARCH:
            return await self._search(outer, language, arguments)
        if name == DESCRIBE:
            return self._describe(outer, language, arguments)
        if name == CALL:
            inner = arguments.get("arguments")
            name, arguments = str(arguments.get("operation", "")), inner if isinstance(inner, dict) else {}
        tool = self._toolbox().by_name.get(name)
        if tool is None:
            return self._unknown(outer, language, name)
        writes = OFF if tool.operation.is_safe else await self._writes.of(outer.app.id)
        outcome = await calls.call_tool(
            outer, self._gateway, tool, arguments, writes=writes, language=language
        )
        return _result(outcome)

    async def _search(self, outer: Exchange, language: str, arguments: dict[str, Any]) -> CallToolResult:
        limit = arguments.get("limit", 20)
        limit = min(max(limit, 1), _MAX_FOUND) if isinstance(limit, int) else 20
        open_tools = await self._open_to(outer)
        found = self._toolbox().search(open_tools, str(arguments.get("query", "")), limit)
        rows = [
            {"name": one.name, "title": title_of(one, language), "service": one.entry.key, "read_only": one.operation.is_safe}
            for one in found
        ]  # fmt: skip
        return _said({"operations": rows, "of": len(open_tools)})

    def _describe(self, outer: Exchange, language: str, arguments: dict[str, Any]) -> CallToolResult:
        name = str(arguments.get("operation", ""))
        tool = self._toolbox().by_name.get(name)
        if tool is None:
            return self._unknown(outer, language, name)
        return _said(describe(tool, language, is_sandbox=self._gateway.is_sandbox))

    def _unknown(self, outer: Exchange, language: str, name: str) -> CallToolResult:
        problem = Refusal(TOOL_UNKNOWN, tool=name[:80])
        body = problems.render(
            problem, language=language, docs_url=self._gateway.docs_url, request_id=outer.request_id
        )
        return _said(msgspec.json.decode(body), is_error=True)

    # -- resources and prompts ----------------------------------------------------------------------
    async def _list_resources(self, ctx: Any, params: Any) -> ListResourcesResult:
        outer, language = _asked(ctx)
        found = documents.documents_of(self._toolbox(), outer, language)
        return ListResourcesResult(
            resources=[
                WireResource(uri=one.uri, name=one.name, title=one.title, mime_type=one.mime_type)
                for one in found
            ]
        )

    async def _list_templates(self, ctx: Any, params: Any) -> ListResourceTemplatesResult:
        made = [
            WireTemplate(uri_template=documents.CONTRACTS + "{service}@{version}", name="contract", mime_type=documents.OPENAPI),
            WireTemplate(uri_template=documents.GUIDES + "{service}@{version}", name="guide", mime_type=documents.MARKDOWN),
        ]  # fmt: skip
        return ListResourceTemplatesResult(resource_templates=made)

    async def _read_resource(self, ctx: Any, params: Any) -> ReadResourceResult:
        outer, language = _asked(ctx)
        uri = str(params.uri)
        found = documents.read_document(self._toolbox(), outer, uri, language)
        if found is None:
            raise MCPError(INVALID_PARAMS, f"There is no resource {uri[:200]} for this app.")
        mime_type, text = found
        return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type=mime_type, text=text)])

    async def _list_prompts(self, ctx: Any, params: Any) -> ListPromptsResult:
        outer, language = _asked(ctx)
        found = documents.prompts_of(self._toolbox(), outer, language)
        return ListPromptsResult(
            prompts=[WirePrompt(name=one.name, title=one.title, description=one.description) for one in found]
        )

    async def _get_prompt(self, ctx: Any, params: Any) -> GetPromptResult:
        outer, language = _asked(ctx)
        for one in documents.prompts_of(self._toolbox(), outer, language):
            if one.name == params.name:
                message = PromptMessage(role="user", content=TextContent(type="text", text=one.text))
                return GetPromptResult(description=one.description, messages=[message])
        raise MCPError(INVALID_PARAMS, f"There is no prompt {params.name[:80]} for this app.")


def _asked(ctx: Any) -> tuple[Exchange, str]:
    found: tuple[Exchange, str] = ctx.request.scope["state"][STATE]
    return found


def _security(settings: Settings) -> TransportSecuritySettings:
    """Only our own names: a page of another site that points its name at this address gets nothing."""
    public = urlsplit(settings.issuer)
    hosts, origins = [public.netloc], [f"{public.scheme}://{public.netloc}"]
    if public.hostname in {"127.0.0.1", "localhost", "::1"}:
        port = f":{public.port}" if public.port else ""
        hosts += [f"localhost{port}", f"127.0.0.1{port}"]
        origins += [f"http://localhost{port}", f"http://127.0.0.1{port}"]
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True, allowed_hosts=hosts, allowed_origins=origins
    )


def _search_tools(language: str) -> list[WireTool]:
    def text(of: Text) -> dict[str, str]:
        return {"type": "string", "description": of.in_language(language)}

    reads = {
        "read_only_hint": True,
        "destructive_hint": False,
        "idempotent_hint": True,
        "open_world_hint": False,
    }
    search = {
        "type": "object",
        "properties": {
            "query": text(wording.QUERY),
            "limit": {"type": "integer", "minimum": 1, "maximum": _MAX_FOUND, "description": wording.LIMIT.in_language(language)},
        },
    }  # fmt: skip
    named = {
        "type": "object",
        "properties": {"operation": text(wording.OPERATION)},
        "required": ["operation"],
    }
    called = {
        "type": "object",
        "properties": {
            "operation": text(wording.OPERATION),
            "arguments": {"type": "object", "description": wording.ARGUMENTS_OF.in_language(language)},
        },
        "required": ["operation"],
    }
    rows = (
        (SEARCH, wording.SEARCH_TITLE, wording.SEARCH, search, reads),
        (DESCRIBE, wording.DESCRIBE_TITLE, wording.DESCRIBE, named, reads),
        (CALL, wording.CALL_TITLE, wording.CALL, called,
         {"read_only_hint": False, "destructive_hint": True, "idempotent_hint": False, "open_world_hint": False}),
    )  # fmt: skip
    return [
        WireTool(
            name=name,
            title=title.in_language(language),
            description=said.in_language(language),
            input_schema=schema,
            annotations=ToolAnnotations(title=title.in_language(language), **hints),
        )
        for name, title, said, schema, hints in rows
    ]


def _said(value: dict[str, Any], *, is_error: bool = False) -> CallToolResult:
    text = msgspec.json.encode(value).decode()
    return CallToolResult(
        content=[TextContent(type="text", text=text)], structured_content=value, is_error=is_error
    )


def _result(outcome: calls.Outcome) -> CallToolResult:
    """The answer as a tool's result; status, price and request id stand in `_meta`."""
    about: dict[str, Any] = {
        "kaimen/status": outcome.status,
        "kaimen/request_id": outcome.request_id,
        "kaimen/cost": outcome.cost,
        "kaimen/quota_left": outcome.quota_left,
    }
    if outcome.headers.get("kaimen-sandbox"):
        about["kaimen/sandbox"] = outcome.headers["kaimen-sandbox"]
    if outcome.headers.get("retry-after"):
        about["kaimen/retry_after"] = outcome.headers["retry-after"]
    content: list[Any]
    structured: Any = None
    if outcome.data is not None:
        blob = Blob(
            uri=f"kaimen://requests/{outcome.request_id}/answer",
            mime_type=outcome.content_type or "application/octet-stream",
            blob=calls.as_base64(outcome.data),
        )
        content = [EmbeddedResource(type="resource", resource=blob)]
    elif outcome.text is not None:
        content = [TextContent(type="text", text=outcome.text)]
    else:
        content = [TextContent(type="text", text=msgspec.json.encode(outcome.json).decode())]
        structured = outcome.json
        if not isinstance(structured, dict):  # MCP up to 2025-11-25 takes objects only
            structured, about["kaimen/wrapped"] = {"result": structured}, True
    return CallToolResult(
        content=content, structured_content=structured, is_error=outcome.is_error, _meta=about
    )
