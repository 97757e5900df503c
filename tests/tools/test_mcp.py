"""Tools of a server of the Model Context Protocol: a real one, over both of its transports."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from inzwa_rtc.engines.contracts import ToolCall
from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings.tools import ToolSettings
from inzwa_rtc.tools.gate import Said
from inzwa_rtc.tools.loading import opened
from inzwa_rtc.tools.toolbox import Toolbox

SERVER = str(Path(__file__).with_name("mcp_server.py"))
COMMAND = [sys.executable, SERVER]


@asynccontextmanager
async def connected(**entry: Any) -> AsyncIterator[Toolbox]:
    used = {"desk": {"source": "mcp", "words": {"en": ["desk"]}, "connect_s": 60, **entry}}
    async with asyncio.timeout(120):
        toolbox = await opened(ToolSettings.model_validate({"use": used}))
        try:
            yield toolbox
        finally:
            await toolbox.close()


async def told(toolbox: Toolbox, name: str, **arguments: Any) -> str:
    (tool,) = (tool for tool in toolbox.tools if tool.spec.name == name)
    return (await toolbox.run(tool, ToolCall(name, arguments, "1"))).text


async def until_there(toolbox: Toolbox) -> None:
    async with asyncio.timeout(60):
        while not toolbox.tools:  # noqa: ASYNC110 - nobody is told of it
            await asyncio.sleep(0.01)


@asynccontextmanager
async def over_http(port: int | None = None) -> AsyncIterator[str]:
    """The address of a server that runs while the block does."""
    port = port or unused_port()
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, str(port)), stderr=asyncio.subprocess.PIPE
    )
    try:
        assert process.stderr is not None
        async for line in process.stderr:
            if b"running on" in line:
                break
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        await process.communicate()


async def test_its_tools_are_there_with_its_name_before_theirs() -> None:
    async with connected(command=COMMAND) as toolbox:
        specs = {tool.spec.name: tool.spec for tool in toolbox.tools}
        assert {"desk_add", "desk_book"} <= set(specs)
        assert specs["desk_add"].description == "Adds two numbers."
        assert specs["desk_add"].parameters["required"] == ["a", "b"]
        assert all(tool.gate.opens(Said.of("the desk")) for tool in toolbox.tools)
        changes = {tool.spec.name: tool.changes for tool in toolbox.tools}
        assert (changes["desk_add"], changes["desk_book"]) == (False, True)
        assert await told(toolbox, "desk_add", a=2, b=3) == "5"


async def test_over_http_it_is_the_same() -> None:
    async with over_http() as url, connected(url=url) as toolbox:
        assert await told(toolbox, "desk_add", a=2, b=3) == "5"
        assert await told(toolbox, "desk_book", table="one") == "one is booked"


async def test_only_the_tools_that_are_named_are_there() -> None:
    async with connected(command=COMMAND, only=["add"]) as toolbox:
        assert [tool.spec.name for tool in toolbox.tools] == ["desk_add"]


async def test_the_process_is_given_what_it_needs_and_ends_with_the_box() -> None:
    async with connected(command=COMMAND, env={"MCP_SECRET": "sesame"}) as toolbox:
        assert await told(toolbox, "desk_secret") == "sesame"
        mine = [one for one in psutil.Process().children() if SERVER in one.cmdline()]
        assert len(mine) == 1
    assert not mine[0].is_running()


async def test_what_it_writes_beside_its_answers_is_not_shown(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async with connected(command=COMMAND) as toolbox:
        await told(toolbox, "desk_book", table="the corner")
    shown = capfd.readouterr()
    assert "booked" not in shown.err
    assert "corner" not in shown.out + shown.err


async def test_its_failure_is_told() -> None:
    async with connected(command=COMMAND) as toolbox:
        assert (await told(toolbox, "desk_fail")).startswith("Error: ")
        assert await told(toolbox, "desk_add", a=1, b=1) == "2"


@pytest.mark.parametrize("arguments", [{}, {"a": 1, "b": "x"}])
async def test_wrong_arguments_do_not_reach_it(arguments: dict[str, Any]) -> None:
    async with connected(command=COMMAND) as toolbox:
        assert "arguments are wrong" in await told(toolbox, "desk_add", **arguments)


async def test_an_answer_that_does_not_come_is_given_up() -> None:
    async with connected(command=COMMAND, timeout_s=0.2) as toolbox:
        assert "in time" in await told(toolbox, "desk_hang")
        assert await told(toolbox, "desk_add", a=1, b=1) == "2"


async def test_an_error_of_the_protocol_is_an_answer_and_the_server_stays() -> None:
    """What others asked for goes on."""
    async with connected(command=COMMAND) as toolbox:
        (mine,) = (one for one in psutil.Process().children() if SERVER in one.cmdline())
        (hang,) = (tool for tool in toolbox.tools if tool.spec.name == "desk_hang")
        other = asyncio.create_task(toolbox.run(hang, ToolCall("desk_hang", {}, "2")))
        assert (await told(toolbox, "desk_refuse")).startswith("Error: The service refused")
        assert await told(toolbox, "desk_add", a=1, b=1) == "2"
        assert mine.is_running()
        assert not other.done()
        other.cancel()
        await asyncio.gather(other, return_exceptions=True)


async def test_no_tool_of_a_server_ends_the_call() -> None:
    entry = {"source": "mcp", "always": True, "connect_s": 60, "command": COMMAND}
    toolbox = await opened(ToolSettings.model_validate({"use": {"hang": entry}}))
    try:
        names = [tool.spec.name for tool in toolbox.tools]
        assert "hang_add" in names
        assert "hang_up" not in names
    finally:
        await toolbox.close()


async def test_a_server_that_died_is_started_again() -> None:
    async with connected(command=COMMAND) as toolbox:
        assert (await told(toolbox, "desk_die")).startswith("Error: ")
        await until_there(toolbox)
        assert await told(toolbox, "desk_add", a=1, b=1) == "2"


async def test_a_server_that_is_not_there_yet_keeps_nobody_waiting() -> None:
    url = f"http://127.0.0.1:{unused_port()}/mcp"
    async with connected(url=url, connect_s=5) as toolbox:
        assert toolbox.tools == ()


async def test_a_program_that_is_none_of_these_servers_is_given_up() -> None:
    async with connected(command=[sys.executable, "-c", "print('hello')"], connect_s=1) as toolbox:
        assert toolbox.tools == ()


async def test_a_program_that_there_is_not_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"tools\.use\.desk\.command"):
        async with connected(command=["no-such-program"]):
            pass


async def test_a_server_that_went_and_came_back_is_connected_again() -> None:
    port = unused_port()
    async with AsyncExitStack() as held:
        async with over_http(port) as url:
            toolbox = await held.enter_async_context(connected(url=url))
            assert await told(toolbox, "desk_add", a=1, b=1) == "2"
        (tool,) = (tool for tool in toolbox.tools if tool.spec.name == "desk_add")
        call = ToolCall("desk_add", {"a": 1, "b": 1}, "1")
        assert (await toolbox.run(tool, call)).text.startswith("Error: ")
        async with over_http(port):
            await until_there(toolbox)
            assert await told(toolbox, "desk_add", a=1, b=1) == "2"


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
