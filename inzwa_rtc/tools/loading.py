"""The tools that the settings name, ready to be used."""

from __future__ import annotations

import asyncio
import shutil
from importlib.util import find_spec
from typing import Any

from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings.tools import (
    AnyToolEntry,
    FunctionEntry,
    HttpEntry,
    McpEntry,
    TimeEntry,
    ToolSettings,
    WeatherEntry,
)
from inzwa_rtc.tools.clock import clock
from inzwa_rtc.tools.endpoint import endpoint
from inzwa_rtc.tools.function import function
from inzwa_rtc.tools.gate import Gate
from inzwa_rtc.tools.tool import Tool, filler_in
from inzwa_rtc.tools.toolbox import Toolbox, ToolServer
from inzwa_rtc.tools.weather import weather
from inzwa_rtc.tools.web import Web


async def opened(settings: ToolSettings) -> Toolbox:
    """A box with all of them, to be closed; servers of tools have been asked once. Raises
    `ConfigError`, naming the tool."""
    if not settings.enabled or not settings.use:
        return Toolbox()
    web = Web()
    servers: list[Any] = []
    try:
        tools: list[Tool] = []
        for name, entry in settings.use.items():
            place = f"tools.use.{name}"
            if isinstance(entry, McpEntry):
                servers.append(await asyncio.to_thread(_server, name, entry, place))
            else:
                tools.append(await asyncio.to_thread(_tool, name, entry, web, place))
        async with asyncio.TaskGroup() as starting:
            for server in servers:
                starting.create_task(server.start())
    except BaseException:
        await Toolbox((), servers, web).close()
        raise
    return Toolbox(tools, servers, web, result_chars=settings.result_chars)


async def check(settings: ToolSettings) -> None:
    """Raises `ConfigError` as `opened`, for what shows before anything is started or asked."""
    if not settings.enabled:
        return
    web = Web()
    try:
        for name, entry in settings.use.items():
            place = f"tools.use.{name}"
            if isinstance(entry, McpEntry):
                await asyncio.to_thread(_server, name, entry, place)
            else:
                await asyncio.to_thread(_tool, name, entry, web, place)
    finally:
        await web.close()


def fillers_in(settings: ToolSettings, language: str) -> list[str]:
    """All that may be said in a language while a tool takes its time."""
    if not settings.enabled:
        return []
    return sorted({filler_in(entry.filler, language) for entry in settings.use.values()})


def _tool(name: str, entry: AnyToolEntry, web: Web, place: str) -> Tool:
    match entry:
        case TimeEntry():
            return clock(name, entry, place)
        case WeatherEntry():
            return weather(name, entry, web)
        case HttpEntry():
            return endpoint(name, entry, web, place)
        case FunctionEntry():
            return function(
                name,
                entry.function,
                entry.description,
                gate=Gate(entry.words, always=entry.always),
                filler=entry.filler,
                timeout_s=entry.timeout_s,
                changes=entry.changes is not False,
                place=f"{place}.function",
            )
    raise AssertionError(entry)


def _server(name: str, entry: McpEntry, place: str) -> ToolServer:
    if find_spec("mcp") is None:
        raise ConfigError(
            f"`{place}` needs the client library of the Model Context Protocol.",
            action="Run: pip install 'inzwa-rtc[mcp]'",
        )
    if entry.command and shutil.which(entry.command[0]) is None:
        raise ConfigError(f"`{place}.command`: there is no program `{entry.command[0]}`.")
    # Imported late: it is an extra.
    from inzwa_rtc.tools.mcp import McpServer

    return McpServer(name, entry)
