"""Models on a server ask for tools, and are told the results, in the server's own form."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from inzwa_rtc.engines.contracts import (
    LanguageModel,
    Message,
    ReplyRequest,
    Sampling,
    TokenChunk,
    ToolCall,
    ToolSpec,
    Usage,
)
from inzwa_rtc.engines.llm.tool_calls import MOST_CALLS, MOST_CHARS
from tests.engines.remote.asking import REQUEST, Make, error_of, reply
from tests.engines.remote.fake_server import (
    DONE,
    FINISHED,
    Behaviour,
    FakeServer,
    answers,
    breaks,
    delta,
    event,
    line,
    says,
    streams,
)

WEATHER = ToolSpec("weather", "The weather.", {"type": "object", "properties": {}})
ASKING = replace(REQUEST, tools=(WEATHER,))
CALL = ToolCall("weather", {"place": "Harare"}, "call-1")
GOING_ON = ReplyRequest(
    (
        Message("user", "the weather"),
        Message("assistant", "", (CALL,)),
        Message("tool", "24 degrees", tool_call_id="call-1"),
    ),
    tools=(WEATHER,),
)


async def everything(engine: LanguageModel, request: ReplyRequest = ASKING) -> list[Any]:
    """All that comes but the signs that something is on its way."""
    async with asyncio.timeout(30), aclosing(engine.reply(request)) as chunks:
        return [chunk async for chunk in chunks if chunk != TokenChunk("")]


def piece(*calls: dict[str, Any], **choice: Any) -> bytes:
    """An event with pieces of calls."""
    members = {"index": 0, "delta": {"tool_calls": list(calls)}, "finish_reason": None, **choice}
    return event({"object": "chat.completion.chunk", "choices": [members]})


def part_of(index: int, arguments: str, name: str | None = None, called: str | None = None) -> Any:
    function = {"arguments": arguments} | ({} if name is None else {"name": name})
    return {"index": index, "function": function} | ({} if called is None else {"id": called})


ENDS = event({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})
COUNTS = event({"choices": [], "usage": {"prompt_tokens": 31, "completion_tokens": 7}})


async def test_pieces_of_several_calls_are_put_together(chat: Make, server: FakeServer) -> None:
    server.will(
        streams(
            [
                delta("Let me see."),
                piece(part_of(0, "", "weather", "a")),
                piece(part_of(0, '{"place": "Ha')),
                piece(part_of(1, '{"place":', "weather", "b")),
                piece(part_of(0, 'rare"}'), part_of(1, ' "Gweru"}')),
                ENDS,
                COUNTS,
                DONE,
            ]
        )
    )
    assert await everything(chat()) == [
        TokenChunk("Let me see."),
        ToolCall("weather", {"place": "Harare"}, "a"),
        ToolCall("weather", {"place": "Gweru"}, "b"),
        TokenChunk("", None, True, Usage(31, 7), "tool_calls"),
    ]


async def test_a_call_without_an_id_gets_one_of_its_own(chat: Make, server: FakeServer) -> None:
    calls = [part_of(0, "{}", "weather"), part_of(1, "", "weather")]
    server.will(streams([piece(*calls), FINISHED, DONE]))
    first, second, last = await everything(chat())
    assert first.id and second.id and first.id != second.id
    assert (first.arguments, second.arguments) == ({}, {})
    assert last.finish_reason == "tool_calls"


@pytest.mark.parametrize("arguments", ["{", "[1]", "null", "Harare", "[" * 100_00])
async def test_arguments_that_are_none_are_told_as_what_they_are(
    chat: Make, server: FakeServer, arguments: str
) -> None:
    server.will(streams([piece(part_of(0, arguments, "weather", "a")), ENDS, DONE]))
    call, _ = await everything(chat())
    assert call == ToolCall("weather", {}, "a", arguments)


@pytest.mark.parametrize(
    "calls",
    [
        {"tool_calls": 7},
        {"tool_calls": [7]},
        {"tool_calls": [{"index": MOST_CALLS, "function": {"name": "a"}}]},
        {"tool_calls": [{"index": "first"}]},
        {"tool_calls": [{"index": 0, "function": {"name": 7}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "a" * (MOST_CHARS + 1)}}]},
    ],
    ids=["number", "numbers", "too many", "no index", "no name", "too long"],
)
async def test_what_is_no_call_is_an_error(chat: Make, server: FakeServer, calls: Any) -> None:
    server.will(streams([event({"choices": [{"delta": calls}]}), ENDS, DONE]))
    assert (await error_of(chat(), ASKING)).code == "engine_failed"


async def test_tools_and_results_reach_the_server(chat: Make, server: FakeServer) -> None:
    server.will(says("It is warm."))
    await reply(chat(), GOING_ON)
    body = server.asked[0].body
    assert body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "The weather.",
                "parameters": {"type": "object", "properties": {}},
            },
        }
    ]
    function = {"name": "weather", "arguments": '{"place": "Harare"}'}
    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "call-1", "type": "function", "function": function}],
        },
        {"role": "tool", "content": "24 degrees", "tool_call_id": "call-1"},
    ]


async def test_without_tools_nothing_is_said_of_them(chat: Make, server: FakeServer) -> None:
    server.will(says("ok"))
    await reply(chat())
    assert "tools" not in server.asked[0].body


@pytest.mark.parametrize(
    "message",
    [
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        "tools param requires --jinja flag",
        "Unknown parameter: 'tools'.",
    ],
)
async def test_a_server_that_takes_no_tools_is_told_how_to_be_set_up(
    chat: Make, server: FakeServer, message: str
) -> None:
    server.will(answers({"error": {"message": message, "code": 400}}, 400))
    error = await error_of(chat(), ASKING)
    assert error.code == "tools_refused"
    assert "llm.tools" in error.action
    assert len(server.asked) == 1
    assert (await error_of(chat())).code == "request_refused", "nothing was offered"


@pytest.mark.parametrize("tools", [True, False])
async def test_an_operator_may_say_that_a_server_knows_no_tools(
    chat: Make, ollama: Make, tools: bool
) -> None:
    assert ("tools" in chat(tools=tools).abilities) is tools
    assert ("tools" in ollama(tools=tools).abilities) is tools


ASKED = Sampling(temperature=0.0, top_p=0.5, stop=("END",), seed=5)
OPTIONS = {"temperature": 0.9, "top_p": 0.8, "stop": ["x"], "seed": 1}


@pytest.mark.parametrize(
    ("sampling", "sent"),
    [(Sampling(), (0.9, 0.8, ["x"], 1)), (ASKED, (0.0, 0.5, ["END"], 5))],
    ids=["the options", "the request"],
)
async def test_a_request_may_choose_how_its_words_are_chosen(
    chat: Make, ollama: Make, server: FakeServer, sampling: Sampling, sent: Sequence[Any]
) -> None:
    request = replace(REQUEST, sampling=sampling)
    server.will(says("ok"), ollama_says({"content": "ok"}))
    await reply(chat(**OPTIONS), request)
    await reply(ollama(**OPTIONS), request)
    for body in (server.asked[0].body, server.asked[1].body["options"]):
        assert [body[name] for name in ("temperature", "top_p", "stop", "seed")] == list(sent)


def ollama_says(*messages: Any) -> Any:
    told = [{"message": {"role": "assistant", **message}, "done": False} for message in messages]
    counts = {"prompt_eval_count": 31, "eval_count": 7, "done_reason": "stop"}
    end = {"message": {"role": "assistant", "content": ""}, "done": True, **counts}
    pieces = [line({"model": "tiny", **one}) for one in (*told, end)]
    return streams(pieces, kind="application/x-ndjson")


async def test_ollama_s_calls_come_whole_and_get_ids(ollama: Make, server: FakeServer) -> None:
    calls = [{"function": {"name": "weather", "arguments": {"place": one}}} for one in "ab"]
    server.will(ollama_says({"content": "", "tool_calls": calls}))
    first, second, last = await everything(ollama())
    assert (first.name, first.arguments, second.arguments) == (
        "weather",
        {"place": "a"},
        {"place": "b"},
    )
    assert first.id and second.id and first.id != second.id
    assert last == TokenChunk("", None, True, Usage(31, 7), "tool_calls")


async def test_ollama_is_told_results_by_the_names_of_their_tools(
    ollama: Make, server: FakeServer
) -> None:
    server.will(ollama_says({"content": "warm"}))
    await reply(ollama(), GOING_ON)
    body = server.asked[0].body
    assert [tool["function"]["name"] for tool in body["tools"]] == ["weather"]
    called, told = body["messages"][1:]
    assert called["tool_calls"] == [
        {"function": {"name": "weather", "arguments": {"place": "Harare"}}}
    ]
    assert (told["role"], told["content"], told["tool_name"]) == ("tool", "24 degrees", "weather")


@pytest.mark.parametrize(
    ("shown", "can"),
    [
        (answers({"capabilities": ["completion", "tools"], "model_info": {}}), True),
        (answers({"capabilities": ["completion"], "model_info": {}}), False),
        (answers({"model_info": {}}), True),
        (answers("no such path", 404), True),
        (answers([1, 2]), True),
        (breaks, True),
    ],
    ids=["told", "told not", "not told", "unknown", "garbage", "broken"],
)
async def test_ollama_is_asked_whether_the_model_was_made_for_tools(
    ollama: Make, server: FakeServer, shown: Behaviour, can: bool
) -> None:
    server.will(answers({"model": "tiny", "response": "", "done": True}), shown)
    engine = await asyncio.to_thread(ollama, check_at_start=True)
    assert ("tools" in engine.abilities) is can
    assert server.asked[1].path == "/api/show"
