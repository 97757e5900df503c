"""Several language models: who answers when one of them fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from inzwa_rtc.engines.breaker import BreakerPolicy
from inzwa_rtc.engines.contracts import Message, ReplyRequest, TokenChunk, ToolCall, takes_tools
from inzwa_rtc.engines.fallback import FallbackLanguageModel
from inzwa_rtc.errors import EngineError, EngineTimeout, EngineUnavailable
from tests.engines.remote.clock import Clock

REQUEST = ReplyRequest((Message("user", "Mhoroi"),))
BUSY = EngineError("It is busy.", action="Wait.", code="engine_busy")
GUARD_S = 30.0


class Model:
    """Says its words; one that is an error is raised, and "..." is silence without end."""

    def __init__(self, *words: str | Exception) -> None:
        self.words = words
        self.asked = 0
        self.prepared = 0
        self.closed = 0

    async def reply(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk | ToolCall, None]:
        self.asked += 1
        try:
            for word in self.words:
                if isinstance(word, Exception):
                    raise word
                if word == "...":
                    await asyncio.Event().wait()
                yield TokenChunk(word)
        finally:
            self.closed += 1

    async def prepare(self, request: ReplyRequest) -> None:
        self.prepared += 1


def chain(
    *models: Model, first_token_s: float = 20, policy: BreakerPolicy | None = None
) -> FallbackLanguageModel:
    named = [(f"model-{number}", model) for number, model in enumerate(models)]
    return FallbackLanguageModel(named, first_token_s=first_token_s, policy=policy)


async def said(model: FallbackLanguageModel) -> list[str]:
    async with asyncio.timeout(GUARD_S), aclosing(model.reply(REQUEST)) as chunks:
        return [chunk.token async for chunk in chunks if isinstance(chunk, TokenChunk)]


async def test_the_preferred_engine_answers_while_it_can() -> None:
    first, second = Model("a", "b"), Model("c")
    assert await said(chain(first, second)) == ["a", "b"]
    assert second.asked == 0


async def test_the_next_engine_answers_when_one_fails_before_its_first_token() -> None:
    first, second = Model(BUSY), Model("c", "d")
    assert await said(chain(first, second)) == ["c", "d"]
    assert first.closed == 1


async def test_an_answer_that_has_begun_is_never_begun_again() -> None:
    first, second = Model("a", BUSY), Model("c")
    with pytest.raises(EngineError) as caught:
        await said(chain(first, second))
    assert caught.value is BUSY
    assert second.asked == 0


async def test_a_silent_engine_is_given_up_in_time_for_the_next() -> None:
    first, second = Model("..."), Model("c")
    assert await said(chain(first, second, first_token_s=0.1)) == ["c"]
    assert first.closed == 1


async def test_the_last_engine_has_all_the_time_that_is_left() -> None:
    with pytest.raises(EngineTimeout, match="model-0"):
        await said(chain(Model("..."), first_token_s=0.05))


async def test_an_engine_that_keeps_failing_is_left_alone_until_it_works_again(
    clock: Clock,
) -> None:
    first, second = Model(BUSY), Model("c")
    model = chain(first, second, policy=BreakerPolicy(failures=2, within_s=1000, open_s=15))
    for _ in range(2):
        await said(model)
    assert model.states() == {"model-0": "open", "model-1": "closed"}
    await said(model)
    assert first.asked == 2
    first.words = ("a",)
    clock.advance(15)
    assert await said(model) == ["a"]
    assert model.states()["model-0"] == "closed"


async def test_nobody_is_asked_when_all_are_left_alone() -> None:
    first, second = Model(BUSY), Model(EngineTimeout("It is silent."))
    model = chain(first, second, policy=BreakerPolicy(failures=1, open_s=1000))
    with pytest.raises(EngineUnavailable, match=r"model-0 \(engine_busy\), model-1 \(engine_time"):
        await said(model)
    with pytest.raises(EngineUnavailable, match=r"model-0 \(left alone\), model-1 \(left alone\)"):
        await said(model)
    assert (first.asked, second.asked) == (1, 1)


async def test_a_single_engine_gives_its_own_error() -> None:
    with pytest.raises(EngineError) as caught:
        await said(chain(Model(BUSY)))
    assert caught.value is BUSY


async def test_a_request_that_asks_too_much_is_held_against_no_engine() -> None:
    too_long = EngineError("It is too long.", code="context_too_small")
    model = chain(Model(too_long), Model(too_long), policy=BreakerPolicy(failures=1))
    with pytest.raises(EngineError) as caught:
        await said(model)
    assert caught.value is too_long
    assert set(model.states().values()) == {"closed"}


async def test_what_is_no_failure_of_the_engine_is_passed_on() -> None:
    bug, second = Model(ZeroDivisionError()), Model("c")
    with pytest.raises(ZeroDivisionError):
        await said(chain(bug, second))
    assert second.asked == 0


async def test_a_caller_who_leaves_closes_the_engine_and_blames_nobody() -> None:
    first = Model("...")
    model = chain(first, policy=BreakerPolicy(failures=1))
    task = asyncio.create_task(said(model))
    while not first.asked:  # noqa: ASYNC110 - the engine is a plain object
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert first.closed == 1
    assert model.states() == {"model-0": "closed"}


async def test_a_caller_who_leaves_makes_room_for_the_next_to_try_an_engine(clock: Clock) -> None:
    first = Model(BUSY)
    model = chain(first, Model("c"), policy=BreakerPolicy(failures=1, open_s=15))
    await said(model)
    clock.advance(15)
    first.words = ("...",)
    task = asyncio.create_task(said(model))
    while first.asked < 2:  # noqa: ASYNC110 - the engine is a plain object
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    first.words = ("a",)
    assert await said(model) == ["a"]


async def test_who_will_be_asked_reads_ahead() -> None:
    first, second = Model(BUSY), Model("c")
    model = chain(first, second, policy=BreakerPolicy(failures=1, open_s=1000))
    await model.prepare(REQUEST)
    assert (first.prepared, second.prepared) == (1, 0)
    await said(model)
    await model.prepare(REQUEST)
    assert (first.prepared, second.prepared) == (1, 1)


async def test_a_chain_has_an_engine() -> None:
    with pytest.raises(ValueError, match="at least one"):
        chain()


class ToolModel(Model):
    """One that says whether it can be offered tools."""

    def __init__(self, *words: str | Exception, takes_tools: bool) -> None:
        super().__init__(*words)
        self.takes_tools = takes_tools


async def test_tools_are_offered_where_one_that_may_be_asked_takes_them() -> None:
    plain, able = ToolModel("a", takes_tools=False), ToolModel(BUSY, "b", takes_tools=True)
    assert takes_tools(chain(plain, able))
    assert not takes_tools(chain(plain, Model("c")))
    failing = chain(able, plain, policy=BreakerPolicy(failures=1))
    await said(failing)
    assert not takes_tools(failing), "it is left alone now"
