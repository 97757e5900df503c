"""The chat client against a server that speaks OpenAI's wire format, well or badly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from inzwa_rtc.engines.contracts import ReplyRequest, TokenChunk
from inzwa_rtc.errors import EngineError, EngineTimeout, EngineUnavailable
from tests.engines.remote.asking import CANARY, REQUEST, Make, error_of, reply, said
from tests.engines.remote.fake_server import (
    DONE,
    FINISHED,
    Behaviour,
    FakeServer,
    answers,
    breaks,
    delta,
    drips,
    event,
    hangs,
    says,
    streams,
)


async def test_tokens_come_as_the_server_sends_them(chat: Make, server: FakeServer) -> None:
    more = asyncio.Event()
    server.will(streams([delta("Mho"), delta("roi"), FINISHED, DONE], when=more))
    async with asyncio.timeout(30), aclosing(chat().reply(REQUEST)) as chunks:
        assert await anext(chunks) == TokenChunk("Mho")
        more.set()
        assert [chunk async for chunk in chunks] == [
            TokenChunk("roi"),
            TokenChunk("", is_final=True, finish_reason="stop"),
        ]


async def test_the_request_has_what_the_options_say(chat: Make, server: FakeServer) -> None:
    server.will(says("ok"))
    engine = chat(
        temperature=0.2, stop=["\n"], seed=7, api_key=" key ", headers={"X-Team": "a"}, context=4096
    )
    await reply(engine)
    asked = server.asked[0]
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["Authorization"] == "Bearer key"
    assert asked.headers["X-Team"] == "a"
    assert asked.headers["Accept-Encoding"] == "identity"
    assert asked.body == {
        "model": "tiny",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": CANARY},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 64,
        "temperature": 0.2,
        "top_p": 0.95,
        "repeat_penalty": 1.1,
        "repetition_penalty": 1.1,
        "stop": ["\n"],
        "seed": 7,
    }


async def test_an_adapter_is_asked_for_as_a_model(chat: Make, server: FakeServer) -> None:
    server.will(says("ok"))
    await reply(chat(), ReplyRequest(REQUEST.messages, adapter="shona-lora"))
    assert server.asked[0].body["model"] == "shona-lora"


async def test_the_operator_sets_and_removes_members(chat: Make, server: FakeServer) -> None:
    server.will(says("ok"))
    await reply(chat(extensions=False, extra_body={"top_k": 5, "top_p": None}))
    body = server.asked[0].body
    assert body["top_k"] == 5
    assert not {"top_p", "repeat_penalty"} & body.keys()


async def test_probabilities_are_passed_on(chat: Make, server: FakeServer) -> None:
    tokens = {"content": [{"token": "a", "logprob": -0.5}, {"token": "b", "logprob": -0.25}]}
    server.will(streams([delta("ab", logprobs=tokens), FINISHED, DONE]))
    chunks = await reply(chat(logprobs=True))
    assert chunks[0] == TokenChunk("ab", -0.75)
    assert server.asked[0].body["logprobs"] is True


async def test_one_connection_serves_turn_after_turn(chat: Make, server: FakeServer) -> None:
    server.will(says("ok"))
    engine = chat()
    for _ in range(3):
        assert await said(engine) == "ok"
    assert server.connections == 1


async def test_a_stream_without_its_end_mark_is_whole_once_it_says_why_it_ended(
    chat: Make, server: FakeServer
) -> None:
    server.will(streams([delta("ok"), FINISHED], then=hangs))
    assert await said(chat()) == "ok"
    await server.until_left()


@pytest.mark.parametrize(
    ("status", "kind", "code", "named"),
    [
        (400, EngineError, "request_refused", "llm.model"),
        (401, EngineUnavailable, "engine_unavailable", "llm.api_key"),
        (403, EngineUnavailable, "engine_unavailable", "llm.api_key"),
        (404, EngineUnavailable, "engine_unavailable", "`tiny`"),
        (422, EngineError, "request_refused", "422 Unprocessable"),
    ],
)
async def test_a_refusal_is_an_error_at_once(
    chat: Make, server: FakeServer, status: int, kind: type[EngineError], code: str, named: str
) -> None:
    server.will(answers({"error": {"message": f"no {CANARY}", "code": CANARY}}, status))
    error = await error_of(chat())
    assert (type(error), error.code) == (kind, code)
    assert named in str(error)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        answers({"error": "x"}, 500),
        answers("<h1>Bad gateway</h1>", 502, "text/html"),
        answers({"error": {"message": "Loading model"}}, 503),
        answers({"error": {}}, 429, Retry_After="0"),
        breaks,
        streams([]),
        streams([event({"error": {"message": CANARY}})]),
        streams([], then=breaks),
    ],
    ids=["500", "502", "503", "429", "breaks", "empty", "error event", "breaks after headers"],
)
async def test_what_passes_is_asked_again(
    chat: Make, server: FakeServer, trouble: Behaviour
) -> None:
    server.will(trouble, says("ok"))
    assert await said(chat()) == "ok"
    assert len(server.asked) == 2


async def test_a_server_that_fails_always_is_asked_three_times(
    chat: Make, server: FakeServer
) -> None:
    server.will(answers({"error": {"message": CANARY}}, 500))
    error = await error_of(chat())
    assert "500 Internal Server Error" in str(error)
    assert len(server.asked) == 3


async def test_a_wait_that_does_not_fit_into_the_turn_is_not_begun(
    chat: Make, server: FakeServer
) -> None:
    server.will(answers({"error": {}}, 429, Retry_After="600"))
    assert (await error_of(chat())).code == "engine_busy"
    assert len(server.asked) == 1


async def test_used_up_credit_does_not_pass(chat: Make, server: FakeServer) -> None:
    server.will(answers({"error": {"code": "insufficient_quota"}}, 429))
    error = await error_of(chat())
    assert (error.code, "balance" in error.action) == ("quota_exceeded", True)
    assert len(server.asked) == 1


async def test_a_server_that_is_not_there_is_named(chat: Make, nobody: str) -> None:
    error = await error_of(chat(base_url=nobody))
    assert isinstance(error, EngineUnavailable)
    assert nobody in str(error)


async def test_a_silent_server_costs_no_more_than_the_first_token_may_take(
    chat: Make, server: FakeServer
) -> None:
    server.will(hangs)
    error = await error_of(chat(first_token_timeout_s=0.05))
    assert isinstance(error, EngineTimeout)
    assert "llm.first_token_timeout_s" in str(error)
    await server.until_idle()


async def test_headers_alone_are_no_first_token(chat: Make, server: FakeServer) -> None:
    server.will(streams([b": hello\n\n", event({"choices": []})], then=hangs))
    assert isinstance(await error_of(chat(first_token_timeout_s=0.05)), EngineTimeout)
    await server.until_idle()


@pytest.mark.parametrize("is_dripping", [False, True], ids=["hang", "drip"])
async def test_silence_in_mid_stream_ends_the_reply(
    chat: Make, server: FakeServer, is_dripping: bool
) -> None:
    async def drops() -> AsyncIterator[bytes]:
        yield delta("Mho")
        while True:  # bytes that never become an event
            await asyncio.sleep(0.01)
            yield b":\n"

    server.will(drips(drops()) if is_dripping else streams([delta("Mho")], then=hangs))
    async with asyncio.timeout(30), aclosing(chat(next_token_timeout_s=0.05).reply(REQUEST)) as got:
        assert await anext(got) == TokenChunk("Mho")
        with pytest.raises(EngineTimeout, match="next_token_timeout_s"):
            await anext(got)
    await server.until_left()
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "ending",
    [
        streams([delta("Mho")], then=breaks),
        streams([delta("Mho")]),
        streams([delta("Mho"), DONE]),
        streams([delta("Mho"), event({"error": {"message": CANARY}})]),
        streams([delta("Mho"), event('{"choices": [{')]),
        streams([delta("Mho"), b"\x00\xff garbage\n\n" * 100]),
        streams([delta("Mho"), event([CANARY])]),
        streams([delta("Mho"), event({"choices": [CANARY]})]),
        streams([delta("Mho"), delta([CANARY])]),  # type: ignore[arg-type]
    ],
    ids=["cut", "ended", "done", "error", "json", "bytes", "list", "choice", "content"],
)
async def test_a_reply_that_goes_wrong_on_its_way_is_an_error_and_not_asked_again(
    chat: Make, server: FakeServer, ending: Behaviour
) -> None:
    server.will(ending)
    async with asyncio.timeout(30), aclosing(chat().reply(REQUEST)) as chunks:
        assert await anext(chunks) == TokenChunk("Mho")
        with pytest.raises(EngineError) as caught:
            await anext(chunks)
    assert CANARY not in str(caught.value)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "behaviour",
    [
        answers(f"<html>{CANARY}</html>", 200, "text/html"),
        streams([event("null")]),
        streams([event(CANARY)]),
        streams([b"\xff\xfe" * 5000 + b"\n\n" + event("{}")]),
        streams([b"data: ", *[b"x" * 1024 * 1024] * 9]),
        answers("ok", 200, "text/event-stream", Content_Encoding="gzip"),
    ],
    ids=["html", "null", "text", "bytes", "endless line", "compressed"],
)
async def test_what_is_no_answer_is_an_error_at_once(
    chat: Make, server: FakeServer, behaviour: Behaviour
) -> None:
    server.will(behaviour)
    assert "is not an answer" in str(await error_of(chat()))
    assert len(server.asked) == 1


async def test_a_redirect_is_named_and_not_followed(chat: Make, server: FakeServer) -> None:
    server.will(answers("", 307, Location=f"https://elsewhere.example/{CANARY}"))
    error = await error_of(chat())
    assert "redirects to https://elsewhere.example (307" in str(error)
    assert len(server.asked) == 1


@pytest.mark.parametrize("behaviour", [hangs, streams([b":\n"], then=hangs)], ids=["", "headers"])
async def test_cancelling_before_the_first_token_frees_the_connection(
    chat: Make, server: FakeServer, behaviour: Behaviour
) -> None:
    server.will(behaviour, says("ok"))
    engine = chat(max_concurrent=1)
    task = asyncio.create_task(reply(engine))
    await server.until_asked()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await server.until_left()
    assert await said(engine) == "ok"


async def test_closing_in_mid_stream_frees_the_connection(chat: Make, server: FakeServer) -> None:
    server.will(streams([delta("Mho")], then=hangs), says("ok"))
    engine = chat(max_concurrent=1)
    async with asyncio.timeout(30), aclosing(engine.reply(REQUEST)) as chunks:
        await anext(chunks)
    await server.until_left()
    assert await said(engine) == "ok"


async def test_cancelling_a_pause_between_attempts_ends_it(chat: Make, server: FakeServer) -> None:
    server.will(answers({}, 429, Retry_After="19"))
    task = asyncio.create_task(reply(chat()))
    await server.until_asked()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_replies_run_side_by_side_up_to_the_limit(chat: Make, server: FakeServer) -> None:
    more = asyncio.Event()
    server.will(streams([delta("a"), FINISHED, DONE], when=more))
    engine = chat(max_concurrent=2)
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        replies = [tasks.create_task(said(engine)) for _ in range(5)]
        await server.until_asked(2)
        assert len(server.asked) == 2
        more.set()
    assert [task.result() for task in replies] == ["a"] * 5


async def test_a_reply_that_stops_without_an_end_is_called_broken_off(
    chat: Make, server: FakeServer
) -> None:
    server.will(streams([delta("Mho"), DONE]))
    assert "broke off" in str(await error_of(chat()))
