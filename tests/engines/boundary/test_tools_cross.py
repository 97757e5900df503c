"""Tools, their results and how words are chosen reach an engine as they were asked for."""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from inzwa_rtc.engines.client import LanguageModelClient
from inzwa_rtc.engines.contracts import (
    Message,
    ReplyRequest,
    Sampling,
    TokenChunk,
    ToolCall,
    ToolSpec,
    Usage,
    takes_tools,
)
from inzwa_rtc.engines.process import EngineProcess
from inzwa_rtc.engines.registry import EngineSpec

if TYPE_CHECKING:
    from .conftest import Boundary

SCHEMA = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}
CALL = ToolCall("weather", {"place": "Harare", "days": [1, 2.5, None]}, "call-7")
REQUEST = ReplyRequest(
    (
        Message("user", "asked"),
        Message("assistant", "", (CALL,)),
        Message("tool", "24 °C", tool_call_id="call-7"),
        Message("user", "asked"),
    ),
    "sn",
    99,
    "shona",
    (ToolSpec("weather", "The weather somewhere.", SCHEMA),),
    Sampling(0.0, 0.5, ("\n",), 7),
)

TOOLLESS = EngineSpec("llm", "toolless", "boundary_engines:ToollessTalker")


async def asked(process: EngineProcess, request: ReplyRequest) -> tuple[Any, TokenChunk]:
    """What reached the engine, and the chunk that it told it in."""
    async with aclosing(LanguageModelClient(process).reply(request)) as chunks:
        (chunk,) = [chunk async for chunk in chunks]
    assert isinstance(chunk, TokenChunk)
    return json.loads(chunk.token), chunk


async def test_everything_that_is_asked_reaches_the_engine(boundary: Boundary) -> None:
    async with boundary.running("llm") as process:
        assert takes_tools(LanguageModelClient(process))
        seen, chunk = await asked(process, REQUEST)
    assert seen == json.loads(json.dumps(asdict(REQUEST)))
    assert (chunk.usage, chunk.finish_reason) == (Usage(3, 1), "stop")


async def test_nothing_said_of_sampling_is_the_engine_s_own_to_choose(boundary: Boundary) -> None:
    async with boundary.running("llm") as process:
        seen, _ = await asked(process, boundary.request("asked"))
    assert set(seen["sampling"].values()) == {None}


async def test_an_engine_without_tools_is_told_their_results_as_notes(boundary: Boundary) -> None:
    async with boundary.running("llm", spec=TOOLLESS) as process:
        assert not takes_tools(LanguageModelClient(process))
        seen, _ = await asked(process, REQUEST)
    assert not seen["tools"]
    assert [message["role"] for message in seen["messages"]] == ["user", "user", "user"]
    assert "24 °C" in seen["messages"][1]["content"]
    assert seen["sampling"]["seed"] == 7
