"""What servers with OpenAI's interface do that is odd, and a call goes on all the same."""

from __future__ import annotations

import pytest

from inzwa_rtc.engines.contracts import Message, ReplyRequest
from tests.engines.remote.asking import REQUEST, Make, dialogue, error_of, reply, said
from tests.engines.remote.fake_server import (
    DONE,
    FINISHED,
    Behaviour,
    FakeServer,
    answers,
    delta,
    event,
    says,
    streams,
)

ROLE = event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})


def counted(tokens: object) -> Behaviour:
    """A reply, and how long its prompt was."""
    usage = event({"choices": [], "usage": {"prompt_tokens": tokens}})
    return streams([delta("ok"), FINISHED, usage, DONE])


async def test_a_template_without_a_system_prompt_is_asked_without_one_from_then_on(
    chat: Make, server: FakeServer
) -> None:
    refusal = {"message": "System role not supported", "type": "BadRequestError", "code": 400}
    server.will(answers({"error": refusal}, 400), says("ok"))
    engine = chat()
    assert await said(engine) == "ok"
    assert await said(engine) == "ok"
    roles = [[one["role"] for one in asked.body["messages"]] for asked in server.asked]
    assert roles == [["system", "user"], ["user"], ["user"]]
    assert server.asked[2].body["messages"][0]["content"].startswith("Be brief.\n\n")


async def test_a_greeting_does_not_come_before_the_users_first_words(
    chat: Make, server: FakeServer
) -> None:
    server.will(says("ok"))
    system, user = REQUEST.messages
    await reply(chat(), ReplyRequest([system, Message("assistant", "Mhoro."), user]))
    first, *rest = server.asked[0].body["messages"]
    assert first["role"] == "system"
    assert first["content"].endswith("Mhoro.")
    assert [one["role"] for one in rest] == ["user"]


async def test_an_answer_that_ends_well_before_its_first_token_is_asked_for_again(
    chat: Make, server: FakeServer
) -> None:
    server.will(streams([ROLE, DONE]), says("ok"))
    assert await said(chat()) == "ok"
    assert len(server.asked) == 2


async def test_the_default_adapter_is_this_engines_alone(chat: Make, server: FakeServer) -> None:
    server.will(says("ok"))
    engine = chat(adapter="shona-lora")
    await reply(engine)
    await reply(engine, ReplyRequest(REQUEST.messages, adapter="other"))
    assert [asked.body["model"] for asked in server.asked] == ["shona-lora", "other"]


async def test_thoughts_are_not_spoken(chat: Make, server: FakeServer) -> None:
    server.will(says("<thi", "nk>Hm.", "</think>", "\n\nMho", "roi"))
    assert await said(chat()) == "Mhoroi"


async def test_a_character_in_two_events_is_one(chat: Make, server: FakeServer) -> None:
    server.will(says("a \ud83d", "\udc26"))
    assert await said(chat()) == "a \N{BIRD}"


@pytest.mark.parametrize("tokens", [10**400, 10**9, -1, 0, 1.5, "x"])
async def test_a_count_that_cannot_be_spoils_no_request_to_come(
    chat: Make, server: FakeServer, tokens: object
) -> None:
    server.will(counted(tokens), says("ok"))
    engine, request = chat(context=4096), dialogue(turns=21)
    for _ in range(2):
        assert await said(engine, request) == "ok"
    assert server.asked[0].body["messages"] == server.asked[1].body["messages"]


async def test_what_one_model_was_counted_to_take_is_not_held_against_another(
    chat: Make, server: FakeServer
) -> None:
    server.will(counted(6000), says("ok"))
    engine, request = chat(context=4096), dialogue(turns=21)
    await reply(engine, request)
    await reply(engine, request)
    await reply(engine, ReplyRequest(request.messages, max_tokens=64, adapter="other"))
    first, second, other = (len(asked.body["messages"]) for asked in server.asked)
    assert second < first == other


@pytest.mark.parametrize("n_ctx", [0, 1, -4096, 10**12])
async def test_a_context_that_cannot_be_is_not_believed(
    chat: Make, server: FakeServer, n_ctx: int
) -> None:
    refusal = {"type": "exceed_context_size_error", "n_prompt_tokens": 1100, "n_ctx": n_ctx}
    server.will(answers({"error": refusal}, 400), says("ok"))
    engine = chat()
    assert await said(engine, dialogue(turns=21)) == "ok"
    assert await said(engine) == "ok"
    assert len(server.asked[2].body["messages"]) == 2


@pytest.mark.parametrize(
    "garbage",
    [
        event("[" * 100_000),
        event('{"choices": ' + "[" * 100_000 + "]" * 100_000 + "}"),
        delta("a", logprobs={"content": [{"logprob": -(10**400)}]}),
    ],
    ids=["open", "nested", "huge"],
)
async def test_what_is_too_deep_or_too_large_is_not_an_answer(
    chat: Make, server: FakeServer, garbage: bytes
) -> None:
    server.will(streams([garbage]))
    assert "is not an answer" in str(await error_of(chat()))
