"""The Ollama client against a server that speaks Ollama's wire format, well or badly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from inzwa_rtc.engines.contracts import TokenChunk, Usage
from inzwa_rtc.errors import EngineError, EngineTimeout, EngineUnavailable
from tests.engines.remote.asking import CANARY, REQUEST, Make, dialogue, error_of, reply, said
from tests.engines.remote.fake_server import (
    Behaviour,
    FakeServer,
    answers,
    breaks,
    drips,
    hangs,
    line,
    streams,
)

LINES = "application/x-ndjson"


def part(text: str, **members: Any) -> bytes:
    message = {"role": "assistant", "content": text}
    return line({"model": "tiny", "message": message, "done": False, **members})


FINISHED = part("", done=True, done_reason="stop", prompt_eval_count=20, eval_count=2)


def sends(*pieces: bytes, **how: Any) -> Behaviour:
    return streams(pieces, kind=LINES, **how)


def says(*tokens: str) -> Behaviour:
    return sends(*map(part, tokens), FINISHED)


async def test_tokens_come_as_the_server_sends_them(ollama: Make, server: FakeServer) -> None:
    more = asyncio.Event()
    server.will(sends(part("Mho"), part("roi"), FINISHED, when=more))
    async with asyncio.timeout(30), aclosing(ollama().reply(REQUEST)) as chunks:
        assert await anext(chunks) == TokenChunk("Mho")
        more.set()
        assert [chunk async for chunk in chunks] == [
            TokenChunk("roi"),
            TokenChunk("", None, True, Usage(20, 2), "stop"),
        ]


async def test_the_request_has_what_the_options_say(ollama: Make, server: FakeServer) -> None:
    server.will(says("ok"))
    await reply(ollama(temperature=0.2, stop=["\n"], seed=7, api_key="key", context=2048))
    asked = server.asked[0]
    assert asked.path == "/api/chat"
    assert asked.headers["Authorization"] == "Bearer key"
    assert asked.body == {
        "model": "tiny",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": CANARY},
        ],
        "tools": [],
        "stream": True,
        "think": False,
        "keep_alive": -1,
        "options": {
            "num_ctx": 2048,
            "num_predict": 64,
            "temperature": 0.2,
            "top_p": 0.95,
            "repeat_penalty": 1.1,
            "seed": 7,
            "stop": ["\n"],
        },
    }


async def test_probabilities_are_passed_on(ollama: Make, server: FakeServer) -> None:
    tokens = [{"token": "a", "logprob": -0.5}, {"token": "b", "logprob": -0.25}]
    server.will(sends(part("ab", logprobs=tokens), FINISHED))
    assert (await reply(ollama(logprobs=True)))[0] == TokenChunk("ab", -0.75)
    assert server.asked[0].body["logprobs"] is True


async def test_old_turns_are_left_out_to_fit(ollama: Make, server: FakeServer) -> None:
    server.will(says("ok"))
    request = dialogue(turns=21)
    await reply(ollama(context=512), request)
    sent = server.asked[0].body["messages"]
    assert sent[0] == {"role": "system", "content": "Be brief."}
    assert sent[1]["role"] == "user"
    assert sent[-1]["content"] == request.messages[-1].content
    assert len(sent) < 12


async def test_the_model_is_loaded_at_start_to_stay(ollama: Make, server: FakeServer) -> None:
    server.will(answers({"model": "tiny", "response": "", "done": True}))
    await asyncio.to_thread(ollama, check_at_start=True, context=2048)
    asked = server.asked[0]
    assert asked.path == "/api/generate"
    assert (asked.body["keep_alive"], asked.body["options"]) == (-1, {"num_ctx": 2048})
    assert "prompt" not in asked.body or asked.body["prompt"] == ""


async def test_a_model_that_is_not_there_is_told_how_to_get(
    ollama: Make, server: FakeServer
) -> None:
    server.will(answers({"error": "model 'tiny' not found"}, 404))
    for ask in (lambda: asyncio.to_thread(ollama, check_at_start=True), lambda: reply(ollama())):
        with pytest.raises(EngineUnavailable, match="Run: ollama pull tiny"):
            await ask()
    assert len(server.asked) == 2


@pytest.mark.parametrize("status", [400, 401])
async def test_a_refusal_is_an_error_at_once(ollama: Make, server: FakeServer, status: int) -> None:
    server.will(answers({"error": CANARY}, status))
    await error_of(ollama())
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        answers({"error": "x"}, 500),
        answers({"error": "server busy"}, 503),
        answers("<h1>Bad gateway</h1>", 502, "text/html"),
        breaks,
        sends(),
        sends(line({"error": CANARY})),
        sends(then=breaks),
    ],
    ids=["500", "503", "502", "breaks", "empty", "error line", "breaks after headers"],
)
async def test_what_passes_is_asked_again(
    ollama: Make, server: FakeServer, trouble: Behaviour
) -> None:
    server.will(trouble, says("ok"))
    assert await said(ollama()) == "ok"
    assert len(server.asked) == 2


async def test_a_full_queue_is_asked_three_times_and_then_called_busy(
    ollama: Make, server: FakeServer
) -> None:
    server.will(answers({"error": f"server busy {CANARY}"}, 503))
    assert (await error_of(ollama())).code == "engine_busy"
    assert len(server.asked) == 3


async def test_a_wait_that_does_not_fit_into_the_turn_is_not_begun(
    ollama: Make, server: FakeServer
) -> None:
    server.will(answers({"error": "server busy"}, 503, Retry_After="600"))
    assert (await error_of(ollama())).code == "engine_busy"
    assert len(server.asked) == 1


async def test_an_answer_that_ends_well_before_its_first_token_is_asked_for_again(
    ollama: Make, server: FakeServer
) -> None:
    server.will(sends(part("")), says("ok"))
    assert await said(ollama()) == "ok"
    assert len(server.asked) == 2


async def test_thoughts_are_not_spoken(ollama: Make, server: FakeServer) -> None:
    server.will(says("<think>", "Hm.", "</think>", "Mhoroi"))
    assert await said(ollama()) == "Mhoroi"


async def test_a_server_that_is_not_there_is_named(ollama: Make, nobody: str) -> None:
    error = await error_of(ollama(base_url=nobody))
    assert isinstance(error, EngineUnavailable)
    assert nobody in str(error)


@pytest.mark.parametrize(
    "behaviour", [hangs, sends(part("", thinking="Hm"), then=hangs)], ids=["hang", "thinking"]
)
async def test_a_silent_server_costs_no_more_than_the_first_token_may_take(
    ollama: Make, server: FakeServer, behaviour: Behaviour
) -> None:
    server.will(behaviour)
    error = await error_of(ollama(first_token_timeout_s=0.05))
    assert isinstance(error, EngineTimeout)
    assert "llm.first_token_timeout_s" in str(error)
    await server.until_idle()


@pytest.mark.parametrize("is_dripping", [False, True], ids=["hang", "drip"])
async def test_silence_in_mid_stream_ends_the_reply(
    ollama: Make, server: FakeServer, is_dripping: bool
) -> None:
    async def drops() -> AsyncIterator[bytes]:
        yield part("Mho")
        while True:  # bytes that never become a line
            await asyncio.sleep(0.01)
            yield b" "

    server.will(drips(drops(), LINES) if is_dripping else sends(part("Mho"), then=hangs))
    async with (
        asyncio.timeout(30),
        aclosing(ollama(next_token_timeout_s=0.05).reply(REQUEST)) as got,
    ):
        assert await anext(got) == TokenChunk("Mho")
        with pytest.raises(EngineTimeout, match="next_token_timeout_s"):
            await anext(got)
    await server.until_left()
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "ending",
    [
        sends(part("Mho"), then=breaks),
        sends(part("Mho")),
        sends(part("Mho"), line({"error": CANARY})),
        sends(part("Mho"), b'{"message": {\n'),
        sends(part("Mho"), b"\x00\xff garbage\n" * 100),
        sends(part("Mho"), line([CANARY])),
        sends(part("Mho"), line({"message": CANARY})),
        sends(part("Mho"), b"\n"),
    ],
    ids=["cut", "ended", "error", "json", "bytes", "list", "message", "blank line"],
)
async def test_a_reply_that_goes_wrong_on_its_way_is_an_error_and_not_asked_again(
    ollama: Make, server: FakeServer, ending: Behaviour
) -> None:
    server.will(ending)
    async with asyncio.timeout(30), aclosing(ollama().reply(REQUEST)) as chunks:
        assert await anext(chunks) == TokenChunk("Mho")
        with pytest.raises(EngineError) as caught:
            await anext(chunks)
    assert CANARY not in str(caught.value)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "behaviour",
    [
        answers(f"<html>{CANARY}</html>", 200, "text/html"),
        sends(b"null\n"),
        sends(CANARY.encode() + b"\n"),
        sends(*[b"x" * 1024 * 1024] * 9),
        sends(b"[" * 100_000 + b"\n"),
        answers("[]", 418),
    ],
    ids=["html", "null", "text", "endless line", "too deep", "odd error"],
)
async def test_what_is_no_answer_is_an_error_at_once(
    ollama: Make, server: FakeServer, behaviour: Behaviour
) -> None:
    server.will(behaviour)
    assert "is not an answer" in str(await error_of(ollama()))
    assert len(server.asked) == 1


async def test_a_redirect_is_named_and_not_followed(ollama: Make, server: FakeServer) -> None:
    server.will(answers("", 308, Location="/api/chat/"))
    assert "redirects to itself (308" in str(await error_of(ollama()))
    assert len(server.asked) == 1


async def test_cancelling_before_the_first_token_frees_the_connection(
    ollama: Make, server: FakeServer
) -> None:
    server.will(hangs, says("ok"))
    engine = ollama(max_concurrent=1)
    task = asyncio.create_task(reply(engine))
    await server.until_asked()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await server.until_left()
    assert await said(engine) == "ok"


async def test_closing_in_mid_stream_frees_the_connection(ollama: Make, server: FakeServer) -> None:
    server.will(sends(part("Mho"), then=hangs), says("ok"))
    engine = ollama(max_concurrent=1)
    async with asyncio.timeout(30), aclosing(engine.reply(REQUEST)) as chunks:
        await anext(chunks)
    await server.until_left()
    assert await said(engine) == "ok"


async def test_replies_run_side_by_side_on_connections_that_are_kept(
    ollama: Make, server: FakeServer
) -> None:
    more = asyncio.Event()
    server.will(sends(part("a"), FINISHED, when=more))
    engine = ollama(max_concurrent=2)
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        replies = [tasks.create_task(said(engine)) for _ in range(5)]
        await server.until_asked(2)
        assert len(server.asked) == 2
        more.set()
    assert [task.result() for task in replies] == ["a"] * 5
    assert server.connections == 2


async def test_a_reply_that_stops_without_an_end_is_called_broken_off(
    ollama: Make, server: FakeServer
) -> None:
    server.will(sends(part("Mho")))
    assert "broke off" in str(await error_of(ollama()))
