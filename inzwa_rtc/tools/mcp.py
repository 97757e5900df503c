"""Servers of the Model Context Protocol as sources of tools, through the official client. MIT.

Each has one task that connects, and connects again when the connection was lost; the tools of a
server that is not there are not offered.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TextIO

import httpx2
import mcp_types
import structlog
from mcp import Client, MCPError
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from inzwa_rtc.engines.contracts import ToolSpec
from inzwa_rtc.errors import ConfigError, leaves
from inzwa_rtc.settings.tools import HANG_UP, McpEntry
from inzwa_rtc.tools.gate import Gate
from inzwa_rtc.tools.schema import check_schema
from inzwa_rtc.tools.tool import ToolFailed, ToolUnsure

MOST_TOOLS = 64
"""Of one server; a model that may choose among more chooses badly."""
_NAME_CHARS = 64  # what chat interfaces take
_DESCRIPTION_CHARS = 2_000
_PAGES = 16
_FIRST_DELAY_S, _LONGEST_DELAY_S = 1.0, 60.0
_CLOSING_S = 8.0  # the library waits for a process up to 6 s, in steps

_LOST = (mcp_types.CONNECTION_CLOSED, mcp_types.INVALID_REQUEST)  # the latter: a session ended

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class McpTool:
    """`Tool` of a server; `called` is its name there."""

    spec: ToolSpec
    gate: Gate
    filler: Mapping[str, str]
    timeout_s: float
    changes: bool
    called: str
    server: McpServer

    async def run(self, arguments: Mapping[str, Any]) -> str:
        """As in `Tool`."""
        return await self.server.call(self.called, arguments, self.timeout_s)


class McpServer:
    """One server; `start` it, `close` it."""

    def __init__(self, name: str, entry: McpEntry) -> None:
        self.name = name
        self.tools: tuple[McpTool, ...] = ()
        self._entry = entry
        self._gate = Gate(entry.words, always=entry.always)
        self._client: Client | None = None
        self._tried = asyncio.Event()
        self._lost = asyncio.Event()
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return once the first attempt to connect is over, well or not, or takes too long."""
        self._task = asyncio.create_task(self._keep_connected(), name=f"mcp {self.name}")
        with suppress(TimeoutError):
            async with asyncio.timeout(self._entry.connect_s):
                await self._tried.wait()

    async def close(self) -> None:
        """End the connection, and the process if there is one."""
        self._closing.set()
        self._lost.set()
        if self._task is not None:
            # Cancelled only when it must be: the library then leaves a process behind.
            await asyncio.wait({self._task}, timeout=_CLOSING_S)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def call(self, tool: str, arguments: Mapping[str, Any], timeout_s: float) -> str:
        """The result of a tool, as text. Raises `ToolFailed`."""
        client = self._client
        if client is None:
            raise ToolFailed("The service is not connected.")
        try:
            result = await client.call_tool(tool, dict(arguments), timeout_s)
        except MCPError as error:
            if error.code in _LOST:
                self._lost.set()
                raise ToolUnsure("The connection to the service broke.") from None
            if error.code == mcp_types.REQUEST_TIMEOUT:
                raise ToolUnsure("The service did not answer in time.") from None
            # An answer like any other: the connection, and what others asked, go on.
            raise ToolFailed("The service refused the request.") from None
        except Exception as error:  # noqa: BLE001 - the library's edge, and a stranger's answer
            raise ToolUnsure(f"The service's answer is none ({type(error).__name__}).") from None
        text = _text(result)
        if result.is_error:
            raise ToolFailed(text or "The service failed.")
        return text

    async def _keep_connected(self) -> None:
        delay_s = _FIRST_DELAY_S
        while not self._closing.is_set():
            try:
                if await self._connected():
                    delay_s = _FIRST_DELAY_S
                    continue  # at once: someone may be waiting for an answer
            except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
                found = leaves(error) if isinstance(error, ExceptionGroup) else [error]
                kind = type(found[0]).__name__
                _log.warning("tools.mcp_not_connected", server=self.name, error=kind)
            self._tried.set()
            try:
                async with asyncio.timeout(delay_s):
                    await self._closing.wait()
            except TimeoutError:
                delay_s = min(2 * delay_s, _LONGEST_DELAY_S)

    async def _connected(self) -> bool:
        """Serve until the connection is lost. Whether anything was called in between."""
        self._lost.clear()
        async with _transport(self._entry) as transport:
            client = Client(transport, read_timeout_seconds=self._entry.connect_s, cache=None)
            async with client:
                self.tools = await self._listed(client)
                self._client = client
                _log.info("tools.mcp_connected", server=self.name, tools=len(self.tools))
                self._tried.set()
                try:
                    if not self._closing.is_set():
                        await self._lost.wait()
                finally:
                    self._client, self.tools = None, ()
        return True

    async def _listed(self, client: Client) -> tuple[McpTool, ...]:
        found: dict[str, McpTool] = {}
        cursor: str | None = None
        for _ in range(_PAGES):
            page = await client.list_tools(cursor=cursor)
            for told in page.tools:
                tool = await asyncio.to_thread(self._tool, told)
                if tool is not None and len(found) < MOST_TOOLS:
                    found.setdefault(tool.spec.name, tool)
            cursor = page.next_cursor
            if cursor is None:
                break
        if lacking := set(self._entry.only) - {tool.called for tool in found.values()}:
            _log.warning("tools.mcp_lacks", server=self.name, tools=sorted(lacking))
        return tuple(found.values())

    def _tool(self, told: mcp_types.Tool) -> McpTool | None:
        entry = self._entry
        if entry.only and told.name not in entry.only:
            return None
        name = re.sub(r"[^A-Za-z0-9_-]", "_", f"{self.name}_{told.name}")[:_NAME_CHARS]
        if name == HANG_UP:
            _log.warning("tools.mcp_bad_name", server=self.name, tool=name)
            return None
        try:
            check_schema(told.input_schema, f"tools.use.{self.name}: {told.name}")
        except ConfigError:
            _log.warning("tools.mcp_bad_schema", server=self.name, tool=name)
            return None
        description = (told.description or told.title or told.name)[:_DESCRIPTION_CHARS]
        spec = ToolSpec(name, description, told.input_schema)
        hints = told.annotations
        changes = entry.changes
        if changes is None:
            changes = hints is None or not hints.read_only_hint
        return McpTool(spec, self._gate, entry.filler, entry.timeout_s, changes, told.name, self)


@asynccontextmanager
async def _transport(entry: McpEntry) -> AsyncGenerator[Any, None]:
    if entry.url is None:
        command, *arguments = entry.command
        env = {name: value.get_secret_value() for name, value in entry.env.items()}
        # What it writes there may be what callers say.
        with _nowhere() as nowhere:
            parameters = StdioServerParameters(command=command, args=arguments, env=env)
            yield stdio_client(parameters, errlog=nowhere)
        return
    headers = {name: value.get_secret_value() for name, value in entry.headers.items()}
    limits = httpx2.Timeout(entry.timeout_s, connect=entry.connect_s)
    async with httpx2.AsyncClient(headers=headers, timeout=limits, trust_env=False) as client:
        yield streamable_http_client(entry.url, http_client=client)


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - a device, no path of ours


def _text(result: mcp_types.CallToolResult) -> str:
    texts = [part.text for part in result.content if isinstance(part, mcp_types.TextContent)]
    if not texts and result.structured_content is not None:
        return str(result.structured_content)
    return "\n".join(texts)
