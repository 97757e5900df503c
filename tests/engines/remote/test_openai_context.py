"""A dialogue that is longer than the server's model can hold."""

from __future__ import annotations

from tests.engines.remote.asking import CANARY, Make, dialogue, error_of, reply, said
from tests.engines.remote.fake_server import (
    DONE,
    FINISHED,
    FakeServer,
    answers,
    delta,
    event,
    says,
    streams,
)


async def test_a_prompt_too_long_is_sent_again_without_its_oldest_turns(
    chat: Make, server: FakeServer
) -> None:
    too_long = {"type": "exceed_context_size_error", "n_prompt_tokens": 1100, "n_ctx": 600}
    server.will(answers({"error": too_long}, 400), says("ok"))
    engine, request = chat(), dialogue(turns=21)
    assert await said(engine, request) == "ok"
    sent = server.asked[1].body["messages"]
    assert sent[0] == {"role": "system", "content": "Be brief."}
    assert sent[1]["role"] == "user"
    assert sent[-1]["content"] == request.messages[-1].content
    assert 4 <= len(sent) < 13
    # What was learned holds for the turns to come.
    await reply(engine, request)
    assert server.asked[2].body["messages"] == sent


async def test_a_prompt_too_long_by_an_unknown_measure_is_halved(
    chat: Make, server: FakeServer
) -> None:
    server.will(answers({"error": {"code": "context_length_exceeded"}}, 400), says("ok"))
    assert await said(chat(), dialogue(turns=21)) == "ok"
    assert len(server.asked[1].body["messages"]) == 10  # the system prompt, and turns 12 to 20


async def test_a_prompt_that_stays_too_long_is_an_error(chat: Make, server: FakeServer) -> None:
    server.will(answers({"error": {"code": "context_length_exceeded", "message": CANARY}}, 400))
    assert (await error_of(chat(), dialogue(turns=21))).code == "context_too_small"
    assert len(server.asked) == 2


async def test_the_servers_counts_tell_how_much_fits(chat: Make, server: FakeServer) -> None:
    counts = event({"choices": [], "usage": {"prompt_tokens": 30, "completion_tokens": 1}})
    server.will(streams([delta("ok"), FINISHED, counts, DONE]))
    engine, request = chat(context=600), dialogue(turns=21)
    for _ in range(2):
        await reply(engine, request)
    first, second = (len(asked.body["messages"]) for asked in server.asked)
    assert first < second == 22  # far fewer tokens than feared
