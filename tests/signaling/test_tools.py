"""A running server offers tools, exchanges them, and lets go of those that are named no more."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from structlog.testing import capture_logs

from inzwa_rtc.engines.contracts import Speaker, SpeechChunk, SpeechRequest, ToolCall
from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings import CallSettings, Settings
from signaling.serve import running
from tests.support.engines import ScriptedModel, ScriptedRecognizer, ToneSynthesizer
from tests.support.server import InProcess, Three, serving, serving_embedded

CLOCK = {"use": {"time": {"source": "time", "zone": "Africa/Harare"}}}
MCP_SERVER = str(Path(__file__).parents[1] / "tools/mcp_server.py")
DESK = {
    "source": "mcp",
    "command": [sys.executable, MCP_SERVER],
    "only": ["add"],
    "always": True,
    "connect_s": 60,
}


async def asked(url: str, *texts: str) -> list[str]:
    """What a caller who types these is answered."""
    answers = []
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{url}/v1/ws") as ws:
        await ws.send_json({"type": "start", "greeting": False})
        for text in texts:
            await ws.send_json({"type": "text", "text": text})
            answers.append(await reply(ws))
    return answers


async def reply(ws: aiohttp.ClientWebSocketResponse) -> str:
    async with asyncio.timeout(60):
        while True:
            message = await ws.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                told: dict[str, Any] = message.json()
                if told["type"] == "llm.final":
                    return str(told["text"])


def mcp_servers() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if MCP_SERVER in one.cmdline()]


async def test_the_guide_asks_the_clock_in_a_real_call() -> None:
    settings = Settings.model_validate({"tools": CLOCK, "call": {"greeting": ""}})
    async with serving_embedded(tools=settings.tools, call=settings.call) as server:
        (answer,) = await asked(server.url, "what day is it")
    assert re.fullmatch(r"It is \d\d:\d\d on \w+day, \d+ \w+ 20\d\d\. ?", answer)


async def test_tools_are_exchanged_and_their_programs_end() -> None:
    settings = Settings.model_validate({"port": 0, "call": {"greeting": ""}, "tools": CLOCK})
    model = ScriptedModel("One.", [ToolCall("desk_add", {"a": 1, "b": 2})], "Three.", "Four.")
    engines = InProcess(Three(ScriptedRecognizer(), model, ToneSynthesizer()))
    async with running(settings, engines, lambda: settings) as server:
        url = f"http://127.0.0.1:{server.port}"
        await asked(url, "what time is it")
        tools = Settings.model_validate({"tools": {"use": {"desk": DESK}}}).tools
        settings = settings.model_copy(update={"tools": tools})
        assert (await server.switchboard.reload()).changed
        (program,) = mcp_servers()
        await asked(url, "what time is it")
        settings = settings.model_copy(update={"tools": Settings().tools})
        await server.switchboard.reload()
        await asked(url, "what time is it")
        await asyncio.to_thread(psutil.wait_procs, [program], 30)
        assert not program.is_running()
    offered = [[tool.name for tool in request.tools] for request in model.requests]
    assert offered == [["time"], ["desk_add"], ["desk_add"], []]
    assert model.requests[2].messages[-1].content == "3"


async def test_programs_end_with_the_server() -> None:
    tools = Settings.model_validate({"tools": {"use": {"desk": DESK}}}).tools
    async with serving(tools=tools):
        (program,) = mcp_servers()
    assert not program.is_running()


async def test_tools_that_cannot_be_used_keep_the_server_from_starting() -> None:
    use = {"it": {"source": "python", "function": "no.such:thing", "always": True}}
    with pytest.raises(ConfigError, match=r"tools\.use\.it\.function"):
        async with serving(tools=Settings.model_validate({"tools": {"use": use}}).tools):
            pass


async def test_a_model_that_knows_no_tools_is_told_of_at_the_start() -> None:
    model = ScriptedModel()
    model.takes_tools = False
    tools = Settings.model_validate({"tools": CLOCK}).tools
    with capture_logs() as logs:
        async with serving(llm=model, tools=tools):
            pass
    (told,) = (line for line in logs if line["event"] == "tools.not_offered")
    assert "tools" in told["action"]


class Named(ToneSynthesizer):
    """A voice whose phrases can be kept."""

    def speaker(self, voice: str | None, language: str) -> Speaker:
        return Speaker("tone", f"always the same {voice}")

    def model_of(self, engine: str) -> str:
        return ""

    async def synthesize(self, request: SpeechRequest) -> AsyncGenerator[SpeechChunk, None]:
        async with aclosing(super().synthesize(request)) as chunks:
            async for chunk in chunks:
                yield replace(chunk, engine="tone")


async def test_a_filler_is_spoken_before_any_caller_needs_it() -> None:
    line = "Let me look, that may take a while."
    clock = {"source": "time", "filler": {"en": line}}
    tools = Settings.model_validate({"tools": {"use": {"time": clock}, "filler_after_s": 0}}).tools
    model = ScriptedModel([ToolCall("time", {})], "Noon.")
    voice = Named()
    async with serving(llm=model, tts=voice, tools=tools, call=CallSettings(greeting="")) as server:
        rehearsed = [request.text for request in voice.requests]
        voice.requests.clear()
        (answer,) = await asked(server.url, "what time is it")
        spoken = [request.text.strip() for request in voice.requests]
    assert answer == f"{line}\nNoon."
    assert "".join(rehearsed).count(line[:11]) == 1
    assert not any(line.startswith(part) for part in spoken)
